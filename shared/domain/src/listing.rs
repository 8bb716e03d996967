//! A listing: a capability that an agent sells.

mod endpoint;

use deunicode::deunicode_char;
use serde::{Deserialize, Serialize};

pub use endpoint::{
    CALLS_PER_MINUTE, Endpoint, EndpointLease, EndpointStatus, EndpointTest, EndpointTestFailure, RESPONSE_BYTES, SealedSecret,
    TIMEOUT_MS,
};

use crate::ids::ListingId;
use crate::money::Micros;
use crate::profile::{ERASED, SellerSummary};
use crate::stats::Figures;
use crate::suspension::SuspendedReason;
use crate::unknown::Unknown;
use crate::wire_enum::wire_enum;

wire_enum! {
    /// How a listing is priced.
    pub enum PricingModel {
        /// Calls are free.
        Free = "free",
        /// Every call costs the listing's price.
        PerCall = "per_call",
    }
}

wire_enum! {
    /// How the seller delivers. Through the gateway, every call is one JSON request and one JSON response.
    pub enum DeliveryType {
        /// Request and response.
        Api = "api",
        /// The result comes in a later callback.
        Webhook = "webhook",
        /// A stream of results.
        Streaming = "streaming",
        /// Many inputs in one request.
        Batch = "batch",
        /// Files.
        File = "file",
    }
}

wire_enum! {
    /// How callers authenticate at the seller's own API, outside the gateway.
    pub enum AuthMethod {
        /// No authentication.
        None = "none",
        /// An API key.
        ApiKey = "api_key",
        /// A bearer token.
        Bearer = "bearer",
        /// Something else; see `connection_instructions`.
        Custom = "custom",
    }
}

wire_enum! {
    /// Whether a listing is on offer.
    pub enum ListingStatus {
        /// Visible to its owner only.
        Draft = "draft",
        /// On offer.
        Active = "active",
        /// Not on offer, but still readable by id.
        Suspended = "suspended",
    }
}

