//! JSON Schema 2020-12 for requests and responses: which schemas are accepted, and whether a body matches one.
//!
//! Sellers write schemas and buyers send bodies, so neither may make validation expensive: nothing is fetched, patterns run in
//! linear time, and [`graph`] refuses schemas whose subschemas multiply.

mod error;
mod graph;
mod pattern;
#[cfg(test)]
mod tests;
mod walk;

use std::fmt;

use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde::Serialize;
use serde_json::Value;

pub use error::SchemaError;
use error::shorten;
use graph::Graph;
use pattern::{MAX_PATTERN_BYTES, MAX_STATES_BYTES};

/// Maximum length of a schema, in bytes of JSON text.
pub const MAX_SCHEMA_BYTES: usize = 64 * 1024;
/// Maximum number of mismatches reported.
pub const MAX_MISMATCHES: usize = 20;
/// The only supported value of `$schema`.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Maximum cost of finding mismatches: bytes of the body times evaluations of subschemas.
const MAX_DETAIL_COST: u64 = 128 * 1024 * 1024;

/// One place where a body does not match its schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// JSON Pointer into the body; empty for the whole body.
    pub path: String,
    /// What is wrong there. The text says `value` instead of the value itself, which may be long or private.
    pub problem: String,
}

/// A compiled schema. Compiling takes longer than checking, so keep it.
pub struct InputSchema {
    validator: Validator,
    graph: Graph,
}

impl fmt::Debug for InputSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InputSchema(…)")
    }
}

impl InputSchema {
    /// Compiles a schema from JSON text.
    ///
    /// # Errors
    /// [`SchemaError`] if it is longer than [`MAX_SCHEMA_BYTES`], of another draft or invalid, if it refers to another document, or
    /// if validation could take too long.
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        if text.len() > MAX_SCHEMA_BYTES {
            return Err(SchemaError::new("it is longer than 64 KiB"));
        }
        let mut schema: Value = serde_json::from_str(text).map_err(|_| SchemaError::new("it is not JSON"))?;
        match &mut schema {
            Value::Bool(_) => {}
            Value::Object(members) => {
                if members.get("$schema").is_some_and(|dialect| !is_dialect(dialect)) {
                    return Err(SchemaError::new(format_args!("its $schema must be {DIALECT}, or be left out")));
                }
                // The document's own $id has no effect: every reference starts at its root anyway.
                members.shift_remove("$id");
            }
            _ => return Err(SchemaError::new("it must be an object, true or false")),
        }
        let graph = walk::graph_of(&schema)?;
        let patterns = PatternOptions::regex().size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_STATES_BYTES);
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(patterns)
            .offline()
            .build(&schema)
            .map_err(|error| SchemaError::at(error.instance_path().as_str(), error.masked()))?;
        Ok(Self { validator, graph })
    }

    /// Checks a body.
    ///
    /// # Errors
    /// At most [`MAX_MISMATCHES`] mismatches. If finding them all would take too long, a single one for the whole body.
    pub fn check(&self, instance: &Value) -> Result<(), Vec<Mismatch>> {
        if self.validator.is_valid(instance) {
            return Ok(());
        }
        let extent = Extent::of(instance);
        if self.graph.evaluations(extent.depth).saturating_mul(extent.bytes) > MAX_DETAIL_COST {
            let problem = "value does not fit the schema; it is too large, or too deeply nested, to say where".into();
            return Err(vec![Mismatch { path: String::new(), problem }]);
        }
        Err(self.validator.iter_errors(instance).take(MAX_MISMATCHES).map(|error| mismatch(&error)).collect())
    }
}

fn is_dialect(dialect: &Value) -> bool {
    dialect.as_str().is_some_and(|uri| uri.strip_suffix('#').unwrap_or(uri) == DIALECT)
}

fn mismatch(error: &ValidationError<'_>) -> Mismatch {
    Mismatch { path: error.instance_path().as_str().to_owned(), problem: shorten(&error.masked().to_string()) }
}

/// Approximate size of a body.
struct Extent {
    bytes: u64,
    depth: usize,
}

impl Extent {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Self { bytes: 8, depth: 0 },
            Value::String(text) => Self { bytes: 8 + text.len() as u64, depth: 0 },
            Value::Array(items) => items.iter().map(Self::of).fold(Self { bytes: 8, depth: 0 }, Self::with),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| {
                    let inner = Self::of(value);
                    Self { bytes: inner.bytes + name.len() as u64, ..inner }
                })
                .fold(Self { bytes: 8, depth: 0 }, Self::with),
        }
    }

    fn with(self, inner: Self) -> Self {
        Self { bytes: self.bytes + inner.bytes, depth: self.depth.max(inner.depth + 1) }
    }
}
