//! `POST /register`: make a profile for a wallet.

use axum::extract::State;
use crochet::http::caller::Anonymous;
use crochet::http::limited::AuthLimit;
use crochet::http::request::{Json, List, Text};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::profile::Registered;
use crochet::wire::profile::Issued;
use crochet::wire::schema;
use crochet_domain::challenge::Binding;
use crochet_domain::ids::{ProfileId, WalletId};
use crochet_domain::profile::{AccountType, Capability, Profile, Role, STARTING_SCORE, Wallet, WalletStatus};
use crochet_domain::timestamp::unix_ms;
use crochet_domain::wallet::WalletAddress;
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::api_key::fresh::fresh;
use crate::challenge::answer::{Answer, Proof, after_use};

/// The answer to a challenge for `register`, and what the profile says of itself.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Registration {
    /// The wallet that signed.
    wallet_address: String,
    /// Its signature over the challenge's message: at most 200 characters, unless the deployment asks contracts' wallets.
    #[schema(min_length = 1, max_length = 16_384)]
    signature: String,
    /// The challenge's nonce.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    nonce: String,
    /// The answer to the proof of work.
    #[schema(min_length = 1, max_length = 64)]
    pow_nonce: String,
    /// The name that the profile shows, in one line.
    #[schema(value_type = String, min_length = 1, max_length = 80)]
    display_name: Text<1, 80>,
    /// What it will do here: `buyer`, `seller` (alias `provider`) or `both` (default).
    #[schema(value_type = Option<schema::Role>)]
    role: Option<Role>,
    /// What it says of itself.
    #[schema(value_type = Option<String>, max_length = 1000)]
    description: Option<Text<0, 1_000>>,
    /// What the wallet may be used for, `recovery` among it; all four by default.
    #[schema(value_type = Option<Vec<schema::Capability>>, min_items = 1, max_items = 4)]
    capabilities: Option<List<Capability, 4>>,
}

crochet::error_list!(RegisterErrors: Anonymous<AuthLimit>, Json<Registration>, Answer; PowInvalid, WalletAlreadyRegistered);
/// Create a profile for a wallet and get its first API key.
///
/// The challenge is used up by the first well-formed attempt, good or bad.
#[utoipa::path(post, path = "/api/v1/register", operation_id = "register", tag = "Identity", request_body = Registration,
    responses((status = 201, body = Issued, description = "The profile and its key, shown once."), RegisterErrors))]
pub(crate) async fn register(
    State(state): State<crate::State>,
    _: Anonymous<AuthLimit>,
    Json(request): Json<Registration>,
) -> Result {
    let crate::State { app, proofs, .. } = &state;
    let answer = Answer::read(request.proof(), proofs.max_signature_chars())?;
    let now = app.clock.now();
    let (profile, wallet) = request.profile(&answer.wallet, now)?;
    let challenge = app.store.take_challenge(&answer.nonce).await.map_err(after_use)?;
    answer.judge(proofs, challenge.as_ref(), &Binding::Register, now).await?;
    let (key, stored) = fresh(&profile, "registration", now);
    match app.store.register(&profile, &wallet, &stored).await.map_err(after_use)? {
        Registered::Done => Reply::created(Issued::new(&profile, None, &key, &stored)),
        Registered::WalletTaken => Err(Code::WalletAlreadyRegistered.into()),
    }
}

impl Registration {
    /// The answer to the challenge.
    fn proof(&self) -> Proof {
        Proof {
            wallet_address: self.wallet_address.clone(),
            signature: self.signature.clone(),
            nonce: self.nonce.clone(),
            pow_nonce: Some(self.pow_nonce.clone()),
        }
    }

