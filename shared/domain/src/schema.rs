//! JSON Schema 2020-12 of calls and answers: which schemas are taken, and whether a body fits one.
//!
//! Sellers write schemas and buyers send bodies, so neither may make the check expensive: nothing is fetched, patterns run in
//! linear time, and [`shape`] refuses schemas that multiply themselves.

mod shape;
#[cfg(test)]
mod tests;

use std::fmt;

use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde::Serialize;
use serde_json::Value;

use shape::Shape;

/// Longest schema, in bytes of JSON text.
pub const MAX_SCHEMA_BYTES: usize = 64 * 1024;
/// Mismatches that are told at most.
pub const MAX_MISMATCHES: usize = 20;
/// Longest text of one problem, in characters.
const MAX_PROBLEM_CHARS: usize = 200;
/// Largest compiled pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 256 * 1024;
/// The one dialect, as `$schema` spells it.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Where details are worked out, body bytes times subschemas that may be asked come to no more than this.
const MAX_DETAIL_COST: u64 = 128 * 1024 * 1024;

/// Why a schema is not taken: what follows "the schema cannot be used: ".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError(String);

impl SchemaError {
    fn new(problem: impl fmt::Display) -> Self {
        Self(shortened(&problem.to_string()))
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SchemaError {}

/// One place at which a body does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Where, as a JSON Pointer into the body; empty for the body as a whole.
    pub path: String,
    /// What is wrong there. The value itself is called `value`: it may be long, or private.
    pub problem: String,
}

/// A schema that bodies can be checked against. Making one takes longer than using it: keep it.
pub struct InputSchema {
    validator: Validator,
    shape: Shape,
}

impl fmt::Debug for InputSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InputSchema(…)")
    }
}

impl InputSchema {
    /// Reads a schema from JSON text.
    ///
    /// # Errors
    /// [`SchemaError`] where it is longer than [`MAX_SCHEMA_BYTES`], of another draft, invalid, or would lead out of its own
    /// document or into endless work.
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
                // A name of the whole document changes nothing inside it: every reference starts at its root anyway.
                members.shift_remove("$id");
            }
            _ => return Err(SchemaError::new("it must be an object, true or false")),
        }
        let shape = Shape::of(&schema)?;
        let patterns = PatternOptions::regex().size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES);
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(patterns)
            .offline()
            .build(&schema)
            .map_err(|error| SchemaError::new(format_args!("{}: {}", place(error.instance_path().as_str()), error.masked())))?;
        Ok(Self { validator, shape })
    }

    /// Checks a body.
    ///
    /// # Errors
    /// What does not fit, at most [`MAX_MISMATCHES`] of it. Where finding the places would take too long, one mismatch stands
    /// for the body as a whole.
    pub fn check(&self, instance: &Value) -> Result<(), Vec<Mismatch>> {
        if self.validator.is_valid(instance) {
            return Ok(());
        }
        let extent = Extent::of(instance);
        if self.shape.evaluations(extent.depth).saturating_mul(extent.bytes) > MAX_DETAIL_COST {
            let problem = "value does not fit the schema; it is too large, or too deeply nested, to say where".into();
            return Err(vec![Mismatch { path: String::new(), problem }]);
        }
        Err(self.validator.iter_errors(instance).take(MAX_MISMATCHES).map(|error| mismatch(&error)).collect())
    }
}

fn is_dialect(dialect: &Value) -> bool {
    dialect.as_str().is_some_and(|uri| uri.strip_suffix('#').unwrap_or(uri) == DIALECT)
}

/// Where in a schema, in words.
fn place(pointer: &str) -> String {
    if pointer.is_empty() { "at its root".into() } else { format!("at {pointer}") }
}

fn mismatch(error: &ValidationError<'_>) -> Mismatch {
    Mismatch { path: error.instance_path().as_str().to_owned(), problem: shortened(&error.masked().to_string()) }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_PROBLEM_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// How large a body is, near enough.
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
