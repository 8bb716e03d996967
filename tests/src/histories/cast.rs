//! Who and what takes part in a history.

use crochet_client::{Agent, Listing};
use serde_json::Value;

use crate::scripted_seller::ScriptedSeller;

/// Buyers and a seller that the histories of a stack share.
pub(super) struct Cast {
    pub(super) buyers: Vec<Agent>,
    pub(super) seller: Agent,
}

/// A listing, and the endpoint behind it.
pub(super) struct Stall {
    pub(super) listing: Listing,
    pub(super) endpoint: ScriptedSeller,
}

/// A quote that a buyer got.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) id: String,
    pub(super) buyer: usize,
    pub(super) stall: usize,
    pub(super) body: Value,
    /// What the buyer wants with it: one call.
    pub(super) want: Want,
    /// The last state that the provider was made to show.
    pub(super) status: &'static str,
}

/// A call that a buyer wants once: by key, or by body until it was answered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Want {
    pub(super) buyer: usize,
    pub(super) stall: usize,
    pub(super) name: String,
    /// How often the body had been answered before. Zero for a key.
    pub(super) answers_before: usize,
}

/// A request of a buyer.
pub(super) struct Asking {
    pub(super) buyer: usize,
    pub(super) stall: usize,
    pub(super) body: Value,
    pub(super) key: Option<String>,
    pub(super) currency: Option<&'static str>,
    pub(super) id: Option<String>,
}
