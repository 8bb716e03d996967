//! What the provider says about a payment, and what follows.

use super::asking::{Asking, asking};
use super::calls::{FILLED, closing, failed, failed_fact, key, never_paid, pending, quoted, timed_out};
use crate::call::step::{PaymentMove, Refusal, Step};
use crate::call::view::{BodyView, Fact, ListingClosed, Payout, SchemaCheck, TrafficRefusal};
use crate::call::{Call, PaymentState};

/// The three ways in which a request leads to a call.
fn each_way(call: &Call, fact: &Fact) -> [Asking; 3] {
    [asking(), asking().with_key("k"), asking().with_payment_id()]
        .map(|asked| asked.that_meets(call.clone()).provider_says(fact.clone()))
}

#[test]
fn paid_settlement_pending_is_noted_and_waited_for() {
    for asked in each_way(&quoted("p1"), &Fact::Pending) {
        assert_eq!(asked.decide(), Step::Move(key("p1"), PaymentMove::DepositSeen));
    }
    for asked in each_way(&pending("p1"), &Fact::Pending) {
        assert_eq!(asked.decide(), Step::Wait(key("p1")));
    }
}

#[test]
fn a_payment_that_failed_or_was_refunded_expires_its_call() {
    for how in [PaymentState::Failed, PaymentState::Refunded] {
        for call in [quoted("p1"), closing("p1"), pending("p1")] {
            for asked in each_way(&call, &Fact::Over { how, reason: None }) {
                assert_eq!(asked.decide(), Step::Move(key("p1"), PaymentMove::Expired(how)));
            }
        }
    }
}

#[test]
fn how_a_payment_came_to_nothing_is_corrected_when_the_provider_changes_its_mind() {
    for asked in each_way(&never_paid("p1"), &failed_fact()) {
        assert_eq!(asked.decide(), Step::Move(key("p1"), PaymentMove::Expired(PaymentState::Failed)));
    }
}

#[test]
fn an_expired_call_is_asked_about_again_each_time() {
    for asked in [asking(), asking().with_key("k"), asking().with_payment_id()] {
        assert_eq!(asked.that_meets(failed("p1")).decide(), Step::AskProvider(vec![key("p1")]));
    }
}

#[test]
fn a_failure_that_is_confirmed_after_all_settles() {
    for asked in each_way(&failed("p1"), &FILLED) {
        assert_eq!(asked.decide(), Step::Deliver { call: key("p1"), settle: true });
    }
    for asked in each_way(&failed("p1"), &Fact::Pending) {
        assert_eq!(asked.decide(), Step::Move(key("p1"), PaymentMove::DepositSeen));
    }
}

#[test]
fn a_success_settles_whatever_our_clock_or_an_earlier_status_says() {
    for call in [quoted("p1"), closing("p1"), timed_out("p1"), pending("p1"), failed("p1"), never_paid("p1")] {
        for asked in each_way(&call, &FILLED) {
            assert_eq!(asked.decide(), Step::Deliver { call: key("p1"), settle: true });
        }
    }
}

#[test]
fn a_settled_call_is_delivered_even_if_the_listing_was_since_suspended_re_priced_re_schemed_or_throttled() {
    let delivered = Step::Deliver { call: key("p1"), settle: true };
    for asked in each_way(&quoted("p1"), &FILLED) {
        assert_eq!(asked.while_closed(ListingClosed::NotActive).decide(), delivered);
    }
    for asked in each_way(&quoted("p1"), &FILLED) {
        assert_eq!(asked.for_free().decide(), delivered);
    }
    for asked in each_way(&quoted("p1"), &FILLED) {
        assert_eq!(asked.checked(SchemaCheck::Fails).decide(), delivered);
    }
    for why in [TrafficRefusal::RateLimited, TrafficRefusal::Busy { in_flight: 20 }] {
        for asked in each_way(&quoted("p1"), &FILLED) {
            assert_eq!(asked.under_traffic(why).decide(), delivered);
        }
    }
}

#[test]
fn a_recipient_or_output_that_differs_from_the_quote_is_a_payment_mismatch_and_nothing_is_forwarded() {
    let differs = Fact::Filled(Payout::Differs);
    for call in [quoted("p1"), failed("p1")] {
        for asked in each_way(&call, &differs) {
            assert_eq!(asked.decide(), Step::Move(key("p1"), PaymentMove::DepositSeen), "the history shows the deposit");
        }
    }
    for asked in each_way(&pending("p1"), &differs) {
        assert_eq!(asked.decide(), Step::Refuse(Refusal::PaymentMismatch(key("p1"))));
    }
}

#[test]
fn success_without_a_record_settles_nothing_yet() {
    for call in [quoted("p1"), pending("p1"), failed("p1")] {
        for asked in each_way(&call, &Fact::Filled(Payout::NotRecorded)) {
            assert_eq!(asked.decide(), Step::Refuse(Refusal::PayoutNotRecorded));
        }
    }
}

#[test]
fn payment_provider_down_or_slow_is_refused_and_nothing_is_written() {
    for call in [quoted("p1"), closing("p1"), timed_out("p1"), pending("p1"), failed("p1"), never_paid("p1")] {
        for asked in each_way(&call, &Fact::Unreachable) {
            assert_eq!(asked.decide(), Step::Refuse(Refusal::ProviderUnavailable));
        }
    }
}

#[test]
fn a_price_probe_asks_nobody_about_an_open_quote() {
    let asked = asking().that_meets(quoted("p1")).with_body(BodyView::Empty);
    assert_eq!(asked.decide(), Step::Probe);
}

#[test]
fn a_pending_call_whose_deposit_is_gone_is_an_open_quote_again() {
    for asked in each_way(&pending("p1"), &Fact::Waiting) {
        assert!(matches!(asked.decide(), Step::Offer(offered, _) if offered == key("p1")));
    }
}
