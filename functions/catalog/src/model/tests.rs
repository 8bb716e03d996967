//! Order, paging and changes of the model.

use crochet::clock::from_unix_ms;
use crochet::domain::ids::ProfileId;
use crochet::domain::listing::{AuthMethod, DeliveryType, PricingModel};
use crochet::domain::money::Micros;
use crochet::domain::profile::SellerSummary;

use super::search::Sort;
use super::*;

fn listing(name: &str, created_ms: i64) -> Listing {
    let now = from_unix_ms(1_790_000_000_000 + created_ms);
    Listing {
        id: ListingId::generate(now),
        slug: name.to_lowercase(),
        name: name.into(),
        description: "Answers.".into(),
        category: "other".into(),
        tags: Vec::new(),
        delivery_type: DeliveryType::Api,
        auth_method: AuthMethod::None,
        formats: Vec::new(),
        connection_instructions: None,
        input_schema: Some("{}".into()),
        output_schema: None,
        example_request: None,
        example_response: None,
        pricing_model: PricingModel::Free,
        price: Micros::ZERO,
        was_per_call: false,
        status: ListingStatus::Active,
        suspended_by: None,
        seller: SellerSummary {
            id: ProfileId::generate(now),
            display_name: "S".into(),
            score: 400,
            claimed: false,
            payout_chains: Vec::new(),
        },
        endpoint: None,
        removing_secret_until_ms: None,
        version: 1,
        created_ms,
        updated_ms: created_ms,
    }
}

fn wanted(q: &str, sort: Sort) -> Search {
    Search {
        words: q.split_whitespace().map(str::to_owned).collect(),
        category: None,
        pricing_model: None,
        delivery_type: None,
        min_price: None,
        max_price: None,
        seller: None,
        sort,
        page: 1,
        limit: 100,
    }
}

fn names(shelf: &Shelf, wanted: &Search) -> Vec<String> {
    search::search(shelf.newest_first.values(), wanted).listings.iter().map(|listing| listing.name.clone()).collect()
}

fn shelf(listings: Vec<Listing>) -> Shelf {
    let mut shelf = Shelf::default();
    shelf.apply(listings.into_iter());
    shelf
}

#[test]
fn name_beats_tag_beats_category_beats_description() {
    let described = Listing { description: "All about weather.".into(), ..listing("Described", 5) };
    let categorised = Listing { category: "finance".into(), ..listing("Categorised", 4) };
    let tagged = Listing { tags: vec!["weather".into(), "finance".into()], ..listing("Tagged", 3) };
    let named = listing("The Weather", 2);
    let partly = listing("Spaceweather", 1);
    let shelf = shelf(vec![described, categorised, tagged, named, partly]);
    assert_eq!(names(&shelf, &wanted("weather", Sort::Relevance)), ["The Weather", "Spaceweather", "Tagged", "Described"]);
    assert_eq!(names(&shelf, &wanted("weath", Sort::Relevance)), ["The Weather", "Spaceweather", "Tagged", "Described"]);
    assert_eq!(names(&shelf, &wanted("finance", Sort::Relevance)), ["Tagged", "Categorised"]);
    assert_eq!(names(&shelf, &wanted("weather tagged", Sort::Relevance)), ["Tagged"]);
    assert_eq!(names(&shelf, &wanted("weather", Sort::Newest)), ["Described", "Tagged", "The Weather", "Spaceweather"]);
    assert!(names(&shelf, &wanted("rain", Sort::Relevance)).is_empty());
}

#[test]
fn text_of_every_script_can_be_searched() {
    let shelf = shelf(vec![listing("Größe İstanbul 日本語", 1)]);
    for q in ["größe", "日本", "本語", "stanbul"] {
        assert_eq!(names(&shelf, &wanted(q, Sort::Relevance)).len(), 1, "{q}");
    }
}

