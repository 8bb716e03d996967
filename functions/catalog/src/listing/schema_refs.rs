//! Moves a listing's schema into an OpenAPI document, where its references would lead elsewhere.

use serde_json::Value;

/// The name of the schema of requests.
pub(super) const INPUT: &str = "Input";
/// The name of the schema of responses.
pub(super) const OUTPUT: &str = "Output";

/// Keywords whose members are schemas with names of their own.
const NAMED: &[&str] = &["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];
/// Keywords whose values are data, whatever they look like.
const DATA: &[&str] = &["const", "enum", "default", "examples", "example"];

/// The schema with its local references changed to lead into `#/components/schemas/{name}`. A schema with an `$id` resolves its
/// references itself and stays as it is.
pub(super) fn relocated(mut schema: Value, name: &str) -> Value {
    move_refs(&mut schema, &format!("#/components/schemas/{name}"));
    schema
}

fn move_refs(schema: &mut Value, place: &str) {
    match schema {
        Value::Object(members) if !members.contains_key("$id") => {
            for (keyword, value) in members {
                match value {
                    Value::String(target) if keyword == "$ref" => {
                        if let Some(pointer) =
                            target.strip_prefix('#').filter(|pointer| pointer.is_empty() || pointer.starts_with('/'))
                        {
                            *target = format!("{place}{pointer}");
                        }
                    }
                    Value::Object(named) if NAMED.contains(&keyword.as_str()) => {
                        named.values_mut().for_each(|schema| move_refs(schema, place));
                    }
                    _ if DATA.contains(&keyword.as_str()) => {}
                    value => move_refs(value, place),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| move_refs(item, place)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_lead_to_where_the_schema_is() {
        let schema = json!({
            "$defs": { "$ref": { "type": "string" }, "enum": { "$ref": "#" } },
            "properties": { "const": { "$ref": "#/$defs/$ref" }, "tree": { "items": [{ "$ref": "#" }] } },
            "enum": [{ "$ref": "#/$defs/x" }],
            "anyOf": [{ "$ref": "#anchor" }, { "$ref": "https://example.com/s#/x" }],
        });
        let moved = relocated(schema.clone(), INPUT);
        let at = |pointer: &str| moved.pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(at("/properties/const/$ref"), "#/components/schemas/Input/$defs/$ref");
        assert_eq!(at("/properties/tree/items/0/$ref"), "#/components/schemas/Input");
        assert_eq!(at("/$defs/enum/$ref"), "#/components/schemas/Input");
        for unchanged in ["/$defs/$ref", "/enum", "/anyOf"] {
            assert_eq!(moved.pointer(unchanged), schema.pointer(unchanged), "{unchanged}");
        }
    }

    #[test]
    fn a_schema_with_an_id_keeps_its_references() {
        let schema = json!({ "$id": "https://example.com/s", "properties": { "a": { "$ref": "#/$defs/a" } } });
        assert_eq!(relocated(schema.clone(), OUTPUT), schema);
    }
}
