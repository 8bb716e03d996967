//! What one more success or failure does to a record.

use super::{
    BreakerRecord, BuyerFailures, Change, FAILURES_TO_OPEN, MOST_OF_ONE, Observation, Opened, Permit, is_recent, pause_ms,
};
use crate::share::Holder;

/// Buyers whose failures are remembered. More than enough of them to open the breaker.
const MAX_BUYERS: usize = 8;

impl BreakerRecord {
    /// A record of no failure yet.
    pub(super) fn new(permit: &Permit) -> Self {
        Self {
            secret_version: permit.secret_version.clone(),
            buyers: Vec::new(),
            without_connection: 0,
            opened: None,
            probe: None,
            failed_ms: permit.since_ms,
            write_token: String::new(),
        }
    }

    /// Until when this buyer's own failures keep its calls away (Unix milliseconds).
    pub(super) fn keeps_away(&self, buyer: &Holder) -> Option<i64> {
        self.of(buyer).and_then(BuyerFailures::keeps_away)
    }

    pub(super) fn is_probed_by(&self, permit: &Permit) -> bool {
        self.probe.as_ref().is_some_and(|probe| permit.probe.as_ref() == Some(&probe.token))
    }

    /// After a success of `buyer`: the breaker is closed, and only what the other buyers fail alone is still remembered.
    pub(super) fn succeeded(&self, buyer: &Holder, now_ms: i64) -> Change {
        let others = self.buyers.iter().filter(|other| other.buyer != *buyer && is_recent(other.failed_ms, now_ms));
        let buyers: Vec<BuyerFailures> = others.map(|other| BuyerFailures { counted: 0, ..other.clone() }).collect();
        if buyers.is_empty() {
            return Change::Forget;
        }
        let next = Self { buyers, without_connection: 0, opened: None, probe: None, ..self.clone() };
        if next == *self { Change::Keep } else { Change::Put(next) }
    }

    /// After one more failure.
    pub(super) fn failed(&self, permit: &Permit, observation: Observation, now_ms: i64) -> Change {
        let before = self.of(&permit.buyer).filter(|failures| is_recent(failures.failed_ms, now_ms));
        let was_in_flight = before.is_some_and(|failures| failures.keeps_away().is_some() && permit.since_ms <= failures.failed_ms);
        if was_in_flight && self.opened.is_none() && observation == Observation::NoResponse {
            // The call began before this buyer was kept away, like those that have counted already.
            return Change::Keep;
        }
        let has_failed_before = before.is_some();
        let (own, counted) = before.map_or((0, 0), |failures| (failures.own, failures.counted));
        let is_without_connection = observation == Observation::NoConnection;
        let mut next = Self {
            without_connection: self.without_connection.saturating_add(u32::from(is_without_connection)),
            probe: None,
            failed_ms: now_ms,
            ..self.clone()
        };
        let mut failures = BuyerFailures {
            buyer: permit.buyer.clone(),
            own: own.saturating_add(1),
            counted: (counted + 1).min(MOST_OF_ONE),
            failed_ms: now_ms,
        };
        if let Some(opened) = self.opened {
            if is_without_connection || !has_failed_before {
                next.opened = Some(Opened { since_ms: now_ms, times: opened.times.saturating_add(1) });
            } else {
                // Its body may be the cause: the next probe is another buyer's.
                failures.own = failures.own.max(FAILURES_TO_OPEN);
            }
        }
        next.buyers.retain(|other| other.buyer != permit.buyer && is_recent(other.failed_ms, now_ms));
        next.buyers.push(failures);
        if next.buyers.len() > MAX_BUYERS {
            next.buyers.remove(0);
        }
        if next.opened.is_none() && next.is_over_the_limit() {
            next.opened = Some(Opened { since_ms: now_ms, times: 1 });
        }
        Change::Put(next)
    }

    /// Whether the failures since the last success open the breaker.
    fn is_over_the_limit(&self) -> bool {
        let counted: u32 = self.buyers.iter().map(|failures| failures.counted.min(MOST_OF_ONE)).sum();
        counted >= FAILURES_TO_OPEN || self.without_connection >= FAILURES_TO_OPEN
    }

    fn of(&self, buyer: &Holder) -> Option<&BuyerFailures> {
        self.buyers.iter().find(|failures| failures.buyer == *buyer)
    }
}

impl BuyerFailures {
    fn keeps_away(&self) -> Option<i64> {
        let times = (self.own + 1).checked_sub(FAILURES_TO_OPEN).filter(|times| *times > 0)?;
        Some(self.failed_ms + pause_ms(times))
    }
}

impl Opened {
    /// When the next probe is due (Unix milliseconds).
    pub(super) fn until_ms(&self) -> i64 {
        self.since_ms + pause_ms(self.times)
    }
}
