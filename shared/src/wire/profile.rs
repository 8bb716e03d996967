//! Profiles and wallets in replies, and the challenges that lead to them.

use super::schema;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::api_key::{Key, authorization, key_id};
use super::money::{Amount, owes};
use crate::store::api_key::ApiKeyRecord;
use crochet_domain::api_key::{ApiKey, KeyId, Scope};
use crochet_domain::challenge::{self, CHALLENGE_TTL, POW_ALGORITHM, POW_RULE, ProofOfWork, Purpose};
use crochet_domain::ids::{ProfileId, WalletId};
use crochet_domain::profile::{self, AccountType, Capability, Role, VERIFIED_SCORE, WalletStatus, tier};
use crochet_domain::session::Session;
use crochet_domain::suspension::SuspendedReason;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use crochet_domain::wallet::{Chain, WalletAddress};

/// A public profile.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Profile {
    /// The profile's id.
    #[schema(value_type = String, format = "uuid")]
    pub id: ProfileId,
    /// Whether the profile is an agent, an agent that a person has claimed, or a person.
    #[schema(value_type = schema::AccountType)]
    pub account_type: AccountType,
    /// The public name of the profile.
    pub display_name: String,
    /// The public description of the profile.
    #[schema(required)]
    pub description: Option<String>,
    /// Whether the profile buys, sells, or both.
    #[schema(value_type = schema::Role)]
    pub role: Role,
    /// The Crochet Score, 0 to 1000. A new agent starts at 400.
    #[schema(maximum = 1000)]
    pub score: u16,
    /// The tier of the score.
    #[schema(value_type = schema::Tier)]
    pub tier: &'static str,
    /// Whether the profile is verified, which takes a score of 800 or more.
    pub is_verified: bool,
    /// The person who operates the agent; null unless a person has claimed it.
    #[schema(required)]
    pub operator: Option<Operator>,
    /// What the profile owes buyers for calls that were never delivered; null if nothing.
    #[schema(required)]
    pub owes: Option<Amount>,
    /// Why the operator of the marketplace has suspended the profile. Absent unless suspended.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended_reason: Option<SuspendedReason>,
    /// When the profile was created.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// The person who operates an agent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Operator {
    /// The person's profile.
    #[schema(value_type = String, format = "uuid")]
    pub id: ProfileId,
    /// The person's public name.
    pub display_name: String,
}

impl Profile {
    /// A public profile, with the profile of the person who operates it.
    #[must_use]
    pub fn of(profile: &profile::Profile, operator: Option<&profile::Profile>) -> Self {
        Self {
            id: profile.id,
            account_type: profile.account_type,
            display_name: profile.display_name.clone(),
            description: profile.description.clone(),
            role: profile.role,
            score: profile.score,
            tier: tier(profile.score),
            is_verified: profile.score >= VERIFIED_SCORE,
            operator: operator.map(|person| Operator { id: person.id, display_name: person.display_name.clone() }),
            owes: owes(profile.standing),
            suspended_reason: profile.suspended,
            created_at: moment(profile.created_ms),
        }
    }
}

/// A wallet linked to the caller's profile.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Wallet {
    /// The wallet's id.
    #[schema(value_type = String, format = "uuid")]
    pub id: WalletId,
    /// Its chain family.
    #[schema(value_type = schema::Chain)]
    pub chain: Chain,
    /// Its address: EIP-55 for EVM, base58 for Solana.
    #[schema(value_type = String)]
    pub address: WalletAddress,
    /// What it may be used for.
    #[schema(value_type = Vec<schema::Capability>)]
    pub capabilities: Vec<Capability>,
    /// The capabilities for which it is the default of its chain family: `payment`, `payout` or both.
    #[schema(value_type = Vec<schema::Capability>)]
    pub default_for: Vec<Capability>,
    /// Whether the wallet is in use.
    #[schema(value_type = schema::WalletStatus)]
    pub status: WalletStatus,
    /// When the wallet was linked.
    #[schema(format = DateTime)]
    pub created_at: String,
}

impl From<&profile::Wallet> for Wallet {
    fn from(wallet: &profile::Wallet) -> Self {
        Self {
            id: wallet.id,
            chain: wallet.address.chain(),
            address: wallet.address.clone(),
            capabilities: wallet.capabilities.clone(),
            default_for: wallet.default_for.clone(),
            status: wallet.status,
            created_at: moment(wallet.created_ms),
        }
    }
}

/// The wallets of a profile, oldest first.
#[must_use]
pub fn wallets(profile: &profile::Profile) -> Vec<Wallet> {
    profile.wallets.iter().map(Wallet::from).collect()
}

