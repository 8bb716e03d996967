//! A hundred thousand realistic listings and their sellers, the same on every run.

use std::io::{Read, Write};

use crochet::config::Config;
use crochet::store::keys::Key;
use crochet::store::{Store, keys};
use crochet_catalog::snapshot::FORMAT;
use crochet_domain::debt::Standing;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::{
    AuthMethod, CATEGORIES, DeliveryType, Endpoint, EndpointStatus, Listing, ListingStatus, PricingModel, slug_base,
};
use crochet_domain::money::Micros;
use crochet_domain::profile::{AccountType, Profile, Role, SellerSummary};
use crochet_domain::unknown::Unknown;
use crochet_domain::wallet::Chain;
use flate2::read::GzDecoder;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Stack;
use crate::dynamodb::Api;

/// A marker in every field that a snapshot must not contain.
const PRIVATE_MARK: &str = "never-in-a-snapshot";
/// Items per request.
const BATCH: usize = 25;
/// Listings per request, with the owner of each slug.
const LISTINGS: usize = BATCH / 2;
/// Concurrent requests.
const AT_ONCE: usize = 4;
/// Words that listings consist of. Each category starts at another position.
const WORDS: &str = "weather forecast translate documents price feed market data real time agents image video audio speech text \
    summary sentiment news search index vector embedding model inference compute storage database query report invoice tax payment \
    wallet chain swap liquidity yield audit contract security scan threat fraud identity verify passport email message chat voice \
    call route map geocode address traffic flight hotel booking shipping parcel stock inventory product catalogue review rating \
    crawl scrape parse extract table chart plot simulate optimise schedule plan task workflow orchestrate monitor alert log trace \
    metric deploy build test code review refactor lint compile debug patch genome protein molecule paper citation dataset survey \
    climate rain wind solar energy grid carbon satellite crop soil water quality language grammar spelling dictionary subtitle \
    transcribe dub caption thumbnail resize crop filter upscale watermark legal clause policy compliance risk credit score loan \
    insurance claim hedge portfolio option future order book tick candle exchange rate currency convert transfer bridge stake";
const FILLERS: &[&str] = &[
    "for", "with", "and", "of", "the", "in", "to", "any", "every", "fast", "exact", "reliable", "daily", "global", "simple",
    "returns", "accepts", "a", "JSON", "from", "over", "your", "by", "minute",
];
const SYLLABLES: &[&str] = &[
    "ka", "lo", "mi", "ne", "ra", "so", "ti", "vu", "za", "bel", "cor", "dan", "fex", "gil", "hum", "jor", "nax", "pel", "qui",
    "rev",
];

/// Deterministic random numbers (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % n.max(1)
    }

    /// A number below `limit`, small ones more often.
    fn skewed(&mut self, n: usize) -> usize {
        self.below(n).min(self.below(n))
    }

    fn of<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// Sixteen bytes of a UUIDv7 of this moment.
    fn id(&mut self, ms: i64) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
        for byte in &mut bytes[6..] {
            *byte = u8::try_from(self.below(256)).unwrap_or(0);
        }
        bytes[6] = 0x70 | bytes[6] & 0x0f;
        bytes[8] = 0x80 | bytes[8] & 0x3f;
        bytes
    }
}

/// Writes the listings, with dates spread over two years.
pub(super) async fn fill(stack: &Stack, config: &Config, count: usize, now_ms: i64) -> Result<(), String> {
    let api = &Api::at(stack.dynamodb_url());
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let sellers: Vec<SellerSummary> = (0..count.div_ceil(5)).map(|_| seller(&mut dice, now_ms)).collect();
    let batches = (0..count).step_by(LISTINGS).map(|from| {
        let some = from..count.min(from + LISTINGS);
        let end = some.end;
        let listings: Vec<Listing> = some.map(|_| listing(&mut dice, &words, &sellers, now_ms)).collect();
        let writes = listings.iter().flat_map(|listing| [item(listing), slug_item(listing)]).collect::<Result<Vec<_>, String>>();
        async move {
            let reply = api.call("BatchWriteItem", &json!({ "RequestItems": { &config.table: writes? } })).await?;
            if reply["UnprocessedItems"].as_object().is_some_and(|left| !left.is_empty()) {
                return Err("the database left listings out".to_owned());
            }
            if end % 6_000 == 0 {
                print!("\rseeding {end} of {count}");
                let _ = std::io::stdout().flush();
            }
            Ok(())
        }
    });
    stream::iter(batches).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    println!();
    for some in sellers.chunks(BATCH) {
        let writes = some.iter().map(|seller| profile_item(seller, now_ms)).collect::<Result<Vec<_>, String>>()?;
        api.call("BatchWriteItem", &json!({ "RequestItems": { &config.table: writes } })).await?;
    }
    Ok(())
}

