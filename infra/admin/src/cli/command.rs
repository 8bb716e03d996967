//! What the command line may ask for.

use crochet::config::EndpointStore;
use crochet::store::gate::Gate;
use crochet_domain::api_key::KeyId;
use crochet_domain::ids::{CallId, ListingId, ProfileId};
use crochet_domain::suspension::SuspendedReason;

use crate::rotate::Secret;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Print the usage.
    Help,
    /// Sum up the fees of a time (Unix milliseconds).
    Fees {
        /// Included.
        from_ms: Option<i64>,
        /// Not included.
        to_ms: Option<i64>,
    },
    /// List what is owed.
    Adjustments {
        /// Also what is owed no more.
        all: bool,
    },
    /// The operator has paid its part of a call.
    Settle(CallId),
    /// The operator's part of a call was given up.
    Waive(CallId),
    /// Print what a payment pays, by the provider's id.
    ShowPayment(String),
    /// A payment that differs from its quote counts, by the provider's id.
    Accept(String),
    /// It does not count.
    Void(String),
    /// Every score is compared with the calls and counted.
    RecomputeScores,
    /// The secrets of endpoints are moved to this store.
    MoveEndpoints(EndpointStore),
    /// A secret of the operator gets another value.
    Rotate(Secret),
    /// A review is hidden for a reason, or shown again.
    Review {
        /// The listing.
        listing: ListingId,
        /// The author.
        author: ProfileId,
        /// Why it is hidden, in public.
        hidden_reason: Option<String>,
    },
    /// A listing is suspended for a reason, or that is lifted.
    SuspendListing(ListingId, Option<SuspendedReason>),
    /// The same for a profile.
    SuspendProfile(ProfileId, Option<SuspendedReason>),
    /// Print what is stored about a profile.
    Export(ProfileId),
    /// Erase a profile.
    Erase(ProfileId),
    /// List the keys of a profile.
    Keys(ProfileId),
    /// Revoke one key of a profile, or all.
    RevokeKeys(ProfileId, Option<KeyId>),
    /// List calls that do not move. Those that were paid so long ago (milliseconds) count.
    StuckCalls {
        /// How long.
        paid_for_ms: i64,
    },
    /// The next sweep looks at a call.
    Redrive(CallId),
    /// List what is closed.
    Switches,
    /// Something is closed, or opened.
    Switch(Gate, bool),
    /// Compare a day that begins then (Unix milliseconds).
    Reconcile(i64),
}

/// The parsed command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) command: Command,
    /// Print JSON.
    pub(crate) json: bool,
}
