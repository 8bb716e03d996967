//! `POST /gateway-requests/:id/refund`: what is refunded, by whom, and what the books say then.

use crochet_tests::{Outcome, Quote, Replies, is_time, isolated, list, members, number, refund, shared, sum, text};
use serde_json::{Value, json};

#[test]
fn what_an_undelivered_call_cost_is_owed_and_paid_back_by_the_seller() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/fail/500").await?;
        let id = market.undelivered(&[json!({ "n": 1 })]).await?.remove(0);
        assert_eq!(market.charge(&id).await?, "owed");
        let owed = market.entries(&market.buyer, &id).await?;
        assert_eq!(sum(&owed), 0, "the buyer paid a dollar and is owed a dollar: {owed:?}");
        let adjustments = |entries: &[Value]| -> Vec<(i64, Value)> {
            let adjustments = entries.iter().filter(|entry| entry["type"] == "adjustment");
            let mut found: Vec<(i64, Value)> =
                adjustments.map(|entry| (number(&entry["amount"], "amount_micros"), entry["settlement"].clone())).collect();
            found.sort_by_key(|(amount, _)| *amount);
            found
        };
        assert_eq!(adjustments(&owed), [(49_000, json!("open")), (951_000, json!("open"))]);

        let offer = Quote::of(market.refund(&id).await?);
        let payment = offer.payment();
        assert_eq!((number(&payment["amount"], "amount_micros"), text(payment, "provider")), (951_000, "relay"));
        assert_eq!(payment["pay_from"]["address"], market.seller.issued["wallets"][0]["address"]);
        assert_eq!(list(offer.details(), "request_ids"), [json!(id)]);
        let quoted = world.sandbox.payment(&offer.id).await?;
        let [payer, payee] = [&market.seller, &market.buyer].map(|agent| agent.issued["wallets"][0]["address"].clone());
        assert_eq!((&quoted["user"], &quoted["refund_to"], &quoted["recipient"]), (&payer, &payer, &payee));
        assert_eq!((&quoted["output"]["amount"], &quoted["app_fee_micros"]), (&json!("951000"), &json!(0)));

        let again = Quote::of(market.refund(&id).await?);
        assert_eq!((&again.id, &again.details()["payment_seen"]), (&offer.id, &json!(false)));
        world.sandbox.pay(&offer.id).await?;
        let paid = market.refund(&id).await?;
        let refund = &paid.ok(200)["refund"];
        assert_eq!(members(refund), ["amount", "id", "paid_at", "relay_request_id", "request_ids", "status"]);
        assert!(text(refund, "id").starts_with("refund_") && is_time(&refund["paid_at"]));
        assert_eq!((&refund["relay_request_id"], &refund["request_ids"]), (&json!(offer.id), &json!([id])));
        assert_eq!((number(&refund["amount"], "amount_micros"), text(refund, "status")), (951_000, "settled"));
        assert_eq!(market.refund(&id).await?.ok(200)["refund"], *refund, "a repeat returns the same");

        assert_eq!(market.charge(&id).await?, "refunded");
        let bought = market.entries(&market.buyer, &id).await?;
        let settled = [(-951_000, json!("settled")), (49_000, json!("open")), (951_000, json!("settled"))];
        assert_eq!(adjustments(&bought), settled);
        // What is left is what the operator owes, and what the chain has paid back.
        let sold = market.entries(&market.seller, &id).await?;
        assert_eq!((sum(&bought), sum(&sold)), (-951_000, 951_000));
        let row = market.seller.get(&format!("/gateway-requests/{id}")).send().await?;
        assert_eq!(row.ok(200)["gateway_request"]["charge"]["state"], "refunded");
        assert_eq!(row.data()["gateway_request"]["status"], "undelivered");
        Ok(())
    })
}

