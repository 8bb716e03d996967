//! The JSON fields of a listing: schemas and examples. They are checked, but stored as the seller wrote them.

use crochet::http::{ApiError, Code};
use crochet_domain::json::parse_strict;
use crochet_domain::schema::InputSchema;
use serde_json::json;
use serde_json::value::RawValue;

/// Maximum size of an example in bytes, as written.
const MAX_EXAMPLE_BYTES: usize = 64 * 1024;

/// Checks that a schema is valid and supported.
///
/// # Errors
/// `INVALID_SCHEMA`, naming the field.
pub(crate) fn schema(field: &'static str, text: &RawValue) -> Result<String, ApiError> {
    match InputSchema::parse(text.get()) {
        Ok(_) => Ok(text.get().to_owned()),
        Err(problem) => {
            Err(ApiError::new(Code::InvalidSchema).message(format!("`{field}` cannot be used: {problem}.")).detail("field", field))
        }
    }
}

/// Checks the size of an example.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(crate) fn example(field: &'static str, text: &RawValue) -> Result<String, ApiError> {
    if text.get().len() > MAX_EXAMPLE_BYTES {
        return Err(ApiError::field(field, "must be at most 64 KiB of JSON"));
    }
    Ok(text.get().to_owned())
}

/// Checks the example request against the input schema, as the gateway checks every call.
///
/// # Errors
/// `INVALID_REQUEST`, naming `example_request`, with the mismatches in `details.errors`.
pub(crate) fn check_example_request(example: Option<&str>, schema: Option<&str>) -> Result<(), ApiError> {
    let (Some(example), Some(schema)) = (example, schema) else { return Ok(()) };
    let schema = InputSchema::parse(schema).map_err(ApiError::internal)?;
    let example = parse_strict(example.as_bytes()).map_err(ApiError::internal)?;
    schema.check(&example).map_err(|mismatches| {
        ApiError::field("example_request", "must match input_schema; see details.errors").detail("errors", json!(mismatches))
    })
}
