//! The request for a challenge. Each purpose has its own fields and no others.

use std::str::FromStr;

use crochet::http::ApiError;
use crochet::http::request::unknown_field;
use crochet::wire::schema;
use crochet_domain::challenge::{Binding, Purpose};
use crochet_domain::wallet::WalletAddress;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::field;
use crate::wallet::change::WalletChange;

/// The challenge to create.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChallengeRequest)]
pub(crate) struct NewChallenge {
    /// The wallet that will sign: `0x…` (EVM) or base58 (Solana).
    #[schema(pattern = "^(0x[0-9A-Fa-f]{40}|[1-9A-HJ-NP-Za-km-z]{32,44})$")]
    wallet_address: String,
    /// `register` (default), `recover`, `link_wallet`, `update_wallet`, `claim_agent` or `operator_login`.
    #[schema(value_type = Option<schema::Purpose>)]
    purpose: Option<Purpose>,
    /// The profile that the action concerns; for `link_wallet`, `update_wallet`, `claim_agent` and `operator_login`.
    #[schema(format = "uuid")]
    profile_id: Option<String>,
    /// The wallet to link; for `link_wallet`.
    #[schema(pattern = "^(0x[0-9A-Fa-f]{40}|[1-9A-HJ-NP-Za-km-z]{32,44})$")]
    new_wallet_address: Option<String>,
    /// The wallet to change; for `update_wallet`.
    #[schema(format = "uuid")]
    wallet_id: Option<String>,
    /// The fields of `PATCH /me/wallets/{id}` without `proof`; for `update_wallet`.
    change: Option<WalletChange>,
    /// The person's profile; for `claim_agent` and `operator_login`.
    #[schema(format = "uuid")]
    operator_id: Option<String>,
}

impl NewChallenge {
    /// The wallet, and everything that its signature will authorize.
    ///
    /// # Errors
    /// `INVALID_WALLET_ADDRESS`; `INVALID_REQUEST` for a missing or wrong field; `UNKNOWN_FIELD` for a field of another purpose.
    pub(crate) fn read(mut self) -> Result<(WalletAddress, Binding), ApiError> {
        let purpose = self.purpose.unwrap_or_default();
        let wallet = field::wallet_address("wallet_address", &self.wallet_address)?;
        let binding = self.take_binding(purpose)?;
        // The fields of the purpose have been taken. Any other field belongs to another purpose.
        match self.left_over() {
            Some(field) => {
                Err(unknown_field(field)
                    .message(format!("Remove the field `{field}`: a challenge for {purpose} does not have it.")))
            }
            None => Ok((wallet, binding)),
        }
    }

    fn take_binding(&mut self, purpose: Purpose) -> Result<Binding, ApiError> {
        Ok(match purpose {
            Purpose::Register => Binding::Register,
            Purpose::Recover => Binding::Recover,
            Purpose::LinkWallet => {
                let profile_id = needed_id("profile_id", &mut self.profile_id, purpose)?;
                let address = needed("new_wallet_address", &mut self.new_wallet_address, purpose)?;
                Binding::LinkWallet { profile_id, new_wallet_address: field::wallet_address("new_wallet_address", &address)? }
            }
            Purpose::UpdateWallet => Binding::UpdateWallet {
                profile_id: needed_id("profile_id", &mut self.profile_id, purpose)?,
                wallet_id: needed_id("wallet_id", &mut self.wallet_id, purpose)?,
                change: needed("change", &mut self.change, purpose)?.canonical()?,
            },
            Purpose::ClaimAgent => Binding::ClaimAgent {
                profile_id: needed_id("profile_id", &mut self.profile_id, purpose)?,
                operator_id: needed_id("operator_id", &mut self.operator_id, purpose)?,
            },
            Purpose::OperatorLogin => Binding::OperatorLogin {
                profile_id: needed_id("profile_id", &mut self.profile_id, purpose)?,
                operator_id: needed_id("operator_id", &mut self.operator_id, purpose)?,
            },
        })
    }

    fn left_over(&self) -> Option<&'static str> {
        [
            ("profile_id", self.profile_id.is_some()),
            ("new_wallet_address", self.new_wallet_address.is_some()),
            ("wallet_id", self.wallet_id.is_some()),
            ("change", self.change.is_some()),
            ("operator_id", self.operator_id.is_some()),
        ]
        .into_iter()
        .find_map(|(field, given)| given.then_some(field))
    }
}

fn needed<T>(field: &str, value: &mut Option<T>, purpose: Purpose) -> Result<T, ApiError> {
    value.take().ok_or_else(|| ApiError::field(field, &format!("is required for a challenge for {purpose}")))
}

fn needed_id<T: FromStr>(field: &str, value: &mut Option<String>, purpose: Purpose) -> Result<T, ApiError> {
    field::uuid(field, &needed(field, value, purpose)?)
}

#[cfg(test)]
mod tests;
