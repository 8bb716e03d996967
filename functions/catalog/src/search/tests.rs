//! Matching, order, paging and changes.

use std::cmp::Reverse;

use crochet_domain::debt::Standing;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::{AuthMethod, DeliveryType, Listing, ListingStatus, PricingModel};
use crochet_domain::money::Micros;
use crochet_domain::profile::SellerSummary;
use crochet_domain::review::Rating;
use crochet_domain::stats::Figures;
use crochet_domain::timestamp::from_unix_ms;
use crochet_domain::unknown::Unknown;

use super::segment_set::SegmentSet;
use super::{Page, Search, Sort, search_owned};

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
        suspended_reason: None,
        held: None,
        seller: SellerSummary {
            id: ProfileId::generate(now),
            display_name: "S".into(),
            score: 400,
            claimed: false,
            payout_chains: Vec::new(),
            standing: Standing { owes: Micros(7), overdue: false },
            suspended: None,
            as_of: 1,
        },
        endpoint: None,
        removing_secret_until_ms: None,
        figures: Figures::default(),
        figures_ms: 0,
        version: 1,
        created_ms,
        updated_ms: created_ms,
        unknown: Unknown::default(),
    }
}

fn query(q: &str, sort: Sort) -> Search {
    let mut search = Search { sort, limit: 100, ..Search::all() };
    search.set_text(q);
    search
}

fn found(set: &SegmentSet, query: &Search) -> Page {
    set.search(query).expect("an index")
}

fn names(set: &SegmentSet, query: &Search) -> Vec<String> {
    found(set, query).listings.iter().map(|listing| listing.name.clone()).collect()
}

fn set_of(listings: Vec<Listing>) -> SegmentSet {
    let mut set = SegmentSet::default();
    set.apply(listings).expect("an index");
    set
}

#[test]
fn name_beats_tag_beats_category_beats_description() {
    let described = Listing { description: "All about finance and weather.".into(), ..listing("Described", 5) };
    let categorised = Listing { category: "finance".into(), ..listing("Categorised", 4) };
    let tagged = Listing { tags: vec!["weather".into(), "finance".into()], ..listing("Tagged", 3) };
    let named = listing("The Weather", 2);
    let set = set_of(vec![described, categorised, tagged, named]);
    assert_eq!(names(&set, &query("weather", Sort::Relevance)), ["The Weather", "Tagged", "Described"]);
    assert_eq!(names(&set, &query("finance", Sort::Relevance)), ["Tagged", "Categorised", "Described"]);
    assert_eq!(names(&set, &query("markets", Sort::Relevance)), ["Categorised"], "a category's name counts");
    assert_eq!(names(&set, &query("WEATHER tagged", Sort::Relevance)), ["Tagged"], "every word has to occur");
    assert_eq!(names(&set, &query("weather", Sort::Newest)), ["Described", "Tagged", "The Weather"]);
    assert!(names(&set, &query("rain", Sort::Relevance)).is_empty());
}

#[test]
fn exact_beats_stem_and_prefix_and_a_typo_comes_last() {
    let described = Listing { description: "Can translate.".into(), ..listing("Described", 9) };
    let all = set_of(vec![
        listing("Transalte", 4),
        listing("Translates", 3),
        listing("Translator", 2),
        listing("Translate", 1),
        listing("Translatepro", 5),
        described,
        listing("Transmit", 8),
    ]);
    assert_eq!(
        names(&all, &query("translate", Sort::Relevance)),
        ["Translate", "Translatepro", "Translates", "Translator", "Described", "Transalte"]
    );
    for (q, expected) in
        [("translating", 4), ("trans", 7), ("tra", 7), ("tr", 7), ("trnaslate", 2), ("xranslate", 2), ("ranslate", 2)]
    {
        let found = names(&all, &query(q, Sort::Relevance));
        assert_eq!(found.len(), expected, "{q}: {found:?}");
    }
    // A short word matches as a prefix only in last place, and three letters allow no typo.
    assert!(names(&all, &query("tr translate", Sort::Relevance)).is_empty());
    let short = set_of(vec![listing("Cat", 1)]);
    assert_eq!(names(&short, &query("cats", Sort::Relevance)).len(), 1);
    assert!(names(&short, &query("cut", Sort::Relevance)).is_empty());
}

