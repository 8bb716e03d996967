//! `GET /listings/{id}/endpoint`: read an endpoint.

use axum::extract::{Path, State};
use crochet::http::caller::Agent;
use crochet::http::{Code, Reply, Result};
use crochet_domain::api_key::Scope;

use super::reply::OneEndpoint;
use crate::seller::owned;

crochet::error_list!(
    GetEndpointErrors: Agent, Path<String>;
    InsufficientScope, ListingNotFound, NotListingOwner, EndpointNotFound
);

/// Read your endpoint. Its URL, header value and secrets can never be read back.
#[utoipa::path(get, path = "/api/v1/listings/{id}/endpoint", operation_id = "get_endpoint", tag = "Listings", security(("api_key" = ["read"])),
    params(("id" = String, Path, description = "UUID or slug of the listing")),
    responses((status = 200, body = OneEndpoint, description = "The endpoint."), GetEndpointErrors))]
pub(crate) async fn get_endpoint(State(state): State<crate::state::State>, agent: Agent, Path(id): Path<String>) -> Result {
    agent.may(Scope::Read)?;
    let listing = owned(&state.app, agent.profile, &id).await?;
    if listing.endpoint.is_none() {
        return Err(Code::EndpointNotFound.into());
    }
    Reply::ok(OneEndpoint::of(&listing, None, &state.app))
}
