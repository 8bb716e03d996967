//! `POST /listings`: create a listing.

use axum::extract::State;
use crochet::http::fields::{FieldProblems, Place};
use crochet::http::gate;
use crochet::http::request::Json;
use crochet::http::suspension::refuse_suspended;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::outbound::{EndpointUrl, Outbound, OutboundRules};
use crochet::store::gate::Gate;
use crochet::store::listing::CreateListingError;
use crochet::store::retry::Attempts;
use crochet::wire::money::Currency;
use crochet::wire::schema;
use crochet_domain::ids::ListingId;
use crochet_domain::listing::{AuthMethod, DeliveryType, Listing, ListingStatus, PricingModel};
use crochet_domain::money::Micros;
use crochet_domain::profile::{Profile, SellerSummary};
use crochet_domain::timestamp::unix_ms;
use crochet_domain::unknown::Unknown;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::change::{self, Change, Description, Formats, Instructions, Name, Tags};
use super::reply::SavedListing;
use super::{json_fields, pricing, slug};
use crate::challenge::pow_answer::{PowAnswer, challenge_spent};
use crate::endpoint::new_endpoint::NewEndpoint;
use crate::endpoint::secret::{create_secret, delete_secret};
use crate::endpoint::url;
use crate::seller::{ListingWriter, require_seller};

/// A new listing, with the solved proof of work.
#[derive(Deserialize, ToSchema)]
#[schema(as = ListingRequest)]
pub(crate) struct NewListing {
    /// Name, in one visible line. The slug is made of it.
    #[schema(value_type = String, min_length = 3, max_length = 80)]
    name: Name,
    /// What the listing offers.
    #[schema(value_type = String, min_length = 1, max_length = 4000)]
    description: Description,
    /// How calls are paid for. `per_call` requires `pricing_amount` and `private_endpoint_url`.
    #[schema(value_type = schema::PricingModel)]
    pricing_model: PricingModel,
    /// Price per call in USD: 0.0001 to 10000 with at most six decimals. 0, null or left out for a free listing.
    #[schema(value_type = Option<f64>)]
    pricing_amount: Option<Box<RawValue>>,
    /// `USD`.
    pricing_currency: Option<Currency>,
    /// Slug of a category from GET /categories (default `other`).
    #[schema(value_type = Option<schema::CategorySlug>)]
    category: Option<String>,
    /// Search keywords.
    #[schema(value_type = Option<Vec<String>>, max_items = 10)]
    tags: Option<Tags>,
    /// What kind of capability is sold (default `api`).
    #[schema(value_type = Option<schema::DeliveryType>)]
    delivery_type: Option<DeliveryType>,
    /// How your own interface authenticates callers outside the gateway (default `none`).
    #[schema(value_type = Option<schema::AuthMethod>)]
    auth_method: Option<AuthMethod>,
    /// Supported formats (default `["json"]`).
    #[schema(value_type = Option<Vec<String>>, max_items = 10)]
    formats: Option<Formats>,
    /// How to reach the capability outside the gateway.
    #[schema(value_type = Option<String>, max_length = 4000)]
    connection_instructions: Option<Instructions>,
    /// JSON Schema 2020-12 for the body of a call, at most 64 KiB. Calls are checked against it before payment is requested.
    /// Patterns are regular expressions of ECMA-262 without look-around and back references, compiled to at most 8 MiB each.
    #[schema(value_type = Option<Object>)]
    input_schema: Option<Box<RawValue>>,
    /// JSON Schema 2020-12 for a response, at most 64 KiB.
    #[schema(value_type = Option<Object>)]
    output_schema: Option<Box<RawValue>>,
    /// Example of a valid body, at most 64 KiB. It must match `input_schema`.
    #[schema(value_type = Option<Value>)]
    example_request: Option<Box<RawValue>>,
    /// Response to the example, at most 64 KiB.
    #[schema(value_type = Option<Value>)]
    example_response: Option<Box<RawValue>>,
    /// `active` (default) or `draft`.
    #[schema(value_type = Option<schema::ListingStatus>)]
    status: Option<ListingStatus>,
    /// The public https URL that Crochet calls. It is never shown again.
    #[schema(value_type = Option<String>)]
    private_endpoint_url: Option<SecretString>,
    /// The nonce that solves the proof of work.
    #[schema(min_length = 1, max_length = 64)]
    pow_nonce: String,
    /// The challenge that `pow_nonce` solves. The default is the newest open one.
    pow_challenge: Option<String>,
}