#[test]
fn ties_go_to_the_higher_seller_score_then_the_newest() {
    let scored = |name: &str, created_ms, score| {
        let mut listing = listing(name, created_ms);
        listing.seller.score = score;
        listing
    };
    let set = set_of(vec![scored("Echo one", 1, 400), scored("Echo two", 2, 400), scored("Echo three", 0, 900)]);
    let expected = ["Echo three", "Echo two", "Echo one"];
    assert_eq!(names(&set, &query("echo", Sort::Relevance)), expected);
    assert_eq!(names(&set, &query("", Sort::Popular)), expected);
    assert_eq!(names(&set, &query("", Sort::Rating)), expected);
    assert_eq!(names(&set, &query("", Sort::Newest)), ["Echo two", "Echo one", "Echo three"]);
}

#[test]
fn what_was_bought_and_how_it_was_rated_decide_before_the_score() {
    let counted = |name: &str, volume, rank, score| {
        let mut listing = listing(name, 1);
        listing.seller.score = score;
        let rating = Rating { rank, ..Rating::default() };
        listing.show_figures(Figures { volume, rating, ..Figures::default() }, 5);
        listing
    };
    let set = set_of(vec![counted("A", 0, 3_000, 900), counted("B", 700, 2_900, 400), counted("C", 50, 3_100, 400)]);
    assert_eq!(names(&set, &query("", Sort::Popular)), ["B", "C", "A"]);
    assert_eq!(names(&set, &query("", Sort::Rating)), ["C", "A", "B"]);
    let shown = found(&set, &query("b", Sort::Newest)).listings.remove(0);
    assert_eq!((shown.figures.volume, shown.updated_ms, shown.position_ms()), (700, 1, 5));
}

#[test]
fn every_script_can_be_searched() {
    let set = set_of(vec![listing("Größe İstanbul 日本語検索 हिन्दी ภาษาไทย Ελληνικά عربي 한국어", 1)]);
    for q in ["größe", "GROSSE", "istanbul", "日本", "本語", "検索", "日本語検索", "索", "हिन्दी", "ไทย", "ελληνικα", "عربي", "한국"]
    {
        assert_eq!(names(&set, &query(q, Sort::Relevance)).len(), 1, "{q}");
    }
    assert!(names(&set, &query("日語", Sort::Relevance)).is_empty());
}

#[test]
fn any_text_can_be_searched_for() {
    let set = set_of(vec![listing("Anything", 1)]);
    let long = "x".repeat(200);
    let wide = "𠮷".repeat(200);
    for q in ["\u{0}", "\u{10ffff}", "🌦", "e\u{301}", "\u{301}", "\"*:(AND)~[", "a-b-c", "ﬁ", "\u{feff}", "İİİİ", &long, &wide]
    {
        assert!(found(&set, &query(q, Sort::Relevance)).listings.is_empty() || q == "a-b-c", "{q}");
    }
    assert_eq!(names(&set, &query("  ", Sort::Newest)).len(), 1, "blank text is no filter");
}

#[test]
fn every_order_is_total_and_pages_do_not_overlap() {
    let priced = |n: i64| Listing { price: Micros(n % 3), ..listing(&format!("L{n}"), n / 2) };
    let set = set_of((0..25).map(priced).collect());
    for sort in [Sort::Newest, Sort::Relevance, Sort::Popular, Sort::Rating, Sort::PriceLow, Sort::PriceHigh] {
        let whole = names(&set, &query("", sort));
        let paged: Vec<_> = (1..=4).flat_map(|page| names(&set, &Search { page, limit: 7, ..query("", sort) })).collect();
        assert_eq!(paged, whole, "{sort:?}");
        assert_eq!(whole.len(), 25);
    }
    let beyond = found(&set, &Search { page: u32::MAX, limit: 100, ..query("", Sort::Newest) });
    assert_eq!((beyond.listings.len(), beyond.total), (0, 25));
    let cheap = found(&set, &query("", Sort::PriceLow)).listings;
    assert!(cheap.is_sorted_by_key(|listing| (listing.price, Reverse(listing.created_ms), Reverse(listing.id))));
}

