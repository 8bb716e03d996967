//! `crochet-admin profiles export` and `erase`: what is stored about a person or an agent, and its end.

use crochet_tests::{Failure, Outcome, Person, Proxy, Replies, Setup, isolated, list, opinion, text, with_setup};
use serde_json::{Value, json};

#[test]
fn an_erased_profile_leaves_its_books_and_nothing_personal() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let (buyer, seller) = (&market.buyer.profile_id, &market.seller.profile_id);
        let (_, delivered) = market.buy(&json!({ "n": 1 })).await?;
        let id = text(delivered.ok(200), "request_id").to_owned();
        let review = |title: &str| json!({ "accuracy_rating": 4, "reliability_rating": 4, "value_rating": 4, "title": title, "comment": "Personal." });
        market.buyer.post(&format!("/reviews/{}", market.listing.id)).json(&review("Mine")).send().await?.ok(201);
        let exported = world.admin(&format!("profiles export {buyer}")).await?;
        for kept in [id.as_str(), "Personal.", "wallets", "marketplace_fee"] {
            assert!(exported.contains(kept), "{kept}: {exported}");
        }
        let open = market.quote(&json!({ "n": 2 })).await?;
        assert!(
            world
                .admin(&format!("profiles erase {buyer}"))
                .await
                .is_err_and(|why| format!("{why:?}").contains("1 of its calls are open"))
        );
        world.sandbox.pay(&open.id).await?;
        market.redeem(&open, &json!({ "n": 2 })).await?.ok(200);
        for profile in [buyer, seller] {
            world.admin(&format!("profiles erase {profile}")).await?;
            let shown = world.client.get(&format!("/agents/{profile}")).send().await?.ok(200)["profile"].clone();
            assert_eq!((text(&shown, "display_name"), text(&shown, "suspended_reason")), ("Erased", "OTHER"));
            let exported = world.admin_json(&format!("profiles export {profile}")).await?;
            assert_eq!((&exported["profile"]["wallets"], list(&exported, "keys").len()), (&json!([]), 0));
            assert!(!exported.to_string().contains("Personal."));
            assert_eq!(list(&exported, "calls").len(), 2, "the books stay");
        }
        market.buyer.get("/me").send().await?.refused(401, "INVALID_API_KEY");
        let listing = world.client.get(&format!("/listings/{}", market.listing.id)).send().await?.ok(200)["listing"].clone();
        assert_eq!(
            (text(&listing, "name"), text(&listing, "status"), &listing["gateway_url"]),
            ("Erased", "suspended", &json!(null))
        );
        Ok(())
    })
}

#[test]
fn an_erased_person_has_no_passkey_session_or_agent_any_more() -> Outcome {
    isolated(async |world| {
        let (person, agent) = (Person::sign_up(&world.client, "Grace").await?, world.agent().await?);
        let fields = json!({ "profile_id": agent.profile_id, "operator_id": person.profile_id });
        let proof = world.client.proof(&agent.wallet, "claim_agent", &fields).await?;
        person.post(&format!("/agents/{}/claim", agent.profile_id)).json(&proof).send().await?.ok(200);
        assert_eq!(list(&world.admin_json(&format!("profiles export {}", person.profile_id)).await?, "agents").len(), 1);
        world.admin(&format!("profiles erase {}", person.profile_id)).await?;
        person.get("/session").send().await?.refused(401, "SESSION_REQUIRED");
        assert!(person.log_in().await.is_err(), "the passkey is unknown");
        let released = world.client.get(&format!("/agents/{}", agent.profile_id)).send().await?.ok(200)["profile"].clone();
        assert_eq!((text(&released, "account_type"), &released["operator"]), ("agent", &json!(null)));
        Ok(())
    })
}

#[test]
fn who_owes_is_not_erased_even_before_a_sweep_has_seen_it() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/fail/500").await?;
        market.undelivered(&[json!({ "n": 1 })]).await?;
        assert_eq!(text(&world.admin_json("adjustments").await?[0]["seller"], "profile"), market.seller.profile_id);
        let refused = world.admin(&format!("profiles erase {}", market.seller.profile_id)).await;
        assert!(refused.is_err_and(|why| format!("{why:?}").contains("It owes 0.951 USD to buyers of 1 calls")));
        Ok(())
    })
}

