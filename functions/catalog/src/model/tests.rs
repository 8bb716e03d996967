//! Order, paging and changes of the model.

use crochet_domain::ids::ProfileId;
use crochet_domain::timestamp::from_unix_ms;
use std::cmp::Reverse;

use crochet_domain::listing::{AuthMethod, DeliveryType, Listing, ListingStatus, PricingModel};
use crochet_domain::money::Micros;
use crochet_domain::profile::SellerSummary;

use super::search::{Sort, own};
use super::*;

pub(crate) fn listing(name: &str, created_ms: i64) -> Listing {
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
            as_of: 1,
        },
        endpoint: None,
        removing_secret_until_ms: None,
        version: 1,
        created_ms,
        updated_ms: created_ms,
    }
}

fn wanted(q: &str, sort: Sort) -> Search {
    let mut search = Search { sort, limit: 100, ..Search::all() };
    search.look_for(q);
    search
}

fn found(shelf: &Shelf, wanted: &Search) -> Page {
    shelf.search(wanted).expect("an index")
}

fn names(shelf: &Shelf, wanted: &Search) -> Vec<String> {
    found(shelf, wanted).listings.iter().map(|listing| listing.name.clone()).collect()
}

fn shelf(listings: Vec<Listing>) -> Shelf {
    let mut shelf = Shelf::default();
    shelf.apply(listings).expect("an index");
    shelf
}

#[test]
fn name_beats_tag_beats_category_beats_description() {
    let described = Listing { description: "All about finance and weather.".into(), ..listing("Described", 5) };
    let categorised = Listing { category: "finance".into(), ..listing("Categorised", 4) };
    let tagged = Listing { tags: vec!["weather".into(), "finance".into()], ..listing("Tagged", 3) };
    let named = listing("The Weather", 2);
    let shelf = shelf(vec![described, categorised, tagged, named]);
    assert_eq!(names(&shelf, &wanted("weather", Sort::Relevance)), ["The Weather", "Tagged", "Described"]);
    assert_eq!(names(&shelf, &wanted("finance", Sort::Relevance)), ["Tagged", "Categorised", "Described"]);
    assert_eq!(names(&shelf, &wanted("markets", Sort::Relevance)), ["Categorised"], "a category's name counts");
    assert_eq!(names(&shelf, &wanted("WEATHER tagged", Sort::Relevance)), ["Tagged"], "every word has to occur");
    assert_eq!(names(&shelf, &wanted("weather", Sort::Newest)), ["Described", "Tagged", "The Weather"]);
    assert!(names(&shelf, &wanted("rain", Sort::Relevance)).is_empty());
}

#[test]
fn an_exact_word_beats_its_stem_and_its_beginning_and_a_misspelt_one_comes_last() {
    let described = Listing { description: "Can translate.".into(), ..listing("Described", 9) };
    let all = shelf(vec![
        listing("Transalte", 4),
        listing("Translates", 3),
        listing("Translator", 2),
        listing("Translate", 1),
        listing("Translatepro", 5),
        described,
        listing("Transmit", 8),
    ]);
    assert_eq!(
        names(&all, &wanted("translate", Sort::Relevance)),
        ["Translate", "Translatepro", "Translates", "Translator", "Described", "Transalte"]
    );
    for (q, expected) in
        [("translating", 4), ("trans", 7), ("tra", 7), ("tr", 7), ("trnaslate", 2), ("xranslate", 2), ("ranslate", 2)]
    {
        let found = names(&all, &wanted(q, Sort::Relevance));
        assert_eq!(found.len(), expected, "{q}: {found:?}");
    }
    // A short word is no beginning unless it comes last; and nothing is forgiven in three letters.
    assert!(names(&all, &wanted("tr translate", Sort::Relevance)).is_empty());
    let short = shelf(vec![listing("Cat", 1)]);
    assert_eq!(names(&short, &wanted("cats", Sort::Relevance)).len(), 1);
    assert!(names(&short, &wanted("cut", Sort::Relevance)).is_empty());
}

#[test]
fn between_equals_the_sellers_score_decides_then_the_newest() {
    let scored = |name: &str, created_ms, score| {
        let mut listing = listing(name, created_ms);
        listing.seller.score = score;
        listing
    };
    let shelf = shelf(vec![scored("Echo one", 1, 400), scored("Echo two", 2, 400), scored("Echo three", 0, 900)]);
    let expected = ["Echo three", "Echo two", "Echo one"];
    assert_eq!(names(&shelf, &wanted("echo", Sort::Relevance)), expected);
    assert_eq!(names(&shelf, &wanted("", Sort::Esteem)), expected);
    assert_eq!(names(&shelf, &wanted("", Sort::Newest)), ["Echo two", "Echo one", "Echo three"]);
}

#[test]
fn text_of_every_script_can_be_searched() {
    let shelf = shelf(vec![listing("Größe İstanbul 日本語検索 हिन्दी ภาษาไทย Ελληνικά عربي 한국어", 1)]);
    for q in ["größe", "GROSSE", "istanbul", "日本", "本語", "検索", "日本語検索", "索", "हिन्दी", "ไทย", "ελληνικα", "عربي", "한국"]
    {
        assert_eq!(names(&shelf, &wanted(q, Sort::Relevance)).len(), 1, "{q}");
    }
    assert!(names(&shelf, &wanted("日語", Sort::Relevance)).is_empty());
}

