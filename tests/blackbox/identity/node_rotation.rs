//! The node's URL is rotated while contract wallets register. Providers put keys into URLs.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use crochet_admin::Input;
use crochet_tests::{Client, Failure, Load, Outcome, Pow, Replies, Setup, World, with_setup};
use serde_json::{Value, json};

/// A node of Base that accepts some keys, and confirms every signature.
struct Node {
    address: SocketAddr,
    accepted: Arc<Mutex<Vec<&'static str>>>,
}

impl Node {
    async fn start() -> Result<Self, Failure> {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let accepted: Arc<Mutex<Vec<&'static str>>> = Arc::default();
        let keys = accepted.clone();
        let answer = move |uri: Uri, body: Bytes| {
            let knows = keys.lock().expect("no handler panicked").contains(&uri.path().trim_start_matches('/'));
            async move { if knows { answer(&body) } else { StatusCode::UNAUTHORIZED.into_response() } }
        };
        tokio::spawn(axum::serve(listener, Router::new().fallback(axum::routing::post(answer))).into_future());
        Ok(Self { address, accepted })
    }

    fn accepts(&self, keys: &[&'static str]) {
        *self.accepted.lock().expect("no handler panicked") = keys.to_vec();
    }

    async fn rotate_to(&self, world: &World, key: &str) -> Outcome {
        let url = format!("http://{}/{key}\n", self.address);
        world.admin_with("rotate-keys node", Input::Text(url.into())).await.map(drop)
    }
}

fn answer(body: &[u8]) -> Response {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let word = |number: u8| format!("{number:064x}");
    let result = match request["method"].as_str() {
        Some("eth_chainId") => "0x2105".to_owned(),
        // The verifier's result for a contract that confirms.
        _ => format!("0x{0}{0}{1}{2}{3}1626ba7e{4}", word(9), word(0x60), word(1), word(32), "0".repeat(56)),
    };
    axum::Json(json!({ "jsonrpc": "2.0", "id": 1, "result": result })).into_response()
}

async fn contract_registers(client: &Client) -> Outcome {
    let mut address = [0; 20];
    getrandom::fill(&mut address).map_err(|error| Failure::new(error.to_string()))?;
    let account = format!("0x{}", hex::encode(address));
    let challenge = client.challenge(&account, "register", &Value::Null).await?;
    let body = json!({ "wallet_address": account, "signature": format!("0x{}", "07".repeat(70)), "nonce": challenge.nonce,
        "pow_nonce": challenge.pow.as_ref().map(Pow::solve), "display_name": "A contract" });
    client.post("/register").json(&body).send().await?.ok(201);
    Ok(())
}

#[test]
fn no_registration_fails_while_the_nodes_url_is_rotated() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let node = Node::start().await?;
        node.accepts(&["first"]);
        node.rotate_to(world, "first").await?;
        let load = Load::default();
        let (one, two, steps) = tokio::join!(
            load.repeat(async |_| contract_registers(&world.client).await),
            load.repeat(async |_| contract_registers(&world.client).await),
            load.during(async {
                load.more(10).await;
                for keys in [["first", "second"], ["second", "third"]] {
                    node.accepts(&keys);
                    node.rotate_to(world, keys[1]).await?;
                    load.more(10).await;
                    node.accepts(&keys[1..]);
                    load.more(10).await;
                }
                // It accepts one key only, and the next is put in a moment before.
                node.rotate_to(world, "fourth").await?;
                node.accepts(&["fourth"]);
                load.more(10).await;
                load.later(world, 301).await?;
                load.more(10).await;
                Ok(())
            }),
        );
        steps?;
        one?;
        two?;
        assert!(load.done() >= 70);
        println!("{} registrations, none failed", load.done());
        Ok(())
    })
}
