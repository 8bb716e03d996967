//! OpenAPI schemas of domain types. The domain crate does not depend on OpenAPI, so fields name their schema here:
//! `#[schema(value_type = schema::Role)]`.

use std::borrow::Cow;

use crochet_domain::{call, currency, listing, profile};
use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! string_enum {
    ($($name:ident = $values:expr, $description:literal;)*) => {
        $(
            #[doc = $description]
            #[derive(Debug)]
            pub enum $name {}

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    string_schema($values.as_ref(), $description)
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    Cow::Borrowed(stringify!($name))
                }
            }
        )*
    };
}

string_enum! {
    AccountType = profile::AccountType::ALL, "Kind of account.";
    AuthMethod = listing::AuthMethod::ALL, "How callers authenticate at the seller's own API, outside the gateway.";
    Capability = profile::Capability::ALL, "What a wallet may be used for.";
    DeliveryType = listing::DeliveryType::ALL, "How the seller delivers. Through the gateway, every call is one JSON request and one JSON response.";
    EndpointStatus = listing::EndpointStatus::ALL, "Whether an endpoint accepts calls.";
    EntryType = call::ledger::EntryType::ALL, "What a ledger entry records.";
    ListingStatus = listing::ListingStatus::ALL, "Status of a listing: `draft` is visible to its owner only, `active` is on offer, `suspended` is not on offer but still readable by id.";
    OriginCurrency = currency::OriginCurrency::ALL, "Currency that the buyer pays in.";
    Outcome = call::outcome::Outcome::ALL, "Outcome of a delivery attempt.";
    PricingModel = listing::PricingModel::ALL, "How a listing is priced.";
    Role = profile::Role::ALL, "Whether a profile buys, sells, or both.";
    Settlement = call::ledger::Settlement::ALL, "Status of an adjustment.";
    SuspendedBy = listing::SuspendedBy::ALL, "Who suspended a listing.";
    SuspendedReason = listing::SuspendedReason::ALL, "Why the operator suspended a listing.";
    WalletStatus = profile::WalletStatus::ALL, "Whether a wallet is in use.";
}

fn string_schema<T: Serialize>(values: &[T], description: &str) -> RefOr<Schema> {
    let names = values.iter().filter_map(|value| serde_json::to_value(value).ok());
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).enum_values(Some(names)).into()
}
