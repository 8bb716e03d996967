//! The shapes of profiles, wallets and keys, and of what leads to them: challenges.

use super::schema;
use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::api_key::{Key, authorization, key_id, scopes};
use crate::store::api_key::ApiKeyRecord;
use crochet_domain::api_key::{ApiKey, KeyId, Scope};
use crochet_domain::challenge::{self, CHALLENGE_TTL, POW_ALGORITHM, POW_RULE, ProofOfWork, Purpose};
use crochet_domain::ids::{ProfileId, WalletId};
use crochet_domain::profile::{self, AccountType, Capability, Role, VERIFIED_SCORE, WalletStatus, tier};
use crochet_domain::session::Session;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use crochet_domain::wallet::{Chain, WalletAddress};

/// A profile, as everybody may see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Profile {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: ProfileId,
    /// What kind of account it is.
    #[schema(value_type = schema::AccountType)]
    pub account_type: AccountType,
    /// The name it shows.
    pub display_name: String,
    /// What it says of itself.
    #[schema(required)]
    pub description: Option<String>,
    /// What it does here.
    #[schema(value_type = schema::Role)]
    pub role: Role,
    /// Crochet Score, 0 to 1000; a new agent starts at 400.
    #[schema(maximum = 1000)]
    pub score: u16,
    /// The tier of that score.
    #[schema(schema_with = tiers)]
    pub tier: &'static str,
    /// The verified mark: a score of 800 or more.
    pub is_verified: bool,
    /// Who operates it, once a person has claimed it.
    #[schema(required)]
    pub operator: Option<Operator>,
    /// When it registered.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// The person who operates an agent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Operator {
    /// The person's profile.
    #[schema(value_type = String, format = "uuid")]
    pub id: ProfileId,
    /// The name it shows.
    pub display_name: String,
}

impl Profile {
    /// A profile as everybody may see it, with the profile of the person who operates it.
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
            created_at: moment(profile.created_ms),
        }
    }
}

/// A linked wallet, as its profile sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Wallet {
    /// Its id here.
    #[schema(value_type = String, format = "uuid")]
    pub id: WalletId,
    /// The family of chains it lives on.
    #[schema(schema_with = chains)]
    pub chain: Chain,
    /// Its address: EIP-55 for EVM, base58 for Solana.
    #[schema(value_type = String)]
    pub address: WalletAddress,
    /// What it may be used for.
    #[schema(value_type = Vec<schema::Capability>)]
    pub capabilities: Vec<Capability>,
    /// For which of `payment` and `payout` it is the first choice within its chain family.
    #[schema(value_type = Vec<schema::Capability>)]
    pub default_for: Vec<Capability>,
    /// Whether it is in use.
    #[schema(value_type = schema::WalletStatus)]
    pub status: WalletStatus,
    /// When it was linked.
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

/// What registration and recovery give: the only reply in which the key is shown whole.
#[derive(Clone, Serialize, ToSchema)]
pub struct Issued {
    /// Whose key it is.
    pub profile: Profile,
    /// That profile's wallets.
    pub wallets: Vec<Wallet>,
    /// The key without its secret.
    pub key: Key,
    /// The whole key, shown once.
    pub api_key: String,
    /// The value for the `Authorization` header, to be sent exactly so.
    pub authorization_header: String,
}

impl Issued {
    /// The reply that hands `key` to its owner.
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

/// The key does not print.
impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("profile", &self.profile.id).field("key", &self.key.id).finish_non_exhaustive()
    }
}

/// Who the caller is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Me {
    /// The caller's profile.
    pub profile: Profile,
    /// Its wallets.
    pub wallets: Vec<Wallet>,
    /// With what the caller proved it.
    pub auth: Auth,
    /// The agents that this person operates; none for an agent.
    pub claimed_agents: Vec<Profile>,
}

/// With what a caller proved who it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Auth {
    /// `api_key` or `session`.
    #[serde(rename = "type")]
    #[schema(schema_with = credentials)]
    pub kind: &'static str,
    /// The key: `key_` and ten characters. None for a session.
    #[schema(required)]
    pub key_id: Option<String>,
    /// What a key may do. For a session: what the keys that it makes may do; it may itself do whatever the routes that take a
    /// session offer.
    #[schema(schema_with = scopes)]
    pub scopes: Vec<Scope>,
    /// When it ends.
    #[schema(required, format = DateTime)]
    pub expires_at: Option<String>,
}

impl Auth {
    /// By an API key that ends at `expires_ms` (Unix milliseconds), if it ends.
    #[must_use]
    pub fn api_key(id: &KeyId, scopes: Vec<Scope>, expires_ms: Option<i64>) -> Self {
        Self { kind: "api_key", key_id: Some(key_id(id)), scopes, expires_at: expires_ms.map(moment) }
    }

    /// By a session, which ends then if it is not used again.
    #[must_use]
    pub fn session(session: &Session) -> Self {
        Self { kind: "session", key_id: None, scopes: vec![Scope::Read], expires_at: Some(moment(session.expires_ms())) }
    }
}

/// What a wallet is asked to sign.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Challenge {
    /// What the signature will authorise.
    #[schema(schema_with = purposes)]
    pub purpose: Purpose,
    /// The wallet that asked, in its canonical spelling.
    #[schema(value_type = String)]
    pub wallet_address: WalletAddress,
    /// The text to be signed as it is.
    pub message: String,
    /// Names this challenge where it is answered: 32 hex digits.
    pub nonce: String,
    /// Until when it can be answered.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// The same in seconds from its issue.
    pub expires_in: i64,
    /// The proof of work that goes with the signature, for `register`, `recover` and `operator_login`; none for the others.
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

/// A proof of work to be done.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Pow {
    /// `sha256`.
    pub algorithm: &'static str,
    /// What the hashed text begins with.
    pub challenge: String,
    /// How many leading zeros (hex digits) the hash must have.
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

fn one_of<const N: usize>(values: [&'static str; N]) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values)).build()
}

fn credentials() -> Object {
    one_of(["api_key", "session"])
}

fn chains() -> Object {
    one_of([Chain::Evm.as_str(), Chain::Solana.as_str()])
}

fn tiers() -> Object {
    one_of(["Low", "Moderate", "Trusted", "Elite", "Exceptional"])
}

fn purposes() -> Object {
    use Purpose::{ClaimAgent, LinkWallet, OperatorLogin, Recover, Register, UpdateWallet};
    one_of([Register, Recover, LinkWallet, UpdateWallet, ClaimAgent, OperatorLogin].map(Purpose::as_str))
}

#[cfg(test)]
mod tests;
