//! `crochet-admin receipts`: the keys of receipts.

use crochet::app::App;
use crochet::endpoint_secrets::SecretsManager;
use crochet_domain::ids::{random_bytes, sha256_hex};
use crochet_domain::timestamp::{from_unix_ms, rfc3339, unix_ms};

/// How long a new key is shown before it signs: an hour. Functions read the secret every ten minutes.
const SHOWN_BEFORE_MS: i64 = 3_600_000;

/// Adds a key that signs from in an hour. Returns what was done, as text.
///
/// # Errors
/// One sentence that says why it was not done.
pub(crate) async fn rotate(app: &App) -> Result<String, String> {
    let secrets = SecretsManager::connect(&app.config).await;
    let secret = secrets.receipt_secret(&app.config).await.map_err(|error| error.to_string())?;
    let from_ms = unix_ms(app.clock.now()) + SHOWN_BEFORE_MS;
    let seed = sha256_hex(random_bytes::<32>());
    secrets.put_receipt_secret(&app.config, &secret.rotated(&seed, from_ms)).await.map_err(|error| error.to_string())?;
    Ok(format!("Receipts are signed with a new key from {} on.\n", rfc3339(from_unix_ms(from_ms))))
}
