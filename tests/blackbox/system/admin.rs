//! `crochet-admin`: fees, and what is owed.

use crochet_tests::{Outcome, Replies, isolated, sum, text};
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
