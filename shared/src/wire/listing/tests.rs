//! The shape that the contract gives a listing, and exact prices.

use time::OffsetDateTime;

use super::*;
use crochet_domain::debt::Standing;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::unknown::Unknown;
use crochet_domain::wallet::Chain;

fn listing(price: i64) -> Listing {
    let now = OffsetDateTime::from_unix_timestamp(1_790_000_000).expect("a date");
    Listing {
        id: ListingId::generate(now),
        slug: "weather".into(),
        name: "Weather".into(),
        description: "Tells the weather.".into(),
        category: "data".into(),
        tags: Vec::new(),
        delivery_type: DeliveryType::Api,
        auth_method: AuthMethod::None,
        formats: vec!["json".into()],
        connection_instructions: None,
        input_schema: Some(r#"{"const": 1.10}"#.into()),
        output_schema: None,
        example_request: None,
        example_response: None,
        pricing_model: if price == 0 { PricingModel::Free } else { PricingModel::PerCall },
        price: Micros(price),
        was_per_call: price != 0,
        status: ListingStatus::Active,
        suspended_by: None,
        suspended_reason: None,
        held: None,
        seller: SellerSummary {
            id: ProfileId::generate(now),
            display_name: "Seller".into(),
            score: 800,
            claimed: false,
            payout_chains: vec![Chain::Solana],
            standing: Standing::default(),
            suspended: None,
            as_of: 1,
        },
        endpoint: None,
        removing_secret_until_ms: None,
        figures: crochet_domain::stats::Figures::default(),
        figures_ms: 0,
        version: 1,
        created_ms: 1_790_000_000_000,
        updated_ms: 1_790_000_000_001,
        unknown: Unknown::default(),
    }
}

fn config() -> Config {
    Config::from_lookup(|_| None).expect("defaults")
}

#[test]
fn prices_are_exact_numbers() {
    for (micros, number) in
        [(0, "0"), (100, "0.0001"), (100_000, "0.1"), (1_000_000, "1"), (9_999_999_999, "9999.999999"), (10_000_000_000, "10000")]
    {
        let view = ListingView::whole(&listing(micros), &config());
        let text = serde_json::to_string(&view).expect("JSON");
        assert!(text.contains(&format!("\"pricing_amount\":{number},")), "{text}");
    }
}

#[test]
fn a_listing_has_the_fields_of_the_contract() {
    let view = serde_json::to_value(ListingView::whole(&listing(1_000_000), &config())).expect("JSON");
    let fields: Vec<_> = view.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "id",
            "slug",
            "name",
            "description",
            "category",
            "tags",
            "delivery_type",
            "auth_method",
            "formats",
            "connection_instructions",
            "input_schema",
            "pricing_model",
            "pricing_amount",
            "pricing_currency",
            "price",
            "payable_with",
            "status",
            "suspended_by",
            "suspended_reason",
            "gateway_url",
            "seller",
            "rating",
            "stats",
            "endpoint_tested",
            "endpoint_tested_at",
            "owes",
            "created_at",
            "updated_at"
        ]
    );
    assert_eq!(view["payable_with"], serde_json::json!(["SOL", "ETH", "USDC"]));
    assert_eq!(view["updated_at"], "2026-09-21T14:13:20.001Z");
    assert!(view["gateway_url"].is_null() && view["seller"]["is_verified"] == true);
}

#[test]
fn what_sellers_wrote_is_shown_as_written_and_not_in_lists() {
    let whole = serde_json::to_string(&ListingView::whole(&listing(0), &config())).expect("JSON");
    assert!(whole.contains(r#""input_schema":{"const": 1.10}"#) && whole.contains(r#""payable_with":[]"#), "{whole}");
    let row = serde_json::to_string(&ListingView::in_list(&listing(0), &config())).expect("JSON");
    assert!(!row.contains("input_schema"), "{row}");
}
