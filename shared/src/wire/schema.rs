//! OpenAPI schemas of domain types. The domain knows no OpenAPI, so a reply's field names its schema here:
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
    AccountType = profile::AccountType::ALL, "What kind of account a profile is.";
    AuthMethod = listing::AuthMethod::ALL, "How the seller's own interface authenticates, outside the gateway.";
    Capability = profile::Capability::ALL, "What a wallet may be used for.";
    DeliveryType = listing::DeliveryType::ALL, "What is sold. Through the gateway every call is one JSON request and one JSON answer.";
    EndpointStatus = listing::EndpointStatus::ALL, "Whether an endpoint takes calls.";
    EntryType = call::entry::EntryType::ALL, "What a ledger entry records.";
    ListingStatus = listing::ListingStatus::ALL, "Where a listing stands.";
    OriginCurrency = currency::OriginCurrency::ALL, "What a buyer pays in.";
    Outcome = call::outcome::Outcome::ALL, "The outcome of one delivery attempt.";
    PricingModel = listing::PricingModel::ALL, "How a call is paid for.";
    Role = profile::Role::ALL, "Whether a profile buys, sells, or both.";
    Settlement = call::entry::Settlement::ALL, "Where an adjustment stands.";
    SuspendedBy = listing::SuspendedBy::ALL, "Who suspended a listing.";
    WalletStatus = profile::WalletStatus::ALL, "Whether a wallet is in use.";
}

fn string_schema<T: Serialize>(values: &[T], description: &str) -> RefOr<Schema> {
    let names = values.iter().filter_map(|value| serde_json::to_value(value).ok());
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).enum_values(Some(names)).into()
}
