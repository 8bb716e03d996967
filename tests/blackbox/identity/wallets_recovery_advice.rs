//! Errors whose advice is to add a wallet, followed literally.

use crochet_tests::{Outcome, Quote, Replies, Wallet, shared, text};
use serde_json::json;

#[test]
fn a_seller_without_a_payout_wallet_is_led_to_one_and_creates_its_listing() -> Outcome {
    shared(async |world| {
        let fields = json!({ "display_name": "Unpaid", "capabilities": ["auth", "recovery", "payment"] });
        let seller = world.client.register_with(&Wallet::solana(), &fields).await?;
        let listing = world.paid_fields(&json!(1), "/echo");
        let refused = seller.try_create_listing(&listing).await?;
        let recovery = &refused.refused(409, "PAYOUT_WALLET_REQUIRED")["recovery"];
        assert!(text(recovery, "summary").contains("POST /me/wallets"), "{recovery}");
        seller.link_wallet_for(&Wallet::evm(), &["payout"]).await?;
        let created = seller.try_create_listing(&listing).await?;
        // The same token on the same chain is no route.
        assert_eq!(created.ok(201)["listing"]["payable_with"], json!(["SOL", "USDC_SOL", "ETH"]));
        Ok(())
    })
}

#[test]
fn an_evm_buyer_is_led_to_a_solana_wallet_and_pays_with_sol() -> Outcome {
    shared(async |world| {
        let path = world.echo_path();
        let fields = world.paid_fields(&json!(0.01), &path);
        let market = world.market_of(world.evm_agent().await?, world.agent().await?, &fields, &path).await?;
        let body = json!({ "n": 1 });
        let refused = market.call(&body).currency("SOL").send().await?;
        let error = refused.refused(400, "PAYMENT_WALLET_REQUIRED");
        assert_eq!(error["details"]["chain"], "solana");
        assert!(text(&error["recovery"], "summary").contains("POST /me/wallets"), "{error}");
        let solana = Wallet::solana();
        let linked = market.buyer.link_wallet(&solana).await?;
        let quote = Quote::of(market.call(&body).currency("SOL").send().await?);
        let from = &quote.payment()["pay_from"];
        assert_eq!((&from["wallet_id"], text(from, "address")), (&linked["wallet"]["id"], solana.address()));
        world.sandbox.pay(&quote.id).await?;
        market.redeem(&quote, &body).await?.ok(200);
        // Solana comes first where nothing is said.
        let quote = market.quote(&json!({ "n": 2 })).await?;
        assert_eq!(quote.payment()["origin_currency"], "SOL");
        Ok(())
    })
}

#[test]
fn listings_show_at_once_what_a_new_payout_wallet_makes_payable() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/listings/{}", market.listing.id);
        let before = world.client.get(&path).send().await?.ok(200)["listing"].clone();
        assert_eq!(before["payable_with"], json!(["SOL", "ETH", "USDC"]));
        let linked = market.seller.link_wallet(&Wallet::evm()).await?;
        let after = world.client.get(&path).send().await?.ok(200)["listing"].clone();
        assert_eq!(after["payable_with"], json!(["SOL", "USDC_SOL", "ETH", "USDC"]));
        let id = text(&linked["wallet"], "id");
        market.seller.update_wallet(id, &json!({ "status": "disabled" })).await?;
        let after = world.client.get(&path).send().await?.ok(200)["listing"].clone();
        assert_eq!(after["payable_with"], before["payable_with"]);
        Ok(())
    })
}
