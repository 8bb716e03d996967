//! `GET /gateway-requests` and `GET /gateway-requests/:id`.

use crochet_tests::{Outcome, Replies, is_time, isolated, list, members, shared, text};
use serde_json::{Value, json};

const MEMBERS: [&str; 13] = [
    "attempts",
    "body_sha256",
    "charge",
    "created_at",
    "id",
    "idempotency_key",
    "listing",
    "payment",
    "redeliver_until",
    "relay_request_id",
    "role",
    "status",
    "updated_at",
];

#[test]
fn a_row_has_the_shape_of_the_contract() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = crochet_tests::Quote::of(market.call(&body).idempotency_key("named").send().await?);
        let row = market.row(&quote.id).await?;
        assert_eq!(members(&row), MEMBERS);
        assert_eq!((&row["role"], &row["status"], &row["idempotency_key"]), (&json!("buyer"), &json!("quoted"), &json!("named")));
        assert_eq!(members(&row["listing"]), ["id", "name", "slug"]);
        assert_eq!(row["charge"]["state"], "none");
        assert_eq!(members(&row["payment"]), ["expires_at", "origin_currency", "provider", "requirements", "state"]);
        assert_eq!((&row["payment"]["state"], &row["payment"]["provider"]), (&json!("waiting"), &json!("relay")));
        assert_eq!(row["payment"]["requirements"], quote.payment()["requirements"], "a quote can be read again");
        assert_eq!(row["attempts"], json!([]));
        assert_eq!(text(&row, "body_sha256").len(), 64);
        world.sandbox.pay(&quote.id).await?;
        let reply = market.redeem(&quote, &body).await?;
        let id = text(reply.ok(200), "request_id").to_owned();
        let single = market.buyer.get(&format!("/gateway-requests/{id}")).send().await?;
        let row = &single.ok(200)["gateway_request"];
        assert_eq!(members(row), MEMBERS);
        assert_eq!((&row["id"], &row["status"]), (&json!(id), &json!("delivered")));
        assert_eq!(members(&row["charge"]), ["amount", "state"]);
        assert_eq!((&row["charge"]["state"], &row["charge"]["amount"]["amount_cents"]), (&json!("charged"), &json!(100)));
        assert_eq!(row["payment"]["state"], "success");
        let attempt = &list(row, "attempts")[0];
        assert_eq!(
            members(attempt),
            ["latency_ms", "n", "outcome", "request_bytes", "response_bytes", "seller_status_code", "started_at"]
        );
        assert_eq!(
            (&attempt["n"], &attempt["outcome"], &attempt["seller_status_code"]),
            (&json!(1), &json!("delivered"), &json!(200))
        );
        assert_eq!(attempt["request_bytes"], body.to_string().len());
        assert!(is_time(&attempt["started_at"]) && is_time(&row["created_at"]) && is_time(&row["updated_at"]));
        assert_eq!(&market.row(&quote.id).await?, row, "the list shows the same");
        Ok(())
    })
}

#[test]
fn the_seller_sees_the_call_but_not_what_the_buyer_has_to_pay_with() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let (quote, reply) = market.buy(&json!({ "n": 1 })).await?;
        let id = text(reply.data(), "request_id");
        let seen = market.seller.get(&format!("/gateway-requests/{id}")).send().await?;
        let row = &seen.ok(200)["gateway_request"];
        assert_eq!((&row["role"], &row["relay_request_id"]), (&json!("seller"), &json!(quote.id)));
        assert!(row["payment"].get("requirements").is_none_or(Value::is_null), "{row}");
        assert!(!seen.text().contains("programId"), "{}", seen.text());
        assert_eq!(row["charge"]["state"], "charged");
        Ok(())
    })
}

#[test]
fn anothers_call_is_404() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let (_, reply) = market.buy(&json!({})).await?;
        let path = format!("/gateway-requests/{}", text(reply.data(), "request_id"));
        world.agent().await?.get(&path).send().await?.refused(404, "CALL_NOT_FOUND");
        for id in ["gw_req_01ARZ3NDEKTSV4RRFFQ69G5FAV", "nonsense", "%20"] {
            market.buyer.get(&format!("/gateway-requests/{id}")).send().await?.refused(404, "CALL_NOT_FOUND");
        }
        world.client.get(&path).send().await?.refused(401, "UNAUTHORIZED");
        Ok(())
    })
}

/// Query parameters.
type Query<'a> = &'a [(&'a str, &'a str)];

/// The ids in the reply to a query, in order.
async fn ids(agent: &crochet_tests::Agent, query: Query<'_>) -> Result<Vec<String>, crochet_tests::Failure> {
    let mut request = agent.get("/gateway-requests");
    for (name, value) in query {
        request = request.query(name, value);
    }
    let reply = request.send().await?;
    Ok(list(reply.ok(200), "gateway_requests").iter().map(|row| text(row, "id").to_owned()).collect())
}

#[test]
fn histories_come_newest_first_and_page_by_page() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let mut made = Vec::new();
        for n in 0..5 {
            let reply = market.call(&json!({ "n": n })).send().await?;
            made.insert(0, text(reply.ok(200), "request_id").to_owned());
        }
        for agent in [&market.buyer, &market.seller] {
            assert_eq!(ids(agent, &[]).await?, made);
            let mut seen = Vec::new();
            let mut cursor: Option<String> = None;
            for page in 0..3 {
                let mut request = agent.get("/gateway-requests").query("limit", 2);
                if let Some(cursor) = &cursor {
                    request = request.query("cursor", cursor);
                }
                let reply = request.send().await?;
                let data = reply.ok(200);
                assert_eq!(members(data), ["gateway_requests", "has_more", "next_cursor"]);
                seen.extend(list(data, "gateway_requests").iter().map(|row| text(row, "id").to_owned()));
                assert_eq!(data["has_more"], page < 2, "page {page}");
                cursor = data["next_cursor"].as_str().map(str::to_owned);
                assert_eq!(cursor.is_some(), page < 2, "page {page}");
            }
            assert_eq!(seen, made);
        }
        Ok(())
    })
}

