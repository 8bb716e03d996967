//! The catalogue's snapshot: a browse is complete whatever happens to it.

use crochet_tests::{
    Client, Failure, Fault, Listing, Outcome, Proxy, Replies, Setup, World, number, text, unique_name, with_setup,
};
use serde_json::{Value, json};

/// Searches that cover filters, sorting and text.
const QUERIES: &[&[(&str, &str)]] = &[
    &[],
    &[("q", "weather")],
    &[("q", "wether forcast")],
    &[("q", "transl")],
    &[("q", "translating documents")],
    &[("q", "日本")],
    &[("category", "data")],
    &[("pricing_model", "free")],
    &[("sort", "price_low"), ("limit", "3"), ("page", "2")],
    &[("sort", "price_high"), ("max_price", "3")],
    &[("sort", "rating")],
];

/// All replies of an instance to the searches, and its categories.
async fn answers(client: &Client) -> Result<Vec<Value>, Failure> {
    let mut answers = vec![client.get("/categories").send().await?.ok(200).clone()];
    for query in QUERIES {
        let mut request = client.get("/listings");
        for (name, value) in *query {
            request = request.query(name, value);
        }
        answers.push(request.send().await?.ok(200).clone());
    }
    Ok(answers)
}

/// A dozen listings of two sellers.
async fn offers(world: &World) -> Result<Vec<Listing>, Failure> {
    let sellers = [world.agent().await?, world.evm_agent().await?];
    let subjects = ["Weather forecast", "Translate documents", "Translator", "日本語検索", "Price feed", "Weather maps"];
    let mut listings = Vec::new();
    for n in 0..12 {
        let mut fields = world.paid_fields(&json!(1 + n % 4), "/echo");
        fields["name"] = format!("{} {}", subjects[n % subjects.len()], unique_name()).into();
        fields["tags"] = json!([unique_name(), "forecast"]);
        fields["category"] = ["data", "language", "finance"][n % 3].into();
        if n % 5 == 0 {
            fields["pricing_model"] = "free".into();
            fields["pricing_amount"] = Value::Null;
        }
        listings.push(sellers[n % 2].create_listing(&fields).await?);
    }
    // Owners are needed for changes: these two only create.
    Ok(listings)
}

#[test]
fn an_instance_that_begins_with_a_snapshot_answers_like_one_that_read_every_listing() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let seller = world.agent().await?;
        let mut mine = Vec::new();
        for name in ["Weather mine", "Rain mine", "Translate mine"] {
            let mut fields = world.paid_fields(&json!(2), "/echo");
            fields["name"] = name.into();
            mine.push(seller.create_listing(&fields).await?.id);
        }
        offers(world).await?;
        assert!(world.write_snapshot().await?.starts_with("Written"));

        // What changes after the snapshot counts all the same.
        seller.patch(&format!("/listings/{}", mine[0])).json(&json!({ "name": "Forecast renamed" })).send().await?.ok(200);
        seller.delete(&format!("/listings/{}", mine[1])).send().await?.ok(200);
        let mut draft = world.paid_fields(&json!(2), "/echo");
        draft["status"] = "draft".into();
        let draft = seller.create_listing(&draft).await?.id;
        seller.delete(&format!("/listings/{draft}")).send().await?.ok(200);
        offers(world).await?;

        let (cold, _) = world.another_instance().await?;
        let (expected, told) = (answers(&world.client).await?, answers(&cold).await?);
        for (n, (expected, told)) in expected.iter().zip(&told).enumerate() {
            assert_eq!(told, expected, "answer {n}");
        }
        assert_eq!(number(&told[1]["pagination"], "total"), 12 + 12 + 2);

        // A snapshot after that has it all, and the next instance goes on from there.
        assert!(world.write_snapshot().await?.starts_with("Written"));
        assert_eq!(answers(&world.another_instance().await?.0).await?, expected);
        Ok(())
    })
}

#[test]
fn a_cold_instance_reads_the_snapshot_and_not_every_listing() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let listings = offers(world).await?;
        world.write_snapshot().await?;
        world.hide_from_feed(&listings[0].id).await?;
        let total = async |client: &Client| -> Result<i64, Failure> {
            Ok(number(&client.get("/listings").send().await?.ok(200)["pagination"], "total"))
        };
        let (cold, costs) = world.another_instance().await?;
        let first = cold.get("/listings").send().await?;
        assert_eq!(number(&first.ok(200)["pagination"], "total"), 12, "the snapshot has what the feed does not");
        let (row, path) = costs.of("cold browse", &first).ok_or_else(|| Failure::new("no cost was noted"))?;
        assert!(row.read_units < 12.0, "head, parts and feed, no listing: {row} {path}");
        // Without it the feed alone counts.
        world.move_snapshot_head(999).await?;
        assert_eq!(total(&world.another_instance().await?.0).await?, 11, "a snapshot of another format is left alone");
        // It has a head of its own: each version reads and replaces the one of its format.
        assert!(world.write_snapshot().await?.starts_with("Written"));
        world.move_snapshot_head(4).await?;
        assert!(world.write_snapshot().await?.starts_with("Written"), "no head of another version is in the way");
        Ok(())
    })
}

