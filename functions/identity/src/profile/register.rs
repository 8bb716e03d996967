//! `POST /register`: create a profile for a wallet.

use axum::extract::State;
use crochet::http::caller::Anonymous;
use crochet::http::fields::{FieldProblems, Place};
use crochet::http::gate;
use crochet::http::limited::AuthLimit;
use crochet::http::request::{Json, List, Text};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::gate::Gate;
use crochet::store::profile::RegisterError;
use crochet::wire::profile::Issued;
use crochet::wire::schema;
use crochet_domain::challenge::Binding;
use crochet_domain::debt::Standing;
use crochet_domain::ids::{ProfileId, WalletId};
use crochet_domain::profile::{AccountType, Capability, Profile, Role, STARTING_SCORE, Wallet, WalletStatus};
use crochet_domain::timestamp::unix_ms;
use crochet_domain::unknown::Unknown;
use crochet_domain::wallet::WalletAddress;
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::api_key::issue::full_access_key;
use crate::field;
use crate::proof::{Proof, SignedAnswer, after_use, used_up};

/// A signed challenge of purpose `register`, and the profile to create.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Registration {
    /// The wallet that signed.
    #[schema(pattern = "^(0x[0-9A-Fa-f]{40}|[1-9A-HJ-NP-Za-km-z]{32,44})$")]
    wallet_address: String,
    /// Its signature over the challenge's message: of an EVM wallet in hex, of a Solana wallet in base58 or hex, over the message or
    /// its off-chain envelope. At most 200 characters, unless the deployment supports contract wallets.
    #[schema(min_length = 1, max_length = 16_384)]
    signature: String,
    /// The nonce of the challenge.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    nonce: String,
    /// The solution of the proof of work.
    #[schema(min_length = 1, max_length = 64, pattern = "^[!-~ ]{1,64}$")]
    pow_nonce: String,
    /// The public name of the profile, in one line.
    #[schema(value_type = String, min_length = 1, max_length = 80)]
    display_name: Text<1, 80>,
    /// The role of the profile: `buyer`, `seller` (alias `provider`) or `both` (default).
    #[schema(value_type = Option<schema::Role>)]
    role: Option<Role>,
    /// The public description of the profile.
    #[schema(value_type = Option<String>, max_length = 1000)]
    description: Option<Text<0, 1_000>>,
    /// What the wallet may be used for. It must include `recovery`. The default is all four capabilities.
    #[schema(value_type = Option<Vec<schema::Capability>>, min_items = 1, max_items = 4)]
    capabilities: Option<List<Capability, 4>>,
}

crochet::error_list!(RegisterErrors: Anonymous<AuthLimit>, Json<Registration>, SignedAnswer; PowInvalid, WalletAlreadyRegistered);

/// Create a profile for a wallet and get its first API key.
///
/// The first well-formed attempt uses up the challenge, whether it succeeds or not.
#[utoipa::path(post, path = "/api/v1/register", operation_id = "register", tag = "Identity", request_body = Registration,
    responses((status = 201, body = Issued, description = "The profile and its key, shown only once."), RegisterErrors))]
pub(crate) async fn register(
    State(state): State<crate::State>,
    _: Anonymous<AuthLimit>,
    Json(request): Json<Registration>,
) -> Result {
    let crate::State { app, proofs, .. } = &state;
    let now = app.clock.now();
    let mut problems = FieldProblems::new(Place::Body);
    let answer = SignedAnswer::read_into(&mut problems, "", request.proof(), proofs.max_signature_chars().await)?;
    let details = request.details(&mut problems)?;
    let (Some(answer), Some(details)) = (answer, details) else { return Err(problems.into_error()) };
    let (profile, wallet) = details.profile(&answer.wallet, now);
    let challenge = app.store.take_challenge(&answer.nonce).await.map_err(after_use)?;
    answer.verify(proofs, challenge.as_ref(), &Binding::Register, now).await?;
    gate::pass(app, Gate::Registrations, now).await.map_err(used_up)?;
    let (key, stored) = full_access_key(&profile, "registration", now);
    app.store.register(&profile, &wallet, &stored).await.map_err(|error| match error {
        RegisterError::WalletTaken => Code::WalletAlreadyRegistered.into(),
        RegisterError::Store(error) => after_use(error),
    })?;
    Reply::created(Issued::new(&profile, None, &key, &stored))
}

impl Registration {
    /// The signed challenge.
    fn proof(&self) -> Proof {
        Proof {
            wallet_address: self.wallet_address.clone(),
            signature: self.signature.clone(),
            nonce: self.nonce.clone(),
            pow_nonce: Some(self.pow_nonce.clone()),
        }
    }

    /// What the profile will be like, if no problem is found.
    fn details(self, problems: &mut FieldProblems) -> Result<Option<Details>> {
        let display_name = problems.take(field::one_line("display_name", self.display_name))?;
        let capabilities = problems.take(capabilities(self.capabilities.map(|list| list.0)))?;
        let description = self.description.map(|text| text.0).filter(|text| !text.is_empty());
        let role = self.role.unwrap_or_default();
        Ok(display_name.zip(capabilities).map(|(display_name, capabilities)| Details {
            display_name,
            description,
            role,
            capabilities,
        }))
    }
}

/// The fields of a registration that describe the profile.
struct Details {
    display_name: String,
    description: Option<String>,
    role: Role,
    capabilities: Vec<Capability>,
}

impl Details {
    /// The profile to create, and its wallet.
    fn profile(self, address: &WalletAddress, now: OffsetDateTime) -> (Profile, Wallet) {
        let Self { display_name, description, role, capabilities } = self;
        let wallet = Wallet {
            id: WalletId::generate(now),
            address: address.clone(),
            default_for: capabilities.iter().copied().filter(|c| matches!(c, Capability::Payment | Capability::Payout)).collect(),
            capabilities,
            status: WalletStatus::Active,
            created_ms: unix_ms(now),
            unknown: Unknown::default(),
        };
        let profile = Profile {
            id: ProfileId::generate(now),
            account_type: AccountType::Agent,
            display_name,
            description,
            role,
            score: STARTING_SCORE,
            wallets: vec![wallet.clone()],
            operator: None,
            listing_count: 0,
            claim_count: 0,
            standing: Standing::default(),
            suspended: None,
            summaries_stale: false,
            version: 1,
            created_ms: unix_ms(now),
            unknown: Unknown::default(),
        };
        (profile, wallet)
    }
}

/// The requested capabilities, without duplicates and in a fixed order. The default is all four.
fn capabilities(asked: Option<Vec<Capability>>) -> Result<Vec<Capability>> {
    let Some(asked) = asked else { return Ok(Capability::ALL.to_vec()) };
    if !asked.contains(&Capability::Recovery) {
        return Err(ApiError::field("capabilities", "must include recovery, or the profile could never get a new key"));
    }
    Ok(Capability::in_order(&asked))
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
        let mut problems = FieldProblems::new(Place::Body);
        let details = parse_json::<Registration>(body.to_string().as_bytes())?.details(&mut problems)?;
        problems.end()?;
        Ok(details.expect("no problem was found").profile(&address, OffsetDateTime::UNIX_EPOCH))
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
