//! The operator's secret.

use secrecy::SecretString;
use serde::Deserialize;

/// The operator's secret: the keys that belong to the deployment as a whole.
#[derive(Debug, Clone, Deserialize)]
pub struct OperatorSecret {
    /// API key for the payment provider. Empty when absent.
    #[serde(rename = "relay_api_key", default)]
    pub provider_api_key: SecretString,
    /// Key that signs pagination cursors.
    pub cursor_key: SecretString,
}