#[test]
fn a_damaged_or_missing_part_is_no_snapshot() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let listings = offers(world).await?;
        let expected = answers(&world.client).await?;
        // The listings are the first part, their text index is the second.
        for (n, bytes) in [(0, Some("AAAA")), (1, Some("AAAA")), (0, None), (1, None)] {
            assert!(world.write_snapshot().await?.starts_with("Written"));
            world.damage_snapshot_part(n, bytes).await?;
            assert_eq!(answers(&world.another_instance().await?.0).await?, expected, "part {n}");
        }
        // A part that is whole, but was written by nobody of ours, is noticed by its hash.
        world.write_snapshot().await?;
        let empty_gzip = "H4sIAAAAAAAAAwMAAAAAAAAAAAA=";
        world.damage_snapshot_part(0, Some(empty_gzip)).await?;
        assert_eq!(answers(&world.another_instance().await?.0).await?, expected);
        assert_eq!(listings.len(), 12);
        Ok(())
    })
}

#[test]
fn a_writer_that_dies_at_any_request_leaves_the_last_snapshot_standing() -> Outcome {
    let proxy = &Proxy::start()?;
    let setup = Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() };
    with_setup(setup, async |world| {
        offers(world).await?;
        world.write_snapshot().await?;
        let expected = answers(&world.client).await?;
        for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::LostReply] {
            for k in 1.. {
                let before = generation(world).await?;
                proxy.plan(fault, k);
                let outcome = world.write_snapshot().await;
                proxy.recover();
                let struck = proxy.end();
                if fault == Fault::LostReply || !struck {
                    assert!(outcome.is_ok_and(|told| told.starts_with("Written")), "{fault:?} at {k}");
                } else if fault == Fault::CrashBefore {
                    assert!(outcome.is_err() && generation(world).await? == before, "{fault:?} at {k}");
                }
                assert_eq!(answers(&world.another_instance().await?.0).await?, expected, "{fault:?} at {k}");
                if !struck {
                    assert!(k > 4, "a snapshot takes more requests than {k}");
                    break;
                }
            }
        }
        Ok(())
    })
}

async fn generation(world: &World) -> Result<String, Failure> {
    let head = world.snapshot_head().await?.ok_or_else(|| Failure::new("there is no snapshot"))?;
    Ok(text(&head["generation"], "S").to_owned())
}

#[test]
fn of_two_writers_one_wins_and_both_leave_a_snapshot_that_can_be_read() -> Outcome {
    with_setup(Setup::default(), async |world| {
        offers(world).await?;
        let expected = answers(&world.client).await?;
        for _ in 0..5 {
            let (one, other) = futures::future::join(world.write_snapshot(), world.write_snapshot()).await;
            let told = [one?, other?];
            assert!(told.iter().any(|told| told.starts_with("Written")), "{told:?}");
            assert_eq!(answers(&world.another_instance().await?.0).await?, expected);
        }
        Ok(())
    })
}

#[test]
fn a_snapshot_is_written_when_enough_has_changed_or_a_day_has_passed() -> Outcome {
    with_setup(Setup::default(), async |world| {
        offers(world).await?;
        // A dozen listings are read from the feed in no time.
        assert!(world.write_snapshot_if_due().await?.starts_with("NotDue"));
        assert!(world.snapshot_head().await?.is_none());
        world.write_snapshot().await?;
        let first = generation(world).await?;
        assert!(world.write_snapshot_if_due().await?.starts_with("NotDue"));
        world.later(25 * 3_600).await?;
        assert!(world.write_snapshot_if_due().await?.starts_with("Written"));
        assert_ne!(generation(world).await?, first, "its parts would expire some day");
        assert!(world.write_snapshot_if_due().await?.starts_with("NotDue"));
        Ok(())
    })
}

#[test]
fn nothing_private_is_in_a_snapshot() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let mut fields = world.paid_fields(&json!(1), &world.echo_path());
        fields["example_request"] = json!({ "mark": "never-in-a-list" });
        world.agent().await?.create_listing(&fields).await?;
        world.write_snapshot().await?;
        for mark in ["hush-", "never-in-a-list", "whsec_"] {
            assert!(!world.snapshot_mentions(mark).await?, "{mark}");
        }
        assert!(world.snapshot_mentions("Does what it is told").await?, "the snapshot can be read");
        Ok(())
    })
}