#[test]
fn a_cursor_is_opaque_and_refused_when_altered() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        for n in 0..3 {
            market.call(&json!({ "n": n })).send().await?.ok(200);
        }
        let reply = market.buyer.get("/gateway-requests").query("limit", 1).send().await?;
        let cursor = text(reply.ok(200), "next_cursor").to_owned();
        let mut altered = cursor.clone().into_bytes();
        altered[3] = if altered[3] == b'A' { b'B' } else { b'A' };
        for bad in
            [String::from_utf8(altered)?, format!("{cursor}x"), "nonsense".into(), String::new(), cursor[..cursor.len() - 1].into()]
        {
            let reply = market.buyer.get("/gateway-requests").query("limit", 1).query("cursor", &bad).send().await?;
            assert_eq!((reply.status, reply.code()), (400, "INVALID_CURSOR"), "{bad}: {}", reply.text());
            reply.refused(400, "INVALID_CURSOR");
        }
        // Neither is it good for another's list, another route or another filter.
        let others = [
            market.seller.get("/gateway-requests").query("cursor", &cursor),
            market.buyer.get("/ledger").query("cursor", &cursor),
            market.buyer.get("/gateway-requests").query("status", "delivered").query("cursor", &cursor),
        ];
        for request in others {
            request.send().await?.refused(400, "INVALID_CURSOR");
        }
        market.buyer.get("/gateway-requests").query("limit", 1).query("cursor", &cursor).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn filters_by_role_listing_and_status() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let (quote, reply) = market.buy(&json!({ "n": 1 })).await?;
        let delivered = text(reply.data(), "request_id").to_owned();
        let open = text(&market.row(&market.quote(&json!({ "n": 2 })).await?.id).await?, "id").to_owned();
        // The buyer sells as well, to the seller.
        let own = market.buyer.create_listing(&world.free_fields("/status/200")).await?;
        let sold = market.seller.call(&own.id, &json!({})).send().await?;
        let sold = text(sold.ok(200), "request_id").to_owned();
        let cases: [(Query<'_>, Vec<&String>); 8] = [
            (&[], vec![&sold, &open, &delivered]),
            (&[("role", "all")], vec![&sold, &open, &delivered]),
            (&[("role", "buyer")], vec![&open, &delivered]),
            (&[("role", "seller")], vec![&sold]),
            (&[("status", "quoted")], vec![&open]),
            (&[("status", "delivered")], vec![&sold, &delivered]),
            (&[("listing_id", &own.id)], vec![&sold]),
            (&[("listing_id", &market.listing.id), ("status", "delivered")], vec![&delivered]),
        ];
        for (query, expected) in cases {
            let mut found = ids(&market.buyer, query).await?;
            let mut expected: Vec<String> = expected.into_iter().cloned().collect();
            // Rows of the same millisecond stand in either order.
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{query:?}");
        }
        assert!(market.row(&quote.id).await.is_ok());
        for (name, value) in [("role", "king"), ("status", "lost"), ("limit", "0"), ("limit", "101"), ("listing_id", "nonsense")] {
            let reply = market.buyer.get("/gateway-requests").query(name, value).send().await?;
            assert_eq!(reply.status, 400, "{name}={value}: {}", reply.text());
        }
        Ok(())
    })
}

#[test]
fn a_filter_finds_rows_behind_pages_of_others() -> Outcome {
    shared(async |world| {
        let market = world.free_market("/status/200").await?;
        let mut wanted = world.free_fields("/status/200");
        wanted["name"] = "Rare".into();
        let rare = market.seller.create_listing(&wanted).await?;
        let first = market.buyer.call(&rare.id, &json!({})).send().await?;
        let first = text(first.ok(200), "request_id").to_owned();
        for n in 0..6 {
            market.call(&json!({ "n": n })).send().await?.ok(200);
        }
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..8 {
            let mut request = market.buyer.get("/gateway-requests").query("listing_id", &rare.id).query("limit", 2);
            if let Some(cursor) = &cursor {
                request = request.query("cursor", cursor);
            }
            let reply = request.send().await?;
            let data = reply.ok(200).clone();
            found.extend(list(&data, "gateway_requests").iter().map(|row| text(row, "id").to_owned()));
            cursor = data["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, [first]);
        Ok(())
    })
}

#[test]
fn the_seller_sees_no_mere_quotes_of_others() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        market.quote(&json!({ "n": 1 })).await?;
        let reply = market.seller.get("/gateway-requests").send().await?;
        for row in list(reply.ok(200), "gateway_requests") {
            assert!(row["payment"].get("requirements").is_none_or(Value::is_null), "{row}");
        }
        Ok(())
    })
}

#[test]
fn only_a_quote_that_may_still_be_started_to_be_paid_shows_its_requirements() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let (open, seen) = (market.quote(&json!({ "n": 1 })).await?, market.quote(&json!({ "n": 2 })).await?);
        world.sandbox.set(&seen.id, &json!({ "status": "pending" })).await?;
        market.call(&json!({ "n": 2 })).send().await?.ok(202);
        assert!(market.row(&open.id).await?["payment"]["requirements"].is_object());
        assert!(market.row(&seen.id).await?["payment"]["requirements"].is_null(), "its deposit was seen");
        // From expires_at on, the quote is closing.
        world.later(700).await?;
        assert!(market.row(&open.id).await?["payment"]["requirements"].is_null());
        Ok(())
    })
}
