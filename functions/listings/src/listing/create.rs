//! `POST /listings`: put a capability on offer.

use axum::extract::State;
use crochet::http::request::Json;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::outbound::OutboundRules;
use crochet::store::listing::Created;
use crochet::wire::money::Currency;
use crochet::wire::schema;
use crochet_domain::ids::ListingId;
use crochet_domain::listing::{AuthMethod, DeliveryType, Listing, ListingStatus, PricingModel};
use crochet_domain::money::Micros;
use crochet_domain::profile::{Profile, SellerSummary};
use crochet_domain::timestamp::unix_ms;
use serde::Deserialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::change::{self, Change, Description, Formats, Instructions, Name, Tags};
use super::reply::SavedListing;
use super::{own_json, pricing, slug};
use crate::challenge::answer::{Answer, after_use};
use crate::endpoint::address;
use crate::endpoint::secret::{First, discard};
use crate::seller::{Editor, selling};

/// Tries to find a free slug, and to get past other writes of the profile.
const ATTEMPTS: usize = 5;

/// A new listing, with the proof of work that it asks for.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewListing {
    /// Its name, in one line.
    #[schema(value_type = String, min_length = 3, max_length = 80)]
    name: Name,
    /// What it does.
    #[schema(value_type = String, min_length = 1, max_length = 4000)]
    description: Description,
    /// How a call is paid for. `per_call` needs `pricing_amount` and `private_endpoint_url`.
    #[schema(value_type = schema::PricingModel)]
    pricing_model: PricingModel,
    /// The price of a call in USD: 0.0001 to 10000 with at most six decimals. 0, null or left out when free.
    #[schema(value_type = Option<f64>)]
    pricing_amount: Option<Box<RawValue>>,
    /// `USD`.
    pricing_currency: Option<Currency>,
    /// Slug of a category (default `other`).
    category: Option<String>,
    /// Words it is found by.
    #[schema(value_type = Option<Vec<String>>, max_items = 10)]
    tags: Option<Tags>,
    /// What is sold (default `api`).
    #[schema(value_type = Option<schema::DeliveryType>)]
    delivery_type: Option<DeliveryType>,
    /// How your own interface authenticates, outside the gateway (default `none`).
    #[schema(value_type = Option<schema::AuthMethod>)]
    auth_method: Option<AuthMethod>,
    /// Formats it speaks (default `["json"]`).
    #[schema(value_type = Option<Vec<String>>, max_items = 10)]
    formats: Option<Formats>,
    /// How to reach it outside the gateway.
    #[schema(value_type = Option<String>, max_length = 4000)]
    connection_instructions: Option<Instructions>,
    /// JSON Schema 2020-12 of a call's body, at most 64 KiB: calls are checked against it before money is asked for.
    #[schema(value_type = Option<Object>)]
    input_schema: Option<Box<RawValue>>,
    /// JSON Schema 2020-12 of an answer, at most 64 KiB.
    #[schema(value_type = Option<Object>)]
    output_schema: Option<Box<RawValue>>,
    /// A body that works, at most 64 KiB; it must fit `input_schema`.
    #[schema(value_type = Option<Value>)]
    example_request: Option<Box<RawValue>>,
    /// An answer to it, at most 64 KiB.
    #[schema(value_type = Option<Value>)]
    example_response: Option<Box<RawValue>>,
    /// `active` (default) or `draft`.
    #[schema(value_type = Option<schema::ListingStatus>)]
    status: Option<ListingStatus>,
    /// Where Crochet calls you. It is never shown to anybody again.
    private_endpoint_url: Option<String>,
    /// The answer to the proof of work.
    #[schema(min_length = 1, max_length = 64)]
    pow_nonce: String,
    /// Which proof of work is answered, where several are open; else the newest.
    pow_challenge: Option<String>,
}

impl NewListing {
    fn read(self, rules: &OutboundRules) -> Result<(Change, Answer)> {
        let answer = Answer::read(&self.pow_nonce, self.pow_challenge)?;
        // The only currency there is: that it was read says everything.
        let _ = self.pricing_currency;
        if self.status == Some(ListingStatus::Suspended) {
            return Err(ApiError::field("status", "must be active or draft"));
        }
        let schema = |field, text: Option<Box<RawValue>>| text.map(|text| own_json::schema(field, &text)).transpose().map(Some);
        let example = |field, text: Option<Box<RawValue>>| text.map(|text| own_json::example(field, &text)).transpose().map(Some);
        let change = Change {
            name: Some(change::name(self.name)?),
            description: Some(self.description.0),
            category: self.category.map(change::category).transpose()?,
            tags: self.tags.map(change::distinct),
            delivery_type: self.delivery_type,
            auth_method: self.auth_method,
            formats: self.formats.map(change::distinct),
            connection_instructions: Some(self.connection_instructions.map(|text| text.0).filter(|text| !text.is_empty())),
            input_schema: schema("input_schema", self.input_schema)?,
            output_schema: schema("output_schema", self.output_schema)?,
            example_request: example("example_request", self.example_request)?,
            example_response: example("example_response", self.example_response)?,
            pricing_model: Some(self.pricing_model),
            pricing_amount: self.pricing_amount.map(|number| pricing::amount(&number).map(Some)).transpose()?,
            status: Some(self.status.unwrap_or(ListingStatus::Active)),
            url: self.private_endpoint_url.map(|text| address::read(&text, rules)).transpose()?,
        };
        Ok((change, answer))
    }
}

