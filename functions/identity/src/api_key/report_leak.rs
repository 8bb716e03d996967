//! `POST /api-keys/report-leak`: whoever finds a key can end it.

use axum::extract::State;
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::AuthLimit;
use crochet::http::request::Json;
use crochet::http::{ApiError, Reply, Result};
use crochet_domain::api_key::ApiKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A key that was found where it should not be.
#[derive(Deserialize, ToSchema)]
pub(crate) struct LeakedKey {
    /// The whole key, `am_k_` included.
    #[schema(min_length = 53, max_length = 53)]
    api_key: String,
}

/// That a key no longer works.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeakedKeyRevoked {
    /// Always `true`: the key does not work, from now on or since before.
    revoked: bool,
}

crochet::error_list!(ReportLeakedApiKeyErrors: Anonymous<AuthLimit>, Json<LeakedKey>;);

/// Report a leaked API key: the key that is shown ends with the next request.
///
/// Showing the whole key is all it takes: whoever has it could do worse. The answer is the same for a key that has ended
/// already or never was one, so it tells nobody anything.
#[utoipa::path(post, path = "/api/v1/api-keys/report-leak", operation_id = "report_leaked_api_key", tag = "Identity", request_body = LeakedKey,
    responses((status = 200, body = LeakedKeyRevoked, description = "The key does not work."), ReportLeakedApiKeyErrors))]
pub(crate) async fn report_leaked_api_key(
    State(app): State<App>,
    _: Anonymous<AuthLimit>,
    Json(LeakedKey { api_key }): Json<LeakedKey>,
) -> Result {
    let key = ApiKey::parse(api_key.trim())
        .map_err(|_| ApiError::field("api_key", "must be a whole API key: am_k_…, 53 characters, the last six a checksum"))?;
    // The id alone proves nothing: it stands in lists and logs.
    if let Some(stored) = app.store.api_key(key.id()).await?.filter(|stored| stored.hash.matches(&key)) {
        app.store.revoke_key(&stored).await?;
    }
    Reply::ok(LeakedKeyRevoked { revoked: true })
}
