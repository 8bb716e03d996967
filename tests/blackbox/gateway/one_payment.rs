//! One call, one payment: whatever was offered for a call, by whatever name it is asked for, what was paid is found first.

use crochet_tests::{Failure, Market, Outcome, Quote, Replies, isolated, list, shared, text};
use serde_json::{Value, json};

/// Seconds after which a quote is no longer offered, and those after which nothing keeps another from being offered.
const CLOSING: i64 = 605;
const CLOSED: i64 = 845;

/// The provider reports a failure for a quote.
async fn fail(market: &Market<'_>, quote: &Quote) -> Outcome {
    market.world.sandbox.set(&quote.id, &json!({ "status": "failure" })).await.map(drop).map_err(Failure::from)
}

/// Three quotes of one call: each failed, and the next replaced it.
async fn chain(market: &Market<'_>, body: &Value, key: Option<&str>) -> Result<Vec<Quote>, Failure> {
    let mut quotes: Vec<Quote> = Vec::new();
    for _ in 0..3 {
        if let Some(last) = quotes.last() {
            fail(market, last).await?;
        }
        quotes.push(Quote::of(market.call(body).header_if("idempotency-key", key).send().await?));
    }
    let mut ids: Vec<&str> = quotes.iter().map(|quote| quote.id.as_str()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    Ok(quotes)
}

#[test]
fn of_several_replacements_in_a_row_every_way_of_asking_leads_to_the_paid_one() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        for (n, key) in [(1, Some("chain")), (2, None)] {
            for (m, way) in ["name", "first", "second", "third"].into_iter().enumerate() {
                let key = key.map(|key| format!("{key}-{way}"));
                let body = json!([n, m]);
                let quotes = chain(&market, &body, key.as_deref()).await?;
                world.sandbox.pay(&quotes[0].id).await?;
                let request = match way {
                    "first" => market.call(&body).paid_with(&quotes[0].id),
                    "second" => market.call(&body).paid_with(&quotes[1].id),
                    "third" => market.call(&body).paid_with(&quotes[2].id),
                    _ => market.call(&body).header_if("idempotency-key", key.as_deref()),
                };
                let delivered = request.send().await?;
                delivered.ok(200);
                let row = market.row(&quotes[0].id).await?;
                assert_eq!(text(&row, "id"), text(delivered.data(), "request_id"), "{way}: the paid one");
            }
        }
        assert_eq!(market.all_received().await?.len(), 8);
        Ok(())
    })
}

#[test]
fn a_new_key_beside_the_id_of_a_failed_payment_makes_no_further_quote() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quotes = chain(&market, &body, Some("first")).await?;
        let again = Quote::of(market.call(&body).paid_with(&quotes[0].id).idempotency_key("second").send().await?);
        assert_eq!(again.id, quotes[2].id, "the open one of the same call");
        let by_second_key = Quote::of(market.call(&body).idempotency_key("second").send().await?);
        assert_eq!(by_second_key.id, quotes[2].id, "the key names the same call");
        Ok(())
    })
}

#[test]
fn in_several_currencies_a_paid_sibling_is_found_before_any_is_offered() -> Outcome {
    shared(async |world| {
        let seller = world.evm_agent().await?;
        let path = world.echo_path();
        let market = world.market_of(world.agent().await?, seller, &world.paid_fields(&json!(1), &path), &path).await?;
        for (n, asked) in [(1, None), (2, Some("SOL")), (3, Some("USDC_SOL"))] {
            let body = json!({ "n": n });
            let sol = Quote::of(market.call(&body).currency("SOL").send().await?);
            let usdc = Quote::of(market.call(&body).currency("USDC_SOL").send().await?);
            // The first one looked as if it would be paid, and failed.
            world.sandbox.set(&sol.id, &json!({ "status": "pending" })).await?;
            fail(&market, &sol).await?;
            world.sandbox.pay(&usdc.id).await?;
            let delivered = market.call(&body).header_if("x-crochet-origin-currency", asked).send().await?;
            delivered.ok(200);
            assert_eq!(text(&market.row(&usdc.id).await?, "id"), text(delivered.data(), "request_id"));
        }
        Ok(())
    })
}

