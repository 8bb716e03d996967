//! The request for a challenge. Each purpose has its own fields and no others.

use std::str::FromStr;

use crochet::http::ApiError;
use crochet::http::fields::{FieldProblems, Place};
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
    /// `INVALID_WALLET_ADDRESS`; `INVALID_REQUEST` for missing and wrong fields, and those of another purpose.
    pub(crate) fn read(mut self) -> Result<(WalletAddress, Binding), ApiError> {
        let purpose = self.purpose.unwrap_or_default();
        let mut problems = FieldProblems::new(Place::Body);
        let wallet = problems.take(field::wallet_address("wallet_address", &self.wallet_address))?;
        let binding = self.take_binding(purpose, &mut problems)?;
        // The fields of the purpose have been taken. Any other field belongs to another purpose.
        for (name, given, purposes) in self.left_over() {
            match self.purpose {
                _ if !given => {}
                Some(_) => problems.unexpected(name, &format!("of a challenge for {purpose}; it belongs to one for {purposes}")),
                // A field of another purpose most likely means that purpose.
                None => {
                    problems.missing_for("purpose", &format!("with `{name}` ({purposes})"));
                    problems.wrong(name, &format!("belongs to a challenge for {purposes}: set `purpose`, or leave `{name}` out"));
                }
            }
        }
        match (wallet, binding) {
            (Some(wallet), Some(binding)) if problems.is_empty() => Ok((wallet, binding)),
            _ => Err(problems.into_error()),
        }
    }

    /// What is bound. `None` if fields are missing or wrong, which `problems` tells.
    fn take_binding(&mut self, purpose: Purpose, problems: &mut FieldProblems) -> Result<Option<Binding>, ApiError> {
        let mut needs = Needs { purpose, problems };
        Ok(match purpose {
            Purpose::Register => Some(Binding::Register),
            Purpose::Recover => Some(Binding::Recover),
            Purpose::LinkWallet => {
                let profile_id = needs.id("profile_id", &mut self.profile_id)?;
                let address = needs.value("new_wallet_address", &mut self.new_wallet_address);
                let address = address.map(|text| field::wallet_address("new_wallet_address", &text));
                let address = address.map(|read| needs.problems.take(read)).transpose()?.flatten();
                let both = profile_id.zip(address);
                both.map(|(profile_id, new_wallet_address)| Binding::LinkWallet { profile_id, new_wallet_address })
            }
            Purpose::UpdateWallet => {
                let profile_id = needs.id("profile_id", &mut self.profile_id)?;
                let wallet_id = needs.id("wallet_id", &mut self.wallet_id)?;
                let change = needs.value("change", &mut self.change).map(|change| change.canonical());
                let change = change.map(|read| needs.problems.take(read)).transpose()?.flatten();
                let all = profile_id.zip(wallet_id).zip(change);
                all.map(|((profile_id, wallet_id), change)| Binding::UpdateWallet { profile_id, wallet_id, change })
            }
            Purpose::ClaimAgent => {
                let profile_id = needs.id("profile_id", &mut self.profile_id)?;
                let both = profile_id.zip(needs.id("operator_id", &mut self.operator_id)?);
                both.map(|(profile_id, operator_id)| Binding::ClaimAgent { profile_id, operator_id })
            }
            Purpose::OperatorLogin => {
                let profile_id = needs.id("profile_id", &mut self.profile_id)?;
                let both = profile_id.zip(needs.id("operator_id", &mut self.operator_id)?);
                both.map(|(profile_id, operator_id)| Binding::OperatorLogin { profile_id, operator_id })
            }
        })
    }

    /// The fields that some purposes have: name, whether it is still here, and the purposes.
    fn left_over(&self) -> [(&'static str, bool, &'static str); 5] {
        [
            ("profile_id", self.profile_id.is_some(), "link_wallet, update_wallet, claim_agent or operator_login"),
            ("new_wallet_address", self.new_wallet_address.is_some(), "link_wallet"),
            ("wallet_id", self.wallet_id.is_some(), "update_wallet"),
            ("change", self.change.is_some(), "update_wallet"),
            ("operator_id", self.operator_id.is_some(), "claim_agent or operator_login"),
        ]
    }
}

/// Takes what a purpose needs.
struct Needs<'p> {
    purpose: Purpose,
    problems: &'p mut FieldProblems,
}

impl Needs<'_> {
    fn value<T>(&mut self, field: &str, value: &mut Option<T>) -> Option<T> {
        let taken = value.take();
        if taken.is_none() {
            self.problems.missing_for(field, &format!("for a challenge for {}", self.purpose));
        }
        taken
    }

    fn id<T: FromStr>(&mut self, field: &str, value: &mut Option<String>) -> Result<Option<T>, ApiError> {
        let Some(text) = self.value(field, value) else { return Ok(None) };
        self.problems.take(field::uuid(field, &text))
    }
}

#[cfg(test)]
mod tests;
