//! `PATCH /listings/:id`.

use crochet_tests::{Outcome, Replies, number, shared, text};
use serde_json::{Value, json};

#[test]
fn an_owner_changes_fields_and_the_rest_stays() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/listings/{}", market.listing.id);
        let change = json!({ "name": "A better name", "description": "Better.", "tags": ["new"], "category": "data",
            "pricing_amount": 0.29, "input_schema": { "type": "object" } });
        let reply = market.seller.patch(&path).json(&change).send().await?;
        let listing = &reply.ok(200)["listing"];
        for member in ["name", "description", "tags", "category", "input_schema"] {
            assert_eq!(listing[member], change[member], "{member}");
        }
        assert_eq!(number(&listing["price"], "amount_micros"), 290_000);
        assert_eq!((text(listing, "slug"), &listing["delivery_type"]), (market.listing.slug.as_str(), &json!("api")));
        assert_ne!(listing["updated_at"], listing["created_at"]);
        assert_eq!(world.client.get(&path).send().await?.ok(200)["listing"], *listing, "the next read shows it");
        // An optional field can be taken away.
        let reply = market.seller.patch(&path).json(&json!({ "input_schema": null })).send().await?;
        assert!(reply.ok(200)["listing"]["input_schema"].is_null());
        assert_eq!(reply.data()["listing"]["name"], "A better name");
        Ok(())
    })
}

#[test]
fn updating_is_by_owner_only() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/listings/{}", market.listing.id);
        let change = json!({ "name": "Stolen" });
        market.buyer.patch(&path).json(&change).send().await?.refused(403, "NOT_LISTING_OWNER");
        world.client.patch_without_key(&path, &change).await?.refused(401, "UNAUTHORIZED");
        let mut draft = world.free_fields("/echo");
        draft["status"] = "draft".into();
        let draft = market.seller.create_listing(&draft).await?;
        let reply = market.buyer.patch(&format!("/listings/{}", draft.id)).json(&change).send().await?;
        reply.refused(404, "LISTING_NOT_FOUND");
        let unknown = "/listings/0198c0de-0000-7000-8000-000000000000";
        market.seller.patch(unknown).json(&change).send().await?.refused(404, "LISTING_NOT_FOUND");
        Ok(())
    })
}

trait WithoutKey {
    async fn patch_without_key(&self, path: &str, body: &Value) -> Result<crochet_tests::Reply, crochet_tests::Failure>;
}

impl WithoutKey for crochet_tests::Client {
    async fn patch_without_key(&self, path: &str, body: &Value) -> Result<crochet_tests::Reply, crochet_tests::Failure> {
        Ok(self.request(http::Method::PATCH, path).json(body).send().await?)
    }
}

#[test]
fn wrong_values_change_nothing() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/listings/{}", market.listing.id);
        let wrong = [
            (json!({ "name": "ab" }), "INVALID_REQUEST"),
            (json!({ "name": null }), "INVALID_REQUEST"),
            (json!({ "pricing_amount": 0.0000001 }), "INVALID_REQUEST"),
            (json!({ "pricing_amount": "1" }), "INVALID_REQUEST"),
            (json!({ "category": "nonsense" }), "INVALID_REQUEST"),
            (json!({ "status": "gone" }), "INVALID_REQUEST"),
            (json!({ "slug": "mine" }), "UNKNOWN_FIELD"),
            (json!({ "seller": "me" }), "UNKNOWN_FIELD"),
            (json!({ "input_schema": { "type": "nonsense" } }), "INVALID_SCHEMA"),
        ];
        for (change, code) in wrong {
            market.seller.patch(&path).json(&change).send().await?.refused(400, code);
        }
        let listing = world.client.get(&path).send().await?.ok(200)["listing"].clone();
        let created = &market.listing.data["listing"];
        assert_eq!((&listing["name"], &listing["price"]), (&created["name"], &created["price"]));
        Ok(())
    })
}

