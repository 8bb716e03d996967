//! Successful replies: handlers describe `data`, and the envelope around it is added here, under a name of its own.

use serde_json::{Map, Value, json};

use super::parts::{operations, pascal, reference, referred};

/// Puts the `data` of every successful reply into a named envelope.
pub(super) fn name(document: &mut Value) {
    let mut envelopes = Map::new();
    for (path, operation) in operations(document) {
        if !path.starts_with("/api/v1") || path.ends_with(".json") {
            continue;
        }
        let id = operation["operationId"].as_str().map(pascal).unwrap_or_default();
        for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
            let Some(schema) = response.pointer_mut("/content/application~1json/schema") else { continue };
            if !status.starts_with('2') || referred(schema).is_some_and(|name| name.ends_with("Envelope")) {
                continue;
            }
            let name = format!("{}Envelope", referred(schema).unwrap_or(&id));
            envelopes.insert(name.clone(), envelope(schema.take()));
            *schema = reference(&name);
        }
    }
    schemas(document).extend(envelopes);
}

fn envelope(data: Value) -> Value {
    json!({
        "type": "object",
        "description": "A success.",
        "required": ["success", "data"],
        "properties": { "success": { "type": "boolean", "description": "Always `true`." }, "data": data },
    })
}

/// The named schemas.
pub(super) fn schemas(document: &mut Value) -> &mut Map<String, Value> {
    document["components"]["schemas"].as_object_mut().expect("the document has schemas")
}