wire_enum! {
    /// Who suspended a listing.
    pub enum SuspendedBy {
        /// Its owner, who can reactivate it.
        Owner = "owner",
        /// The operator of the marketplace.
        Operator = "operator",
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

/// Time for which a listing that its owner has suspended keeps its endpoint: 30 days.
const SUSPENDED_ENDPOINT_KEPT_MS: i64 = 30 * 24 * 3_600_000;

/// A listing, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// Id.
    pub id: ListingId,
    /// Name in URLs; unique. It never changes, except that an erased listing has its id as slug.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Slug of one of [`CATEGORIES`].
    pub category: String,
    /// Search tags.
    pub tags: Vec<String>,
    /// How the seller delivers.
    pub delivery_type: DeliveryType,
    /// How callers authenticate at the seller's own API.
    pub auth_method: AuthMethod,
    /// Data formats of the seller's own API.
    pub formats: Vec<String>,
    /// How to connect outside the gateway.
    pub connection_instructions: Option<String>,
    /// JSON Schema 2020-12 of a request body, as JSON text.
    pub input_schema: Option<String>,
    /// JSON Schema 2020-12 of a response, as JSON text.
    pub output_schema: Option<String>,
    /// Example request body, as JSON text.
    pub example_request: Option<String>,
    /// The response to the example request, as JSON text.
    pub example_response: Option<String>,
    /// How it is priced.
    pub pricing_model: PricingModel,
    /// Price per call; zero if free.
    pub price: Micros,
    /// Whether it ever had a price. If so, a quote may still be open although it is free now.
    pub was_per_call: bool,
    /// Whether it is on offer.
    pub status: ListingStatus,
    /// Who suspended it, if it is suspended.
    pub suspended_by: Option<SuspendedBy>,
    /// Why the operator suspended it, if that is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_reason: Option<SuspendedReason>,
    /// Why the operator keeps it off offer, whatever its owner wants; `None` unless the operator has suspended this very listing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<SuspendedReason>,
    /// The seller.
    pub seller: SellerSummary,
    /// The endpoint that serves its calls, if it has one.
    pub endpoint: Option<Endpoint>,
    /// While a removed endpoint's secret may still be being deleted: when that ends at the latest (Unix milliseconds). A new
    /// endpoint has to wait for it, so that its secret is not deleted with the old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removing_secret_until_ms: Option<i64>,
    /// What was counted of its calls and reviews.
    #[serde(default)]
    pub figures: Figures,
    /// When its figures last changed (Unix milliseconds).
    #[serde(default)]
    pub figures_ms: i64,
    /// Number of changes. A conditional write names the version it read.
    pub version: u64,
    /// When it was created (Unix milliseconds).
    pub created_ms: i64,
    /// When it was last changed (Unix milliseconds).
    pub updated_ms: i64,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Listing {
    /// Since when the endpoint, as it is, passes its tests (Unix milliseconds).
    #[must_use]
    pub fn tested_ms(&self) -> Option<i64> {
        self.endpoint.as_ref().and_then(|endpoint| endpoint.tested_ms)
    }

    /// Whether calls cost money.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.pricing_model == PricingModel::PerCall
    }

    /// Why it cannot be on offer, whatever its owner wants: the operator has suspended it or its seller, or refunds of its seller are
    /// overdue.
    #[must_use]
    pub fn hold(&self) -> Option<SuspendedReason> {
        self.held.or(self.seller.hold())
    }

    /// Whether it is on offer again when the operator's suspension ends, without its owner.
    #[must_use]
    pub fn comes_back(&self) -> bool {
        self.status == ListingStatus::Suspended && self.suspended_reason.is_some()
    }

    /// Who keeps it off offer, and why, as everybody may know. What the operator has decided comes first, even if its owner has
    /// suspended it, too.
    #[must_use]
    pub fn suspension(&self) -> (Option<SuspendedBy>, Option<SuspendedReason>) {
        match self.held.or(self.seller.suspended) {
            Some(reason) if self.status == ListingStatus::Suspended => (Some(SuspendedBy::Operator), Some(reason)),
            _ => (self.suspended_by, self.suspended_reason),
        }
    }

    /// Shows this summary of its seller. What must not be on offer is suspended; what was suspended for that alone is on offer again
    /// afterwards.
    pub fn show_seller(&mut self, seller: SellerSummary) {
        self.seller = seller;
        self.follow_hold();
    }

    /// The operator suspends it for a reason, or lifts that. Its seller's suspension and overdue refunds count all the same.
    pub fn set_held(&mut self, held: Option<SuspendedReason>) {
        self.held = held;
        self.follow_hold();
    }

    /// Says nothing any more that its owner has written, and is off offer for good, for the reason that keeps it off offer already. Its
    /// slug was made of its name: it shows its id as slug.
    pub fn erase(&mut self) {
        self.slug = self.id.to_string();
        ERASED.clone_into(&mut self.name);
        ERASED.clone_into(&mut self.description);
        (self.tags, self.formats, self.connection_instructions) = (Vec::new(), Vec::new(), None);
        (self.input_schema, self.output_schema, self.example_request, self.example_response) = (None, None, None, None);
        (self.endpoint, self.unknown) = (None, Unknown::default());
        let reason = self.held.or(self.seller.suspended).unwrap_or(SuspendedReason::Other);
        self.set_held(Some(reason));
    }

    fn follow_hold(&mut self) {
        match (self.status, self.suspended_reason, self.hold()) {
            (ListingStatus::Active, _, Some(reason)) | (ListingStatus::Suspended, Some(_), Some(reason)) => {
                self.status = ListingStatus::Suspended;
                self.suspended_by = Some(SuspendedBy::Operator);
                self.suspended_reason = Some(reason);
            }
            (ListingStatus::Suspended, Some(_), None) => {
                self.status = ListingStatus::Active;
                self.suspended_by = None;
                self.suspended_reason = None;
            }
            _ => {}
        }
    }

    /// Whether it has an endpoint that is not needed any more: its owner suspended it, and nothing of it has changed for 30 days. The
    /// operator's suspension does not count, because it may be lifted without its owner.
    #[must_use]
    pub fn has_unused_endpoint(&self, now_ms: i64) -> bool {
        self.endpoint.is_some()
            && (self.status, self.suspended_by) == (ListingStatus::Suspended, Some(SuspendedBy::Owner))
            && now_ms - self.updated_ms >= SUSPENDED_ENDPOINT_KEPT_MS
    }

    /// Marks it as changed now. Every change gets a later time than the one before, which the change feed relies on.
    pub fn touch(&mut self, now_ms: i64) {
        self.version += 1;
        self.updated_ms = now_ms.max(self.position_ms() + 1);
    }

    /// Shows these figures. That is no change that its owner made: the time of the last change stays.
    pub fn show_figures(&mut self, figures: Figures, now_ms: i64) {
        self.figures = figures;
        self.version += 1;
        self.figures_ms = now_ms.max(self.position_ms() + 1);
    }

    /// Its position in the change feed (Unix milliseconds).
    #[must_use]
    pub fn position_ms(&self) -> i64 {
        self.updated_ms.max(self.figures_ms)
    }
}

/// Maximum length of a slug that is derived from a name, in bytes.
const MAX_SLUG_BASE: usize = 60;

/// Derives a slug from a name: lower-case ASCII letters, digits and single hyphens, at most 60 characters. Letters with accents are
/// folded, and letters of other scripts are transliterated. It is empty for a name without letters or digits.
#[must_use]
pub fn slug_base(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        // Symbols have names in the table of transliterations; they separate words here. Marks have none.
        let is_mark = !c.is_ascii() && deunicode_char(c) == Some("");
        if is_mark {
            continue;
        }
        let plain = if c.is_alphanumeric() { deunicode_char(c).unwrap_or("-") } else { "-" };
        for c in plain.chars() {
            if slug.len() >= MAX_SLUG_BASE {
                break;
            }
            if c.is_ascii_alphanumeric() {
                slug.push(c.to_ascii_lowercase());
            } else if !matches!(c, '\'' | '`') && !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::debt::Standing;
    use crate::ids::ProfileId;

    fn seller(owes: i64, overdue: bool) -> SellerSummary {
        SellerSummary {
            id: ProfileId::generate(OffsetDateTime::UNIX_EPOCH),
            display_name: "Ada".into(),
            score: 400,
            claimed: false,
            payout_chains: Vec::new(),
            standing: Standing { owes: Micros(owes), overdue },
            suspended: None,
            as_of: 1,
        }
    }

    fn listing(status: ListingStatus, suspended_by: Option<SuspendedBy>) -> Listing {
        Listing {
            id: ListingId::generate(OffsetDateTime::UNIX_EPOCH),
            slug: "s".into(),
            name: "S".into(),
            description: "d".into(),
            category: "other".into(),
            tags: Vec::new(),
            delivery_type: DeliveryType::Api,
            auth_method: AuthMethod::None,
            formats: Vec::new(),
            connection_instructions: None,
            input_schema: None,
            output_schema: None,
            example_request: None,
            example_response: None,
            pricing_model: PricingModel::Free,
            price: Micros::ZERO,
            was_per_call: false,
            status,
            suspended_by,
            suspended_reason: None,
            held: None,
            seller: seller(0, false),
            endpoint: None,
            removing_secret_until_ms: None,
            figures: Figures::default(),
            figures_ms: 0,
            version: 1,
            created_ms: 0,
            updated_ms: 0,
            unknown: Unknown::default(),
        }
    }

    #[test]
    fn overdue_refunds_suspend_what_is_on_offer_and_lift_only_that() {
        use ListingStatus::{Active, Draft, Suspended};
        let state = |listing: &Listing| (listing.status, listing.suspended_by, listing.suspended_reason);
        let mut active = listing(Active, None);
        active.show_seller(seller(5, false));
        assert_eq!(state(&active), (Active, None, None), "owing is no reason to suspend");
        active.show_seller(seller(5, true));
        assert_eq!(state(&active), (Suspended, Some(SuspendedBy::Operator), Some(SuspendedReason::RefundOverdue)));
        active.show_seller(seller(5, false));
        assert_eq!(state(&active), (Active, None, None));
        for (status, by) in [(Draft, None), (Suspended, Some(SuspendedBy::Owner)), (Suspended, Some(SuspendedBy::Operator))] {
            let mut other = listing(status, by);
            other.show_seller(seller(5, true));
            other.show_seller(seller(0, false));
            assert_eq!(state(&other), (status, by, None));
        }
    }

    #[test]
    fn holds_add_up_and_the_listing_is_on_offer_when_the_last_is_lifted() {
        use ListingStatus::{Active, Suspended};
        let state = |listing: &Listing| (listing.status, listing.suspended_by, listing.suspended_reason);
        let by_operator = |reason| (Suspended, Some(SuspendedBy::Operator), Some(reason));
        let mut held = listing(Active, None);
        held.set_held(Some(SuspendedReason::Fraud));
        assert_eq!(state(&held), by_operator(SuspendedReason::Fraud));
        held.show_seller(SellerSummary { suspended: Some(SuspendedReason::Other), ..seller(5, true) });
        assert_eq!(state(&held), by_operator(SuspendedReason::Fraud));
        held.set_held(None);
        assert_eq!(state(&held), by_operator(SuspendedReason::Other));
        held.show_seller(seller(5, true));
        assert_eq!(state(&held), by_operator(SuspendedReason::RefundOverdue));
        held.show_seller(seller(0, false));
        assert_eq!(state(&held), (Active, None, None));
        let mut resting = listing(Suspended, Some(SuspendedBy::Owner));
        resting.set_held(Some(SuspendedReason::Fraud));
        assert_eq!(resting.hold(), Some(SuspendedReason::Fraud), "its owner cannot lift it");
        resting.set_held(None);
        assert_eq!(state(&resting), (Suspended, Some(SuspendedBy::Owner), None), "its owner wants it so");
    }

    #[test]
    fn an_erased_listing_says_nothing_of_its_owner_and_keeps_the_reason_that_it_was_suspended_for() {
        let mut erased = listing(ListingStatus::Active, None);
        erased.erase();
        assert_eq!((&erased.slug, erased.name.as_str()), (&erased.id.to_string(), ERASED));
        assert_eq!((erased.status, erased.suspended_reason), (ListingStatus::Suspended, Some(SuspendedReason::Other)));
        let mut fraud = listing(ListingStatus::Active, None);
        fraud.show_seller(SellerSummary { suspended: Some(SuspendedReason::Fraud), ..seller(0, false) });
        fraud.erase();
        fraud.erase();
        assert_eq!(fraud.suspended_reason, Some(SuspendedReason::Fraud));
    }

    #[test]
    fn the_endpoint_of_a_suspended_listing_is_unused_after_thirty_days_without_a_change() {
        let endpoint = Endpoint {
            status: EndpointStatus::Active,
            timeout_ms: TIMEOUT_MS.2,
            max_response_bytes: RESPONSE_BYTES.2,
            rate_limit_per_minute: None,
            auth_header_names: Vec::new(),
            secret_version: "v1".into(),
            sealed: None,
            secret_created_ms: 0,
            previous_secret_expires_ms: None,
            last_test: None,
            tested_ms: None,
            claim: None,
            unknown: Unknown::default(),
        };
        let with_endpoint = |status, by| Listing { endpoint: Some(endpoint.clone()), ..listing(status, by) };
        let mut suspended = with_endpoint(ListingStatus::Suspended, Some(SuspendedBy::Owner));
        assert!(!suspended.has_unused_endpoint(SUSPENDED_ENDPOINT_KEPT_MS - 1));
        assert!(suspended.has_unused_endpoint(SUSPENDED_ENDPOINT_KEPT_MS));
        suspended.touch(1);
        assert!(!suspended.has_unused_endpoint(SUSPENDED_ENDPOINT_KEPT_MS), "it has changed");
        for (status, by) in
            [(ListingStatus::Active, None), (ListingStatus::Draft, None), (ListingStatus::Suspended, Some(SuspendedBy::Operator))]
        {
            assert!(!with_endpoint(status, by).has_unused_endpoint(i64::MAX), "{status:?}");
        }
        assert!(!listing(ListingStatus::Suspended, Some(SuspendedBy::Owner)).has_unused_endpoint(i64::MAX), "there is none");
    }

    #[test]
    fn slugs_are_plain() {
        for (name, slug) in [
            ("  Größe & Weather: v2!  ", "grosse-weather-v2"),
            ("Größe Straße", "grosse-strasse"),
            ("Café Crème", "cafe-creme"),
            ("Cafe\u{301} Cre\u{300}me", "cafe-creme"),
            ("Łódź", "lodz"),
            ("Ａｐｉ ２", "api-2"),
            ("Поиск текста", "poisk-teksta"),
            ("Ελληνικά", "ellenika"),
            ("東京", "dong-jing"),
            ("🌦 Rain™", "rain"),
            ("🌦 …", ""),
        ] {
            assert_eq!(slug_base(name), slug, "{name}");
        }
        assert_eq!(slug_base(&"a ".repeat(80)).len(), 59);
        assert!(slug_base(&"東".repeat(80)).len() <= MAX_SLUG_BASE);
    }

    #[test]
    fn every_category_is_a_slug() {
        for (slug, _) in CATEGORIES {
            assert_eq!(slug_base(slug), *slug);
        }
    }
}
