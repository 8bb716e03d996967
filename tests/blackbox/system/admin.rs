//! `crochet-admin`: fees, and what is owed.

use crochet_tests::{Failure, Market, Outcome, Quote, Replies, World, isolated, number, sum, text};
use serde_json::{Value, json};

#[test]
fn fees_are_what_was_settled_and_what_the_provider_collected() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        for n in 0..3 {
            market.buy(&json!({ "n": n })).await?;
        }
        let report: Value = serde_json::from_str(&world.admin("fees --json").await?)?;
        assert_eq!((&report["calls"], &report["fee"]), (&json!(3), &json!(147_000)));
        let [fee, collected, difference] =
            ["fee", "fee_collected", "difference"].map(|name| report[name].as_i64().unwrap_or_default());
        assert_eq!(collected - fee, difference);
        assert!(collected >= fee, "{report}");
        let text = world.admin("fees").await?;
        assert!(text.contains("settled calls") && text.contains("0.147 USD"), "{text}");
        let none: Value = serde_json::from_str(&world.admin("fees --to 2020-01-01 --json").await?)?;
        assert_eq!(none["calls"], 0);
        assert!(world.admin("fees --from yesterday").await.is_err());
        assert!(world.admin("--help").await?.contains("adjustments settle"));
        Ok(())
    })
}

#[test]
fn the_operators_part_is_listed_until_it_is_paid_or_given_up() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/fail/500").await?;
        assert_eq!(world.admin("adjustments").await?, "Nothing is owed.\n");
        let ids = market.undelivered(&[json!({ "n": 1 }), json!({ "n": 2 })]).await?;
        let listed: Value = serde_json::from_str(&world.admin("adjustments --json").await?)?;
        assert_eq!(listed.as_array().map(Vec::len), Some(2));
        assert_eq!(listed[0]["operator"]["amount"], 49_000);
        assert_eq!(text(&listed[0]["seller"], "profile"), market.seller.profile_id);

        world.admin(&format!("adjustments settle {}", ids[0])).await?;
        world.admin(&format!("adjustments waive {}", ids[1])).await?;
        let again = world.admin(&format!("adjustments settle {}", ids[0])).await;
        assert!(again.is_err_and(|failure| format!("{failure:?}").contains("settled already")));
        for (id, settlement) in ids.iter().zip(["settled", "waived"]) {
            let entries = market.entries(&market.buyer, id).await?;
            let of_the_fee: Vec<&Value> = entries
                .iter()
                .filter(|entry| entry["amount"]["amount_micros"].as_i64().unwrap_or_default().abs() == 49_000)
                .collect();
            assert_eq!(of_the_fee.len(), 2, "the debt, and its end");
            assert!(of_the_fee.iter().all(|entry| entry["settlement"] == settlement), "{entries:?}");
            assert_eq!(sum(&entries), -49_000);
        }
        // The seller's part is independent of that.
        market.refunded(&ids[0]).await?;
        assert_eq!(world.admin("adjustments").await?, "Nothing is owed.\n");
        let all: Value = serde_json::from_str(&world.admin("adjustments --all --json").await?)?;
        assert_eq!(all.as_array().map(Vec::len), Some(2));
        Ok(())
    })
}

#[test]
fn the_fee_of_a_call_that_its_seller_refunded_can_be_paid_back_too() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let (_, delivered) = market.buy(&json!({ "n": 1 })).await?;
        let id = text(delivered.ok(200), "request_id").to_owned();
        let settle = format!("adjustments settle {id}");
        assert!(world.admin(&settle).await.is_err());
        market.refunded(&id).await?;
        world.admin(&settle).await?;
        assert_eq!(sum(&market.entries(&market.buyer, &id).await?), 0);
        assert!(world.admin("adjustments settle gw_req_01ARZ3NDEKTSV4RRFFQ69G5FAV").await.is_err());
        Ok(())
    })
}

