//! Names for the values of enums. In some languages they stand beside each other, whatever enum they belong to.

use serde_json::Value;

use super::envelopes::schemas;

/// Gives each value of a named enum a name that begins with the enum's.
pub(super) fn of_values(document: &mut Value) {
    for (name, schema) in schemas(document) {
        let Some(values) = schema["enum"].as_array() else { continue };
        let prefix = screaming(name);
        let names: Vec<String> =
            values.iter().filter_map(Value::as_str).map(|value| format!("{prefix}_{}", value.to_ascii_uppercase())).collect();
        schema["x-enum-varnames"] = names.into();
    }
}

/// `CallStatus` as `CALL_STATUS`.
fn screaming(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out
}
