//! The calls to copy are run as they stand on the page.

use std::process::Command;

use crochet_tests::{Directory, Failure, Market, Outcome, isolated, python};
use serde_json::Value;

use super::{busy_market, page};

/// The code of a page's block, as a reader copies it.
fn code(page: &str, id: &str) -> Result<String, Failure> {
    let block = page.split(&format!("id=\"{id}\"")).nth(1).and_then(|rest| rest.split_once('>')).map(|(_, rest)| rest);
    let html = block.and_then(|rest| rest.split("</pre>").next()).ok_or_else(|| Failure::new(format!("there is no {id}")))?;
    let html = html.replace("<var>", "").replace("</var>", "");
    Ok(html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&"))
}

fn run(directory: &Directory, program: &str, file: &str, text: &str) -> Result<String, Failure> {
    directory.write(file, text)?;
    directory.run(Command::new(program).arg(file))
}

/// The id that the first run prints.
fn printed_id(said: &str) -> Result<String, Failure> {
    said.split_whitespace().find(|word| word.starts_with("0x")).map(str::to_owned).ok_or_else(|| Failure::new(said.to_owned()))
}

async fn bought(market: &Market<'_>, page: &str, id: &str, program: &str, file: &str) -> Outcome {
    let key = market.buyer.api_key.as_str();
    let directory = Directory::new()?;
    let text = code(page, id)?.replace("am_k_YOUR_API_KEY", key);
    let first = run(&directory, program, file, &text)?;
    assert!(first.contains("PAYMENT_REQUIRED"), "{first}");
    let payment = printed_id(&first)?;
    market.world.sandbox.pay(&payment).await?;
    let text = text.replace("PAYMENT_ID = \"\"", &format!("PAYMENT_ID = \"{payment}\""));
    let answer: Value = serde_json::from_str(run(&directory, program, file, &text)?.trim())?;
    assert_eq!(answer["echo"]["text"], "it's one\nand two", "{answer}");
    Ok(())
}

#[test]
fn the_calls_on_a_listings_page_work_as_they_are_copied() -> Outcome {
    let Some(python) = python() else { return Ok(()) };
    isolated(async |world| {
        let market = busy_market(world).await?;
        let reply = page(&world.client, &format!("/listings/{}", market.listing.slug)).await?;
        let text = reply.text();
        bought(&market, &text, "call-python", &python.display().to_string(), "call.py").await?;
        bought(&market, &text, "call-javascript", "node", "call.mjs").await?;
        // In curl, the reader puts the id into the second command.
        let directory = Directory::new()?;
        let script = code(&text, "call-curl")?.replace("am_k_YOUR_API_KEY", market.buyer.api_key.as_str());
        let (first, second) = script.split_once("# 2 ").ok_or_else(|| Failure::new(script.clone()))?;
        let said: Value = serde_json::from_str(&run(&directory, "bash", "first.sh", first)?)?;
        assert_eq!(said["error"]["code"], "PAYMENT_REQUIRED", "{said}");
        let payment = super::said(&said["data"]["payment"]["relay_request_id"]).to_owned();
        world.sandbox.pay(&payment).await?;
        let second = format!("# 2 {second}").replace("the id of the 402", &payment);
        let said: Value = serde_json::from_str(&run(&directory, "bash", "second.sh", &second)?)?;
        assert_eq!(said["data"]["seller_response"]["echo"]["text"], "it's one\nand two", "{said}");
        Ok(())
    })
}
