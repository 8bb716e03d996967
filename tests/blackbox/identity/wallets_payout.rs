//! The payout wallet that active paid listings need stays.

use crochet_tests::{Agent, Failure, Outcome, Replies, Reply, Wallet, list, shared, text};
use serde_json::{Value, json};

fn first_wallet(agent: &Agent) -> String {
    text(&agent.issued["wallets"][0], "id").to_owned()
}

async fn change(agent: &Agent, wallet: &str, change: &Value) -> Result<Reply, Failure> {
    Ok(agent.try_update_wallet(&agent.wallet, wallet, change).await?)
}

#[test]
fn the_last_payout_wallet_stays_while_a_paid_listing_is_on_offer() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let (seller, wallet) = (&market.seller, first_wallet(&market.seller));
        let without = json!({ "capabilities": ["auth", "recovery", "payment"] });
        for unpaid in [&without, &json!({ "capabilities": ["recovery"] })] {
            let reply = change(seller, &wallet, unpaid).await?;
            let error = reply.refused(409, "LISTINGS_STILL_ACTIVE");
            assert_eq!(error["details"]["listing_ids"], json!([market.listing.id]), "{error}");
            let discard = list(&error["recovery"], "discard");
            assert!(discard.contains(&json!("nonce")), "{error}");
        }
        // Other changes are free, and so is this one with another wallet that can be paid.
        change(seller, &wallet, &json!({ "capabilities": ["recovery", "payout"] })).await?.ok(200);
        let other = seller.link_wallet(&Wallet::evm()).await?;
        change(seller, &wallet, &without).await?.ok(200);
        let other = text(&other["wallet"], "id");
        change(seller, other, &json!({ "status": "disabled" })).await?.refused(409, "LISTINGS_STILL_ACTIVE");
        // As the advice says.
        seller.delete(&format!("/listings/{}", market.listing.id)).send().await?.ok(200);
        change(seller, other, &json!({ "status": "disabled" })).await?.ok(200);
        let active = json!({ "status": "active" });
        let path = format!("/listings/{}", market.listing.id);
        seller.patch(&path).json(&active).send().await?.refused(409, "PAYOUT_WALLET_REQUIRED");
        Ok(())
    })
}

#[test]
fn free_listings_and_drafts_need_no_payout_wallet() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        seller.create_listing(&world.free_fields("/echo")).await?;
        let mut draft = world.paid_fields(&json!(1), "/echo");
        draft["status"] = "draft".into();
        seller.create_listing(&draft).await?;
        change(&seller, &first_wallet(&seller), &json!({ "capabilities": ["recovery"] })).await?.ok(200);
        Ok(())
    })
}

#[test]
fn no_race_leaves_a_paid_listing_on_offer_that_reaches_nobody() -> Outcome {
    shared(async |world| {
        for round in 0..6 {
            let seller = world.agent().await?;
            let listing = seller.create_listing(&world.free_fields("/echo")).await?;
            let path = format!("/listings/{}", listing.id);
            if round % 2 == 0 {
                seller.delete(&path).send().await?.ok(200);
            }
            let sells = json!({ "pricing_model": "per_call", "pricing_amount": 1, "status": "active" });
            let wallet = first_wallet(&seller);
            let body = seller.change_request(&seller.wallet, &wallet, &json!({ "capabilities": ["recovery"] })).await?;
            let (sold, changed) = tokio::join!(
                seller.patch(&path).json(&sells).send(),
                seller.patch(&format!("/me/wallets/{wallet}")).json(&body).send()
            );
            let (sold, changed) = (sold?, changed?);
            let codes = (sold.code(), changed.code());
            assert!(sold.status != 200 || changed.status != 200, "{round}: both succeeded");
            assert!(sold.status == 200 || changed.status == 200, "{round}: {codes:?}");
        }
        Ok(())
    })
}
