//! `GET /listings?q=`: matching and ranking.

use crochet_tests::{Client, Failure, Outcome, Replies, Setup, World, list, members, number, text, with_setup};
use serde_json::{Value, json};

/// Names of the listings found, best match first.
async fn found(client: &Client, q: &str) -> Result<Vec<String>, Failure> {
    let reply = client.get("/listings").query("q", q).query("limit", 100).send().await?;
    let names: Vec<String> = list(reply.ok(200), "listings").iter().map(|listing| text(listing, "name").to_owned()).collect();
    assert_eq!(number(&reply.data()["pagination"], "total"), i64::try_from(names.len())?, "{q}");
    Ok(names)
}

async fn offer(world: &World, name: &str, change: Value) -> Result<(), Failure> {
    let mut fields = world.free_fields("/echo");
    fields["name"] = name.into();
    for (field, value) in change.as_object().into_iter().flatten() {
        fields[field] = value.clone();
    }
    world.agent().await?.create_listing(&fields).await?;
    Ok(())
}

#[test]
fn best_match_first_name_then_tags_then_category_then_description() -> Outcome {
    with_setup(Setup::default(), async |world| {
        offer(world, "Oracle", json!({ "description": "Knows about finance." })).await?;
        offer(world, "Ledger", json!({ "category": "finance" })).await?;
        offer(world, "Books", json!({ "tags": ["finance"] })).await?;
        offer(world, "Finance desk", json!({})).await?;
        offer(world, "Cooking", json!({})).await?;
        assert_eq!(found(&world.client, "finance").await?, ["Finance desk", "Books", "Ledger", "Oracle"]);
        assert_eq!(found(&world.client, "FINANCE knows").await?, ["Oracle"], "all words have to be matched");
        assert_eq!(found(&world.client, "markets").await?, ["Ledger"], "the category's name is searched too");
        Ok(())
    })
}

#[test]
fn stems_beginnings_and_one_typo_are_matched_after_the_word_itself() -> Outcome {
    with_setup(Setup::default(), async |world| {
        for name in ["Forcast", "Forecaster", "Forecasting tool", "Forecast"] {
            offer(world, name, json!({})).await?;
        }
        let exact_first = found(&world.client, "forecast").await?;
        assert_eq!(exact_first, ["Forecast", "Forecasting tool", "Forecaster", "Forcast"]);
        for (q, expected) in
            [("forecasts", 3), ("forecasted", 3), ("fore", 3), ("fo", 4), ("froecast", 1), ("forecasx", 1), ("fxrexast", 0)]
        {
            let names = found(&world.client, q).await?;
            assert_eq!(names.len(), expected, "{q}: {names:?}");
        }
        Ok(())
    })
}

#[test]
fn words_of_every_script_are_found_and_no_text_breaks_the_search() -> Outcome {
    with_setup(Setup::default(), async |world| {
        offer(world, "日本語検索サービス", json!({ "description": "東京の天気予報。" })).await?;
        offer(world, "Crème brûlée größer", json!({})).await?;
        offer(world, "Поиск текста", json!({})).await?;
        for (q, name) in [
            ("日本語", "日本語検索サービス"),
            ("検索", "日本語検索サービス"),
            ("天気", "日本語検索サービス"),
            ("creme", "Crème brûlée größer"),
            ("BRÛLÉE", "Crème brûlée größer"),
            ("поиск", "Поиск текста"),
            ("текс", "Поиск текста"),
        ] {
            assert_eq!(found(&world.client, q).await?, [name], "{q}");
        }
        let long = "長".repeat(200);
        for q in ["🌦", "\u{0}", "\u{301}", "\u{10ffff}", "a\u{200d}b", "%", "*:*", "name:x AND (", "\"", "\\", "\u{202e}abc", &long]
        {
            assert!(found(&world.client, q).await?.is_empty(), "{q:?}");
        }
        assert_eq!(found(&world.client, "   ").await?.len(), 3, "nothing is searched for");
        Ok(())
    })
}

