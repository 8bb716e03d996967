//! OpenAPI schemas of domain types. The domain crate does not depend on OpenAPI, so fields name their schema here:
//! `#[schema(value_type = schema::Role)]`.

use crochet_domain::challenge::Purpose as ChallengePurpose;
use crochet_domain::wallet::Chain as WalletChain;
use crochet_domain::{call, currency, listing, profile, suspension};
use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

/// Schemas of texts with a fixed set of values, for types that OpenAPI does not know:
/// `string_enum! { pub enum Role = ["buyer", "seller"], "Who acts."; }`.
#[macro_export]
macro_rules! string_enum {
    ($($vis:vis enum $name:ident = $values:expr, $description:literal;)*) => {
        $(
            #[doc = $description]
            #[derive(Debug)]
            $vis enum $name {}

            impl ::utoipa::PartialSchema for $name {
                fn schema() -> ::utoipa::openapi::RefOr<::utoipa::openapi::Schema> {
                    $crate::wire::schema::string_schema(&$values, $description)
                }
            }

            impl ::utoipa::ToSchema for $name {
                fn name() -> ::std::borrow::Cow<'static, str> {
                    ::std::borrow::Cow::Borrowed(stringify!($name))
                }
            }
        )*
    };
}

pub use crate::string_enum;

string_enum! {
    pub enum AccountType = profile::AccountType::ALL, "Kind of account.";
    pub enum AuthMethod = listing::AuthMethod::ALL, "How callers authenticate at the seller's own API, outside the gateway.";
    pub enum CallRole = ["buyer", "seller"], "The caller's role in a call.";
    pub enum CallStatus = ["quoted", "pending", "settled", "delivering", "delivered", "undelivered", "expired"], "State of a call.";
    pub enum Capability = profile::Capability::ALL, "What a wallet may be used for.";
    pub enum CategorySlug = listing::CATEGORIES.iter().map(|(slug, _)| *slug).collect::<Vec<_>>(), "Slug of a category.";
    pub enum Chain = [WalletChain::Evm.as_str(), WalletChain::Solana.as_str()], "Chain family.";
    pub enum ChargeState = ["none", "pending", "charged", "owed", "refunded", "reversed"], "Whether the buyer was charged.";
    pub enum DeliveryType = listing::DeliveryType::ALL, "How the seller delivers. Through the gateway, every call is one JSON request and one JSON response.";
    pub enum EndpointStatus = listing::EndpointStatus::ALL, "Whether an endpoint accepts calls.";
    pub enum EntryType = call::ledger::EntryType::ALL, "What a ledger entry records.";
    pub enum ListingStatus = listing::ListingStatus::ALL, "Status of a listing: `draft` is visible to its owner only, `active` is on offer, `suspended` is not on offer but still readable by id.";
    pub enum OriginCurrency = currency::OriginCurrency::ALL, "Currency that the buyer pays in.";
    pub enum Outcome = call::outcome::Outcome::ALL, "Outcome of a delivery attempt.";
    pub enum PaymentState = ["waiting", "pending", "success", "failed", "refunded", "none"], "State of a payment; `none` for a free call.";
    pub enum PricingModel = listing::PricingModel::ALL, "How a listing is priced.";
    pub enum Purpose = PURPOSES, "What a signature authorizes.";
    pub enum Role = profile::Role::ALL, "Whether a profile buys, sells, or both.";
    pub enum Scope = ["read", "write"], "What an API key may do.";
    pub enum Settlement = call::ledger::Settlement::ALL, "Status of an adjustment.";
    pub enum SignIn = ["passkey", "recovery_code", "wallet"], "What a person logged in with.";
    pub enum SuspendedBy = listing::SuspendedBy::ALL, "Who suspended a listing.";
    pub enum SuspendedReason = suspension::SuspendedReason::ALL, "Why the operator suspended a listing or a profile.";
    pub enum Tier = ["Low", "Moderate", "Trusted", "Elite", "Exceptional"], "Tier of a score.";
    pub enum WalletStatus = profile::WalletStatus::ALL, "Whether a wallet is in use.";
}

/// The purposes of challenges.
const PURPOSES: [&str; 6] = {
    use ChallengePurpose::{ClaimAgent, LinkWallet, OperatorLogin, Recover, Register, UpdateWallet};
    [Register.as_str(), Recover.as_str(), LinkWallet.as_str(), UpdateWallet.as_str(), ClaimAgent.as_str(), OperatorLogin.as_str()]
};

/// The schema of a text that is one of `values`.
pub fn string_schema<T: Serialize>(values: &[T], description: &str) -> RefOr<Schema> {
    let names = values.iter().filter_map(|value| serde_json::to_value(value).ok());
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).enum_values(Some(names)).into()
}
