//! `DELETE /listings/:id`.

use crochet_tests::{Outcome, Replies, list, shared};
use http::Method;
use serde_json::json;

#[test]
fn delete_removes_a_draft() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let mut fields = world.paid_fields(&json!(1), "/echo");
        fields["status"] = "draft".into();
        let draft = seller.create_listing(&fields).await?;
        let path = format!("/listings/{}", draft.id);
        let reply = seller.delete(&path).send().await?;
        assert!(matches!(reply.status, 200 | 204), "{}", reply.text());
        seller.get(&path).send().await?.refused(404, "LISTING_NOT_FOUND");
        seller.get(&format!("/listings/{}", draft.slug)).send().await?.refused(404, "LISTING_NOT_FOUND");
        seller.delete(&path).send().await?.refused(404, "LISTING_NOT_FOUND");
        let own = seller.get("/listings").query("seller", "me").send().await?;
        assert!(list(own.ok(200), "listings").is_empty());
        seller.call(&draft.id, &json!({})).send().await?.refused(404, "LISTING_NOT_FOUND");
        Ok(())
    })
}

#[test]
fn delete_suspends_an_active_listing() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/listings/{}", market.listing.id);
        let reply = market.seller.delete(&path).send().await?;
        assert_eq!(reply.ok(200)["listing"]["status"], "suspended");
        market.call(&json!({})).send().await?.refused(409, "LISTING_NOT_ACTIVE");
        assert_eq!(world.client.get(&path).send().await?.ok(200)["listing"]["status"], "suspended");
        Ok(())
    })
}

#[test]
fn deleting_is_by_owner_only() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/listings/{}", market.listing.id);
        market.buyer.delete(&path).send().await?.refused(403, "NOT_LISTING_OWNER");
        world.client.request(Method::DELETE, &path).send().await?.refused(401, "UNAUTHORIZED");
        assert_eq!(world.client.get(&path).send().await?.ok(200)["listing"]["status"], "active");
        Ok(())
    })
}
