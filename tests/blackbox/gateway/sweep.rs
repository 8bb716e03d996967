//! What nobody presents is finished: by the provider's webhook, by whoever reads the call, and by the sweeper.

use crochet_tests::{Market, Outcome, Quote, Replies, Setup, isolated, text, with_setup};
use serde_json::{Value, json};

const CLOSED: i64 = 845;
const DAY: i64 = 86_400;

async fn states(market: &Market<'_>, quote: &Quote) -> Result<(String, String), crochet_tests::Failure> {
    let row = market.row(&quote.id).await?;
    Ok((text(&row, "status").to_owned(), text(&row["charge"], "state").to_owned()))
}

fn are(status: &str, charge: &str) -> (String, String) {
    (status.to_owned(), charge.to_owned())
}

#[test]
fn a_buyer_who_pays_and_never_returns_is_settled_then_owed() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let quote = market.paid(&json!({ "n": 1 })).await?;
        assert_eq!(states(&market, &quote).await?, are("quoted", "none"));
        world.sweep().await?;
        assert_eq!(states(&market, &quote).await?, are("settled", "charged"));
        world.later(30 * DAY).await?;
        for _ in 0..2 {
            world.sweep().await?;
        }
        assert_eq!(states(&market, &quote).await?, are("undelivered", "owed"));
        assert_eq!(market.all_received().await?.len(), 0);
        Ok(())
    })
}

#[test]
fn an_unpaid_quote_expires_and_a_late_fill_is_seen_for_a_day() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let (first, second) = (market.quote(&json!({ "n": 1 })).await?, market.quote(&json!({ "n": 2 })).await?);
        world.later(CLOSED).await?;
        world.sweep().await?;
        assert_eq!(states(&market, &first).await?, are("expired", "none"));
        world.sandbox.pay(&first.id).await?;
        world.later(3_600).await?;
        world.sweep().await?;
        assert_eq!(states(&market, &first).await?, are("settled", "charged"));
        world.sandbox.pay(&second.id).await?;
        world.later(DAY).await?;
        world.sweep().await?;
        assert_eq!(states(&market, &second).await?, are("settled", "charged"));
        // The record of the body lists it again.
        market.call(&json!({ "n": 2 })).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn sweeping_twice_late_and_in_parallel_is_sweeping_once() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let mut quotes = Vec::new();
        for n in 0..12 {
            let quote = market.quote(&json!({ "n": n })).await?;
            if n % 2 == 0 {
                world.sandbox.pay(&quote.id).await?;
            }
            quotes.push(quote);
        }
        world.later(CLOSED).await?;
        futures::future::try_join_all((0..4).map(|_| world.sweep())).await?;
        world.sweep().await?;
        for (n, quote) in quotes.iter().enumerate() {
            let expected = if n % 2 == 0 { are("settled", "charged") } else { are("expired", "none") };
            assert_eq!(states(&market, quote).await?, expected, "{n}");
        }
        Ok(())
    })
}

#[test]
fn while_the_provider_is_down_the_sweeper_changes_nothing() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let quote = market.paid(&json!({ "n": 1 })).await?;
        world.later(CLOSED).await?;
        world.sandbox.fault("status", "down", 60_000).await?;
        world.sweep().await?;
        assert_eq!(states(&market, &quote).await?, are("quoted", "none"));
        world.sandbox.clear_faults().await?;
        world.sweep().await?;
        assert_eq!(states(&market, &quote).await?, are("settled", "charged"));
        Ok(())
    })
}

#[test]
fn was_i_charged_is_true_when_it_is_read() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let quote = market.quote(&json!({ "n": 1 })).await?;
        let id = text(&market.row(&quote.id).await?, "id").to_owned();
        let read = async || -> Result<Value, crochet_tests::Failure> {
            let reply = market.buyer.get(&format!("/gateway-requests/{id}")).send().await?;
            Ok(reply.ok(200)["gateway_request"].clone())
        };
        assert_eq!(read().await?["charge"]["state"], "none");
        world.sandbox.set(&quote.id, &json!({ "status": "pending" })).await?;
        assert_eq!(read().await?["charge"]["state"], "pending");
        world.sandbox.pay(&quote.id).await?;
        let row = read().await?;
        assert_eq!((&row["status"], &row["charge"]["state"]), (&json!("settled"), &json!("charged")));
        Ok(())
    })
}

#[test]
fn a_signed_webhook_settles_and_any_other_is_refused() -> Outcome {
    let setup = Setup { webhooks: true, ..Setup::default() };
    with_setup(setup, async |world| {
        let market = world.market(1.0).await?;
        let quote = market.paid(&json!({ "n": 1 })).await?;
        crochet_tests::eventually("the webhook settles the call", async || {
            Ok((states(&market, &quote).await? == are("settled", "charged")).then_some(()))
        })
        .await?;
        market.redeem(&quote, &json!({ "n": 1 })).await?.ok(200);
        let event = json!({ "event": "request.status.updated", "data": { "requestId": quote.id, "status": "success" } });
        let forged = world.client.post("/webhooks/relay").json(&event);
        forged.send().await?.refused(401, "WEBHOOK_REFUSED");
        let forged = world.client.post("/webhooks/relay").header("x-signature-timestamp", "1").header("x-signature-sha256", "00");
        forged.json(&event).send().await?.refused(401, "WEBHOOK_REFUSED");
        world.client.post("/webhooks/other").json(&event).send().await?.refused(404, "NOT_FOUND");
        Ok(())
    })
}