#[test]
fn who_may_still_pay_an_old_quote_is_not_erased_and_stays_suspended_for_the_reason_given() -> Outcome {
    // In this process: one sweep reaches its quote only where no other test has quotes.
    with_setup(Setup::default(), async |world| {
        let market = world.market(1.0).await?;
        let buyer = &market.buyer.profile_id;
        let reason = async || -> Result<Value, Failure> {
            let shown = world.client.get(&format!("/agents/{buyer}")).send().await?;
            Ok(shown.ok(200)["profile"]["suspended_reason"].clone())
        };
        let quote = market.quote(&json!({ "n": 1 })).await?;
        world.later(1_800).await?;
        world.sweep().await?;
        assert_eq!(market.row(&quote.id).await?["status"], "expired");
        world.admin(&format!("profiles suspend {buyer} FRAUD")).await?;
        let refused = world.admin(&format!("profiles erase {buyer}")).await;
        assert!(refused.is_err_and(|why| format!("{why:?}").contains("1 of its calls are open. Not paid, until ")));
        assert_eq!(reason().await?, "FRAUD");
        world.later(25 * 3_600).await?;
        world.sweep().await?;
        world.admin(&format!("profiles erase {buyer}")).await?;
        assert_eq!(reason().await?, "FRAUD");
        Ok(())
    })
}

#[test]
fn a_key_that_is_recovered_while_its_profile_is_erased_ends_too() -> Outcome {
    let proxy = &Proxy::start()?;
    with_setup(Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() }, async |world| {
        let agent = world.agent().await?;
        let erase = format!("profiles erase {}", agent.profile_id);
        let recovers = async {
            // The profile and its keys are suspended with the first transaction; the keys end with the second, and the wallets with the third.
            for _ in 0..2 {
                proxy.holds_a_transaction().await?;
                proxy.hold_next_transaction();
            }
            proxy.holds_a_transaction().await?;
            agent.get("/me").send().await?.refused(401, "INVALID_API_KEY");
            let recovered = world.client.recover(&agent.wallet, false).await?;
            proxy.let_go();
            Ok::<_, Failure>(recovered)
        };
        proxy.hold_next_transaction();
        let (erased, recovered) = tokio::join!(world.admin(&erase), recovers);
        erased?;
        recovered?.get("/me").send().await?.refused(401, "INVALID_API_KEY");
        assert_eq!(world.admin_json(&format!("keys {}", agent.profile_id)).await?, json!([]));
        Ok(())
    })
}

#[test]
fn answers_and_the_name_in_a_slug_go_with_the_seller_and_answers_with_the_author() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let (listing, slug) = (&market.listing.id, &market.listing.slug);
        let path = format!("/reviews/{listing}");
        let other = world.agent().await?;
        let first = crochet_tests::Market {
            world,
            buyer: other,
            seller: market.seller.clone(),
            listing: market.listing.clone(),
            path: market.path.clone(),
        };
        for market in [&market, &first] {
            market.buy(&json!({ "n": 1 })).await?;
            let written = market.buyer.post(&path).json(&opinion(4)).send().await?;
            let id = text(&written.ok(201)["review"], "id").to_owned();
            let answer = json!({ "comment": "Thank you by name." });
            market.seller.post(&format!("{path}/{id}/answer")).json(&answer).send().await?.ok(201);
        }
        let answers = async || -> Result<Vec<bool>, Failure> {
            let shown = world.client.get(&path).send().await?;
            Ok(list(shown.ok(200), "reviews").iter().map(|review| review["answer"].is_object()).collect())
        };
        world.admin(&format!("profiles erase {}", first.buyer.profile_id)).await?;
        assert_eq!(answers().await?, [false, true]);
        let said = world.admin(&format!("profiles erase {}", market.seller.profile_id)).await?;
        assert!(said.contains("1 listings, 0 reviews and 1 answers") && said.contains("Secrets Manager"), "{said}");
        assert_eq!(answers().await?, [false, false]);
        let shown = world.client.get(&path).send().await?.ok(200)["reviews"][1].clone();
        assert_eq!(shown["state"], "shown", "what others wrote stays");
        // Its old slug still leads to it, so that nobody else can take its place.
        for name in [listing, slug] {
            let shown = world.client.get(&format!("/listings/{name}")).send().await?.ok(200)["listing"].clone();
            assert_eq!((text(&shown, "id"), text(&shown, "slug")), (listing.as_str(), listing.as_str()));
        }
        Ok(())
    })
}

