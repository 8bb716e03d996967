//! `GET /listings/{id}/openapi.json`: a listing as an API of one operation, for tools that build clients.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use crochet::app::App;
use crochet::config::Config;
use crochet::http::etag::conditional;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::wire::call_openapi::{idempotency_key, payment_headers, shared_schemas};
use crochet::wire::money::Amount;
use crochet_domain::listing::Listing;
use serde_json::{Value, json};

use super::read::visible;
use super::schema_refs::{INPUT, OUTPUT, relocated};
use crate::optional_agent::OptionalAgent;

crochet::error_list!(GetListingOpenapiErrors: OptionalAgent, Path<String>; ListingNotFound, ListingHasNoGateway);

/// Get the OpenAPI description of one listing.
///
/// One operation: a call of this listing, with its own request and response schemas, its examples and its price (`x-price`).
/// The whole API is in `/api/v1/openapi.json`.
#[utoipa::path(get, path = "/api/v1/listings/{id}/openapi.json", operation_id = "get_listing_openapi", tag = "Catalog",
    security((), ("api_key" = ["read"])),
    params(("id" = String, Path, description = "Listing id (UUID) or slug.")),
    responses((status = 200, body = Object, content_type = "application/json", description = "OpenAPI 3.1, without the usual envelope.", headers(("ETag" = String, description = "The version of the reply. Send it in If-None-Match."))),
        (status = 304, description = "Not modified: If-None-Match names the current version.", headers(("ETag" = String, description = "The version of the reply."))), GetListingOpenapiErrors))]
pub(crate) async fn get_listing_openapi(
    State(app): State<App>,
    caller: OptionalAgent,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let listing = visible(&app, caller, &id).await?;
    if listing.endpoint.is_none() {
        return Err(Code::ListingHasNoGateway.into());
    }
    let document = document(&listing, &app.config)?;
    Ok(conditional(&headers, Reply::verbatim(document.to_string().into_bytes())))
}

/// The listing as an API.
fn document(listing: &Listing, config: &Config) -> Result<Value> {
    let price = Amount::from(listing.price);
    let cost = if listing.is_paid() { format!("{} USD per call.", listing.price.decimal()) } else { "Free.".to_owned() };
    let mut schemas = shared_schemas();
    for (name, text) in [(INPUT, &listing.input_schema), (OUTPUT, &listing.output_schema)] {
        if let Some(text) = text {
            let schema: Value = serde_json::from_str(text).map_err(ApiError::internal)?;
            schemas.insert(name.into(), relocated(schema, name));
        }
    }
    let schema = |name: &str, has: bool| if has { json!({ "$ref": format!("#/components/schemas/{name}") }) } else { json!({}) };
    let mut request = json!({ "schema": schema(INPUT, listing.input_schema.is_some()) });
    if let Some(example) = &listing.example_request {
        request["example"] = serde_json::from_str(example).map_err(ApiError::internal)?;
    }
    let delivered = json!({
        "type": "object",
        "required": ["success", "data"],
        "properties": {
            "success": { "type": "boolean" },
            "data": {
                "type": "object",
                "required": ["request_id", "billable", "seller_status_code", "seller_response"],
                "properties": {
                    "request_id": { "type": "string" },
                    "billable": { "type": "boolean", "description": "Whether the call was charged." },
                    "charged_amount": { "$ref": "#/components/schemas/Amount" },
                    "seller_status_code": { "type": "integer" },
                    "seller_response": schema(OUTPUT, listing.output_schema.is_some()),
                },
            },
        },
    });
    let body = |schema: Value| json!({ "application/json": { "schema": schema } });
    let mut responses = json!({
        "200": { "description": "The seller's response.", "content": body(delivered) },
        "4XX": { "description": "An error. `error.recovery` says what to do.", "content": body(json!({ "$ref": "#/components/schemas/Error" })) },
        "5XX": { "description": "An error. `error.recovery` says what to do.", "content": body(json!({ "$ref": "#/components/schemas/Error" })) },
    });
    if listing.is_paid() {
        responses["202"] = json!({ "description": "The payment is pending. Send the same request again.", "content": body(json!({ "$ref": "#/components/schemas/Pending" })) });
        responses["402"] = json!({ "description": "Pay data.payment, then send the same request with its id.", "content": body(json!({ "$ref": "#/components/schemas/PaymentRequired" })) });
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": { "title": listing.name, "description": listing.description, "version": listing.updated_ms.to_string() },
        "externalDocs": { "url": config.absolute("/docs/api-reference.txt"), "description": "How calls, payments and errors work." },
        "servers": [{ "url": config.absolute("") }],
        "security": [{ "api_key": ["write"] }],
        "paths": {
            (format!("/api/v1/gateway/{}", listing.id)): {
                "post": {
                    "operationId": format!("call_{}", listing.slug.replace('-', "_")),
                    "summary": listing.name,
                    "description": format!("{cost} Sold by {}.", listing.seller.display_name),
                    "x-price": price,
                    "parameters": if listing.is_paid() { payment_headers() } else { vec![idempotency_key()] },
                    "requestBody": { "required": true, "content": { "application/json": request } },
                    "responses": responses,
                },
            },
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": { "api_key": { "type": "http", "scheme": "bearer", "description": "The authorization_header that POST /register returned." } },
        },
    }))
}
