//! Answers that a buyer can read: the seller's reply is held to the rules of our own requests, and harmless things lose no paid call.

use crochet_tests::{Failure, Market, Outcome, Quote, RawReply, RawSeller, Replies, Setup, World, list, shared, text, with_setup};
use serde_json::{Value, json};

/// A market with a listing at this seller for one dollar a call.
async fn paid_at<'a>(world: &'a World, seller: &RawSeller) -> Result<Market<'a>, Failure> {
    let mut fields = world.paid_fields(&json!(1), "/raw");
    fields["private_endpoint_url"] = seller.url().into();
    world.market_with(&fields, "/raw").await
}

/// The same for nothing.
async fn free_at<'a>(world: &'a World, seller: &RawSeller) -> Result<Market<'a>, Failure> {
    let mut fields = world.free_fields("/raw");
    fields["private_endpoint_url"] = seller.url().into();
    world.market_with(&fields, "/raw").await
}

/// The seller's own test.
async fn test(market: &Market<'_>) -> Result<Value, Failure> {
    let reply = market.seller.post(&format!("/listings/{}/endpoint/test", market.listing.id)).send().await?;
    Ok(reply.ok(200)["test"].clone())
}

fn nested(depth: usize) -> Vec<u8> {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth)).into_bytes()
}

