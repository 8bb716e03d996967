//! `PATCH /listings/{id}`: change a listing.

use axum::extract::{Path, State};
use crochet::http::fields::{FieldProblems, Place};
use crochet::http::request::{Json, double_option, non_null};
use crochet::http::{Reply, Result};
use crochet::outbound::OutboundRules;
use crochet::wire::money::Currency;
use crochet::wire::schema;
use crochet_domain::listing::{AuthMethod, DeliveryType, Listing, ListingStatus, PricingModel};
use crochet_domain::profile::Profile;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::change::{self, Change, Description, Formats, Instructions, Name, Tags};
use super::reply::SavedListing;
use super::{json_fields, pricing};
use crate::endpoint::secret_change::SecretChange;
use crate::endpoint::url;
use crate::endpoint::write::update_endpoint_of;
use crate::seller::ListingWriter;

/// The fields to change. Omitted fields stay as they are.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ListingChange {
    /// Name, in one line. The slug does not change.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = String, min_length = 3, max_length = 80)]
    name: Option<Name>,
    /// What the listing offers.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = String, min_length = 1, max_length = 4000)]
    description: Option<Description>,
    /// How calls are paid for. Open quotes keep their price.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = schema::PricingModel)]
    pricing_model: Option<PricingModel>,
    /// Price per call in USD: 0.0001 to 10000 with at most six decimals. 0 or null for a free listing.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<f64>)]
    pricing_amount: Option<Option<Box<RawValue>>>,
    /// `USD`.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = Currency)]
    pricing_currency: Option<Currency>,
    /// Slug of a category from GET /categories.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = schema::CategorySlug)]
    category: Option<String>,
    /// Search keywords. Replaces the whole list.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = Vec<String>, max_items = 10)]
    tags: Option<Tags>,
    /// What kind of capability is sold.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = schema::DeliveryType)]
    delivery_type: Option<DeliveryType>,
    /// How your own interface authenticates callers outside the gateway.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = schema::AuthMethod)]
    auth_method: Option<AuthMethod>,
    /// Supported formats. Replaces the whole list.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = Vec<String>, max_items = 10)]
    formats: Option<Formats>,
    /// How to reach the capability outside the gateway; null removes it.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<String>, max_length = 4000)]
    connection_instructions: Option<Option<Instructions>>,
    /// JSON Schema 2020-12 for the body of a call, at most 64 KiB; null removes it.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Object>)]
    input_schema: Option<Option<Box<RawValue>>>,
    /// JSON Schema 2020-12 for a response, at most 64 KiB; null removes it.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Object>)]
    output_schema: Option<Option<Box<RawValue>>>,
    /// Example of a valid body, at most 64 KiB. It must match `input_schema`; null removes it.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Value>)]
    example_request: Option<Option<Box<RawValue>>>,
    /// Response to the example, at most 64 KiB; null removes it.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Value>)]
    example_response: Option<Option<Box<RawValue>>>,
    /// `active` publishes a draft or ends your own suspension; `suspended` takes an active listing off the marketplace.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = schema::ListingStatus)]
    status: Option<ListingStatus>,
    /// The public https URL that Crochet calls, from the next call on. At most 20 changes a day.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = String)]
    private_endpoint_url: Option<SecretString>,
}

impl ListingChange {
    fn parse(self, rules: &OutboundRules) -> Result<Change> {
        let mut problems = FieldProblems::new(Place::Body);
        // USD is the only currency, so parsing has already checked it.
        let _ = self.pricing_currency;
        let mut schema = |field, text: Option<Option<Box<RawValue>>>| {
            let read = text.map(|text| text.map(|text| json_fields::schema(field, &text)).transpose());
            problems.take_optional(read)
        };
        let (input_schema, output_schema) =
            (schema("input_schema", self.input_schema)?, schema("output_schema", self.output_schema)?);
        let mut example = |field, text: Option<Option<Box<RawValue>>>| {
            let read = text.map(|text| text.map(|text| json_fields::example(field, &text)).transpose());
            problems.take_optional(read)
        };
        let (example_request, example_response) =
            (example("example_request", self.example_request)?, example("example_response", self.example_response)?);
        let amount = self.pricing_amount.map(|number| number.map(|number| pricing::amount(&number)).transpose());
        let change = Change {
            name: problems.take_optional(self.name.map(change::name))?,
            description: self.description.map(|text| text.0),
            category: problems.take_optional(self.category.map(change::category))?,
            tags: self.tags.map(change::distinct),
            delivery_type: self.delivery_type,
            auth_method: self.auth_method,
            formats: self.formats.map(change::distinct),
            connection_instructions: self
                .connection_instructions
                .map(|text| text.map(|text| text.0).filter(|text| !text.is_empty())),
            input_schema,
            output_schema,
            example_request,
            example_response,
            pricing_model: self.pricing_model,
            pricing_amount: problems.take_optional(amount)?,
            status: self.status,
            url: problems.take_optional(self.private_endpoint_url.map(|text| url::parse(&text, rules)))?,
        };
        problems.end()?;
        Ok(change)
    }
}

crochet::error_list!(
    UpdateListingErrors: ListingWriter, Path<String>, Json<ListingChange>;
    ListingNotFound, NotListingOwner, EndpointRequired, EndpointUrlRefused, InvalidSchema, PayoutWalletRequired,
    ListingSuspended, RefundOverdue, StatusChangeRefused, EditConflict, EditLimit
);

/// Change one of your listings. Omitted fields stay as they are; `null` removes an optional value.
///
/// The first `private_endpoint_url` creates an endpoint and shows its `gateway_endpoint.signing_secret` once. A later one moves the
/// endpoint and keeps the secret.
#[utoipa::path(patch, path = "/api/v1/listings/{id}", operation_id = "update_listing", tag = "Listings", security(("api_key" = ["write"])),
    params(("id" = String, Path, description = "UUID or slug")), request_body = ListingChange,
    responses((status = 200, body = SavedListing, description = "The listing after the change."), UpdateListingErrors))]
pub(crate) async fn update_listing(
    State(state): State<crate::state::State>,
    writer: ListingWriter,
    Path(id): Path<String>,
    Json(request): Json<ListingChange>,
) -> Result {
    let app = &state.app;
    let change = request.parse(state.outbound.rules())?;
    let (profile, before) = tokio::try_join!(writer.profile(app), writer.listing(app, &id))?;
    let secret_change = change.url.clone().map(|url| SecretChange::Set { url: Some(url), header: None });
    let apply = |listing: &Listing| apply(&change, listing, &profile);
    let updated = update_endpoint_of(&state, writer, before, secret_change.as_ref(), apply).await?;
    Reply::ok(SavedListing::new(&updated.listing, updated.signing_secret, app))
}

/// Applies the change, and refreshes what the listing shows of its seller.
fn apply(change: &Change, listing: &Listing, profile: &Profile) -> Result<Listing> {
    let mut shown = listing.clone();
    shown.show_seller(listing.seller.renewed(profile));
    change.apply(&shown)
}