#[test]
fn a_payment_that_differs_from_its_quote_counts_or_does_not_as_the_operator_says() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let mismatched = async || -> Result<crochet_tests::Quote, crochet_tests::Failure> {
            let quote = market.quote(&body).await?;
            world.sandbox.set(&quote.id, &json!({ "status": "success", "output": "950999" })).await?;
            market.redeem(&quote, &body).await?.refused(409, "PAYMENT_MISMATCH");
            Ok(quote)
        };
        let void = mismatched().await?;
        world.admin(&format!("mismatch void {}", void.id)).await?;
        let named = crochet_tests::Quote::of(market.redeem(&void, &body).await?);
        assert_ne!(named.id, void.id);
        assert_eq!(market.quote(&body).await?.id, named.id);
        world.sandbox.set(&named.id, &json!({ "status": "success", "output": "950999" })).await?;
        market.redeem(&named, &body).await?.refused(409, "PAYMENT_MISMATCH");
        world.admin(&format!("mismatch accept {}", named.id)).await?;
        market.redeem(&named, &body).await?.ok(200);
        assert!(world.admin(&format!("mismatch void {}", named.id)).await.is_err(), "it is delivered");
        assert!(world.admin("mismatch accept 0x1").await.is_err());
        Ok(())
    })
}

#[test]
fn a_verdict_on_a_payment_that_nobody_made_is_refused() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        assert_eq!(world.admin_json(&format!("mismatch show {}", quote.id)).await?["state"], "waiting");
        for verdict in ["accept", "void"] {
            let refused = world.admin(&format!("mismatch {verdict} {}", quote.id)).await;
            assert!(refused.is_err_and(|failure| format!("{failure:?}").contains("No deposit was seen")), "{verdict}");
        }
        assert_eq!(market.row(&quote.id).await?["status"], "quoted");
        world.sandbox.pay(&quote.id).await?;
        market.redeem(&quote, &body).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_void_is_undone_by_accepting_the_payment_and_by_nothing_else() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        world.sandbox.set(&quote.id, &json!({ "status": "success", "output": "950999" })).await?;
        let refused = market.redeem(&quote, &body).await?;
        refused.refused(409, "PAYMENT_MISMATCH");
        let call = text(&market.row(&quote.id).await?, "id").to_owned();
        world.admin(&format!("mismatch void {}", quote.id)).await?;
        let redriven = world.admin(&format!("calls redrive {call}")).await;
        assert!(redriven.is_err_and(|failure| format!("{failure:?}").contains("declared void")));
        assert!(world.admin(&format!("mismatch void {}", quote.id)).await.is_err(), "it is void");
        let said = world.admin(&format!("mismatch accept {}", quote.id)).await?;
        assert!(said.contains("counts after all"), "{said}");
        market.redeem(&quote, &body).await?.ok(200);
        Ok(())
    })
}

/// A market whose seller owes a dollar's call for more than seven days and is suspended for it, and the call's request id.
async fn overdue(world: &World) -> Result<(Market<'_>, String), Failure> {
    let market = world.market_at(&json!(1), "/fail/500").await?;
    let id = market.undelivered(&[json!({ "n": 1 })]).await?.remove(0);
    world.later(7 * 86_400).await?;
    world.look_at_debts().await?;
    world.later(1).await?;
    assert_eq!(suspended_reason(&market).await?, "REFUND_OVERDUE");
    Ok((market, id))
}

async fn suspended_reason(market: &Market<'_>) -> Result<Value, Failure> {
    let listing = market.world.client.get(&format!("/listings/{}", market.listing.id)).send().await?;
    Ok(listing.ok(200)["listing"]["suspended_reason"].clone())
}

/// A refund's payment that went out with another output than quoted, and was refused for it.
async fn mismatched_refund(market: &Market<'_>, id: &str) -> Result<Quote, Failure> {
    let offer = Quote::of(market.refund(id).await?);
    market.world.sandbox.set(&offer.id, &json!({ "status": "success", "output": "950999" })).await?;
    for _ in 0..2 {
        let refused = market.refund(id).await?;
        assert_eq!(refused.refused(409, "PAYMENT_MISMATCH")["details"]["relay_request_id"], json!(offer.id));
    }
    Ok(offer)
}

