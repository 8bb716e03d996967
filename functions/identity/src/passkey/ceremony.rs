//! Starting and taking ceremonies.

use crochet::app::App;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::StoreError;
use crochet_domain::passkey::{CEREMONY_MS, Ceremony, CeremonyPurpose};
use crochet_domain::timestamp::unix_ms;
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::relying_party::Started;

/// A ceremony in progress.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CeremonyStarted {
    /// The ceremony's id, required to finish it. A ceremony can be finished once.
    ceremony_id: String,
    /// The WebAuthn options as JSON, for `PublicKeyCredential.parseCreationOptionsFromJSON` (register) or
    /// `parseRequestOptionsFromJSON` (login).
    #[schema(value_type = Object)]
    public_key: Value,
    /// Seconds until the ceremony expires.
    expires_in: i64,
}

/// Stores a new ceremony and replies with the options for the browser.
pub(super) async fn start(app: &App, purpose: CeremonyPurpose, started: Started, now: OffsetDateTime) -> Result {
    let ceremony = Ceremony::start(purpose, started.state, unix_ms(now));
    app.store.save_ceremony(&ceremony).await?;
    Reply::ok(CeremonyStarted { ceremony_id: ceremony.id, public_key: started.public_key, expires_in: CEREMONY_MS / 1_000 })
}

/// Checks the form of a ceremony's id.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(super) fn ceremony_id(text: &str) -> Result<&str> {
    let problem = "must be the 32 lower-case hex digits that the start route returned";
    if Ceremony::is_id(text) { Ok(text) } else { Err(ApiError::field("ceremony_id", problem)) }
}

/// The ceremony that was taken, if it has not expired.
///
/// # Errors
/// `CEREMONY_INVALID`.
pub(super) fn open(taken: std::result::Result<Option<Ceremony>, StoreError>, now: OffsetDateTime) -> Result<Ceremony> {
    let ceremony = taken.map_err(after_use)?.filter(|ceremony| ceremony.is_open(unix_ms(now)));
    ceremony.ok_or_else(|| Code::CeremonyInvalid.into())
}

/// The error for a failure of the store after the ceremony was, or may have been, used up. The same request cannot succeed again,
/// so it advises to start over. The end of a session has its own recovery.
pub(super) fn after_use(error: StoreError) -> ApiError {
    if matches!(error, StoreError::SessionOver) {
        return error.into();
    }
    used_up(error.into())
}

/// An error after the ceremony was used up, with the advice to start over.
pub(super) fn used_up(error: ApiError) -> ApiError {
    let recovery = Code::CeremonyInvalid.recovery();
    error
        .recovery("next_action", recovery.next_action)
        .recovery("summary", recovery.summary)
        .recovery("preserve", json!(recovery.preserve))
        .recovery("discard", json!(recovery.discard))
}