#[test]
fn what_is_owed_to_one_buyer_is_paid_at_once_and_what_others_are_owed_is_not() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(0.5), "/fail/500").await?;
        let other = crochet_tests::Market {
            world,
            buyer: world.agent().await?,
            seller: market.seller.clone(),
            listing: market.listing.clone(),
            path: market.path.clone(),
        };
        let theirs = other.undelivered(&[json!({ "n": 0 })]).await?.remove(0);
        let mine = market.undelivered(&[json!({ "n": 1 }), json!({ "n": 2 }), json!({ "n": 3 })]).await?;
        let offer = Quote::of(market.refund(&mine[1]).await?);
        let mut joined: Vec<Value> = list(offer.details(), "request_ids").to_vec();
        assert_eq!(joined[0], json!(mine[1]), "the call that was asked for comes first");
        joined.sort_by_key(|id| id.as_str().map(str::to_owned));
        assert_eq!(joined, mine.iter().map(|id| json!(id)).collect::<Vec<_>>());
        assert_eq!(number(&offer.payment()["amount"], "amount_micros"), 3 * 475_500);
        assert_eq!(Quote::of(market.refund(&mine[2]).await?).id, offer.id, "one payment at a time");
        let separate = Quote::of(other.refund(&theirs).await?);
        assert_ne!(separate.id, offer.id);

        world.sandbox.pay(&offer.id).await?;
        let first = market.refund(&mine[0]).await?;
        for id in &mine {
            assert_eq!(market.refund(id).await?.ok(200), first.ok(200));
            assert_eq!(market.charge(id).await?, "refunded");
        }
        assert_eq!(other.charge(&theirs).await?, "owed");
        world.sandbox.pay(&separate.id).await?;
        other.refund(&theirs).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_debt_that_arises_while_a_payment_is_open_is_in_the_next_one() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/fail/500").await?;
        let first = market.undelivered(&[json!({ "n": 1 })]).await?.remove(0);
        let quote = market.paid(&json!({ "n": 2 })).await?;
        market.redeem(&quote, &json!({ "n": 2 })).await?.refused(502, "SELLER_ERROR");
        world.later(24 * 3_600 - 60).await?;
        let offer = Quote::of(market.refund(&first).await?);
        world.later(120).await?;
        let closed = market.redeem(&quote, &json!({ "n": 2 })).await?;
        let second = text(&closed.refused(502, "CALL_UNDELIVERED")["details"], "request_id").to_owned();
        assert_eq!(Quote::of(market.refund(&second).await?).id, offer.id);
        world.sandbox.pay(&offer.id).await?;
        let next = Quote::of(market.refund(&second).await?);
        assert_ne!(next.id, offer.id, "the first payment is settled, and the rest is offered");
        assert_eq!((market.charge(&first).await?.as_str(), market.charge(&second).await?.as_str()), ("refunded", "owed"));
        assert_eq!(market.refunded(&second).await?["request_ids"], json!([second]));
        Ok(())
    })
}

#[test]
fn a_delivered_call_is_refunded_by_good_will_once_and_alone() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let (quote, delivered) = market.buy(&json!({ "n": 1 })).await?;
        let (_, other) = market.buy(&json!({ "n": 2 })).await?;
        let [id, other] = [&delivered, &other].map(|reply| text(reply.data(), "request_id").to_owned());
        let offer = Quote::of(market.refund(&id).await?);
        assert_eq!(list(offer.details(), "request_ids"), [json!(id)]);
        assert_ne!(Quote::of(market.refund(&other).await?).id, offer.id);
        world.sandbox.pay(&offer.id).await?;
        let refund = market.refund(&id).await?;
        assert_eq!(number(&refund.ok(200)["refund"]["amount"], "amount_micros"), 951_000);
        assert_eq!((market.charge(&id).await?.as_str(), market.charge(&other).await?.as_str()), ("refunded", "charged"));
        let bought = market.entries(&market.buyer, &id).await?;
        assert_eq!(sum(&bought), -49_000, "the fee is the operator's: {bought:?}");
        assert_eq!(sum(&market.entries(&market.seller, &id).await?), 0);
        assert!(bought.iter().all(|entry| entry["type"] == "payment" || entry["settlement"] == "settled"));
        // It stays delivered.
        assert!(market.redeem(&quote, &json!({ "n": 1 })).await?.is_replay());
        assert_eq!(market.refund(&id).await?.ok(200), refund.ok(200));
        Ok(())
    })
}