#[test]
fn an_owner_lifts_only_a_suspension_of_their_own() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/listings/{}", market.listing.id);
        let set = |status: &str| market.seller.patch(&path).json(&json!({ "status": status })).send();
        assert_eq!(set("suspended").await?.ok(200)["listing"]["suspended_by"], "owner");
        market.call(&json!({})).send().await?.refused(409, "LISTING_NOT_ACTIVE");
        let listing = set("active").await?.ok(200)["listing"].clone();
        assert_eq!((&listing["status"], &listing["suspended_by"]), (&json!("active"), &Value::Null));
        market.quote(&json!({})).await?;
        Ok(())
    })
}

#[test]
fn a_draft_becomes_active_and_an_active_one_no_draft() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let mut fields = world.paid_fields(&json!(1), "/echo");
        fields["status"] = "draft".into();
        let listing = seller.create_listing(&fields).await?;
        let path = format!("/listings/{}", listing.id);
        let reply = seller.patch(&path).json(&json!({ "status": "active" })).send().await?;
        assert_eq!(reply.ok(200)["listing"]["status"], "active");
        seller.patch(&path).json(&json!({ "status": "draft" })).send().await?.refused(409, "STATUS_CHANGE_REFUSED");
        Ok(())
    })
}

#[test]
fn private_endpoint_url_updates_the_endpoint_from_the_next_call() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        market.buy(&json!({ "n": 1 })).await?;
        let new = world.echo_path();
        world.seller.add_secret(&market.listing.signing_secret, &new).await?;
        let change = json!({ "private_endpoint_url": world.seller.url(&new) });
        let reply = market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&change).send().await?;
        reply.ok(200);
        assert!(!reply.text().contains(&new) && !reply.text().contains("whsec_"), "{}", reply.text());
        let (_, reply) = market.buy(&json!({ "n": 2 })).await?;
        assert_eq!(reply.data()["seller_response"]["verified"], true, "the secret has stayed");
        assert_eq!(world.seller.calls(&[("path", &new)]).await?.len(), 1);
        assert_eq!(market.all_received().await?.len(), 1, "the old one was called once");
        Ok(())
    })
}

#[test]
fn a_listing_without_an_endpoint_gets_one_and_its_secret_is_shown() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let fields = json!({ "name": "Bare for now", "description": "x", "pricing_model": "free" });
        let listing = seller.create_listing(&fields).await?;
        let path = world.echo_path();
        let change = json!({ "private_endpoint_url": world.seller.url(&path) });
        let reply = seller.patch(&format!("/listings/{}", listing.id)).json(&change).send().await?;
        let secret = text(&reply.ok(200)["gateway_endpoint"], "signing_secret").to_owned();
        world.seller.add_secret(&secret, &path).await?;
        let reply = seller.call(&listing.id, &json!({ "n": 1 })).send().await?;
        assert_eq!(reply.ok(200)["seller_response"]["verified"], true);
        Ok(())
    })
}

#[test]
fn a_listing_can_become_free_and_paid_again() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/listings/{}", market.listing.id);
        let reply = market.seller.patch(&path).json(&json!({ "pricing_model": "free" })).send().await?;
        if reply.status == 400 {
            // A price has to be taken back explicitly.
            let change = json!({ "pricing_model": "free", "pricing_amount": 0 });
            market.seller.patch(&path).json(&change).send().await?.ok(200);
        }
        assert_eq!(market.call(&json!({ "n": 1 })).send().await?.ok(200)["billable"], false);
        let change = json!({ "pricing_model": "per_call", "pricing_amount": 2 });
        market.seller.patch(&path).json(&change).send().await?.ok(200);
        assert_eq!(market.quote(&json!({ "n": 2 })).await?.payment()["amount"]["amount_cents"], 200);
        Ok(())
    })
}

#[test]
fn parallel_changes_are_all_there_or_refused() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/listings/{}", market.listing.id);
        let changes: Vec<Value> = (0..6).map(|n| json!({ "tags": [format!("t{n}")] })).collect();
        let replies =
            futures::future::try_join_all(changes.iter().map(|change| market.seller.patch(&path).json(change).send())).await?;
        for reply in &replies {
            assert!(reply.status == 200 || (reply.status, reply.code()) == (409, "EDIT_CONFLICT"), "{}", reply.text());
        }
        assert!(replies.iter().any(|reply| reply.status == 200));
        Ok(())
    })
}
