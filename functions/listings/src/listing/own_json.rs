//! JSON that is the seller's own: schemas and examples. Kept as it was written, checked for what it must do.

use crochet::http::{ApiError, Code};
use crochet_domain::json::parse_strict;
use crochet_domain::schema::InputSchema;
use serde_json::json;
use serde_json::value::RawValue;

/// Longest example, in bytes as written.
const MAX_EXAMPLE_BYTES: usize = 64 * 1024;

/// Takes a schema that can be checked against.
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

/// Takes an example.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(crate) fn example(field: &'static str, text: &RawValue) -> Result<String, ApiError> {
    if text.get().len() > MAX_EXAMPLE_BYTES {
        return Err(ApiError::field(field, "must be at most 64 KiB of JSON"));
    }
    Ok(text.get().to_owned())
}

/// Checks that a listing's example request is one that its own gateway would take.
///
/// # Errors
/// `INVALID_REQUEST`, naming `example_request`, with the places that do not fit.
pub(crate) fn check_example_request(example: Option<&str>, schema: Option<&str>) -> Result<(), ApiError> {
    let (Some(example), Some(schema)) = (example, schema) else { return Ok(()) };
    let schema = InputSchema::parse(schema).map_err(ApiError::internal)?;
    let example = parse_strict(example.as_bytes()).map_err(ApiError::internal)?;
    schema.check(&example).map_err(|mismatches| {
        ApiError::field("example_request", "must fit input_schema; see details.errors").detail("errors", json!(mismatches))
    })
}
