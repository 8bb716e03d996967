//! `PUT /listings/{id}/endpoint`: create, change or remove an endpoint.

use axum::extract::{Path, State};
use crochet::http::fields::{FieldProblems, Place};
use crochet::http::request::{Json, double_option, non_null};
use crochet::http::{Code, Reply, Result};
use crochet::outbound::OutboundRules;
use crochet::wire::schema;
use crochet_domain::listing::{EndpointStatus, Listing};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::auth_header::NewAuthHeader;
use super::remove::remove_endpoint;
use super::reply::OneEndpoint;
use super::secret_change::SecretChange;
use super::settings::{self, EndpointSettings};
use super::test_call::close_breaker;
use super::url;
use super::write::update_endpoint_of;
use crate::seller::ListingWriter;

/// The fields to change. Omitted fields stay as they are.
#[derive(Deserialize, ToSchema)]
pub(crate) struct EndpointChange {
    /// The public https URL that Crochet calls. It is never shown again. Null removes the endpoint.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    private_endpoint_url: Option<Option<SecretString>>,
    /// A header that Crochet adds to every call. Null removes it.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<NewAuthHeader>)]
    auth_header: Option<Option<NewAuthHeader>>,
    /// Maximum time for your complete response, in milliseconds. Null restores the default of 15,000.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<u32>, minimum = 1000, maximum = 25000)]
    timeout_ms: Option<Option<u64>>,
    /// Maximum size of your response body, in bytes. Null restores the default of 262,144.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<u32>, minimum = 1024, maximum = 1048576)]
    max_response_bytes: Option<Option<u64>>,
    /// Maximum number of calls per minute. Null removes the limit.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 100000)]
    rate_limit_per_minute: Option<Option<u64>>,
    /// `paused` stops calls until the endpoint is `active` again. `active` also closes an open breaker.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = schema::EndpointStatus)]
    status: Option<EndpointStatus>,
}

/// A parsed request.
enum Change {
    Remove,
    Set { secret_change: Option<SecretChange>, settings: EndpointSettings },
}

impl EndpointChange {
    fn parse(self, rules: &OutboundRules) -> Result<Change> {
        let mut problems = FieldProblems::new(Place::Body);
        let header = self.auth_header.map(|header| header.map(NewAuthHeader::parse).transpose());
        let (has_header, header) = (header.is_some(), problems.take_optional(header)?);
        let settings = EndpointSettings {
            status: self.status,
            timeout_ms: problems.take_optional(self.timeout_ms.map(settings::timeout_ms))?,
            max_response_bytes: problems.take_optional(self.max_response_bytes.map(settings::max_response_bytes))?,
            rate_limit_per_minute: problems.take_optional(self.rate_limit_per_minute.map(settings::rate_limit_per_minute))?,
        };
        let removes = matches!(self.private_endpoint_url, Some(None));
        if removes && problems.is_empty() && !has_header && settings == EndpointSettings::default() {
            return Ok(Change::Remove);
        }
        if removes {
            problems.wrong(url::FIELD, "must be the only field if it is null, which removes the endpoint");
        }
        let url = problems.take_optional(self.private_endpoint_url.flatten().map(|text| url::parse(&text, rules)))?;
        problems.end()?;
        let secret_change = (url.is_some() || header.is_some()).then_some(SecretChange::Set { url, header });
        Ok(Change::Set { secret_change, settings })
    }
}

crochet::error_list!(
    UpdateEndpointErrors: ListingWriter, Path<String>, Json<EndpointChange>;
    ListingNotFound, NotListingOwner, EndpointNotFound, EndpointInUse, EndpointUrlRefused, EditConflict, EditLimit
);

/// Create, change or remove your endpoint. Omitted fields stay as they are; `null` removes. Changes apply from the next call on.
///
/// The first `private_endpoint_url` creates the endpoint and shows its `signing_secret` once. A later one moves the endpoint and
/// keeps the secret. The URL, header and secret of a listing can change at most 20 times a day; the other fields can change as
/// often as listings can. An endpoint may be removed when you have suspended its listing and nothing of it has changed for 30 days: send
/// `private_endpoint_url` if it is gone.
#[utoipa::path(put, path = "/api/v1/listings/{id}/endpoint", operation_id = "update_endpoint", tag = "Listings", security(("api_key" = ["write"])),
    params(("id" = String, Path, description = "UUID or slug of the listing")), request_body = EndpointChange,
    responses((status = 200, body = OneEndpoint, description = "The endpoint after the change."), UpdateEndpointErrors))]
pub(crate) async fn update_endpoint(
    State(state): State<crate::state::State>,
    writer: ListingWriter,
    Path(id): Path<String>,
    Json(request): Json<EndpointChange>,
) -> Result {
    let change = request.parse(state.outbound.rules())?;
    let before = writer.listing(&state.app, &id).await?;
    let (listing, signing_secret) = match change {
        Change::Remove => (remove_endpoint(&state, writer, before).await?, None),
        Change::Set { secret_change, settings } => {
            let has_url = secret_change.as_ref().is_some_and(|change| change.url().is_some());
            let apply = |listing: &Listing| with_settings(listing, &settings, has_url);
            let updated = update_endpoint_of(&state, writer, before, secret_change.as_ref(), apply).await?;
            if settings.status == Some(EndpointStatus::Active) {
                close_breaker(&state, updated.listing.id).await;
            }
            (updated.listing, updated.signing_secret)
        }
    };
    Reply::ok(OneEndpoint::of(&listing, signing_secret, &state.app))
}

/// The listing with these settings. It must have an endpoint, unless the request creates one (`has_url`).
fn with_settings(listing: &Listing, settings: &EndpointSettings, has_url: bool) -> Result<Listing> {
    if listing.endpoint.is_none() && !has_url {
        return Err(Code::EndpointNotFound.into());
    }
    Ok(Listing { endpoint: listing.endpoint.as_ref().map(|endpoint| settings.apply_to(endpoint)), ..listing.clone() })
}
