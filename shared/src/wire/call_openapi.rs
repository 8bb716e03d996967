//! What the OpenAPI descriptions of all listings share: a call's headers, and the schemas of its replies.

use crochet_domain::currency::OriginCurrency;
use serde_json::{Map, Value, json};

/// The header by which a caller names a call.
#[must_use]
pub fn idempotency_key() -> Value {
    json!({ "name": "Idempotency-Key", "in": "header", "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[ -+\--~]{1,255}$" }, "description": "Identifies this call. You choose it." })
}

/// The headers of a call of a paid listing.
#[must_use]
pub fn payment_headers() -> Vec<Value> {
    let currencies = OriginCurrency::ALL;
    vec![
        idempotency_key(),
        json!({ "name": "X-Crochet-Origin-Currency", "in": "header", "schema": { "type": "string", "enum": currencies }, "description": "The currency to pay in." }),
        json!({ "name": "X-Crochet-Relay-Request-Id", "in": "header", "schema": { "type": "string" }, "description": "The relay_request_id of a 402 that you have paid." }),
    ]
}

/// What replies of every listing consist of. `/api/v1/openapi.json` describes payments and errors in full.
#[must_use]
pub fn shared_schemas() -> Map<String, Value> {
    let schemas = json!({
        "Amount": {
            "type": "object",
            "required": ["amount_cents", "amount_micros", "currency"],
            "properties": { "amount_cents": { "type": "integer" }, "amount_micros": { "type": "integer" }, "currency": { "type": "string" } },
        },
        "Error": {
            "type": "object",
            "required": ["success", "error"],
            "properties": {
                "success": { "type": "boolean" },
                "error": {
                    "type": "object",
                    "required": ["code", "message"],
                    "properties": { "code": { "type": "string" }, "message": { "type": "string" }, "details": { "type": "object" }, "recovery": { "type": "object" } },
                },
            },
        },
        "PaymentRequired": {
            "allOf": [
                { "$ref": "#/components/schemas/Error" },
                {
                    "type": "object",
                    "required": ["data"],
                    "properties": {
                        "data": {
                            "type": "object",
                            "required": ["payment"],
                            "properties": {
                                "payment": {
                                    "type": "object",
                                    "required": ["amount"],
                                    "properties": {
                                        "relay_request_id": { "type": ["string", "null"] },
                                        "amount": { "$ref": "#/components/schemas/Amount" },
                                        "requirements": { "type": ["object", "null"] },
                                    },
                                },
                            },
                        },
                    },
                },
            ],
        },
        "Pending": {
            "type": "object",
            "required": ["success", "data"],
            "properties": {
                "success": { "type": "boolean" },
                "data": {
                    "type": "object",
                    "required": ["status", "retry_after_seconds"],
                    "properties": { "status": { "type": "string" }, "retry_after_seconds": { "type": "integer" } },
                },
            },
        },
    });
    schemas.as_object().cloned().unwrap_or_default()
}