fn seller(dice: &mut Dice, now_ms: i64) -> SellerSummary {
    SellerSummary {
        id: ProfileId::from_bytes(dice.id(now_ms - 1)),
        display_name: format!("{} {}", brand(dice), dice.of(&["Labs", "Agents", "Data", "Works", "AI"])),
        score: u16::try_from(300 + dice.below(700)).unwrap_or(400),
        claimed: dice.below(3) == 0,
        payout_chains: vec![if dice.below(2) == 0 { Chain::Solana } else { Chain::Evm }],
        standing: Standing::default(),
        suspended: None,
        as_of: 1,
    }
}

fn listing(dice: &mut Dice, words: &[&str], sellers: &[SellerSummary], now_ms: i64) -> Listing {
    // Nothing changed in the last hour, so that the snapshot is measured and not its tail.
    let created_ms = now_ms - 3_600_000 - i64::try_from(dice.below(730 * 86_400)).unwrap_or(0) * 1_000;
    let category = dice.skewed(CATEGORIES.len());
    let subject = |dice: &mut Dice| words[(category * 11 + dice.skewed(words.len())) % words.len()];
    let name = format!("{} {} {}", brand(dice), capitalised(subject(dice)), subject(dice));
    let description: Vec<&str> =
        (0..20 + dice.skewed(100)).map(|n| if n % 3 == 2 { dice.of(FILLERS) } else { subject(dice) }).collect();
    let price =
        if dice.below(5) == 0 { 0 } else { [100, 1_000, 5_000, 20_000, 50_000, 250_000, 1_000_000, 12_500_000][dice.skewed(8)] };
    let id = ListingId::from_bytes(dice.id(created_ms));
    Listing {
        slug: format!("{}-{}", slug_base(&name), &id.to_string()[30..]),
        id,
        description: format!("{}. {} {}.", capitalised(&description.join(" ")), brand(dice), dice.below(100_000)),
        name,
        category: CATEGORIES[category].0.to_owned(),
        tags: (0..1 + dice.below(5)).map(|_| subject(dice).to_owned()).collect(),
        delivery_type: DeliveryType::ALL[dice.skewed(DeliveryType::ALL.len())],
        auth_method: AuthMethod::ALL[dice.skewed(AuthMethod::ALL.len())],
        formats: vec!["json".into()],
        connection_instructions: None,
        input_schema: Some(format!("{{\"title\":\"{PRIVATE_MARK}\"}}")),
        output_schema: None,
        example_request: Some(format!("\"{PRIVATE_MARK}\"")),
        example_response: None,
        pricing_model: if price == 0 { PricingModel::Free } else { PricingModel::PerCall },
        price: Micros(price),
        was_per_call: price > 0,
        status: ListingStatus::Active,
        suspended_by: None,
        suspended_reason: None,
        held: None,
        seller: sellers[dice.skewed(sellers.len())].clone(),
        endpoint: Some(Endpoint {
            status: EndpointStatus::Active,
            timeout_ms: 15_000,
            max_response_bytes: 262_144,
            rate_limit_per_minute: None,
            auth_header_names: vec![PRIVATE_MARK.into()],
            secret_version: PRIVATE_MARK.into(),
            sealed: None,
            secret_created_ms: created_ms,
            previous_secret_expires_ms: None,
            last_test: None,
            tested_ms: None,
            claim: None,
            unknown: Unknown::default(),
        }),
        removing_secret_until_ms: None,
        figures: crochet_domain::stats::Figures::default(),
        figures_ms: 0,
        version: 1,
        created_ms,
        updated_ms: created_ms,
        unknown: Unknown::default(),
    }
}