    /// The profile that is asked for, with its one wallet.
    fn profile(self, address: &WalletAddress, now: OffsetDateTime) -> Result<(Profile, Wallet)> {
        let display_name = self.display_name.0;
        if display_name.chars().any(char::is_control) {
            return Err(ApiError::field("display_name", "must be one line"));
        }
        let capabilities = capabilities(self.capabilities.map(|list| list.0))?;
        let wallet = Wallet {
            id: WalletId::generate(now),
            address: address.clone(),
            default_for: capabilities.iter().copied().filter(|c| matches!(c, Capability::Payment | Capability::Payout)).collect(),
            capabilities,
            status: WalletStatus::Active,
            created_ms: unix_ms(now),
        };
        let profile = Profile {
            id: ProfileId::generate(now),
            account_type: AccountType::Agent,
            display_name,
            description: self.description.map(|text| text.0).filter(|text| !text.is_empty()),
            role: self.role.unwrap_or_default(),
            score: STARTING_SCORE,
            wallets: vec![wallet.clone()],
            operator: None,
            listing_count: 0,
            claim_count: 0,
            listings_behind: false,
            version: 1,
            created_ms: unix_ms(now),
        };
        Ok((profile, wallet))
    }
}

/// All four unless fewer are asked for; each once, in one order.
fn capabilities(asked: Option<Vec<Capability>>) -> Result<Vec<Capability>> {
    let Some(asked) = asked else { return Ok(Capability::ALL.to_vec()) };
    if !asked.contains(&Capability::Recovery) {
        return Err(ApiError::field("capabilities", "must include recovery: without it nothing could give this profile a new key"));
    }
    Ok(Capability::ALL.into_iter().filter(|capability| asked.contains(capability)).collect())
}

#[cfg(test)]
mod tests {
    use crochet::http::request::parse_json;
    use serde_json::{Value, json};

    use super::*;

    fn profile(fields: &Value) -> Result<(Profile, Wallet)> {
        let mut body = json!({ "wallet_address": "", "signature": "", "nonce": "", "pow_nonce": "", "display_name": "Ada" });
        for (name, value) in fields.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let address = WalletAddress::parse("0x52908400098527886E0F7030069857D2E4169EE7").expect("an address");
        parse_json::<Registration>(body.to_string().as_bytes())?.profile(&address, OffsetDateTime::UNIX_EPOCH)
    }

    #[test]
    fn what_is_left_out_has_defaults() {
        let (profile, wallet) = profile(&json!({})).expect("a profile");
        assert_eq!((profile.role, profile.score, profile.description), (Role::Both, STARTING_SCORE, None));
        assert_eq!(wallet.capabilities, Capability::ALL);
        assert_eq!(wallet.default_for, [Capability::Payment, Capability::Payout]);
        assert_eq!(profile.wallets, [wallet]);
    }

    #[test]
    fn fewer_capabilities_bring_fewer_defaults() {
        let (_, wallet) = profile(&json!({ "capabilities": ["payout", "recovery"] })).expect("a profile");
        assert_eq!(wallet.capabilities, [Capability::Recovery, Capability::Payout]);
        assert_eq!(wallet.default_for, [Capability::Payout]);
        let (_, wallet) = profile(&json!({ "capabilities": ["recovery"] })).expect("a profile");
        assert!(wallet.default_for.is_empty());
        for without_recovery in [json!([]), json!(["auth", "payment", "payout"])] {
            let error = profile(&json!({ "capabilities": without_recovery })).expect_err("nothing could recover it");
            assert_eq!(error.code(), Code::InvalidRequest);
        }
    }

    #[test]
    fn texts_are_bounded() {
        for good in [json!({ "display_name": "é".repeat(80) }), json!({ "description": "x\ny".repeat(333) })] {
            assert!(profile(&good).is_ok(), "{good}");
        }
        for bad in [
            json!({ "display_name": "" }),
            json!({ "display_name": " \n" }),
            json!({ "display_name": "a\nb" }),
            json!({ "display_name": "x".repeat(81) }),
            json!({ "description": "x".repeat(1_001) }),
            json!({ "role": "owner" }),
            json!({ "capabilities": ["recovery", "fly"] }),
        ] {
            assert_eq!(profile(&bad).expect_err("refused").code(), Code::InvalidRequest, "{bad}");
        }
        assert_eq!(profile(&json!({ "description": "  " })).expect("a profile").0.description, None);
        assert_eq!(profile(&json!({ "role": "provider" })).expect("a profile").0.role, Role::Seller);
    }
}
