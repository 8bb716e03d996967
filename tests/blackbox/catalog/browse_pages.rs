//! `GET /listings`: pages, refusals, conditional reads, and what a warm browse costs.

use std::collections::BTreeSet;

use crochet_tests::{Failure, Outcome, Replies, Reply, Setup, World, list, number, shared, text, unique_name, with_setup};
use serde_json::json;

async fn browse(world: &World, query: &[(&str, &str)]) -> Result<Reply, Failure> {
    let mut request = world.client.get("/listings");
    for (name, value) in query {
        request = request.query(name, value);
    }
    Ok(request.send().await?)
}

fn ids(reply: &Reply) -> Vec<String> {
    list(reply.ok(200), "listings").iter().map(|listing| text(listing, "id").to_owned()).collect()
}

#[test]
fn every_order_is_total_so_that_pages_neither_repeat_nor_miss_a_listing() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let sellers = [world.agent().await?, world.agent().await?];
        for n in 0..23 {
            let mut fields = world.paid_fields(&json!(1 + n % 2), "/echo");
            fields["name"] = "All the same".into();
            sellers[n % 2].create_listing(&fields).await?;
        }
        for sort in ["relevance", "newest", "popular", "rating", "price_low", "price_high"] {
            for q in ["", "same"] {
                let whole = ids(&browse(world, &[("sort", sort), ("q", q), ("limit", "100")]).await?);
                assert_eq!(whole.len(), 23);
                let mut paged = Vec::new();
                for page in 1..=6 {
                    let reply = browse(world, &[("sort", sort), ("q", q), ("limit", "5"), ("page", &page.to_string())]).await?;
                    let told = &reply.ok(200)["pagination"];
                    assert_eq!((number(told, "total"), number(told, "total_pages")), (23, 5));
                    paged.extend(ids(&reply));
                }
                assert_eq!(paged, whole, "{sort} {q}");
                assert_eq!(paged.iter().collect::<BTreeSet<_>>().len(), 23);
            }
        }
        let beyond = browse(world, &[("page", "1000000"), ("limit", "100")]).await?;
        assert_eq!((ids(&beyond).len(), number(&beyond.data()["pagination"], "total")), (0, 23));
        Ok(())
    })
}

#[test]
fn prices_of_a_sort_and_a_filter_are_exact() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let seller = world.agent().await?;
        for price in [json!(0.0001), json!(0.000101), json!(10_000), json!(0.3)] {
            let mut fields = world.paid_fields(&price, "/echo");
            fields["name"] = "Priced".into();
            seller.create_listing(&fields).await?;
        }
        let prices = async |query: &[(&str, &str)]| -> Result<Vec<i64>, Failure> {
            let reply = browse(world, query).await?;
            Ok(list(reply.ok(200), "listings").iter().map(|listing| number(&listing["price"], "amount_micros")).collect())
        };
        assert_eq!(prices(&[("sort", "price_low")]).await?, [100, 101, 300_000, 10_000_000_000]);
        assert_eq!(prices(&[("sort", "price_high"), ("max_price", "0.3")]).await?, [300_000, 101, 100]);
        assert_eq!(prices(&[("min_price", "0.000101"), ("max_price", "0.000101")]).await?, [101]);
        assert!(prices(&[("min_price", "10000.000001")]).await?.is_empty());
        Ok(())
    })
}

#[test]
fn what_makes_no_sense_is_refused_naming_the_parameter() -> Outcome {
    shared(async |world| {
        let wrong: &[(&[(&str, &str)], &str)] = &[
            (&[("category", "nonsense")], "category"),
            (&[("category", "Data")], "category"),
            (&[("status", "draft")], "status"),
            (&[("status", "gone"), ("seller", "me")], "status"),
            (&[("min_price", "2"), ("max_price", "1")], "min_price"),
            (&[("min_price", "0.0000001")], "min_price"),
            (&[("page", "1000001")], "page"),
            (&[("limit", "1e1")], "limit"),
            (&[("seller", "")], "seller"),
            (&[("sort", "")], "sort"),
        ];
        for (query, field) in wrong {
            let reply = browse(world, query).await?;
            assert!(text(reply.refused(400, "INVALID_REQUEST"), "message").contains(field), "{query:?}: {}", reply.text());
        }
        assert!(text(browse(world, &[("colour", "red")]).await?.refused(400, "UNKNOWN_FIELD"), "message").contains("colour"));
        browse(world, &[("q", "a"), ("q", "b")]).await?.refused(400, "INVALID_REQUEST");
        Ok(())
    })
}