/// The result of a registration or recovery. This is the only reply that shows the key whole.
#[derive(Serialize, ToSchema)]
pub struct Issued {
    /// The profile that the key belongs to.
    pub profile: Profile,
    /// The profile's wallets.
    pub wallets: Vec<Wallet>,
    /// The key without its secret.
    pub key: Key,
    /// The whole key, shown only once.
    pub api_key: String,
    /// The exact value for the `Authorization` header.
    pub authorization_header: String,
}

impl Issued {
    /// The reply that issues `key`.
    #[must_use]
    pub fn new(profile: &profile::Profile, operator: Option<&profile::Profile>, key: &ApiKey, stored: &ApiKeyRecord) -> Self {
        Self {
            profile: Profile::of(profile, operator),
            wallets: wallets(profile),
            key: stored.into(),
            api_key: key.reveal().to_owned(),
            authorization_header: authorization(key),
        }
    }
}

/// The caller's own profile and credentials.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Me {
    /// The caller's profile.
    pub profile: Profile,
    /// The caller's wallets.
    pub wallets: Vec<Wallet>,
    /// How the caller authenticated.
    pub auth: Auth,
    /// The agents that this person operates. Empty for an agent.
    pub claimed_agents: Vec<Profile>,
}

/// How a caller authenticated.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Auth {
    /// `api_key` or `session`.
    #[serde(rename = "type")]
    #[schema(schema_with = credentials)]
    pub kind: &'static str,
    /// The id of the API key: `key_` and ten characters. Null for a session.
    #[schema(required)]
    pub key_id: Option<String>,
    /// What the API key may do. For a session, the scopes of the keys that it can create. The session itself may do everything that
    /// its routes offer.
    #[schema(value_type = Vec<schema::Scope>)]
    pub scopes: Vec<Scope>,
    /// When the key or session expires; null if it does not.
    #[schema(required, format = DateTime)]
    pub expires_at: Option<String>,
}

impl Auth {
    /// With an API key that expires at `expires_ms` (Unix milliseconds), or never.
    #[must_use]
    pub fn api_key(id: &KeyId, scopes: Vec<Scope>, expires_ms: Option<i64>) -> Self {
        Self { kind: "api_key", key_id: Some(key_id(id)), scopes, expires_at: expires_ms.map(moment) }
    }

    /// With a session.
    #[must_use]
    pub fn session(session: &Session) -> Self {
        Self { kind: "session", key_id: None, scopes: vec![Scope::Read], expires_at: Some(moment(session.expires_ms())) }
    }
}

/// A challenge for a wallet to sign.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Challenge {
    /// What the signature will authorize.
    #[schema(value_type = schema::Purpose)]
    pub purpose: Purpose,
    /// The address of the wallet, in canonical form.
    #[schema(value_type = String)]
    pub wallet_address: WalletAddress,
    /// The text to sign, byte for byte.
    pub message: String,
    /// Identifies the challenge in the request that answers it: 32 hex digits.
    pub nonce: String,
    /// When the challenge expires.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// Seconds until the challenge expires.
    pub expires_in: i64,
    /// The proof of work required for `register`, `recover` and `operator_login`. Null for other purposes.
    #[schema(required)]
    pub pow: Option<Pow>,
}

impl From<&challenge::Challenge> for Challenge {
    fn from(challenge: &challenge::Challenge) -> Self {
        Self {
            purpose: challenge.purpose(),
            wallet_address: challenge.wallet.clone(),
            message: challenge.message.clone(),
            nonce: challenge.nonce.clone(),
            expires_at: rfc3339(challenge.expires_at),
            expires_in: CHALLENGE_TTL.whole_seconds(),
            pow: challenge.pow.as_ref().map(Pow::from),
        }
    }
}

/// A proof of work to solve.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Pow {
    /// Always `sha256`.
    pub algorithm: &'static str,
    /// The beginning of the text to hash.
    pub challenge: String,
    /// The number of leading zeros (hex digits) that the hash must have.
    pub difficulty: u8,
    /// The rule in one sentence.
    pub rule: &'static str,
}

impl From<&ProofOfWork> for Pow {
    fn from(work: &ProofOfWork) -> Self {
        Self { algorithm: POW_ALGORITHM, challenge: work.challenge.clone(), difficulty: work.difficulty, rule: POW_RULE }
    }
}

fn moment(ms: i64) -> String {
    rfc3339(from_unix_ms(ms))
}

fn credentials() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["api_key", "session"])).build()
}

#[cfg(test)]
mod tests;
