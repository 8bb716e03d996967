//! What a call counts as, by how it ended.

use super::super::facts::Counted;
use super::super::{Facts, UNIT_FEE, event::events};
use crate::call::ledger::Settlement;
use crate::call::outcome::Outcome;
use crate::call::{AttemptReport, Call, PaymentState};
use crate::money::{FeeRate, Micros, PriceSplit};
use crate::refund::samples::{NOW, call};

const MINUTE: i64 = 60_000;

/// A paid call of 10 cents: it counts as one.
pub(super) fn paid(n: u32) -> Call {
    let split = PriceSplit::of(Micros(100_000), FeeRate::from_bps(490).expect("a rate"));
    Call { split, ..call(n).settled(None, NOW) }
}

/// The call after an attempt that ended like this.
pub(super) fn attempted(call: Call, status: u16, at_ms: i64) -> Call {
    let outcome = match status {
        0 => Outcome::GatewayInterrupted,
        500.. => Outcome::SellerError,
        _ => Outcome::Delivered,
    };
    let begun = call.begun("t".into(), at_ms + 30_000, 2, at_ms);
    if outcome == Outcome::GatewayInterrupted {
        return begun.interrupted(at_ms + 30_000);
    }
    let report =
        AttemptReport { latency_ms: 40, response_bytes: Some(2), seller_status_code: Some(status), outcome, unreadable: None };
    begun.ended(&report, None, at_ms + 40)
}

fn facts_of(call: &Call) -> Facts {
    let mut counted = Counted::default();
    for event in events(call, UNIT_FEE) {
        assert!(counted.count(&event), "each event has an id of its own");
        assert!(!counted.count(&event), "and counts once");
    }
    counted.payers.iter().map(|(_, _, facts)| facts).fold(Facts::default(), |sum, facts| sum + facts)
}

const HEARD: Facts = Facts { bought: 1_000, fees: 4_900, kept: 0, lost: 0, open: 0, open_half: 0, unserved: 0 };
const NOTHING: Facts = Facts { bought: 0, fees: 0, ..HEARD };

#[test]
fn a_delivered_call() {
    let first_try = attempted(paid(1), 200, NOW);
    assert_eq!(facts_of(&first_try), Facts { kept: 1_000, ..HEARD });
    let after_our_crash = attempted(attempted(paid(1), 0, NOW), 204, NOW + MINUTE);
    assert_eq!(facts_of(&after_our_crash), Facts { kept: 1_000, ..HEARD }, "attempts that ended with our process do not count");
    let late = attempted(attempted(paid(1), 500, NOW), 200, NOW + MINUTE);
    assert_eq!(facts_of(&late), Facts { kept: 1_000, lost: 500, ..HEARD });
    for status in [400, 404, 409, 410, 413, 415, 422] {
        assert_eq!(facts_of(&attempted(paid(1), status, NOW)), HEARD, "{status} says nothing about the seller");
    }
    let mut refunded = late;
    refunded.debts.seller = Settlement::Settled;
    assert_eq!(facts_of(&refunded), NOTHING, "refunded by good will");
}

#[test]
fn an_undelivered_call() {
    let open = Facts { open: 1_000, open_half: 500, unserved: 1, ..NOTHING };
    let lost = Facts { lost: 500, unserved: 1, ..NOTHING };
    let tries =
        |times: &[i64]| times.iter().fold(paid(1), |call, at| attempted(call, 503, NOW + at * MINUTE)).closed(NOW + 99 * MINUTE);
    assert_eq!(facts_of(&tries(&[0, 1, 11])), open);
    assert_eq!(facts_of(&tries(&[0, 11])), lost, "given up after two attempts");
    assert_eq!(facts_of(&tries(&[0, 1, 2, 9])), lost, "given up after nine minutes");
    let mut paid_back = tries(&[0, 1, 11]);
    paid_back.debts.seller = Settlement::Settled;
    assert_eq!(facts_of(&paid_back), lost);
    paid_back.debts.seller = Settlement::Waived;
    assert_eq!(facts_of(&paid_back), lost);
    let paused = paid(1).presented_in_vain(NOW).closed(NOW + MINUTE);
    assert_eq!(facts_of(&paused), open, "it met a paused endpoint");
    assert_eq!(facts_of(&paid(1).closed(NOW)), NOTHING, "it was never presented");
    assert_eq!(facts_of(&attempted(paid(1), 0, NOW).closed(NOW)), NOTHING, "we interrupted it");
}

#[test]
fn a_reversed_or_free_call() {
    let mut reversed = attempted(paid(1), 200, NOW);
    reversed.payment.as_mut().expect("a payment").state = PaymentState::Refunded;
    assert_eq!(facts_of(&reversed), NOTHING);
    reversed.debts.seller = Settlement::Settled;
    assert_eq!(facts_of(&reversed), NOTHING, "reversed and refunded, in any order");
    let mut free = attempted(paid(1), 200, NOW);
    free.payment = None;
    assert_eq!(facts_of(&free), NOTHING);
    assert!(events(&paid(1), UNIT_FEE).is_empty(), "it has not ended");
}