/// What both parties' books say about a call: who, the kind of the entry, its amount, and what became of it.
async fn books(market: &Market<'_>, id: &str) -> Result<Vec<(&'static str, String, i64, Value)>, Failure> {
    let mut books = Vec::new();
    for (who, agent) in [("buyer", &market.buyer), ("seller", &market.seller)] {
        books.extend(market.entries(agent, id).await?.iter().map(|entry| {
            (who, text(entry, "type").to_owned(), number(&entry["amount"], "amount_micros"), entry["settlement"].clone())
        }));
    }
    books.sort_by_key(|(who, kind, amount, _)| (*who, kind.clone(), *amount));
    Ok(books)
}

#[test]
fn a_refund_that_was_paid_otherwise_than_quoted_counts_or_does_not_as_the_operator_says() -> Outcome {
    isolated(async |world| {
        // Given up: the seller pays another, in the ordinary way.
        let (market, id) = overdue(world).await?;
        let void = mismatched_refund(&market, &id).await?;
        let shown = world.admin_json(&format!("mismatch show {}", void.id)).await?;
        assert_eq!((text(&shown, "state"), &shown["calls"]), ("pending", &json!([id])));
        assert_eq!((text(&shown, "payer"), text(&shown, "paid")), (&*market.seller.profile_id, &*market.buyer.profile_id));
        assert_eq!(shown["expected"]["output"], 951_000);
        world.admin(&format!("mismatch void {}", void.id)).await?;
        assert_eq!((market.charge(&id).await?.as_str(), suspended_reason(&market).await?), ("owed", json!("REFUND_OVERDUE")));
        world.later(900).await?;
        world.look_at_debts().await?;
        let named = Quote::of(market.refund(&id).await?);
        assert_ne!(named.id, void.id);
        let waiting = world.admin(&format!("mismatch accept {}", named.id)).await;
        assert!(waiting.is_err_and(|failure| format!("{failure:?}").contains("is waiting")), "nothing was paid by it");
        world.sandbox.pay(&named.id).await?;
        assert_eq!(market.refund(&id).await?.ok(200)["refund"]["relay_request_id"], json!(named.id));
        assert_eq!(suspended_reason(&market).await?, Value::Null);
        let ordinary = books(&market, &id).await?;

        // Accepted: the books are the same as after an ordinary payment.
        let (market, id) = overdue(world).await?;
        let accepted = mismatched_refund(&market, &id).await?;
        let said = world.admin(&format!("mismatch accept {}", accepted.id)).await?;
        assert!(said.contains("of 0.951 USD is paid"), "{said}");
        assert_eq!(books(&market, &id).await?, ordinary);
        assert_eq!(ordinary.iter().map(|(_, _, amount, _)| amount).sum::<i64>(), 0, "{ordinary:?}");
        assert_eq!(market.charge(&id).await?, "refunded");
        let refund = market.refund(&id).await?.ok(200)["refund"].clone();
        assert_eq!((&refund["relay_request_id"], &refund["request_ids"]), (&json!(accepted.id), &json!([id])));
        world.look_at_debts().await?;
        assert_eq!(suspended_reason(&market).await?, Value::Null);
        world.admin(&format!("adjustments settle {id}")).await?;
        let all = world.admin_json("adjustments --all").await?;
        let of_the_call = all.as_array().and_then(|all| all.iter().find(|one| one["call"] == json!(id))).cloned();
        assert_eq!(of_the_call.map(|one| one["seller"]["settlement"].clone()), Some(json!("settled")));

        for again in [&void, &accepted] {
            for verdict in ["accept", "void"] {
                let decided = world.admin(&format!("mismatch {verdict} {}", again.id)).await;
                assert!(decided.is_err_and(|failure| format!("{failure:?}").contains("nothing to decide")));
            }
        }
        let trail = world.audited()?;
        for (verdict, payment) in [("void", &void.id), ("accept", &accepted.id)] {
            let is_done = |line: &&Value| line["command"] == json!(["mismatch", verdict, payment]) && line["state"] == "done";
            assert_eq!(trail.iter().filter(is_done).count(), 1, "{verdict}");
        }
        Ok(())
    })
}
