//! `PATCH /listings/{id}`: change what is on offer.

use axum::extract::{Path, State};
use crochet::http::request::{Json, double_option, non_null};
use crochet::http::{Reply, Result};
use crochet::outbound::OutboundRules;
use crochet::wire::money::Currency;
use crochet::wire::schema;
use crochet_domain::listing::{AuthMethod, DeliveryType, Listing, ListingStatus, PricingModel};
use crochet_domain::profile::Profile;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::change::{self, Change, Description, Formats, Instructions, Name, Tags};
use super::reply::SavedListing;
use super::{own_json, pricing};
use crate::endpoint::address;
use crate::endpoint::edit::edit;
use crate::endpoint::rewrite::Rewrite;
use crate::seller::Editor;

/// What to change. What is left out stays.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ListingChange {
    /// Its name, in one line. The slug stays.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = String, min_length = 3, max_length = 80)]
    name: Option<Name>,
    /// What it does.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = String, min_length = 1, max_length = 4000)]
    description: Option<Description>,
    /// How a call is paid for. Open quotes keep their price.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = schema::PricingModel)]
    pricing_model: Option<PricingModel>,
    /// The price of a call in USD: 0.0001 to 10000 with at most six decimals. 0 or null when free.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<f64>)]
    pricing_amount: Option<Option<Box<RawValue>>>,
    /// `USD`.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = Currency)]
    pricing_currency: Option<Currency>,
    /// Slug of a category.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = String)]
    category: Option<String>,
    /// Words it is found by, all of them.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = Vec<String>, max_items = 10)]
    tags: Option<Tags>,
    /// What is sold.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = schema::DeliveryType)]
    delivery_type: Option<DeliveryType>,
    /// How your own interface authenticates, outside the gateway.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = schema::AuthMethod)]
    auth_method: Option<AuthMethod>,
    /// Formats it speaks, all of them.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = Vec<String>, max_items = 10)]
    formats: Option<Formats>,
    /// How to reach it outside the gateway; null removes.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<String>, max_length = 4000)]
    connection_instructions: Option<Option<Instructions>>,
    /// JSON Schema 2020-12 of a call's body, at most 64 KiB; null removes.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Object>)]
    input_schema: Option<Option<Box<RawValue>>>,
    /// JSON Schema 2020-12 of an answer, at most 64 KiB; null removes.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Object>)]
    output_schema: Option<Option<Box<RawValue>>>,
    /// A body that works, at most 64 KiB; null removes.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Value>)]
    example_request: Option<Option<Box<RawValue>>>,
    /// An answer to it, at most 64 KiB; null removes.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Value>)]
    example_response: Option<Option<Box<RawValue>>>,
    /// `active` puts a draft on offer and lifts your own suspension; `suspended` takes an active listing off.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = schema::ListingStatus)]
    status: Option<ListingStatus>,
    /// Where Crochet calls you from the next call on. At most 20 changes a day.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = String)]
    private_endpoint_url: Option<String>,
}

impl ListingChange {
    fn read(self, rules: &OutboundRules) -> Result<Change> {
        // The only currency there is: that it was read says everything.
        let _ = self.pricing_currency;
        let schema = |field, text: Option<Option<Box<RawValue>>>| {
            text.map(|text| text.map(|text| own_json::schema(field, &text)).transpose()).transpose()
        };
        let example = |field, text: Option<Option<Box<RawValue>>>| {
            text.map(|text| text.map(|text| own_json::example(field, &text)).transpose()).transpose()
        };
        Ok(Change {
            name: self.name.map(change::name).transpose()?,
            description: self.description.map(|text| text.0),
            category: self.category.map(change::category).transpose()?,
            tags: self.tags.map(change::distinct),
            delivery_type: self.delivery_type,
            auth_method: self.auth_method,
            formats: self.formats.map(change::distinct),
            connection_instructions: self
                .connection_instructions
                .map(|text| text.map(|text| text.0).filter(|text| !text.is_empty())),
            input_schema: schema("input_schema", self.input_schema)?,
            output_schema: schema("output_schema", self.output_schema)?,
            example_request: example("example_request", self.example_request)?,
            example_response: example("example_response", self.example_response)?,
            pricing_model: self.pricing_model,
            pricing_amount: self
                .pricing_amount
                .map(|number| number.map(|number| pricing::amount(&number)).transpose())
                .transpose()?,
            status: self.status,
            url: self.private_endpoint_url.map(|text| address::read(&text, rules)).transpose()?,
        })
    }
}

crochet::error_list!(
    UpdateListingErrors: Editor, Path<String>, Json<ListingChange>;
    ListingNotFound, NotListingOwner, EndpointRequired, EndpointUrlRefused, InvalidSchema, PayoutWalletRequired,
    ListingSuspended, StatusChangeRefused, EditConflict, EditLimit
);

/// Change a listing of yours. What is left out stays; `null` removes what may be missing.
///
/// A first `private_endpoint_url` makes an endpoint and shows its `gateway_endpoint.signing_secret` once; another one moves it
/// and keeps the secret.
#[utoipa::path(patch, path = "/api/v1/listings/{id}", operation_id = "update_listing", tag = "Listings", security(("api_key" = [])),
    params(("id" = String, Path, description = "UUID or slug")), request_body = ListingChange,
    responses((status = 200, body = SavedListing, description = "The listing as it is now."), UpdateListingErrors))]
pub(crate) async fn update_listing(
    State(state): State<crate::State>,
    editor: Editor,
    Path(id): Path<String>,
    Json(request): Json<ListingChange>,
) -> Result {
    let app = &state.app;
    let change = request.read(state.outbound.rules())?;
    let (profile, before) = tokio::try_join!(editor.profile(app), editor.listing(app, &id))?;
    let url = change.url.clone();
    let rewrite = url.map(|url| Rewrite::Set { url: Some(url), header: None });
    let edited = edit(&state, editor, before, rewrite.as_ref(), |listing| changed(listing, &change, &profile)).await?;
    Reply::ok(SavedListing::new(&edited.listing, edited.shown, app))
}

/// `before` as it is to be, with what its seller shows today.
fn changed(before: &Listing, change: &Change, profile: &Profile) -> Result<Listing> {
    change.apply(&Listing { seller: before.seller.renewed(profile), ..before.clone() })
}