#[test]
fn a_seller_without_listings_or_unknown_has_none() -> Outcome {
    shared(async |world| {
        let nobody = world.agent().await?.profile_id;
        for seller in [nobody.as_str(), "01890000-0000-7000-8000-000000000000"] {
            assert!(ids(&browse(world, &[("seller", seller)]).await?).is_empty());
        }
        Ok(())
    })
}

#[test]
fn public_reads_carry_an_etag_and_answer_304_to_who_has_it() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let seller = world.agent().await?;
        let mut fields = world.paid_fields(&json!(1), "/echo");
        fields["name"] = "Tagged".into();
        let id = seller.create_listing(&fields).await?.id;
        let listing = format!("/listings/{id}");
        for path in ["/listings", "/categories", &listing] {
            let first = world.client.get(path).send().await?;
            first.ok(200);
            let etag = first.header("etag").to_owned();
            assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 10, "{path}: {etag}");
            assert!(first.header("cache-control").contains("no-cache"), "{path}: a price may change");
            for known in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".into()] {
                let again = world.client.get(path).header("if-none-match", &known).send().await?;
                assert_eq!((again.status, again.body.len()), (304, 0), "{path} {known}");
                assert_eq!(again.header("etag"), etag);
            }
            let other = world.client.get(path).header("if-none-match", "\"other\"").send().await?;
            assert_eq!(other.body, first.body, "{path}");
        }
        let before = world.client.get(&listing).send().await?.header("etag").to_owned();
        seller.patch(&listing).json(&json!({ "pricing_amount": 2 })).send().await?.ok(200);
        for path in ["/listings", &listing] {
            let changed = world.client.get(path).header("if-none-match", &before).send().await?;
            assert_eq!(changed.status, 200, "{path} has changed");
        }
        let own = seller.get("/listings").query("seller", "me").send().await?;
        assert!(own.header("cache-control").contains("private"), "one's own listings are nobody else's");
        Ok(())
    })
}

#[test]
fn a_change_is_seen_by_the_next_browse_of_every_instance() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let seller = world.agent().await?;
        let (other, _) = world.another_instance().await?;
        other.get("/listings").send().await?.ok(200);
        for _ in 0..5 {
            let mut fields = world.paid_fields(&json!(1), "/echo");
            let w = unique_name();
            fields["name"] = w.clone().into();
            let id = seller.create_listing(&fields).await?.id;
            for client in [&world.client, &other] {
                let reply = client.get("/listings").query("q", &w).send().await?;
                assert_eq!(ids(&reply), std::slice::from_ref(&id));
            }
            seller.delete(&format!("/listings/{id}")).send().await?.ok(200);
            for client in [&world.client, &other] {
                assert!(ids(&client.get("/listings").query("q", &w).send().await?).is_empty());
            }
        }
        Ok(())
    })
}

#[test]
fn a_warm_browse_costs_the_counter_and_one_look_at_what_has_changed() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let seller = world.agent().await?;
        for _ in 0..20 {
            seller.create_listing(&world.paid_fields(&json!(1), "/echo")).await?;
        }
        world.write_snapshot().await?;
        // What changed more than a minute ago is not looked at again.
        world.later(120).await?;
        let (client, costs) = world.another_instance().await?;
        client.get("/listings").send().await?.ok(200);
        for query in [
            vec![],
            vec![("q", "service")],
            vec![("q", "servixe tol"), ("sort", "price_low")],
            vec![("category", "other"), ("page", "2")],
        ] {
            let mut cheapest = None;
            // Two requests that run at the same time may be seen one after another on a busy machine.
            for _ in 0..10 {
                let mut request = client.get("/listings");
                for (name, value) in &query {
                    request = request.query(name, value);
                }
                let reply = request.send().await?;
                reply.ok(200);
                let (row, path) = costs.of("warm", &reply).ok_or_else(|| Failure::new("no cost was noted"))?;
                assert_eq!(path.matches("dynamodb").count(), 2, "{query:?}: {path}");
                assert!(row.read_units <= 0.5 && row.write_units <= 1.0, "{query:?}: {row}");
                cheapest = Some(cheapest.map_or(row.trips, |trips: usize| trips.min(row.trips)));
            }
            assert_eq!(cheapest, Some(1), "{query:?}: both at the same time");
        }
        Ok(())
    })
}
