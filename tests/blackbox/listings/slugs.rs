//! Names of listings, and the slugs that are made of them.

use crochet_tests::{Outcome, Replies, Setup, is_uuid, shared, text, with_setup};
use serde_json::json;

#[test]
fn slugs_fold_letters_as_search_does_and_other_scripts_are_transliterated() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let seller = world.agent().await?;
        for (name, slug) in [
            ("Größe Straße", "grosse-strasse"),
            ("Café Crème", "cafe-creme"),
            ("Łódź", "lodz"),
            ("Cafe\u{301} Noir", "cafe-noir"),
            ("Weather & More: v2!", "weather-more-v2"),
            ("Поиск текста", "poisk-teksta"),
        ] {
            let mut fields = world.free_fields("/echo");
            fields["name"] = name.into();
            let listing = seller.create_listing(&fields).await?;
            assert_eq!(listing.slug, slug, "{name}");
            let reply = world.client.get(&format!("/listings/{slug}")).send().await?;
            assert_eq!(text(&reply.ok(200)["listing"], "name"), name);
            // Unless it is transliterated, the slug's words find the listing.
            if name.chars().any(|c| c.is_ascii_alphabetic()) || name == "Łódź" {
                let found = world.client.get("/listings").query("q", slug.replace('-', " ")).send().await?;
                assert_eq!(found.ok(200)["listings"][0]["name"], name, "{slug}");
            }
        }
        for name in ["日本語検索", "हिन्दी अनुवाद", "شركة الترجمة", "🦀🦀🦀"] {
            let mut fields = world.free_fields("/echo");
            fields["name"] = name.into();
            let slug = seller.create_listing(&fields).await?.slug;
            assert!(slug.len() > 4 && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{slug}");
            assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"), "{slug}");
            let reply = world.client.get(&format!("/listings/{slug}")).send().await?;
            assert!(is_uuid(&reply.ok(200)["listing"]["id"]));
        }
        Ok(())
    })
}

#[test]
fn names_of_listings_and_profiles_are_visible_and_keep_their_direction() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let listing = seller.create_listing(&world.free_fields("/echo")).await?;
        for name in [
            "\u{200b}\u{200b}\u{200b}",
            "\u{3164}\u{3164}\u{3164}",
            "\u{2800}\u{2800}\u{2800}",
            "Pay\u{202e}gnp.exe",
            "\u{2066}abc\u{2069}",
            "\u{200f}abc",
        ] {
            let mut fields = world.free_fields("/echo");
            fields["name"] = name.into();
            for (reply, field) in [
                (seller.try_create_listing(&fields).await?, "name"),
                (seller.patch(&format!("/listings/{}", listing.id)).json(&json!({ "name": name })).send().await?, "name"),
                (seller.patch("/me").json(&json!({ "display_name": name })).send().await?, "display_name"),
            ] {
                assert_eq!(reply.refused(400, "INVALID_REQUEST")["details"]["field"], field, "{name:?}");
            }
        }
        for name in ["مترجم", "👩\u{200d}🔬 lab", "नमस्ते"] {
            seller.patch("/me").json(&json!({ "display_name": name })).send().await?.ok(200);
        }
        Ok(())
    })
}
