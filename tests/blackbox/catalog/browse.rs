//! `GET /listings`: filters and sorting.

use crochet_tests::{
    Agent, Failure, Listing, Outcome, Replies, Reply, World, eventually, list, members, number, shared, text, unique_name,
};
use serde_json::{Value, json};

/// Query parameters.
type Query<'a> = &'a [(&'a str, &'a str)];

/// Searches for a word that only one test uses.
async fn search(world: &World, query: Query<'_>) -> Result<Reply, Failure> {
    let mut request = world.client.get("/listings");
    for (name, value) in query {
        request = request.query(name, value);
    }
    Ok(request.send().await?)
}

fn names(reply: &Reply) -> Vec<String> {
    list(reply.ok(200), "listings").iter().map(|listing| text(listing, "name").to_owned()).collect()
}

/// Waits until the search model contains `count` listings with this word.
async fn settled(world: &World, word: &str, count: i64) -> Outcome {
    eventually("the listings can be found", async || {
        let reply = search(world, &[("q", word)]).await?;
        Ok((number(&reply.ok(200)["pagination"], "total") == count).then_some(()))
    })
    .await
}

async fn offer(world: &World, seller: &Agent, change: Value) -> Result<Listing, Failure> {
    let mut fields = world.paid_fields(&json!(1), "/echo");
    for (name, value) in change.as_object().into_iter().flatten() {
        fields[name] = value.clone();
    }
    if fields["pricing_model"] == "free" {
        fields["pricing_amount"] = Value::Null;
    }
    Ok(seller.create_listing(&fields).await?)
}

#[test]
fn words_are_matched_in_name_tags_category_and_description() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let w = unique_name();
        offer(world, &seller, json!({ "name": format!("In name {w}") })).await?;
        offer(world, &seller, json!({ "name": "In tags", "tags": [w] })).await?;
        offer(world, &seller, json!({ "name": "In description", "description": format!("Something, {w}, something.") })).await?;
        settled(world, &w, 3).await?;
        // The best match comes first.
        let found = names(&search(world, &[("q", &w)]).await?);
        assert_eq!(found[0], format!("In name {w}"), "{found:?}");
        let found = names(&search(world, &[("q", &w.to_uppercase())]).await?);
        assert_eq!(found.len(), 3, "case does not matter");
        let found = names(&search(world, &[("q", &format!("{w} description"))]).await?);
        assert_eq!(found.first().map(String::as_str), Some("In description"), "{found:?}");
        assert!(names(&search(world, &[("q", &unique_name())]).await?).is_empty());
        Ok(())
    })
}

#[test]
fn only_active_listings_are_shown() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let w = unique_name();
        let active = offer(world, &seller, json!({ "name": format!("Active {w}") })).await?;
        let gone = offer(world, &seller, json!({ "name": format!("Gone {w}") })).await?;
        offer(world, &seller, json!({ "name": format!("Draft {w}"), "status": "draft" })).await?;
        seller.delete(&format!("/listings/{}", gone.id)).send().await?;
        settled(world, &w, 1).await?;
        let reply = search(world, &[("q", &w)]).await?;
        let found = list(reply.ok(200), "listings");
        assert_eq!((&found[0]["id"], &found[0]["status"]), (&json!(active.id), &json!("active")));
        // A change shows too.
        let change = json!({ "name": format!("Renamed {w}") });
        seller.patch(&format!("/listings/{}", active.id)).json(&change).send().await?.ok(200);
        eventually("the new name is found", async || {
            Ok((names(&search(world, &[("q", &w)]).await?) == [format!("Renamed {w}")]).then_some(()))
        })
        .await
    })
}

