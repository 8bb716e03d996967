//! A listing: a capability on offer, and the endpoint behind it.

use serde::{Deserialize, Serialize};

use super::ids::{CallId, ListingId};
use super::money::Micros;
use super::profile::SellerSummary;

macro_rules! wire_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Reads the name on the wire.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

wire_enum! {
    /// How a call is paid for.
    PricingModel {
        /// Nothing is paid.
        Free = "free",
        /// Each call is paid for.
        PerCall = "per_call",
    }
}

wire_enum! {
    /// What is sold. Through the gateway every call is one JSON request and one JSON answer.
    DeliveryType {
        /// Request and response.
        Api = "api",
        /// Calls back later.
        Webhook = "webhook",
        /// A stream.
        Streaming = "streaming",
        /// Many inputs at once.
        Batch = "batch",
        /// Files.
        File = "file",
    }
}

wire_enum! {
    /// How the seller's own interface authenticates, outside the gateway.
    AuthMethod {
        /// It does not.
        None = "none",
        /// An API key.
        ApiKey = "api_key",
        /// A bearer token.
        Bearer = "bearer",
        /// Something else; see the connection instructions.
        Custom = "custom",
    }
}

wire_enum! {
    /// Where a listing stands.
    ListingStatus {
        /// Seen by its owner only.
        Draft = "draft",
        /// On offer.
        Active = "active",
        /// Not on offer; still answers by id.
        Suspended = "suspended",
    }
}

wire_enum! {
    /// Who suspended a listing.
    SuspendedBy {
        /// Its owner, who can lift it.
        Owner = "owner",
        /// The operator.
        Operator = "operator",
    }
}

wire_enum! {
    /// Whether an endpoint takes calls.
    EndpointStatus {
        /// It does.
        Active = "active",
        /// The seller has paused it.
        Paused = "paused",
    }
}

/// The curated categories: slug and name.
pub const CATEGORIES: &[(&str, &str)] = &[
    ("agents", "Agents and orchestration"),
    ("code", "Code and software"),
    ("commerce", "Commerce and logistics"),
    ("communication", "Communication"),
    ("compute", "Compute and infrastructure"),
    ("content", "Text and content"),
    ("data", "Data and enrichment"),
    ("defi", "DeFi and on-chain"),
    ("finance", "Finance and markets"),
    ("identity", "Identity and verification"),
    ("language", "Language and translation"),
    ("media", "Images, audio and video"),
    ("research", "Research and science"),
    ("search", "Search and retrieval"),
    ("security", "Security"),
    ("other", "Other"),
];

/// Shortest and longest time a seller may be given, and what it gets when nothing is said (milliseconds).
pub const TIMEOUT_MS: (u32, u32, u32) = (1_000, 25_000, 15_000);
/// Smallest and largest response an endpoint may allow, and what it allows when nothing is said (bytes).
pub const RESPONSE_BYTES: (u32, u32, u32) = (1_024, 1_048_576, 262_144);
/// Least and most calls a minute that a seller may set as its limit.
pub const CALLS_PER_MINUTE: (u32, u32) = (1, 100_000);

/// What is known of a listing's endpoint without its secret: no URL, no header value, no signing secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Whether it takes calls.
    pub status: EndpointStatus,
    /// How long the seller may take (milliseconds).
    pub timeout_ms: u32,
    /// How long an answer may be (bytes).
    pub max_response_bytes: u32,
    /// How many calls a minute the seller takes.
    pub rate_limit_per_minute: Option<u32>,
    /// Names of the headers that Crochet adds for the seller.
    pub auth_header_names: Vec<String>,
    /// The version of the secret in Secrets Manager that counts (its ClientRequestToken).
    pub secret_version: String,
    /// When that version's signing secret was made (Unix milliseconds).
    pub secret_created_ms: i64,
    /// Until when signing secrets before it sign too (Unix milliseconds): the last of them to end.
    pub previous_secret_expires_ms: Option<i64>,
    /// What came of the last test call with this version of the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_test: Option<EndpointTest>,
    /// Who is writing the next version of the secret right now: one at a time, so that no change overwrites another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<EndpointLease>,
}