#[test]
fn in_several_currencies_a_paid_sibling_is_found_when_both_have_expired() -> Outcome {
    isolated(async |world| {
        let seller = world.evm_agent().await?;
        let path = world.echo_path();
        let market = world.market_of(world.agent().await?, seller, &world.paid_fields(&json!(1), &path), &path).await?;
        let body = json!({ "n": 1 });
        Quote::of(market.call(&body).currency("SOL").send().await?);
        let usdc = Quote::of(market.call(&body).currency("USDC_SOL").send().await?);
        world.later(CLOSED).await?;
        Quote::of(market.call(&body).currency("SOL").send().await?);
        world.sandbox.pay(&usdc.id).await?;
        market.call(&body).currency("SOL").send().await?.ok(200);
        assert_eq!(market.row(&usdc.id).await?["status"], "delivered");
        Ok(())
    })
}

#[test]
fn a_key_with_another_currency_goes_on_with_what_was_paid_and_else_names_the_stored_one() -> Outcome {
    shared(async |world| {
        let seller = world.evm_agent().await?;
        let path = world.echo_path();
        let market = world.market_of(world.agent().await?, seller, &world.paid_fields(&json!(1), &path), &path).await?;
        let body = json!({ "n": 1 });
        let other = || market.call(&body).idempotency_key("k").currency("USDC_SOL").send();
        let quote = Quote::of(market.call(&body).idempotency_key("k").currency("SOL").send().await?);
        let refused = other().await?;
        let error = refused.refused(422, "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(
            (&error["details"]["origin_currency"], &error["recovery"]["next_action"]),
            (&json!("SOL"), &json!("send_stored_currency"))
        );
        world.sandbox.set(&quote.id, &json!({ "status": "pending" })).await?;
        other().await?.ok(202);
        world.sandbox.pay(&quote.id).await?;
        other().await?.ok(200);
        Ok(())
    })
}

#[test]
fn while_a_quote_is_closing_nothing_else_is_offered_and_a_deposit_that_shows_late_counts() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        for (n, key) in [(1, Some("k")), (2, None)] {
            let body = json!({ "n": n });
            let call = || market.call(&body).header_if("idempotency-key", key).send();
            let quote = Quote::of(call().await?);
            for seconds in [CLOSING, 100, 100] {
                world.later(seconds).await?;
                for reply in [call().await?, market.redeem(&quote, &body).await?] {
                    let closing = Quote::of(reply);
                    assert_eq!(closing.id, quote.id);
                    assert!(closing.payment()["requirements"].is_null());
                    assert_eq!(text(closing.details(), "reason"), "quote_closing");
                    let recovery = &closing.reply.error()["recovery"];
                    assert_eq!(text(recovery, "next_action"), "wait_and_retry");
                    assert!((1..=240).contains(&recovery["retry_after_seconds"].as_i64().unwrap_or(0)), "{recovery}");
                }
            }
            // Paid in the last moment, and shown two minutes later.
            world.sandbox.pay(&quote.id).await?;
            call().await?.ok(200);
        }
        Ok(())
    })
}

#[test]
fn a_deposit_that_the_provider_takes_back_changes_nothing_until_the_quote_is_closed() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        world.sandbox.set(&quote.id, &json!({ "status": "pending" })).await?;
        market.call(&body).send().await?.ok(202);
        world.sandbox.set(&quote.id, &json!({ "status": "waiting" })).await?;
        for request in [market.call(&body), market.call(&body).paid_with(&quote.id)] {
            request.send().await?.ok(202);
        }
        world.later(CLOSED).await?;
        assert_ne!(Quote::of(market.call(&body).send().await?).id, quote.id);
        Ok(())
    })
}