/// The listing as the store writes it, in DynamoDB's own JSON.
fn item(listing: &Listing) -> Result<Value, String> {
    let mut item = record(listing)?;
    let (key, place) = (keys::listing(listing.id), keys::listing_change(listing.id, listing.updated_ms));
    let (index_pk, index_sk) = keys::index_attributes(place.index);
    for (name, text) in
        [(keys::PK, key.pk), (keys::SK, key.sk), (keys::KIND, "listing".into()), (&index_pk, place.pk), (&index_sk, place.sk)]
    {
        item[name] = json!({ "S": text });
    }
    Ok(json!({ "PutRequest": { "Item": item } }))
}

/// Whose the slug is, likewise.
fn slug_item(listing: &Listing) -> Result<Value, String> {
    let key = keys::slug(&listing.slug);
    placed(json!({ "listing": { "S": listing.id.to_string() } }), key, "slug")
}

/// The profile of a seller, likewise.
fn profile_item(seller: &SellerSummary, now_ms: i64) -> Result<Value, String> {
    let profile = Profile {
        id: seller.id,
        account_type: AccountType::Agent,
        display_name: seller.display_name.clone(),
        description: None,
        role: Role::Seller,
        score: seller.score,
        wallets: Vec::new(),
        operator: None,
        listing_count: 5,
        claim_count: 0,
        standing: seller.standing,
        suspended: None,
        summaries_stale: false,
        version: 1,
        created_ms: now_ms - 1,
        unknown: Unknown::default(),
    };
    placed(record(&profile)?, keys::profile(seller.id), "profile")
}

fn placed(mut item: Value, key: Key, kind: &str) -> Result<Value, String> {
    for (name, text) in [(keys::PK, key.pk), (keys::SK, key.sk), (keys::KIND, kind.to_owned())] {
        item[name] = json!({ "S": text });
    }
    Ok(json!({ "PutRequest": { "Item": item } }))
}

fn record(stored: &impl Serialize) -> Result<Value, String> {
    let record = serde_json::to_value(stored).map_err(|error| format!("a record could not be spelled: {error}"))?;
    Ok(attribute(record)["M"].take())
}

/// A value with its DynamoDB type.
fn attribute(value: Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(flag) => json!({ "BOOL": flag }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(values) => json!({ "L": values.into_iter().map(attribute).collect::<Vec<_>>() }),
        Value::Object(members) => {
            json!({ "M": members.into_iter().map(|(name, value)| (name, attribute(value))).collect::<serde_json::Map<_, _>>() })
        }
    }
}

fn brand(dice: &mut Dice) -> String {
    let length = 2 + dice.below(3);
    capitalised(&(0..length).map(|_| dice.of(SYLLABLES)).collect::<String>())
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Checks that the unpacked snapshot does not contain the marker.
///
/// # Errors
/// If it does.
pub(super) async fn assert_nothing_private(store: &Store) -> Result<(), String> {
    let Ok(Some(head)) = store.snapshot_head(FORMAT).await else { return Err("there is no snapshot".into()) };
    let mut before = 0;
    for stream in [&head.listings, &head.index] {
        let mut packed = Vec::new();
        for n in 0..stream.parts.len() {
            let part = store.snapshot_part(&head.generation, before + n).await.map_err(|error| error.to_string())?;
            packed.extend(part.ok_or("a part of the snapshot is missing")?);
        }
        before += stream.parts.len();
        let mut bytes = Vec::new();
        GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.windows(PRIVATE_MARK.len()).any(|window| window == PRIVATE_MARK.as_bytes()) {
            return Err("the snapshot holds what no list shows".into());
        }
    }
    Ok(())
}
