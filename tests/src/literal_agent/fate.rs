//! What the provider does with a deposit.

use serde_json::{Value, json};

use crate::random::Random;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

/// What becomes of a deposit. Times are in milliseconds after it was made.
#[derive(Debug, Clone)]
pub(super) struct Fate {
    /// What it is, for traces.
    pub(super) name: &'static str,
    /// The states that the provider shows, in order: when, and the body of the sandbox's control.
    pub(super) changes: Vec<(i64, Value)>,
    /// When the provider stops to know the id.
    pub(super) forgotten_at: Option<i64>,
    /// The id of the payment that supersedes this one, and when that one is filled.
    pub(super) superseded_by: Option<(String, i64)>,
    /// When the money reaches the seller. `None` if it never does.
    pub(super) filled_at: Option<i64>,
}

impl Fate {
    /// Draws a fate. Every deposit shows 0 to 120 seconds late.
    ///
    /// A deposit that nobody has seen while it was pending is filled within `closed_at` milliseconds: before anything else is offered.
    pub(super) fn drawn(random: &mut Random, closed_at: i64) -> Self {
        let lag = if random.chance(30) { 0 } else { random.between(0, 120) * SECOND };
        let then = lag + random.between(1, 30) * SECOND;
        let status = |at: i64, status: &str| (at, json!({ "status": status }));
        match random.below(20) {
            0..=5 => Self::of("pending, then success", vec![status(lag, "pending"), status(then, "success")], Some(then)),
            6..=9 => Self::of("success", vec![status(lag, "success")], Some(lag)),
            10..=11 => {
                let back = lag + random.between(65, 120) * SECOND;
                let filled = (back + random.between(1, 300) * SECOND).min(closed_at - 5 * SECOND);
                let back = back.min(filled - SECOND);
                let changes = vec![status(lag, "pending"), status(back, "waiting"), status(filled, "success")];
                Self::of("pending, waiting again, then success", changes, Some(filled))
            }
            12..=14 => {
                let filled = then + random.pick(&[5 * SECOND, MINUTE, 10 * MINUTE, 40 * MINUTE]);
                let changes = vec![status(then, "failure"), status(filled, "success")];
                Self::of("failure, then success", changes, Some(filled))
            }
            15 => Self::of("failure", vec![status(lag, "pending"), status(then, "failure")], None),
            16 => Self::of("refund", vec![status(lag, "pending"), status(then, "refund")], None),
            17 => Self { forgotten_at: Some(then), ..Self::of("forgotten", vec![], None) },
            18 => {
                let recorded = then + random.between(5, 120) * SECOND;
                let changes = vec![(lag, json!({ "status": "success", "fill": false })), status(recorded, "success")];
                Self::of("success, its record later", changes, Some(recorded))
            }
            _ => {
                let other = format!("0x{}", (0..4).map(|_| format!("{:016x}", random.bits())).collect::<String>());
                let changes = vec![(lag, json!({ "status": "pending", "superseded_by": other }))];
                Self { superseded_by: Some((other, then)), ..Self::of("superseded", changes, Some(then)) }
            }
        }
    }

    fn of(name: &'static str, changes: Vec<(i64, Value)>, filled_at: Option<i64>) -> Self {
        Self { name, changes, forgotten_at: None, superseded_by: None, filled_at }
    }

    /// Whether the provider reports at this time that the payment failed or was refunded.
    pub(super) fn is_reported_failed(&self, at: i64) -> bool {
        let current = self.changes.iter().rfind(|(from, _)| *from <= at);
        current.is_some_and(|(_, change)| change["status"] == "failure" || change["status"] == "refund")
    }

    /// Whether nothing can be known of the payment any more, and nothing was paid. `ends_at` is the time at which the provider stops to fill
    /// its quote.
    pub(super) fn is_lost(&self, at: i64, ends_at: i64) -> bool {
        self.filled_at.is_none() && self.forgotten_at.is_some_and(|forgotten| forgotten <= at) && ends_at <= at
    }

    /// When the last of it has happened.
    pub(super) fn ends_at(&self) -> i64 {
        let superseding = self.superseded_by.as_ref().map(|(_, at)| *at);
        let changes = self.changes.iter().map(|(at, _)| *at);
        changes.chain(self.forgotten_at).chain(superseding).max().unwrap_or(0)
    }
}