#[test]
fn after_a_lost_answer_the_same_body_is_led_to_the_stored_answer_first() -> Outcome {
    isolated(async |world| {
        let seller = world.evm_agent().await?;
        let path = world.echo_path();
        let market = world.market_of(world.agent().await?, seller, &world.paid_fields(&json!(1), &path), &path).await?;
        let body = json!({ "n": 1 });
        let (bought, delivered) = market.buy(&body).await?;
        for _ in 0..2 {
            for currency in [None, Some("SOL"), Some("USDC_SOL")] {
                let again = Quote::of(market.call(&body).header_if("x-crochet-origin-currency", currency).send().await?);
                assert_ne!(again.id, bought.id);
                let error = again.reply.error();
                assert_eq!(text(&error["recovery"], "next_action"), "fetch_stored_answer");
                let details = &error["details"];
                assert_eq!(text(details, "delivered_relay_request_id"), bought.id);
                assert_eq!(text(details, "delivered_request_id"), text(delivered.data(), "request_id"));
                assert!(crochet_tests::is_time(&details["delivered_at"]), "{details}");
            }
        }
        let fetched = market.redeem(&bought, &body).await?;
        assert!(fetched.is_replay() && fetched.body == delivered.body);
        world.later(49 * 3_600).await?;
        let later = Quote::of(market.call(&body).send().await?);
        assert_eq!(text(&later.reply.error()["recovery"], "next_action"), "complete_payment_then_retry");
        Ok(())
    })
}

#[test]
fn a_mangled_id_keeps_key_and_body_and_the_open_payments_are_listed() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = Quote::of(market.call(&body).idempotency_key("k").send().await?);
        let mangled = [quote.id.replace("0x", "0X"), quote.id[..60].to_owned(), format!("{}0", quote.id), "?".into()];
        for id in mangled {
            let reply = market.call(&body).idempotency_key("k").paid_with(&id).send().await?;
            let error = reply.refused(404, "PAYMENT_NOT_FOUND");
            let recovery = &error["recovery"];
            assert_eq!(text(recovery, "next_action"), "send_listed_payment_id", "{error}");
            assert_eq!((&recovery["preserve"], &recovery["discard"]), (&json!(["body", "idempotency_key"]), &json!([])));
            assert!(!error.to_string().to_lowercase().contains("get a quote"), "{error}");
            let open = list(&error["details"], "open_payments");
            assert_eq!((open.len(), text(&open[0], "relay_request_id")), (1, quote.id.as_str()));
        }
        Ok(())
    })
}

#[test]
fn an_id_of_ours_in_the_body_or_under_another_header_is_recognised_and_named() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        let in_body = market.call(&json!({ "n": 1, "relay_request_id": quote.id })).send().await?;
        let under_a_header = market.call(&body).header("x-crochet-payment-id", &quote.id).send().await?;
        for (reply, place) in [(in_body, "body"), (under_a_header, "header x-crochet-payment-id")] {
            let error = reply.refused(404, "PAYMENT_NOT_FOUND");
            assert_eq!(
                (text(&error["details"], "relay_request_id"), text(&error["details"], "found_in")),
                (quote.id.as_str(), place)
            );
        }
        // Headers that look like ours and are not change nothing, and are named.
        let reply = market.call(&body).header("x-crochet-curency", "SOL").header("payment-id", "1").send().await?;
        let named = Quote::of(reply);
        assert_eq!((&named.id, &named.details()["unknown_headers"]), (&quote.id, &json!(["payment-id", "x-crochet-curency"])));
        // Somebody else's id is text like any other.
        let other = world.agent().await?;
        Quote::of(other.call(&market.listing.id, &json!({ "about": quote.id })).send().await?);
        Ok(())
    })
}

