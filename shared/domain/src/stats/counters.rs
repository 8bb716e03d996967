//! What is counted of a listing's calls.

use std::collections::{BTreeMap, BTreeSet};

use super::Sketch;
use crate::call::outcome::Outcome;
use crate::call::{Attempt, Call, CallState};
use crate::ids::ProfileId;
use crate::money::Micros;

/// Counts of calls that have ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// Delivered.
    pub delivered: u64,
    /// Of these, at the first attempt.
    pub first_try: u64,
    /// Of these, after a failure of the seller.
    pub late: u64,
    /// Of the delivered ones, those whose response was about the request, such as 404.
    pub about_request: u64,
    /// Closed as undelivered, after an attempt.
    pub undelivered: u64,
    /// End of the last call (Unix milliseconds); 0 without calls.
    pub last_ms: i64,
    /// How many delivered calls cost how much. Free calls have no price.
    pub prices: BTreeMap<Micros, u64>,
    /// Who paid, as the last eight bytes of the profile's id, which are random.
    pub payers: BTreeSet<[u8; 8]>,
    /// The times of all attempts that reached the seller.
    pub times: Sketch,
}

impl Counters {
    /// Adds a call that has ended. One that was never presented to the seller is not counted.
    pub fn add(&mut self, call: &Call) {
        let is_delivered = matches!(call.state, CallState::Delivered { .. });
        if !is_delivered && call.in_vain_ms.is_none() {
            return;
        }
        if is_delivered {
            let failed = call.failures() > 0;
            let status = call.attempts.last().and_then(|attempt| attempt.seller_status_code);
            self.delivered += 1;
            self.first_try += u64::from(!failed);
            self.late += u64::from(failed);
            self.about_request += u64::from(!status.is_some_and(|status| (200..300).contains(&status)));
            if call.payment.is_some() {
                *self.prices.entry(call.split.price).or_default() += 1;
            }
        } else {
            self.undelivered += 1;
        }
        if call.payment.is_some() {
            self.payers.insert(short(call.buyer));
        }
        self.last_ms = self.last_ms.max(call.updated_ms);
        for attempt in call.attempts.iter().filter(|attempt| has_reached_seller(attempt)) {
            self.times.add(attempt.latency_ms.unwrap_or(0));
        }
    }

    /// Adds other counts.
    pub fn merge(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.first_try += other.first_try;
        self.late += other.late;
        self.about_request += other.about_request;
        self.undelivered += other.undelivered;
        self.last_ms = self.last_ms.max(other.last_ms);
        for (price, count) in &other.prices {
            *self.prices.entry(*price).or_default() += count;
        }
        self.payers.extend(&other.payers);
        self.times.merge(&other.times);
    }
}

fn short(payer: ProfileId) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&payer.to_bytes()[8..]);
    short
}

/// A time-out counts at its length. Without a connection there is no time, and an interruption is ours.
fn has_reached_seller(attempt: &Attempt) -> bool {
    !matches!(attempt.outcome, None | Some(Outcome::GatewayInterrupted | Outcome::SellerUnreachable | Outcome::SellerTls))
}