#[test]
fn whatever_is_searched_for_has_an_answer() {
    let shelf = shelf(vec![listing("Anything", 1)]);
    let long = "x".repeat(200);
    let wide = "𠮷".repeat(200);
    for q in ["\u{0}", "\u{10ffff}", "🌦", "e\u{301}", "\u{301}", "\"*:(AND)~[", "a-b-c", "ﬁ", "\u{feff}", "İİİİ", &long, &wide]
    {
        assert!(found(&shelf, &wanted(q, Sort::Relevance)).listings.is_empty() || q == "a-b-c", "{q}");
    }
    assert_eq!(names(&shelf, &wanted("  ", Sort::Newest)).len(), 1, "no words are no condition");
}

#[test]
fn every_order_is_total_and_pages_do_not_overlap() {
    let priced = |n: i64| Listing { price: Micros(n % 3), ..listing(&format!("L{n}"), n / 2) };
    let shelf = shelf((0..25).map(priced).collect());
    for sort in [Sort::Newest, Sort::Relevance, Sort::Esteem, Sort::PriceLow, Sort::PriceHigh] {
        let whole = names(&shelf, &wanted("", sort));
        let paged: Vec<_> = (1..=4).flat_map(|page| names(&shelf, &Search { page, limit: 7, ..wanted("", sort) })).collect();
        assert_eq!(paged, whole, "{sort:?}");
        assert_eq!(whole.len(), 25);
    }
    let beyond = found(&shelf, &Search { page: u32::MAX, limit: 100, ..wanted("", Sort::Newest) });
    assert_eq!((beyond.listings.len(), beyond.total), (0, 25));
    let cheap = found(&shelf, &wanted("", Sort::PriceLow)).listings;
    assert!(cheap.is_sorted_by_key(|listing| (listing.price, Reverse(listing.created_ms), Reverse(listing.id))));
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
    let mut shelf = shelf(vec![renamed, first.clone()]);
    let all = wanted("", Sort::Newest);
    assert_eq!(names(&shelf, &all), ["Renamed"]);
    shelf.apply([first]).expect("an index");
    assert_eq!(names(&shelf, &all), ["Renamed"], "an older version changes nothing");
    assert!(found(&shelf, &all).listings[0].input_schema.is_none(), "schemas are not kept");
    shelf.apply([suspended.clone()]).expect("an index");
    assert!(names(&shelf, &all).is_empty() && names(&shelf, &wanted("renamed", Sort::Newest)).is_empty());
    assert_eq!(shelf.counts().iter().sum::<usize>(), 0);
    shelf.apply([Listing { status: ListingStatus::Active, version: 4, ..suspended }]).expect("an index");
    assert_eq!(names(&shelf, &wanted("renamed", Sort::Newest)).len(), 1);
}

/// A shelf that took thousands of changes one by one answers like one that was made at once.
#[test]
fn changes_one_by_one_come_to_the_same_as_all_at_once() {
    let mut listings: Vec<_> = (0..60).map(|n| listing(&format!("Thing {}", n % 7), n)).collect();
    let mut grown = Shelf::default();
    for listing in &listings {
        grown.apply([listing.clone()]).expect("an index");
    }
    for n in (0..60).step_by(3) {
        let changed = &mut listings[n];
        changed.version += 1;
        changed.name = format!("Changed {n}");
        changed.status = if n % 2 == 0 { ListingStatus::Active } else { ListingStatus::Suspended };
        grown.apply([changed.clone()]).expect("an index");
    }
    assert!(grown.segments() < 8, "{} segments", grown.segments());
    let compacted = Shelf::of(grown.compacted().expect("an index"));
    let fresh = shelf(listings);
    for q in ["", "thing", "changed", "thing 3", "thimg"] {
        for sort in [Sort::Relevance, Sort::Newest] {
            let expected = found(&fresh, &wanted(q, sort)).listings;
            assert_eq!(found(&grown, &wanted(q, sort)).listings, expected, "{q}");
            assert_eq!(found(&compacted, &wanted(q, sort)).listings, expected, "{q}");
        }
    }
    assert_eq!(grown.counts(), fresh.counts());
}

#[test]
fn ones_own_listings_are_searched_like_all_others() {
    let draft = Listing { status: ListingStatus::Draft, ..listing("Draft weather", 2) };
    let mine = vec![listing("Weather", 1), draft.clone(), listing("Rain", 3)];
    let page = own(mine, &wanted("wether", Sort::Relevance)).expect("an index");
    assert_eq!(page.listings.iter().map(|listing| listing.name.as_str()).collect::<Vec<_>>(), ["Draft weather", "Weather"]);
    assert_eq!(page.listings[0], draft, "whole, and of its own status");
    assert_eq!(own(Vec::new(), &wanted("x", Sort::Relevance)).expect("an index").total, 0);
}

#[test]
fn changes_of_the_last_minute_are_known_and_older_ones_forgotten() {
    const NOW: i64 = 3 * OVERLAP_MS;
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
    // Nothing changes for an hour: the last burst is not read for ever.
    let later = NOW + 60 * OVERLAP_MS;
    follower.note(&[], later);
    assert_eq!((follower.known_ms, follower.recent.len()), (later - QUIET_MS, 0));
}