/// A claim to write the next version of an endpoint's secret. It counts until that version is pinned, or it lapses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointLease {
    /// The version that is being written.
    pub version: String,
    /// When the claim lapses (Unix milliseconds): its owner died on the way.
    pub until_ms: i64,
}

/// What came of a test call. Speaks of no address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointTest {
    /// `webhook-id` of the call.
    pub request_id: CallId,
    /// The seller's HTTP status, where one came.
    pub seller_status_code: Option<u16>,
    /// How long it took (milliseconds).
    pub latency_ms: i64,
    /// Length of the answer, where a whole one came.
    pub response_bytes: Option<u64>,
    /// Why it was no success.
    pub failure: Option<EndpointTestFailure>,
    /// When it was made (Unix milliseconds).
    pub tested_ms: i64,
}

/// Why a test call was no success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointTestFailure {
    /// The wire name of the class of failure.
    pub class: String,
    /// What the seller can do about it, in a sentence.
    pub message: String,
}

/// A listing, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// Its id.
    pub id: ListingId,
    /// Its name in URLs; unique and stable.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Slug of one of [`CATEGORIES`].
    pub category: String,
    /// Words it is found by.
    pub tags: Vec<String>,
    /// What is sold.
    pub delivery_type: DeliveryType,
    /// How the seller's own interface authenticates.
    pub auth_method: AuthMethod,
    /// Formats it speaks.
    pub formats: Vec<String>,
    /// How to reach it outside the gateway.
    pub connection_instructions: Option<String>,
    /// JSON Schema 2020-12 of a call's body, as JSON text.
    pub input_schema: Option<String>,
    /// JSON Schema 2020-12 of an answer, as JSON text.
    pub output_schema: Option<String>,
    /// A body that works, as JSON text.
    pub example_request: Option<String>,
    /// An answer to it, as JSON text.
    pub example_response: Option<String>,
    /// How a call is paid for.
    pub pricing_model: PricingModel,
    /// The price of a call; zero when free.
    pub price: Micros,
    /// A price was once asked for: an open quote may exist although it is free now.
    pub was_per_call: bool,
    /// Where it stands.
    pub status: ListingStatus,
    /// Who suspended it.
    pub suspended_by: Option<SuspendedBy>,
    /// Whose it is.
    pub seller: SellerSummary,
    /// The endpoint behind it.
    pub endpoint: Option<Endpoint>,
    /// Until when the secret of an endpoint that was removed may still be on its way out (Unix milliseconds): a new endpoint
    /// waits for that, so that its secret is not deleted with the old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removing_secret_until_ms: Option<i64>,
    /// Counts its changes; a write names the version it changed.
    pub version: u64,
    /// When it was created (Unix milliseconds).
    pub created_ms: i64,
    /// When it was last changed (Unix milliseconds).
    pub updated_ms: i64,
}

impl Listing {
    /// Whether a call costs something.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.pricing_model == PricingModel::PerCall
    }

    /// Notes that it is changed now. Every change has a time of its own, which the catalogue's order of change relies on.
    pub fn touch(&mut self, now_ms: i64) {
        self.version += 1;
        self.updated_ms = now_ms.max(self.updated_ms + 1);
    }
}

/// A slug from a name: lower-case ASCII letters, digits and single hyphens, at most 60 characters; may be empty.
#[must_use]
pub fn slug_base(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if slug.len() >= 60 {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain() {
        assert_eq!(slug_base("  Größe & Weather: v2!  "), "gr-e-weather-v2");
        assert_eq!(slug_base("日本"), "");
        assert_eq!(slug_base(&"a ".repeat(80)).len(), 59);
    }

    #[test]
    fn every_category_is_a_slug() {
        for (slug, _) in CATEGORIES {
            assert_eq!(slug_base(slug), *slug);
        }
    }
}