#[test]
fn equals_stand_newest_first_and_pages_do_not_overlap() {
    let priced = |n: i64| Listing { price: Micros(n % 3), ..listing(&format!("L{n}"), n / 2) };
    let shelf = shelf((0..25).map(priced).collect());
    for sort in [Sort::Newest, Sort::Relevance, Sort::PriceLow, Sort::PriceHigh] {
        let whole = names(&shelf, &wanted("", sort));
        let paged: Vec<_> = (1..=4).flat_map(|page| names(&shelf, &Search { page, limit: 7, ..wanted("", sort) })).collect();
        assert_eq!(paged, whole, "{sort:?}");
        assert_eq!(whole.len(), 25);
    }
    let beyond = search::search(shelf.newest_first.values(), &Search { page: u32::MAX, limit: 100, ..wanted("", Sort::Newest) });
    assert_eq!((beyond.listings.len(), beyond.total), (0, 25));
    let cheap = search::search(shelf.newest_first.values(), &wanted("", Sort::PriceLow)).listings;
    assert!(cheap.is_sorted_by_key(|listing| (listing.price, Reverse(listing.created_ms))));
}

#[test]
fn filters_combine() {
    let paid =
        Listing { pricing_model: PricingModel::PerCall, price: Micros(500_000), category: "data".into(), ..listing("Paid", 2) };
    let seller = paid.seller.id;
    let shelf = shelf(vec![paid, listing("Free", 1)]);
    let base = wanted("", Sort::Newest);
    for (search, expected) in [
        (Search { pricing_model: Some(PricingModel::Free), ..base.clone() }, vec!["Free"]),
        (Search { min_price: Some(Micros(500_000)), ..base.clone() }, vec!["Paid"]),
        (Search { max_price: Some(Micros(499_999)), ..base.clone() }, vec!["Free"]),
        (Search { category: Some("data"), seller: Some(seller), ..base.clone() }, vec!["Paid"]),
        (Search { category: Some("other"), seller: Some(seller), ..base.clone() }, vec![]),
        (Search { delivery_type: Some(DeliveryType::File), ..base }, vec![]),
    ] {
        assert_eq!(names(&shelf, &search), expected, "{search:?}");
    }
}

#[test]
fn only_the_latest_version_counts_and_only_while_active() {
    let first = listing("First", 1);
    let renamed = Listing { name: "Renamed".into(), version: 2, ..first.clone() };
    let suspended = Listing { status: ListingStatus::Suspended, version: 3, ..renamed.clone() };
    let mut shelf = shelf(vec![renamed, first]);
    let all = wanted("", Sort::Newest);
    assert_eq!(names(&shelf, &all), ["Renamed"]);
    assert!(shelf.newest_first.values().all(|entry| entry.listing.input_schema.is_none()), "schemas are not kept");
    shelf.apply([suspended.clone()].into_iter());
    assert!(names(&shelf, &all).is_empty());
    shelf.apply([Listing { status: ListingStatus::Active, version: 4, ..suspended }].into_iter());
    assert_eq!(names(&shelf, &all).len(), 1);
}

#[test]
fn changes_of_the_last_minute_are_known_and_older_ones_forgotten() {
    const NOW: i64 = 1_000_000_000;
    let (one, other) = (listing("One", 1).id, listing("Other", 2).id);
    let mut follower = Follower::default();
    follower.note(&[ListingChange { listing: one, at_ms: 1_000 }], NOW);
    assert!(!follower.is_news(&ListingChange { listing: one, at_ms: 1_000 }));
    assert!(follower.is_news(&ListingChange { listing: one, at_ms: 1_001 }));
    follower.note(&[ListingChange { listing: other, at_ms: 1_000 + OVERLAP_MS }], NOW);
    assert_eq!(follower.recent.len(), 2);
    follower.note(&[ListingChange { listing: other, at_ms: 1_001 + OVERLAP_MS }], NOW);
    assert_eq!(follower.recent.len(), 1);
    assert_eq!(follower.known_ms, 1_001 + OVERLAP_MS);
    // A writer whose clock is ahead hides nothing of the others.
    follower.note(&[ListingChange { listing: one, at_ms: 2 * NOW }], NOW);
    assert_eq!(follower.known_ms, NOW);
    assert!(!follower.is_news(&ListingChange { listing: one, at_ms: 2 * NOW }));
}