#[test]
fn only_the_seller_refunds_and_only_what_is_over() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let quote = market.quote(&json!({ "n": 1 })).await?;
        let id = text(&market.row(&quote.id).await?, "id").to_owned();
        market.refund(&id).await?.refused(409, "NOTHING_OWED");
        let error = refund(&market.buyer, &id).await?;
        assert_eq!(error.refused(403, "CALL_ROLE_REQUIRED")["details"]["required_role"], "seller");
        let stranger = world.agent().await?;
        refund(&stranger, &id).await?.refused(404, "CALL_NOT_FOUND");
        market.refund("gw_req_00000000000000000000000000").await?.refused(404, "CALL_NOT_FOUND");
        market.refund("nonsense").await?.refused(404, "CALL_NOT_FOUND");
        let read_only = market.seller.create_key(&json!({ "name": "read", "scopes": ["read"] })).await?;
        refund(&read_only, &id).await?.refused(403, "INSUFFICIENT_SCOPE");
        let path = format!("/gateway-requests/{id}/refund");
        market.seller.post(&path).json(&json!({ "amount": 1 })).send().await?.refused(400, "UNKNOWN_FIELD");
        market.seller.post(&path).currency("DOGE").send().await?.refused(400, "UNSUPPORTED_ORIGIN_CURRENCY");

        let failing = world.market_at(&json!(1), "/fail/500").await?;
        let quote = failing.paid(&json!({})).await?;
        let settled = failing.redeem(&quote, &json!({})).await?;
        let id = text(&settled.refused(502, "SELLER_ERROR")["details"], "request_id").to_owned();
        failing.refund(&id).await?.refused(409, "NOTHING_OWED");

        let free = world.free_market(&world.echo_path()).await?;
        let reply = free.call(&json!({})).send().await?;
        free.refund(text(reply.ok(200), "request_id")).await?.refused(409, "NOTHING_OWED");
        Ok(())
    })
}

#[test]
fn many_refunds_at_once_are_one_payment_and_one_settlement() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/fail/500").await?;
        let ids = market.undelivered(&[json!({ "n": 1 }), json!({ "n": 2 })]).await?;
        let parallel = || futures::future::try_join_all((0..12).map(|n| market.refund(&ids[n % 2])));
        let mut offered: Vec<String> = parallel().await?.into_iter().map(|reply| Quote::of(reply).id).collect();
        offered.dedup();
        assert_eq!(offered.len(), 1, "{offered:?}");
        world.sandbox.pay(&offered[0]).await?;
        let refunds = parallel().await?;
        for reply in &refunds {
            assert_eq!(reply.ok(200), refunds[0].ok(200));
        }
        for id in &ids {
            assert_eq!(market.entries(&market.seller, id).await?.len(), 3, "credit, debt and refund, each once");
        }
        Ok(())
    })
}

#[test]
fn the_payment_of_a_refund_pays_for_no_call() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let (_, delivered) = market.buy(&json!({ "n": 1 })).await?;
        let offer = Quote::of(market.refund(text(delivered.data(), "request_id")).await?);
        world.sandbox.pay(&offer.id).await?;
        for caller in [&market.seller, &market.buyer] {
            let call = caller.call(&market.listing.id, &json!({ "n": 2 })).paid_with(&offer.id);
            call.send().await?.refused(404, "PAYMENT_NOT_FOUND");
        }
        Ok(())
    })
}