crochet::error_list!(
    CreateListingErrors: Editor, Json<NewListing>;
    EndpointRequired, EndpointUrlRefused, InvalidSchema, PayoutWalletRequired, ListingLimitReached, ChallengeInvalid,
    PowInvalid
);

/// Create a listing.
///
/// The proof of work of `POST /listings/challenge` is used up by the first well-formed attempt, good or bad.
/// `gateway_endpoint.signing_secret` is shown once.
#[utoipa::path(post, path = "/api/v1/listings", operation_id = "create_listing", tag = "Listings", security(("api_key" = [])), request_body = NewListing,
    responses((status = 201, body = SavedListing, description = "The listing."), CreateListingErrors))]
pub(crate) async fn create_listing(State(state): State<crate::State>, editor: Editor, Json(request): Json<NewListing>) -> Result {
    let app = &state.app;
    let now = app.clock.now();
    let (change, answer) = request.read(state.outbound.rules())?;
    let (profile, ()) = tokio::try_join!(editor.profile(app), address::check(change.url.as_ref(), &state.outbound))?;
    selling(&profile)?;
    let mut listing = change.apply(&blank(&profile, now))?;
    let max_listings = app.config.max_listings.saturating_mul(app.config.limit_factor);
    if profile.listing_count >= max_listings {
        return Err(ApiError::new(Code::ListingLimitReached).detail("max_listings", max_listings));
    }
    answer.present(app, profile.id, now).await?;
    let first = change.url.as_ref().map(|url| First::at(url, None, unix_ms(now)));
    if let Some(first) = &first {
        first.create(&*state.secrets, listing.id).await.map_err(|error| after_use(error.into()))?;
        listing.endpoint = Some(first.endpoint.clone());
    }
    save(&state, &mut listing, max_listings).await.map_err(after_use_unless_told)?;
    Reply::created(SavedListing::new(&listing, first.map(|first| first.shown), app))
}

/// A listing of which nothing is said yet.
fn blank(profile: &Profile, now: OffsetDateTime) -> Listing {
    let now_ms = unix_ms(now);
    Listing {
        id: ListingId::generate(now),
        slug: String::new(),
        name: String::new(),
        description: String::new(),
        category: "other".into(),
        tags: Vec::new(),
        delivery_type: DeliveryType::Api,
        auth_method: AuthMethod::None,
        formats: vec!["json".into()],
        connection_instructions: None,
        input_schema: None,
        output_schema: None,
        example_request: None,
        example_response: None,
        pricing_model: PricingModel::Free,
        price: Micros::ZERO,
        was_per_call: false,
        status: ListingStatus::Draft,
        suspended_by: None,
        seller: SellerSummary::from(profile),
        endpoint: None,
        removing_secret_until_ms: None,
        version: 1,
        created_ms: now_ms,
        updated_ms: now_ms,
    }
}

/// Writes the listing under a slug that is free. Where that fails for good, its secret goes too; but not while a write of
/// ours may still land: a secret that nobody names costs little, a listing without its secret costs buyers their money.
async fn save(state: &crate::State, listing: &mut Listing, max_listings: u32) -> Result<()> {
    let store = &state.app.store;
    listing.slug = slug::first(&listing.name);
    let mut failure = ApiError::from(Code::ServiceUnavailable);
    let mut may_still_land = false;
    for _ in 0..ATTEMPTS {
        let created = store.create_listing(listing, max_listings).await;
        if matches!(created, Ok(Created::Done)) {
            return Ok(());
        }
        // An earlier try of ours may have been written after its reply was given up: then everything is well.
        match store.listing(listing.id).await {
            Ok(Some(mine)) => {
                *listing = mine;
                return Ok(());
            }
            Ok(None) => {}
            Err(error) => return Err(error.into()),
        }
        match created {
            Ok(Created::SlugTaken) => listing.slug = slug::next(&listing.name),
            Ok(Created::LimitReached) => {
                failure = ApiError::new(Code::ListingLimitReached).detail("max_listings", max_listings);
                break;
            }
            Ok(Created::Unpayable) => {
                failure = Code::PayoutWalletRequired.into();
                break;
            }
            Ok(Created::NoSeller) => {
                failure = ApiError::new(Code::RoleRequired).detail("required_role", "seller");
                break;
            }
            // The profile is being written: by another of its seller's requests, most likely.
            Ok(Created::Conflict | Created::Done) => may_still_land = true,
            Err(error) => {
                may_still_land = true;
                failure = error.into();
                break;
            }
        }
    }
    if listing.endpoint.is_some() && !may_still_land {
        discard(&*state.secrets, listing.id).await;
    }
    Err(failure)
}

/// The proof of work is used up, and so is the advice to send the same request again.
fn after_use_unless_told(error: ApiError) -> ApiError {
    if matches!(error.code(), Code::ListingLimitReached | Code::PayoutWalletRequired | Code::RoleRequired) {
        error
    } else {
        after_use(error)
    }
}
