//! The book of payments, with `--data`.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::{SELLER, parts, quote, record, status};
use crate::{Options, Stack};

/// A new directory, removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let name = hex::encode(crochet_client::random_bytes::<8>());
        Self(std::env::temp_dir().join(format!("crochet-sandbox-{name}")))
    }

    async fn stack(&self) -> Stack {
        let options = Options { routers: false, data: Some(self.0.clone()), ..Options::ephemeral() };
        Stack::start(options).await.expect("the parts start")
    }

    fn book(&self) -> PathBuf {
        self.0.join("sandbox-payments.jsonl")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn payments_survive_a_restart() {
    let directory = Directory::new();
    let stack = directory.stack().await;
    let (paid, _) = quote(&stack.sandbox()).await;
    let (open, _) = quote(&stack.sandbox()).await;
    let (forgotten, _) = quote(&stack.sandbox()).await;
    stack.sandbox().set(&paid, &json!({ "status": "pending" })).await.expect("set");
    stack.sandbox().pay(&paid).await.expect("paid");
    stack.sandbox().set(&open, &json!({ "status": "success", "after_ms": 3_600_000 })).await.expect("set");
    stack.sandbox().forget(&forgotten).await.expect("forgotten");
    let before = stack.sandbox().requests(None).await.expect("a list");
    let recorded = record(&stack.sandbox(), &paid).await;
    stack.stop().await;

    let stack = directory.stack().await;
    let sandbox = stack.sandbox();
    assert_eq!(sandbox.requests(None).await.expect("a list"), before, "in the same order");
    assert_eq!(record(&sandbox, &paid).await, recorded);
    assert_eq!(recorded["recipient"], SELLER);
    assert_eq!(status(&sandbox, &forgotten).await["message"], "Request not found");
    assert_eq!(status(&sandbox, &open).await["status"], "waiting");
    sandbox.advance_clock(3_600_000).await.expect("moved");
    assert_eq!(status(&sandbox, &open).await["status"], "success", "what was to come comes");
    let (another, _) = quote(&sandbox).await;
    stack.stop().await;

    // The process ended while it was writing.
    let mut text = fs::read_to_string(directory.book()).expect("a book");
    text.push_str("{\"id\":\"0x");
    fs::write(directory.book(), text).expect("written");
    let stack = directory.stack().await;
    assert_eq!(status(&stack.sandbox(), &another).await["status"], "waiting");
    assert_eq!(stack.sandbox().requests(None).await.expect("a list").len(), 4);
    stack.stop().await;
}

#[tokio::test]
async fn without_a_directory_nothing_is_kept() {
    let stack = parts(None).await;
    let (id, _) = quote(&stack.sandbox()).await;
    assert_eq!(status(&parts(None).await.sandbox(), &id).await["message"], "Request not found");
}