#[test]
fn the_quote_of_a_closed_listing_is_named_by_body_and_key_as_it_is_by_id() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let (by_body, by_key) = (market.quote(&body).await?, Quote::of(market.call(&body).idempotency_key("k").send().await?));
        market.seller.delete(&format!("/listings/{}", market.listing.id)).send().await?.ok(200);
        for (request, quote) in [
            (market.call(&body), &by_body),
            (market.call(&body).paid_with(&by_body.id), &by_body),
            (market.call(&body).idempotency_key("k"), &by_key),
        ] {
            let reply = request.send().await?;
            let error = reply.refused(409, "LISTING_NOT_ACTIVE");
            assert_eq!(text(&error["details"], "relay_request_id"), quote.id);
            assert_eq!(text(&error["recovery"], "next_action"), "wait_and_retry");
        }
        world.sandbox.pay(&by_body.id).await?;
        market.call(&body).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_listing_that_became_cheaper_keeps_the_old_quote_until_it_is_closed() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        let cheaper = json!({ "pricing_amount": 0.5 });
        market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&cheaper).send().await?.ok(200);
        let again = market.quote(&body).await?;
        assert_eq!((&again.id, &again.payment()["amount"]["amount_micros"]), (&quote.id, &json!(1_000_000)));
        world.later(CLOSED).await?;
        assert_eq!(market.quote(&body).await?.payment()["amount"]["amount_micros"], 500_000);
        Ok(())
    })
}

#[test]
fn a_listing_that_became_free_serves_the_call_and_a_late_fill_is_owed() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        let free = json!({ "pricing_model": "free" });
        market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&free).send().await?.ok(200);
        market.call(&body).send().await?.ok(200);
        world.sandbox.pay(&quote.id).await?;
        market.redeem(&quote, &body).await?.refused(502, "CALL_UNDELIVERED");
        assert_eq!(market.row(&quote.id).await?["charge"]["state"], "owed");
        Ok(())
    })
}

#[test]
fn while_the_provider_is_down_around_a_ttl_nothing_is_written_and_nothing_is_offered() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        world.sandbox.fault("status", "down", 3_600_000).await?;
        for _ in 0..3 {
            world.later(1_200).await?;
            for request in [market.call(&body), market.call(&body).paid_with(&quote.id)] {
                request.send().await?.refused(503, "PAYMENT_PROVIDER_UNAVAILABLE");
            }
            assert_eq!(market.row(&quote.id).await?["status"], "quoted");
        }
        world.sandbox.clear_faults().await?;
        world.sandbox.pay(&quote.id).await?;
        market.call(&body).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn one_call_under_several_names_is_one_record() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        let with_key = Quote::of(market.call(&body).paid_with(&quote.id).idempotency_key("later").send().await?);
        let by_key = Quote::of(market.call(&body).idempotency_key("later").send().await?);
        assert_eq!((&with_key.id, &by_key.id), (&quote.id, &quote.id));
        world.sandbox.pay(&quote.id).await?;
        let delivered = market.call(&body).idempotency_key("later").send().await?;
        delivered.ok(200);
        assert!(market.redeem(&quote, &body).await?.is_replay());
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn after_a_pause_that_outlasts_24_hours_the_call_is_owed() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let endpoint = format!("/listings/{}/endpoint", market.listing.id);
        market.seller.put(&endpoint).json(&json!({ "status": "paused" })).send().await?.ok(200);
        market.redeem(&quote, &body).await?.refused(502, "SELLER_UNAVAILABLE");
        world.later(24 * 3_600 + 1).await?;
        market.redeem(&quote, &body).await?.refused(502, "CALL_UNDELIVERED");
        assert_eq!(market.row(&quote.id).await?["charge"]["state"], "owed");
        Ok(())
    })
}