impl NewListing {
    fn parse(self, rules: &OutboundRules) -> Result<(Change, PowAnswer)> {
        let mut problems = FieldProblems::new(Place::Body);
        let answer = problems.take(PowAnswer::parse(&self.pow_nonce, self.pow_challenge))?;
        // USD is the only currency, so parsing has already checked it.
        let _ = self.pricing_currency;
        if self.status == Some(ListingStatus::Suspended) {
            problems.wrong("status", "must be active or draft");
        }
        let mut schema =
            |field, text: Option<Box<RawValue>>| problems.take_optional(text.map(|text| json_fields::schema(field, &text)));
        let (input_schema, output_schema) =
            (schema("input_schema", self.input_schema)?, schema("output_schema", self.output_schema)?);
        let mut example =
            |field, text: Option<Box<RawValue>>| problems.take_optional(text.map(|text| json_fields::example(field, &text)));
        let (example_request, example_response) =
            (example("example_request", self.example_request)?, example("example_response", self.example_response)?);
        let amount = problems.take_optional(self.pricing_amount.as_deref().map(pricing::amount))?;
        // An amount that could not be read has been refused already.
        if amount.is_some() || self.pricing_amount.is_none() {
            problems.take(pricing::apply_pricing(
                (PricingModel::Free, Micros::ZERO),
                Some(self.pricing_model),
                amount.map(Some),
            ))?;
        }
        if self.pricing_model == PricingModel::PerCall && self.private_endpoint_url.is_none() {
            problems.take::<()>(Err(ApiError::new(Code::EndpointRequired).detail("field", url::FIELD)))?;
        }
        let change = Change {
            name: problems.take(change::name(self.name))?,
            description: Some(self.description.0),
            category: problems.take_optional(self.category.map(change::category))?,
            tags: self.tags.map(change::distinct),
            delivery_type: self.delivery_type,
            auth_method: self.auth_method,
            formats: self.formats.map(change::distinct),
            connection_instructions: Some(self.connection_instructions.map(|text| text.0).filter(|text| !text.is_empty())),
            input_schema: Some(input_schema),
            output_schema: Some(output_schema),
            example_request: Some(example_request),
            example_response: Some(example_response),
            pricing_model: Some(self.pricing_model),
            pricing_amount: amount.map(Some),
            status: Some(self.status.unwrap_or(ListingStatus::Active)),
            url: problems.take_optional(self.private_endpoint_url.map(|text| url::parse(&text, rules)))?,
        };
        match answer {
            Some(answer) if problems.is_empty() => Ok((change, answer)),
            _ => Err(problems.into_error()),
        }
    }
}

crochet::error_list!(
    CreateListingErrors: ListingWriter, Json<NewListing>;
    EndpointRequired, EndpointUrlRefused, InvalidSchema, PayoutWalletRequired, ListingLimitReached, RefundOverdue, ProfileSuspended,
    ChallengeInvalid, PowInvalid
);

/// Create a listing.
///
/// The first well-formed attempt uses up the challenge from `POST /listings/challenge`, whether the answer is right or wrong.
/// `gateway_endpoint.signing_secret` is shown once.
#[utoipa::path(post, path = "/api/v1/listings", operation_id = "create_listing", tag = "Listings", security(("api_key" = ["write"])), request_body = NewListing,
    responses((status = 201, body = SavedListing, description = "The new listing."), CreateListingErrors))]