#[test]
fn forms_of_letters_and_vowel_marks_do_not_matter_and_indic_marks_are_letters() -> Outcome {
    with_setup(Setup::default(), async |world| {
        for name in ["שָׁלוֹם עוֹלָם", "العَرَبِيَّة الفُصْحَى", "हिन्दी अनुवाद", "ＡＰＩ ガイド", "Plain words"]
        {
            offer(world, name, json!({})).await?;
        }
        for (q, name) in [
            ("שלום", "שָׁלוֹם עוֹלָם"),
            ("שָׁלוֹם", "שָׁלוֹם עוֹלָם"),
            ("العربية", "العَرَبِيَّة الفُصْحَى"),
            ("العَرَبِيَّة", "العَرَبِيَّة الفُصْحَى"),
            ("हिन्दी", "हिन्दी अनुवाद"),
            ("api", "ＡＰＩ ガイド"),
            ("ｶﾞｲﾄﾞ", "ＡＰＩ ガイド"),
            ("ｐｌａｉｎ", "Plain words"),
        ] {
            assert_eq!(found(&world.client, q).await?, [name], "{q}");
        }
        assert!(found(&world.client, "हिन").await?.len() == 1 && found(&world.client, "दी").await?.is_empty(), "one word");
        Ok(())
    })
}

#[test]
fn names_with_symbols_are_words_of_their_own_and_names_in_parts_are_found_joined() -> Outcome {
    with_setup(Setup::default(), async |world| {
        for name in
            ["Notes in C", "C# formatter", "C++ formatter", ".NET hosting", "Fishing net", "Node.js runner", "GPT-4o mini chat"]
        {
            offer(world, name, json!({})).await?;
        }
        for (q, expected) in [
            ("c++", &["C++ formatter"][..]),
            ("C#", &["C# formatter"]),
            ("c# formatter", &["C# formatter"]),
            ("C++ formatter", &["C++ formatter"]),
            (".net", &[".NET hosting"]),
            ("nodejs", &["Node.js runner"]),
            ("node.js", &["Node.js runner"]),
            ("NodeJS runner", &["Node.js runner"]),
            ("gpt4o", &["GPT-4o mini chat"]),
            ("gpt-4o", &["GPT-4o mini chat"]),
        ] {
            assert_eq!(found(&world.client, q).await?, expected, "{q}");
        }
        assert_eq!(found(&world.client, "net").await?.len(), 2, "the word after the dot is one, too");
        Ok(())
    })
}

#[test]
fn a_search_has_at_most_200_characters_and_10_words() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let (long, words) = ("x".repeat(201), "a b c d e f g h i j k");
        for q in [long.as_str(), words, "a - b - c, d e f g h i j k"] {
            let reply = world.client.get("/listings").query("q", q).send().await?;
            assert!(text(reply.refused(400, "INVALID_REQUEST"), "message").contains("`q` must"), "{q}: {}", reply.text());
        }
        found(&world.client, &"é".repeat(200)).await?;
        for q in [
            "a b c d e f g h i j",
            "a-b-c-d-e-f-g-h-i-j-k",
            "日本語API 日本語API 日本語API 日本語API 日本語API 日本語API",
            "\u{fdfa} \u{fdfa} \u{fdfa}",
        ] {
            found(&world.client, q).await?;
        }
        Ok(())
    })
}

#[test]
fn ones_own_listings_are_searched_in_the_same_way() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let seller = world.agent().await?;
        for (name, status) in [("Weather draft", "draft"), ("Weather", "active"), ("Rain", "active")] {
            let mut fields = world.free_fields("/echo");
            fields["name"] = name.into();
            fields["status"] = status.into();
            seller.create_listing(&fields).await?;
        }
        let reply = seller.get("/listings").query("seller", "me").query("q", "wether").query("status", "draft").send().await?;
        let found = list(reply.ok(200), "listings");
        assert_eq!((found.len(), text(&found[0], "name")), (1, "Weather draft"));
        assert_eq!(members(&found[0]["seller"]), ["claimed", "display_name", "id", "is_verified", "score", "tier"]);
        Ok(())
    })
}