#[test]
fn a_second_payment_is_delivered_by_its_id_and_else_named_as_unused() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let first = market.quote(&body).await?;
        fail(&market, &first).await?;
        let second = market.paid(&body).await?;
        let delivered = market.redeem(&second, &body).await?;
        delivered.ok(200);
        // The failure was none.
        world.sandbox.pay(&first.id).await?;
        let reply = market.call(&body).send().await?;
        let error = reply.refused(409, "CALL_ALREADY_DELIVERED");
        assert_eq!(text(&error["recovery"], "next_action"), "fetch_stored_answer");
        assert_eq!(text(&error["details"], "delivered_relay_request_id"), second.id);
        assert_eq!(error["details"]["unused_relay_request_ids"], json!([first.id]));
        let once_more = market.redeem(&first, &body).await?;
        once_more.ok(200);
        assert_ne!(text(once_more.data(), "request_id"), text(delivered.data(), "request_id"));
        Ok(())
    })
}

#[test]
fn an_id_that_the_provider_has_forgotten_is_no_answer_before_its_ttl_and_unpaid_after_it() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        world.sandbox.forget(&quote.id).await?;
        for request in [market.call(&body), market.call(&body).paid_with(&quote.id)] {
            request.send().await?.refused(503, "PAYMENT_PROVIDER_UNAVAILABLE");
        }
        world.later(CLOSED).await?;
        assert_ne!(market.quote(&body).await?.id, quote.id);
        assert_eq!(market.row(&quote.id).await?["status"], "expired");
        Ok(())
    })
}

#[test]
fn a_success_without_a_record_is_pending() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        world.sandbox.pay_with_late_record(&quote.id, 3_600_000).await?;
        for request in [market.call(&body), market.call(&body).paid_with(&quote.id)] {
            request.send().await?.ok(202);
        }
        world.sandbox.pay(&quote.id).await?;
        market.redeem(&quote, &body).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_superseding_id_names_the_call_too_unless_it_belongs_to_another() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        let by = format!("0x{}", "5a".repeat(32));
        let by = format!("{}{}", &by[..50], &quote.id[50..]);
        world.sandbox.supersede(&quote.id, &by).await?;
        world.sandbox.set(&quote.id, &json!({ "status": "failure", "superseded_by": by })).await?;
        world.sandbox.pay(&by).await?;
        let delivered = market.redeem(&quote, &body).await?;
        delivered.ok(200);
        let replay = market.call(&body).paid_with(&by).send().await?;
        assert!(replay.is_replay() && replay.body == delivered.body, "{}", replay.text());

        // What was paid for one call counts for that call alone.
        let (one, other) = (json!({ "n": 2 }), json!({ "n": 3 }));
        let (first, second) = (market.quote(&one).await?, market.quote(&other).await?);
        world.sandbox.set(&first.id, &json!({ "status": "failure", "superseded_by": second.id })).await?;
        world.sandbox.pay(&second.id).await?;
        let reply = market.redeem(&first, &one).await?;
        assert_ne!(reply.status, 200, "{}", reply.text());
        market.redeem(&second, &other).await?.ok(200);
        Ok(())
    })
}

#[test]
fn of_nine_parallel_first_calls_one_is_quoted_and_eight_show_it() -> Outcome {
    crochet_tests::with_setup(crochet_tests::Setup::settings(&[("CROCHET_RATE_LIMITS", "")]), async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let replies = futures::future::try_join_all((0..9).map(|_| market.call(&body).send())).await?;
        let mut ids: Vec<String> = replies.into_iter().map(|reply| Quote::of(reply).id).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
        let asked = world.sandbox.requests(None).await?.len();
        assert!(asked <= 2, "{asked} quotes were asked for; one may need two");
        Ok(())
    })
}

#[test]
fn before_a_further_quote_is_refused_the_provider_is_asked_about_the_open_ones() -> Outcome {
    crochet_tests::with_setup(crochet_tests::Setup::settings(&[("CROCHET_RATE_LIMITS", "")]), async |world| {
        let market = world.market(1.0).await?;
        let mut quotes = Vec::new();
        for n in 0..5 {
            quotes.push(market.quote(&json!({ "n": n })).await?);
        }
        for quote in &quotes {
            world.sandbox.pay(&quote.id).await?;
        }
        market.quote(&json!({ "n": 5 })).await?;
        Ok(())
    })
}
