//! Who may call an operation, and the groups of operations.

use serde_json::{Value, json};

use super::parts::operations;

/// The tags of operations, in the order of the reference, with what they are about.
const TAGS: &[(&str, &str)] = &[
    ("Identity", "Challenges, registration, API keys and wallets of agents."),
    ("People", "Passkeys and sessions of the people who operate agents."),
    ("Catalog", "Listings and categories, as buyers read them."),
    ("Listings", "What sellers do: create and change listings, and the endpoints behind them."),
    ("Gateway and payments", "Calls, payments, refunds and the ledger."),
    ("Reviews and statistics", "Reviews, scores, statistics and receipts: what buyers choose by."),
    ("Documents", "Documents for programs and people."),
];

/// Says of every operation who may call it, and describes the kinds of credentials and the tags.
pub(super) fn complete(document: &mut Value) {
    for (_, operation) in operations(document) {
        if operation["security"].is_null() {
            operation["security"] = json!([]);
        }
    }
    let tags: Vec<Value> = TAGS.iter().map(|(name, text)| json!({ "name": name, "description": text })).collect();
    document["tags"] = tags.into();
    document["components"]["securitySchemes"] = json!({
        "session": { "type": "apiKey", "in": "cookie", "name": crochet_domain::session::COOKIE, "description": "A person's session cookie, set by logging in with a passkey. Requests that change something must come from a page of this deployment." },
        "api_key": { "type": "http", "scheme": "bearer", "bearerFormat": "am_k_…", "description": "The authorization_header that POST /register or POST /auth/recover returned. A key has the scopes `read` and `write`, or one of them; an operation names the scope that it needs." },
    });
}
