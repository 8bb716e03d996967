//! `PUT /listings/{id}/endpoint`: change where and how a seller is called.

use axum::extract::{Path, State};
use crochet::http::request::{Json, double_option, non_null};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::outbound::OutboundRules;
use crochet::wire::schema;
use crochet_domain::listing::{EndpointStatus, Listing};
use serde::Deserialize;
use utoipa::ToSchema;

use super::address;
use super::edit::edit;
use super::header::NewAuthHeader;
use super::members::{self, Members};
use super::remove::remove;
use super::reply::OneEndpoint;
use super::rewrite::Rewrite;
use super::test_call::close_breaker;
use crate::seller::Editor;

/// What to change. What is left out stays.
#[derive(Deserialize, ToSchema)]
pub(crate) struct EndpointChange {
    /// Where Crochet calls you: a public https URL. It is never shown again. Null removes the endpoint.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    private_endpoint_url: Option<Option<String>>,
    /// A header that Crochet adds to every call. Null removes it.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<NewAuthHeader>)]
    auth_header: Option<Option<NewAuthHeader>>,
    /// How long you may take for a whole answer (milliseconds). Null brings 15,000 back.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<u32>, minimum = 1000, maximum = 25000)]
    timeout_ms: Option<Option<u64>>,
    /// How long an answer may be (bytes). Null brings 262,144 back.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<u32>, minimum = 1024, maximum = 1048576)]
    max_response_bytes: Option<Option<u64>>,
    /// How many calls a minute you take. Null lifts the limit.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 100000)]
    rate_limit_per_minute: Option<Option<u64>>,
    /// `paused` takes no calls until it is `active` again. `active` also closes an open breaker.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = schema::EndpointStatus)]
    status: Option<EndpointStatus>,
}

/// A change of an endpoint, checked as far as its text tells.
enum Change {
    Remove,
    Set { rewrite: Option<Rewrite>, members: Members },
}

impl EndpointChange {
    fn read(self, rules: &OutboundRules) -> Result<Change> {
        let header = self.auth_header.map(|header| header.map(NewAuthHeader::read).transpose()).transpose()?;
        let members = Members {
            status: self.status,
            timeout_ms: self.timeout_ms.map(members::timeout_ms).transpose()?,
            max_response_bytes: self.max_response_bytes.map(members::max_response_bytes).transpose()?,
            rate_limit_per_minute: self.rate_limit_per_minute.map(members::rate_limit_per_minute).transpose()?,
        };
        let url = match self.private_endpoint_url {
            Some(None) if header.is_none() && members == Members::default() => return Ok(Change::Remove),
            Some(None) => return Err(ApiError::field(address::FIELD, "must be sent alone to remove the endpoint with null")),
            Some(Some(text)) => Some(address::read(&text, rules)?),
            None => None,
        };
        let rewrite = (url.is_some() || header.is_some()).then_some(Rewrite::Set { url, header });
        Ok(Change::Set { rewrite, members })
    }
}

crochet::error_list!(
    UpdateEndpointErrors: Editor, Path<String>, Json<EndpointChange>;
    ListingNotFound, NotListingOwner, EndpointNotFound, EndpointInUse, EndpointUrlRefused, EditConflict, EditLimit
);

/// Change your endpoint. What is left out stays; `null` removes. It counts from the next call.
///
/// A first `private_endpoint_url` makes an endpoint and shows its `signing_secret` once; another one moves it and keeps the
/// secret. At most 20 changes a day of a listing's URL, header or secret; the rest may change as often as listings may.
#[utoipa::path(put, path = "/api/v1/listings/{id}/endpoint", operation_id = "update_endpoint", tag = "Listings", security(("api_key" = [])),
    params(("id" = String, Path, description = "UUID or slug of the listing")), request_body = EndpointChange,
    responses((status = 200, body = OneEndpoint, description = "The endpoint as it is now."), UpdateEndpointErrors))]
pub(crate) async fn update_endpoint(
    State(state): State<crate::State>,
    editor: Editor,
    Path(id): Path<String>,
    Json(request): Json<EndpointChange>,
) -> Result {
    let change = request.read(state.outbound.rules())?;
    let before = editor.listing(&state.app, &id).await?;
    let (listing, shown) = match change {
        Change::Remove => (remove(&state, editor, before).await?, None),
        Change::Set { rewrite, members } => {
            let makes_one = rewrite.as_ref().is_some_and(|rewrite| rewrite.url().is_some());
            let edited = edit(&state, editor, before, rewrite.as_ref(), |listing| with(listing, &members, makes_one)).await?;
            if members.status == Some(EndpointStatus::Active) {
                close_breaker(&state, edited.listing.id).await;
            }
            (edited.listing, edited.shown)
        }
    };
    Reply::ok(OneEndpoint::of(&listing, shown, &state.app))
}

/// The listing with these members of its endpoint, where it has one or is getting one.
fn with(listing: &Listing, members: &Members, makes_one: bool) -> Result<Listing> {
    if listing.endpoint.is_none() && !makes_one {
        return Err(Code::EndpointNotFound.into());
    }
    Ok(Listing { endpoint: listing.endpoint.as_ref().map(|endpoint| members.set(endpoint)), ..listing.clone() })
}
