//! `POST /api-keys/report-leak`: anybody who finds a key can revoke it.

use axum::extract::State;
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::AuthLimit;
use crochet::http::request::Json;
use crochet::http::{ApiError, Reply, Result};
use crochet_domain::api_key::ApiKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The leaked key.
#[derive(Deserialize, ToSchema)]
pub(crate) struct LeakedKey {
    /// The whole key, including `am_k_`.
    #[schema(min_length = 53, max_length = 53, pattern = "^am_k_[0-9A-Za-z]{48}$")]
    api_key: String,
}

/// The confirmation that the key does not work.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeakedKeyRevoked {
    /// Always `true`, whether the key was revoked now, was revoked before, or never existed.
    revoked: bool,
}

crochet::error_list!(ReportLeakedApiKeyErrors: Anonymous<AuthLimit>, Json<LeakedKey>;);

/// Report a leaked API key. It stops working with the next request.
///
/// You only need to send the whole key: anybody who has it could do worse. The reply is the same if the key was revoked before or
/// never existed, so it reveals nothing.
#[utoipa::path(post, path = "/api/v1/api-keys/report-leak", operation_id = "report_leaked_api_key", tag = "Identity", request_body = LeakedKey,
    responses((status = 200, body = LeakedKeyRevoked, description = "The key does not work any more, or never did."), ReportLeakedApiKeyErrors))]
pub(crate) async fn report_leaked_api_key(
    State(app): State<App>,
    _: Anonymous<AuthLimit>,
    Json(LeakedKey { api_key }): Json<LeakedKey>,
) -> Result {
    let key = ApiKey::parse(api_key.trim()).map_err(|_| {
        ApiError::field("api_key", "must be a whole API key: am_k_…, 53 characters, the last six of which are a checksum")
    })?;
    // The id alone is not enough, because it appears in lists and logs.
    if let Some(stored) = app.store.api_key(key.id()).await?.filter(|stored| stored.hash.matches(&key)) {
        app.store.revoke_key(&stored).await?;
    }
    Reply::ok(LeakedKeyRevoked { revoked: true })
}