#[test]
fn the_answer_is_held_to_the_rules_of_our_own_requests_and_the_failure_says_which() -> Outcome {
    shared(async |world| {
        let cases = [
            (nested(65), "too_deep"),
            (b"1e400".to_vec(), "number_out_of_range"),
            (br#"{"hush":"\ud800"}"#.to_vec(), "lone_surrogate"),
            (br#"{"hush":1,"hush":2}"#.to_vec(), "duplicate_key"),
            (b"\"hush\xff\"".to_vec(), "not_utf8"),
            (b"<hush>".to_vec(), "syntax"),
            (b"{\"hush\":1} {}".to_vec(), "syntax"),
        ];
        for (body, fault) in cases {
            let seller = RawSeller::start([RawReply::json("", &body)]).await?;
            let market = paid_at(world, &seller).await?;
            let (quote, request) = (market.paid(&json!(1)).await?, json!(1));
            let reply = market.redeem(&quote, &request).await?;
            let error = reply.refused(502, "SELLER_INVALID_JSON");
            assert_eq!((&error["details"]["json_fault"], &error["details"]["settled"]), (&json!(fault), &json!(true)), "{error}");
            assert_eq!(error["details"]["seller_status_code"], 200);
            assert!(!reply.text().contains("hush"), "nothing of the answer's text: {}", reply.text());
            let test = test(&market).await?;
            assert_eq!((&test["ok"], &test["failure"]["class"]), (&json!(false), &json!("not_json")), "{test}");
            let message = text(&test["failure"], "message");
            assert!(message.contains(fault) && !message.contains("hush"), "{message}");
        }
        let seller = RawSeller::start([RawReply::json("", &nested(64))]).await?;
        paid_at(world, &seller).await?.buy(&json!(1)).await?;
        Ok(())
    })
}

#[test]
fn white_space_alone_is_nothing() -> Outcome {
    shared(async |world| {
        for body in [&b" \t\r\n"[..], b"\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"] {
            let seller = RawSeller::start([RawReply::json("", body)]).await?;
            let market = paid_at(world, &seller).await?;
            let (quote, reply) = market.buy(&json!(1)).await?;
            assert_eq!(reply.data().get("seller_response"), Some(&Value::Null), "{body:?}");
            let again = market.redeem(&quote, &json!(1)).await?;
            assert!(again.is_replay() && again.body == reply.body, "{body:?}");
            assert_eq!(test(&market).await?["ok"], true, "{body:?}");
        }
        Ok(())
    })
}

#[test]
fn a_byte_order_mark_is_skipped() -> Outcome {
    shared(async |world| {
        let seller = RawSeller::start([RawReply::json("", b"\xef\xbb\xbf{\"b\" : 1.0, \"a\":[1e2]}\r\n")]).await?;
        let market = paid_at(world, &seller).await?;
        let (quote, reply) = market.buy(&json!(1)).await?;
        assert!(reply.text().contains(r#""seller_response":{"b" : 1.0, "a":[1e2]}"#), "{}", reply.text());
        assert!(!reply.text().contains('\u{feff}'));
        let again = market.redeem(&quote, &json!(1)).await?;
        assert!(again.is_replay() && again.body == reply.body);
        assert_eq!(test(&market).await?["ok"], true);
        Ok(())
    })
}

#[test]
fn a_content_encoding_that_names_no_coding_over_parsable_json_is_ignored() -> Outcome {
    shared(async |world| {
        for coding in ["utf-8", "identity", "", "none", "application/json", "identity, unheard-of"] {
            let headers = format!("content-encoding: {coding}\r\n");
            let seller = RawSeller::start([RawReply::json(&headers, b"{\"a\":1}")]).await?;
            let (_, reply) = paid_at(world, &seller).await?.buy(&json!(1)).await?;
            assert_eq!(reply.data()["seller_response"], json!({ "a": 1 }), "{coding:?}");
        }
        let refused = [
            ("gzip", &b"{\"a\":1}"[..], "compressed"),
            ("X-GZIP", b"{\"a\":1}", "compressed"),
            ("br", b"{\"a\":1}", "compressed"),
            ("zstd", b"{\"a\":1}", "compressed"),
            ("deflate", b"{\"a\":1}", "compressed"),
            ("compress", b"{\"a\":1}", "compressed"),
            ("utf-8, gzip", b"{\"a\":1}", "compressed"),
            ("unheard-of", b"\x1f\x8b\x08", "not_utf8"),
        ];
        for (coding, body, fault) in refused {
            let seller = RawSeller::start([RawReply::json(&format!("content-encoding: {coding}\r\n"), body)]).await?;
            let market = free_at(world, &seller).await?;
            let reply = market.call(&json!(1)).send().await?;
            assert_eq!(reply.refused(502, "SELLER_INVALID_JSON")["details"]["json_fault"], fault, "{coding}");
            assert_eq!(test(&market).await?["failure"]["class"], "not_json", "{coding}");
        }
        Ok(())
    })
}

#[test]
fn a_malformed_http_reply_is_a_failure_of_its_own_kind_not_nobody_answers() -> Outcome {
    shared(async |world| {
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let cases = [
            (
                "a folded header line",
                "HTTP/1.1 200 OK\r\nx-folded: one\r\n two\r\ncontent-length: 2\r\n\r\n{}".to_owned(),
                Value::Null,
            ),
            ("a garbage status line", "hello there\r\n\r\n{}".to_owned(), Value::Null),
            ("another protocol", "SSH-2.0-OpenSSH_9.9\r\n".to_owned(), Value::Null),
            ("a header line without a colon", "HTTP/1.1 200 OK\r\nhush\r\n\r\n".to_owned(), Value::Null),
            ("a wrong length", "HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n{}".to_owned(), Value::Null),
            ("a wrong chunk", format!("{chunked}zz\r\n{{}}\r\n0\r\n\r\n"), json!(200)),
        ];
        for (what, bytes, status) in cases {
            let seller = RawSeller::start([RawReply::SendAndClose(bytes.into_bytes())]).await?;
            let market = free_at(world, &seller).await?;
            let other = world.agent().await?;
            // Five in a row, of two buyers, would open the breaker if they counted.
            for n in 0..6 {
                let caller = if n % 2 == 0 { &market.buyer } else { &other };
                let reply = caller.call(&market.listing.id, &json!({ "n": n })).send().await?;
                let error = reply.refused(502, "SELLER_ERROR");
                assert_eq!(
                    (&error["details"]["malformed_http"], &error["details"]["seller_status_code"]),
                    (&json!(true), &status),
                    "{what}: {error}"
                );
                assert!(text(error, "message").contains("HTTP") && !reply.text().contains("hush"), "{what}: {error}");
            }
            assert_eq!(seller.received().len(), 6, "{what}: nobody was kept away");
            let test = test(&market).await?;
            assert_eq!((&test["failure"]["class"], &test["seller_status_code"]), (&json!("malformed_http"), &status), "{what}");
            assert!(!text(&test["failure"], "message").contains("firewall"), "{test}");
        }
        Ok(())
    })
}

#[test]
fn a_kept_connection_that_dies_before_a_byte_of_the_reply_is_retried_once_on_a_new_one() -> Outcome {
    // Connections are kept by a process.
    with_setup(Setup::default(), async |world| {
        let fine = RawReply::json("", b"{\"a\":1}");
        let seller = RawSeller::start([fine.clone(), RawReply::nothing(), fine]).await?;
        let market = paid_at(world, &seller).await?;
        let quotes = [market.paid(&json!(1)).await?, market.paid(&json!(2)).await?];
        market.redeem(&quotes[0], &json!(1)).await?.ok(200);
        let reply = market.redeem(&quotes[1], &json!(2)).await?;
        let id = text(reply.ok(200), "request_id").to_owned();
        let received = seller.received();
        let connections: Vec<usize> = received.iter().map(|request| request.connection).collect();
        assert_eq!(connections, [0, 0, 1], "a kept one, and a new one");
        assert_ne!(received[0].webhook_id, id);
        for request in &received[1..] {
            assert_eq!((request.webhook_id.as_str(), request.attempt.as_str()), (id.as_str(), "1"), "the same webhook-id");
        }
        let row = market.row(&quotes[1].id).await?;
        let outcomes: Vec<&str> = list(&row, "attempts").iter().map(|attempt| text(attempt, "outcome")).collect();
        assert_eq!(outcomes, ["delivered"], "one attempt");
        Ok(())
    })
}

/// The requests that arrive for a second paid call, which fails.
async fn arrivals_of_a_failed_call(world: &World, seller: &RawSeller) -> Result<usize, Failure> {
    let market = paid_at(world, seller).await?;
    let quotes: [Quote; 2] = [market.paid(&json!(1)).await?, market.paid(&json!(2)).await?];
    market.redeem(&quotes[0], &json!(1)).await?.ok(200);
    market.redeem(&quotes[1], &json!(2)).await?.refused(502, "SELLER_UNREACHABLE");
    let row = market.row(&quotes[1].id).await?;
    assert_eq!(list(&row, "attempts").len(), 1, "one attempt: {row}");
    Ok(seller.received().len() - 1)
}

#[test]
fn a_connection_is_retried_neither_twice_nor_after_a_byte_of_the_reply_nor_if_it_is_new() -> Outcome {
    // Connections are kept by a process.
    with_setup(Setup::default(), async |world| {
        let fine = RawReply::json("", b"{\"a\":1}");
        let seller = RawSeller::start([fine.clone(), RawReply::nothing()]).await?;
        assert_eq!(arrivals_of_a_failed_call(world, &seller).await?, 2, "retried once");
        for begun in [&b"H"[..], b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\""] {
            let seller = RawSeller::start([fine.clone(), RawReply::SendAndClose(begun.to_vec())]).await?;
            assert_eq!(arrivals_of_a_failed_call(world, &seller).await?, 1, "a reply had begun: {begun:?}");
        }
        let seller = RawSeller::start([RawReply::nothing()]).await?;
        free_at(world, &seller).await?.call(&json!(1)).send().await?.refused(502, "SELLER_UNREACHABLE");
        assert_eq!(seller.received().len(), 1, "a new connection");
        Ok(())
    })
}