#[test]
fn filters_narrow_the_list() -> Outcome {
    shared(async |world| {
        let (seller, other) = (world.agent().await?, world.agent().await?);
        let w = unique_name();
        let named = |name: &str| format!("{name} {w}");
        offer(world, &seller, json!({ "name": named("Cheap"), "pricing_amount": 0.01, "category": "data" })).await?;
        offer(world, &seller, json!({ "name": named("Dear"), "pricing_amount": 25.5, "delivery_type": "batch" })).await?;
        offer(world, &other, json!({ "name": named("Free"), "pricing_model": "free" })).await?;
        settled(world, &w, 3).await?;
        let cases: [(Query<'_>, &[&str]); 10] = [
            (&[("category", "data")], &["Cheap"]),
            (&[("pricing_model", "free")], &["Free"]),
            (&[("pricing_model", "per_call")], &["Cheap", "Dear"]),
            (&[("delivery_type", "batch")], &["Dear"]),
            (&[("min_price", "0.01")], &["Cheap", "Dear"]),
            (&[("min_price", "0.010001")], &["Dear"]),
            (&[("max_price", "0.01")], &["Cheap", "Free"]),
            (&[("min_price", "1"), ("max_price", "25.5")], &["Dear"]),
            (&[("seller", &other.profile_id)], &["Free"]),
            (&[("category", "data"), ("pricing_model", "free")], &[]),
        ];
        for (filters, expected) in cases {
            let mut query = vec![("q", w.as_str())];
            query.extend(filters);
            let mut found = names(&search(world, &query).await?);
            found.sort();
            assert_eq!(found, expected.iter().map(|name| named(name)).collect::<Vec<_>>(), "{filters:?}");
        }
        Ok(())
    })
}

#[test]
fn sorts_and_pages() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let w = unique_name();
        for (name, price) in [("a", 3), ("b", 1), ("c", 2)] {
            offer(world, &seller, json!({ "name": format!("{w} {name}"), "pricing_amount": price })).await?;
        }
        settled(world, &w, 3).await?;
        let order = async |sort: &str| -> Result<String, Failure> {
            let reply = search(world, &[("q", &w), ("sort", sort)]).await?;
            Ok(names(&reply).iter().filter_map(|name| name.chars().last()).collect())
        };
        assert_eq!(order("price_low").await?, "bca");
        assert_eq!(order("price_high").await?, "acb");
        assert_eq!(order("newest").await?, "cba");
        for sort in ["relevance", "popular", "rating"] {
            assert_eq!(order(sort).await?.len(), 3, "{sort}");
        }
        let mut all = Vec::new();
        for page in ["1", "2", "3"] {
            let reply = search(world, &[("q", &w), ("sort", "price_low"), ("limit", "2"), ("page", page)]).await?;
            let data = reply.ok(200);
            assert_eq!(members(data), ["listings", "pagination"]);
            let expected = json!({ "page": page.parse::<i64>()?, "limit": 2, "total": 3, "total_pages": 2 });
            assert_eq!(data["pagination"], expected);
            all.extend(names(&reply));
        }
        assert_eq!(all.len(), 3, "each listing stands on one page");
        let reply = world.client.get("/listings").send().await?;
        assert_eq!((&reply.ok(200)["pagination"]["page"], &reply.data()["pagination"]["limit"]), (&json!(1), &json!(20)));
        Ok(())
    })
}

#[test]
fn wrong_values_are_refused_naming_the_field() -> Outcome {
    shared(async |world| {
        let wrong = [
            ("page", "0"),
            ("page", "x"),
            ("limit", "0"),
            ("limit", "101"),
            ("limit", "-1"),
            ("sort", "best"),
            ("pricing_model", "monthly"),
            ("delivery_type", "pigeon"),
            ("min_price", "cheap"),
            ("max_price", "-1"),
            ("max_price", "NaN"),
            ("seller", "nobody"),
        ];
        for (name, value) in wrong {
            let reply = search(world, &[(name, value)]).await?;
            let error = reply.refused(400, "INVALID_REQUEST");
            assert!(text(error, "message").contains(name), "{name}={value}: {error}");
        }
        search(world, &[("limit", "100")]).await?.ok(200);
        Ok(())
    })
}

#[test]
fn seller_me_with_a_key_shows_the_callers_own_drafts_included() -> Outcome {
    shared(async |world| {
        let (seller, other) = (world.agent().await?, world.agent().await?);
        for status in ["draft", "active"] {
            offer(world, &seller, json!({ "status": status, "name": format!("Mine {status}") })).await?;
        }
        offer(world, &other, json!({})).await?;
        let own = async |query: &[(&str, &str)]| -> Result<Vec<String>, Failure> {
            let mut request = seller.get("/listings").query("seller", "me");
            for (name, value) in query {
                request = request.query(name, value);
            }
            let mut found = names(&request.send().await?);
            found.sort();
            Ok(found)
        };
        // One's own are read from the table, not from the search model.
        assert_eq!(own(&[]).await?, ["Mine active", "Mine draft"]);
        assert_eq!(own(&[("status", "draft")]).await?, ["Mine draft"]);
        assert_eq!(own(&[("status", "active")]).await?, ["Mine active"]);
        assert!(own(&[("status", "suspended")]).await?.is_empty());
        world.client.get("/listings").query("seller", "me").send().await?.refused(401, "UNAUTHORIZED");
        Ok(())
    })
}

#[test]
fn a_listing_in_the_list_is_the_listing_by_id() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let w = unique_name();
        let listing = offer(world, &seller, json!({ "name": format!("Same {w}"), "tags": ["one", "two"] })).await?;
        settled(world, &w, 1).await?;
        let listed = search(world, &[("q", &w)]).await?;
        let single = world.client.get(&format!("/listings/{}", listing.id)).send().await?;
        assert_eq!(members(&list(listed.ok(200), "listings")[0]), members(&single.ok(200)["listing"]));
        Ok(())
    })
}

#[test]
fn a_seller_without_listings_finds_nothing_whatever_the_words() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let reply = seller.get("/listings").query("seller", "me").query("q", "anything").send().await?;
        assert_eq!(reply.ok(200)["pagination"]["total"], 0);
        Ok(())
    })
}