#[test]
fn an_export_has_what_an_agent_wrote_and_owes_and_no_secret() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_ENDPOINT_SECRETS", "sealed")]), async |world| {
        let market = world.market(1.0).await?;
        let (buyer, seller) = (&market.buyer.profile_id, &market.seller.profile_id);
        let path = format!("/reviews/{}", market.listing.id);
        let body = json!({ "n": 1 });
        let quote = crochet_tests::Quote::of(market.call(&body).idempotency_key("order-of-mine").send().await?);
        world.sandbox.pay(&quote.id).await?;
        market.redeem(&quote, &body).await?.ok(200);
        market.buyer.post(&path).json(&opinion(1)).send().await?.ok(201);
        market.buy(&json!({ "n": 2 })).await?;
        let mut changed = opinion(5);
        changed["comment"] = json!("It is better now.");
        let written = market.buyer.put(&path).json(&changed).send().await?;
        let id = text(&written.ok(200)["review"], "id").to_owned();
        let answer = json!({ "comment": "We have repaired it." });
        market.seller.post(&format!("{path}/{id}/answer")).json(&answer).send().await?.ok(201);

        let of_buyer = world.admin_json(&format!("profiles export {buyer}")).await?;
        let review = &list(&of_buyer, "reviews")[0];
        assert_eq!(review["review"]["opinion"]["comment"], "It is better now.");
        assert_eq!(review["earlier"][0]["comment"], opinion(1)["comment"]);
        let keyed = list(&of_buyer, "calls").iter().find(|call| call["idempotency_key"] == "order-of-mine");
        assert_eq!(keyed.map(|call| call["attempts"][0]["outcome"].clone()), Some(json!("delivered")));
        let of_seller = world.admin_json(&format!("profiles export {seller}")).await?;
        assert_eq!(list(&of_seller, "answers")[0]["answer"]["comment"], "We have repaired it.");
        assert_eq!(list(&of_seller, "listings")[0]["slug"], json!(market.listing.slug));
        let printed = of_seller.to_string();
        assert!(!printed.contains("order-of-mine"), "the key is the buyer's text");
        assert!(!printed.contains("sealed") && !printed.contains("\"endpoint\""), "{printed}");
        Ok(())
    })
}

#[test]
fn an_export_has_debts_refunds_and_sessions() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/fail/500").await?;
        let ids = market.undelivered(&[json!({ "n": 1 }), json!({ "n": 2 })]).await?;
        let owed = world.admin_json(&format!("profiles export {}", market.seller.profile_id)).await?;
        assert_eq!((list(&owed, "debts").len(), list(&owed, "refunds").len()), (2, 0));
        let refund = market.refunded(&ids[0]).await?;
        let paid = world.admin_json(&format!("profiles export {}", market.seller.profile_id)).await?;
        assert_eq!((list(&paid, "debts").len(), &list(&paid, "refunds")[0]["id"]), (0, &refund["id"]));
        let person = Person::sign_up(&world.client, "Grace").await?;
        let exported = world.admin_json(&format!("profiles export {}", person.profile_id)).await?;
        assert_eq!(list(&exported, "sessions")[0]["opened_with"], "passkey");
        assert!(!exported.to_string().contains("sha256"), "{exported}");
        Ok(())
    })
}
