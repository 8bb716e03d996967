//! `POST /auth/passkey/recovery-codes`: ten new recovery codes.

use axum::extract::State;
use crochet::app::App;
use crochet::http::session::Person;
use crochet::http::{Reply, Result};
use crochet::store::StoreError;
use crochet::wire::person::RecoveryCodes;
use crochet_domain::recovery_code::{RECOVERY_CODES, RecoveryCode};

use super::TRIES;
use super::credentials::passkeys;

/// Ten codes of the operating system's randomness.
pub(super) fn fresh() -> Vec<RecoveryCode> {
    (0..RECOVERY_CODES).map(|_| RecoveryCode::generate()).collect()
}

crochet::error_list!(ReplaceRecoveryCodesErrors: Person; CrossSiteRequest);

/// Get ten new recovery codes. The old ones end. They are shown this once.
#[utoipa::path(post, path = "/api/v1/auth/passkey/recovery-codes", operation_id = "replace_recovery_codes", tag = "People",
    security(("session" = [])),
    responses((status = 200, body = RecoveryCodes, description = "The codes."), ReplaceRecoveryCodesErrors))]
pub(crate) async fn replace(State(app): State<App>, person: Person) -> Result {
    let codes = fresh();
    let hashes: Vec<String> = codes.iter().map(RecoveryCode::sha256).collect();
    for _ in 0..TRIES {
        let known = passkeys(&app, person.profile()).await?;
        // The second time round: our own write, whose reply was lost.
        if known.recovery_codes == hashes {
            return Reply::ok(RecoveryCodes::of(&codes));
        }
        match app.store.replace_codes(&person.session, &known, &known.with_codes(hashes.clone())).await {
            Ok(()) => return Reply::ok(RecoveryCodes::of(&codes)),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}
