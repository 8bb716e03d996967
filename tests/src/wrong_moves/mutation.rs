//! What is wrong with a move: changes of a right request, as the table writes them.

use std::io::Write;

use serde_json::{Value, json};

use super::attempt::{Attempt, Body};
use crate::failure::Failure;

/// Applies one change, a list that begins with its name.
pub(super) fn spoil(attempt: &mut Attempt, change: &Value, id: &str) -> Result<(), Failure> {
    let text = |at: usize| change[at].as_str().unwrap_or_default().replace("{id}", id);
    let (first, second) = (text(1), text(2));
    match change[0].as_str().unwrap_or_default() {
        "rename" => {
            if let Some(value) = attempt.remove(&first) {
                attempt.set(&second, value);
            }
        }
        "drop" => drop(attempt.remove(&first)),
        "set" => attempt.set(&first, change[2].clone()),
        "long" => attempt.set(&first, "x".repeat(usize::try_from(change[2].as_u64().unwrap_or(0)).unwrap_or(0)).into()),
        "path" => attempt.path = first,
        "method" => attempt.method = first.parse().map_err(|_| Failure::new(format!("no method: {first}")))?,
        "header" => drop(attempt.headers.insert(first, second)),
        "no_header" => drop(attempt.headers.remove(&first)),
        "long_header" => drop(attempt.headers.insert(first, "x".repeat(9_000))),
        // The key alone, without its scheme.
        "bare_key" => {
            let key = attempt.headers.remove("authorization").unwrap_or_default();
            attempt.headers.insert(first, key.trim_start_matches("Bearer ").to_owned());
        }
        "query" => attempt.query.push((first, second)),
        "raw_query" => {
            attempt.query.clear();
            attempt.raw_query = first;
        }
        "raw" => attempt.body = Body::Raw(first.into_bytes()),
        "json" => attempt.body = Body::Json(change[1].clone()),
        "no_body" => attempt.body = Body::None,
        "in_list" => {
            if let Body::Json(body) = &attempt.body {
                attempt.body = Body::Json(json!([body]));
            }
        }
        "with_mark" => {
            if let Body::Json(body) = &attempt.body {
                attempt.body = Body::Raw(format!("\u{feff}{body}").into_bytes());
            }
        }
        "gzip" => {
            if let Body::Json(body) = &attempt.body {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(body.to_string().as_bytes()).map_err(|error| Failure::new(error.to_string()))?;
                attempt.body = Body::Raw(encoder.finish().map_err(|error| Failure::new(error.to_string()))?);
                attempt.headers.insert("content-encoding".into(), "gzip".into());
            }
        }
        other => return Err(Failure::new(format!("there is no change {other}"))),
    }
    Ok(())
}
