//! `POST /auth/passkey/recovery-codes`: replace the recovery codes.

use axum::extract::State;
use crochet::app::App;
use crochet::http::session::Person;
use crochet::http::{Reply, Result};
use crochet::store::retry::retry_on_conflict;
use crochet::wire::person::RecoveryCodes;
use crochet_domain::recovery_code::{RECOVERY_CODES, RecoveryCode};

use super::credentials::passkeys;
use crate::attempt::AttemptError;

/// Ten new random codes.
pub(super) fn generate() -> Vec<RecoveryCode> {
    (0..RECOVERY_CODES).map(|_| RecoveryCode::generate()).collect()
}

crochet::error_list!(ReplaceRecoveryCodesErrors: Person; CrossSiteRequest, ReauthenticationRequired);

/// Get ten new recovery codes. They are shown only once, and the old ones stop working.
#[utoipa::path(post, path = "/api/v1/auth/passkey/recovery-codes", operation_id = "replace_recovery_codes", tag = "People",
    security(("session" = [])),
    responses((status = 200, body = RecoveryCodes, description = "The codes."), ReplaceRecoveryCodesErrors))]
pub(crate) async fn replace(State(app): State<App>, person: Person) -> Result {
    person.may_change_ways_in(&app)?;
    let codes = generate();
    let hashes: Vec<String> = codes.iter().map(RecoveryCode::sha256).collect();
    retry_on_conflict(|| async {
        let known = passkeys(&app, person.profile()).await?;
        // If the new codes are stored, the reply to our own write was lost.
        if known.recovery_codes != hashes {
            let after = known.with_recovery_codes(hashes.clone());
            app.store.replace_recovery_codes(&person.session, &known, &after).await?;
        }
        Ok::<_, AttemptError>(())
    })
    .await?;
    Reply::ok(RecoveryCodes::of(&codes))
}