#[test]
fn filters_combine() {
    let paid =
        Listing { pricing_model: PricingModel::PerCall, price: Micros(500_000), category: "data".into(), ..listing("Paid", 2) };
    let seller = paid.seller.id;
    let set = set_of(vec![paid, listing("Free", 1)]);
    let base = query("", Sort::Newest);
    for (search, expected) in [
        (Search { pricing_model: Some(PricingModel::Free), ..base.clone() }, vec!["Free"]),
        (Search { min_price: Some(Micros(500_000)), ..base.clone() }, vec!["Paid"]),
        (Search { max_price: Some(Micros(499_999)), ..base.clone() }, vec!["Free"]),
        (Search { category: Some("data"), seller: Some(seller), ..base.clone() }, vec!["Paid"]),
        (Search { category: Some("other"), seller: Some(seller), ..base.clone() }, vec![]),
        (Search { delivery_type: Some(DeliveryType::File), ..base }, vec![]),
    ] {
        assert_eq!(names(&set, &search), expected, "{search:?}");
    }
}

#[test]
fn only_the_latest_version_counts_and_only_while_active() {
    let first = listing("First", 1);
    let renamed = Listing { name: "Renamed".into(), version: 2, ..first.clone() };
    let suspended = Listing { status: ListingStatus::Suspended, version: 3, ..renamed.clone() };
    let mut set = set_of(vec![renamed, first.clone()]);
    let all = query("", Sort::Newest);
    assert_eq!(names(&set, &all), ["Renamed"]);
    set.apply([first]).expect("an index");
    assert_eq!(names(&set, &all), ["Renamed"], "an older version changes nothing");
    assert!(found(&set, &all).listings[0].input_schema.is_none(), "schemas are not kept");
    set.apply([suspended.clone()]).expect("an index");
    assert!(names(&set, &all).is_empty() && names(&set, &query("renamed", Sort::Newest)).is_empty());
    assert_eq!(set.category_counts().iter().sum::<usize>(), 0);
    set.apply([Listing { status: ListingStatus::Active, version: 4, ..suspended }]).expect("an index");
    assert_eq!(names(&set, &query("renamed", Sort::Newest)).len(), 1);
}

/// A set that took changes one by one answers like one that was built at once.
#[test]
fn changes_one_by_one_equal_all_at_once() {
    let mut listings: Vec<_> = (0..60).map(|n| listing(&format!("Thing {}", n % 7), n)).collect();
    let mut grown = SegmentSet::default();
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
    assert!(grown.segment_count() < 8, "{} segments", grown.segment_count());
    let merged = SegmentSet::of(grown.merge_all().expect("an index"));
    let fresh = set_of(listings);
    for q in ["", "thing", "changed", "thing 3", "thimg"] {
        for sort in [Sort::Relevance, Sort::Newest] {
            let expected = found(&fresh, &query(q, sort)).listings;
            assert_eq!(found(&grown, &query(q, sort)).listings, expected, "{q}");
            assert_eq!(found(&merged, &query(q, sort)).listings, expected, "{q}");
        }
    }
    assert_eq!(grown.category_counts(), fresh.category_counts());
}

#[test]
fn owned_listings_are_searched_like_all_others() {
    let draft = Listing { status: ListingStatus::Draft, ..listing("Draft weather", 2) };
    let mine = vec![listing("Weather", 1), draft.clone(), listing("Rain", 3)];
    let page = search_owned(mine, &query("wether", Sort::Relevance)).expect("an index");
    assert_eq!(page.listings.iter().map(|listing| listing.name.as_str()).collect::<Vec<_>>(), ["Draft weather", "Weather"]);
    assert_eq!(page.listings[0], draft, "whole, and of its own status");
    assert_eq!(search_owned(Vec::new(), &query("x", Sort::Relevance)).expect("an index").total, 0);
}
