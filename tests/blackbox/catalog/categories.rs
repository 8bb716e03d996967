//! `GET /categories`.

use std::collections::BTreeSet;

use crochet_tests::{Failure, Outcome, Replies, Setup, World, eventually, list, members, number, shared, text, with_setup};
use serde_json::{Value, json};

#[test]
fn categories_have_slug_name_and_count() -> Outcome {
    shared(async |world| {
        let reply = world.client.get("/categories").send().await?;
        let categories = list(reply.ok(200), "categories");
        let slugs: BTreeSet<&str> = categories.iter().map(|category| text(category, "slug")).collect();
        assert_eq!(slugs.len(), categories.len(), "a slug appears twice");
        assert!(slugs.contains("other"), "`other` is the default");
        for category in categories {
            assert_eq!(members(category), ["count", "name", "slug"]);
            assert!(number(category, "count") >= 0 && !text(category, "name").is_empty());
        }
        Ok(())
    })
}

async fn count_of(world: &World, slug: &str) -> Result<i64, Failure> {
    let reply = world.client.get("/categories").send().await?;
    let category = list(reply.ok(200), "categories").iter().find(|category| category["slug"] == slug).cloned();
    Ok(number(&category.unwrap_or(Value::Null), "count"))
}

#[test]
fn the_count_is_of_active_listings() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let seller = world.agent().await?;
        assert_eq!(count_of(world, "finance").await?, 0);
        let mut fields = world.free_fields("/echo");
        fields["category"] = "finance".into();
        let listing = seller.create_listing(&fields).await?;
        fields["status"] = "draft".into();
        seller.create_listing(&fields).await?;
        eventually("one active listing is counted", async || Ok((count_of(world, "finance").await? == 1).then_some(()))).await?;
        seller.delete(&format!("/listings/{}", listing.id)).send().await?;
        eventually("a suspended one is not", async || Ok((count_of(world, "finance").await? == 0).then_some(()))).await?;
        Ok(())
    })
}

#[test]
fn a_category_is_a_slug_of_the_list() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let mut fields = world.free_fields("/echo");
        fields["category"] = "Nonsense of all kinds".into();
        let reply = seller.try_create_listing(&fields).await?;
        assert!(text(reply.refused(400, "INVALID_REQUEST"), "message").contains("category"));
        fields["category"] = json!("data");
        seller.try_create_listing(&fields).await?.ok(201);
        Ok(())
    })
}
