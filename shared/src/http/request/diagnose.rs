//! All that is wrong with the fields of a body that could not be read as its type.
//!
//! serde stops at the first problem. So the body is read again without what is known to be wrong, and with a stand-in for what is
//! missing, until it can be read. This happens on refusal only.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::known_fields::known_fields;
use crate::http::fields::{FieldProblems, Place};
use crate::http::masked::{masked, without_value};

/// Maximum number of times that a body is read.
const MAX_READS: usize = 200;

/// What reading a body found.
pub(super) struct Reading<T> {
    pub(super) parsed: Result<T, Wrong>,
    /// Fields that the type does not have.
    pub(super) unknown: Vec<String>,
}

/// The field at which reading ended.
pub(super) struct Wrong {
    path: String,
    problem: String,
}

/// Reads a body as `T`.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Reading<T> {
    let mut unknown = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let parsed = serde_ignored::deserialize(tracked, |path| {
        // serde_ignored writes `?` for an Option.
        unknown.push(path.to_string().replace(".?", ""));
    });
    let parsed = parsed.map_err(|error: serde_json::Error| {
        let problem = error.to_string();
        let problem = masked(&without_value(problem.split(" at line ").next().unwrap_or_default()));
        Wrong { path: track.path().to_string(), problem }
    });
    Reading { parsed, unknown }
}

impl Wrong {
    /// The missing field, with its place: serde reports only the object that lacks it.
    fn missing(&self) -> Option<String> {
        let field = self.problem.strip_prefix("missing field `")?.strip_suffix('`')?;
        Some(if self.path == "." { field.to_owned() } else { format!("{}.{field}", self.path) })
    }

    /// Continues after the field's name.
    fn sentence(&self) -> String {
        if self.problem.starts_with("must ") { self.problem.clone() } else { format!("is wrong: {}", self.problem) }
    }

    /// Whether the body as a whole is of the wrong type.
    fn is_whole(&self) -> bool {
        self.path == "." && self.missing().is_none()
    }
}

/// The problems of a body that cannot be read as `T`, beginning with what the first reading found.
pub(super) fn problems<T: DeserializeOwned>(body: &[u8], place: Place, first: Reading<T>) -> FieldProblems {
    let mut problems = FieldProblems::new(place);
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return problems };
    let mut reading = first;
    // Stand-ins: the path, and the number of the next one to try.
    let mut stand_ins: Vec<(String, usize)> = Vec::new();
    for _ in 0..MAX_READS {
        for field in &reading.unknown {
            problems.unknown(&masked(field), known_fields::<T>(&segments(field)));
            remove(&mut value, field);
        }
        let Err(wrong) = &reading.parsed else { break };
        if wrong.is_whole() {
            problems.wrong("body", &wrong.problem);
            break;
        }
        let replaced = stand_ins.iter().position(|(path, _)| is_within(&wrong.path, path) && wrong.missing().is_none());
        if let Some(at) = replaced {
            let (path, next) = &mut stand_ins[at];
            let Some(value_there) = stand_in(*next, &wrong.problem) else { break };
            *next += 1;
            set(&mut value, path, value_there);
        } else if let Some(field) = wrong.missing() {
            if !stand_ins.iter().any(|(path, _)| is_within(&field, path)) {
                problems.missing(&field);
            }
            set(&mut value, &field, Value::from(STAND_IN));
            stand_ins.push((field, 0));
        } else {
            // A member of a list is blamed, the list is taken out.
            let path = wrong.path.split('[').next().unwrap_or_default().to_owned();
            problems.wrong(&masked(&wrong.path), &wrong.sentence());
            remove(&mut value, &path);
        }
        let Ok(next) = serde_json::to_vec(&value) else { break };
        reading = read::<T>(&next);
        // A field that was taken out because it was wrong is not missing: the list of problems keeps the first of each field.
    }
    problems
}

/// The first stand-in: most fields are text.
const STAND_IN: &str = "xxxxxxxx";

/// Other stand-ins, one after another. An enum tells its values.
fn stand_in(n: usize, problem: &str) -> Option<Value> {
    if let Some((_, expected)) = problem.split_once("expected ").filter(|_| problem.starts_with("unknown variant")) {
        return expected.split('`').nth(1).filter(|_| n < 8).map(Value::from);
    }
    let others = [Value::from(1), Value::Bool(true), Value::Array(Vec::new()), Value::Object(serde_json::Map::new())];
    others.get(n).cloned()
}

fn segments(path: &str) -> Vec<&str> {
    path.split('.').collect()
}

fn is_within(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn parent<'v, 'p>(value: &'v mut Value, path: &'p str) -> Option<(&'v mut serde_json::Map<String, Value>, &'p str)> {
    let (parents, name) = path.rsplit_once('.').map_or(("", path), |(parents, name)| (parents, name));
    let mut at = value;
    for segment in parents.split('.').filter(|segment| !segment.is_empty()) {
        at = at.get_mut(segment)?;
    }
    at.as_object_mut().map(|object| (object, name))
}

fn remove(value: &mut Value, path: &str) {
    if let Some((object, name)) = parent(value, path) {
        object.shift_remove(name);
    }
}

fn set(value: &mut Value, path: &str, to: Value) {
    if let Some((object, name)) = parent(value, path) {
        object.insert(name.to_owned(), to);
    }
}