pub(crate) async fn create_listing(
    State(state): State<crate::state::State>,
    writer: ListingWriter,
    Json(request): Json<NewListing>,
) -> Result {
    let app = &state.app;
    let now = app.clock.now();
    let (change, answer) = request.parse(state.outbound.rules())?;
    let (profile, ()) = tokio::try_join!(writer.profile(app), check_host(change.url.as_ref(), &state.outbound))?;
    require_seller(&profile)?;
    refuse_suspended(profile.suspended)?;
    let mut listing = change.apply(&empty_listing(&profile, now))?;
    let max_listings = app.config.max_listings.saturating_mul(app.config.limit_factor);
    if profile.listing_count >= max_listings {
        return Err(limit_reached(max_listings));
    }
    answer.redeem(app, profile.id, now).await?;
    gate::pass(app, Gate::Listings, now).await.map_err(challenge_spent)?;
    let mut signing_secret = None;
    if let Some(url) = &change.url {
        let make = |signing_key| NewEndpoint::new(url, None, signing_key, unix_ms(now));
        let new = create_secret(&state, &listing, listing.status, make).await.map_err(challenge_spent)?;
        listing.endpoint = Some(new.endpoint);
        signing_secret = Some(new.signing_secret);
    }
    save(&state, &mut listing, max_listings).await?;
    Reply::created(SavedListing::new(&listing, signing_secret, app))
}

async fn check_host(url: Option<&EndpointUrl>, outbound: &Outbound) -> Result<()> {
    match url {
        Some(url) => url::check_host(url, outbound).await,
        None => Ok(()),
    }
}

/// A listing with default values, before the seller's fields are applied.
pub(super) fn empty_listing(profile: &Profile, now: OffsetDateTime) -> Listing {
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
        suspended_reason: None,
        held: None,
        seller: SellerSummary::from(profile),
        endpoint: None,
        removing_secret_until_ms: None,
        figures: crochet_domain::stats::Figures::default(),
        figures_ms: 0,
        version: 1,
        created_ms: now_ms,
        updated_ms: now_ms,
        unknown: Unknown::default(),
    }
}

/// Creates the listing under a free slug. If that fails for good, deletes its secret too.
///
/// The secret is kept if the write may still take effect: an unused secret costs little, but a listing without its secret costs
/// its buyers money.
async fn save(state: &crate::state::State, listing: &mut Listing, max_listings: u32) -> Result<()> {
    let store = &state.app.store;
    listing.slug = slug::first(&listing.name);
    let mut may_still_be_written = false;
    let mut attempts = Attempts::default();
    let failure = loop {
        let Err(error) = store.create_listing(listing, max_listings).await else { return Ok(()) };
        // An attempt whose reply was lost may have created the listing.
        if let Some(created) = store.listing(listing.id).await.map_err(|error| challenge_spent(error.into()))? {
            *listing = created;
            return Ok(());
        }
        match &error {
            CreateListingError::SlugTaken => listing.slug = slug::next(&listing.name),
            // Most likely another of the seller's requests is writing the profile.
            CreateListingError::Conflict => may_still_be_written = true,
            CreateListingError::Store(_) => {
                may_still_be_written = true;
                break error;
            }
            _ => break error,
        }
        if let Err(error) = attempts.next_or(error).await {
            break error;
        }
    };
    if listing.endpoint.is_some() && !may_still_be_written {
        delete_secret(&*state.secrets, listing.id).await;
    }
    Err(creation_failed(failure, max_listings))
}

/// The error to report. If the seller has to act first, its own advice stays; otherwise, a new challenge is needed.
fn creation_failed(error: CreateListingError, max_listings: u32) -> ApiError {
    match error {
        CreateListingError::LimitReached => limit_reached(max_listings),
        CreateListingError::NoPayoutWallet => Code::PayoutWalletRequired.into(),
        CreateListingError::NotSeller => ApiError::new(Code::RoleRequired).detail("required_role", "seller"),
        CreateListingError::RefundOverdue => Code::RefundOverdue.into(),
        CreateListingError::SellerSuspended => Code::ProfileSuspended.into(),
        CreateListingError::Store(error) => challenge_spent(error.into()),
        CreateListingError::SlugTaken | CreateListingError::Conflict => challenge_spent(Code::ServiceUnavailable.into()),
    }
}

fn limit_reached(max_listings: u32) -> ApiError {
    ApiError::new(Code::ListingLimitReached).detail("max_listings", max_listings)
}
