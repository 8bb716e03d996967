//! What the provider says about a payment, and what follows.

use super::asking::{each_way, each_way_with_its_record};
use super::calls::{FILLED, HOUR, MINUTE, NOW, closing, failed, failed_fact, key, never_paid, pending, quoted, timed_out};
use super::steps::{all_come_to, asks_about, quote_of, replaces, settles_and_delivers};
use crate::call::step::{CallMove, Refusal, Step};
use crate::call::view::{Fact, ListingClosed, Payout, SchemaCheck, TrafficRefusal};
use crate::call::{Call, PaymentState};

/// Every state in which a call is asked about.
fn every_open() -> [Call; 6] {
    [quoted("p1"), closing("p1"), timed_out("p1"), pending("p1"), failed("p1"), never_paid("p1")]
}

fn expired(how: PaymentState) -> Step {
    Step::Move(key("p1"), CallMove::Expired(how))
}

#[test]
fn paid_settlement_pending_is_noted_and_waited_for() {
    let noted = Step::Move(key("p1"), CallMove::DepositSeen);
    for call in [quoted("p1"), closing("p1"), timed_out("p1"), failed("p1"), never_paid("p1")] {
        all_come_to(each_way(&call).map(|asked| asked.provider_says(Fact::Pending)), &noted);
    }
    all_come_to(each_way(&pending("p1")).map(|asked| asked.provider_says(Fact::Pending)), &Step::Wait(key("p1")));
}

#[test]
fn a_payment_that_failed_or_was_refunded_expires_its_call() {
    for how in [PaymentState::Failed, PaymentState::Refunded] {
        for call in [quoted("p1"), closing("p1"), pending("p1")] {
            let over = Fact::Over { how, reason: None };
            all_come_to(each_way_with_its_record(&call).map(|asked| asked.provider_says(over.clone())), &expired(how));
        }
    }
}

#[test]
fn payment_failed_or_refunded_is_a_new_quote_and_the_reason() {
    for how in [PaymentState::Failed, PaymentState::Refunded] {
        let reason = (how == PaymentState::Failed).then(|| "no liquidity".to_owned());
        for asked in each_way_with_its_record(&quoted("p1").expired(how, NOW - 1)) {
            let asked = asked.that_fits().provider_says(Fact::Over { how, reason: reason.clone() });
            assert_eq!(quote_of(&asked).reason, replaces("p1", how));
        }
    }
}

#[test]
fn how_a_payment_came_to_nothing_is_corrected_when_the_provider_changes_its_mind() {
    let asked = each_way_with_its_record(&never_paid("p1")).map(|asked| asked.provider_says(failed_fact()));
    all_come_to(asked, &expired(PaymentState::Failed));
    let asked = each_way_with_its_record(&failed("p1")).map(|asked| asked.that_fits().provider_says(Fact::Waiting));
    for asked in asked {
        assert!(matches!(asked.decide(), Step::Quote(_)), "a failure that is not repeated is not taken back");
    }
}

#[test]
fn a_failed_payment_may_still_be_filled_until_one_hour_after_its_ttl() {
    let failed = failed("p1").whose_ttl_ends(NOW - HOUR + 1);
    all_come_to(each_way_with_its_record(&failed), &asks_about(&["p1"]));
    let [by_body, by_key, by_id] = each_way_with_its_record(&failed).map(|asked| asked.that_fits().at(NOW + 1));
    for asked in [by_body, by_key] {
        assert_eq!(quote_of(&asked).reason, super::steps::replaces_without_reason("p1", PaymentState::Failed));
    }
    assert_eq!(by_id.decide(), asks_about(&["p1"]), "who sends the id says that it is paid");
}

#[test]
fn a_refunded_payment_is_not_asked_about_any_more_without_its_id() {
    let refunded = quoted("p1").expired(PaymentState::Refunded, NOW - 1);
    let [by_body, by_key, by_id] = each_way_with_its_record(&refunded).map(super::asking::Asking::that_fits);
    for asked in [by_body, by_key] {
        assert!(matches!(asked.decide(), Step::Quote(_)));
    }
    assert_eq!(by_id.decide(), asks_about(&["p1"]));
}

#[test]
fn a_success_settles_whatever_our_clock_an_earlier_status_or_a_later_price_says() {
    for call in every_open() {
        all_come_to(each_way(&call).map(|asked| asked.provider_says(FILLED)), &settles_and_delivers("p1"));
    }
    let long_ago = never_paid("p1").whose_ttl_ends(NOW - 40 * HOUR);
    let [.., by_id, with_its_record] = each_way(&long_ago).map(|asked| asked.provider_says(FILLED));
    all_come_to([by_id, with_its_record], &settles_and_delivers("p1"));
}

#[test]
fn a_settled_call_is_delivered_even_if_the_listing_was_since_suspended_re_priced_re_schemed_or_throttled() {
    let paid = || each_way(&quoted("p1")).map(|asked| asked.provider_says(FILLED));
    let delivered = settles_and_delivers("p1");
    all_come_to(paid().map(|asked| asked.while_closed(ListingClosed::NotActive)), &delivered);
    all_come_to(paid().map(|asked| asked.checked(SchemaCheck::Fails)), &delivered);
    for why in [TrafficRefusal::RateLimited, TrafficRefusal::Busy { in_flight: 20 }] {
        all_come_to(paid().map(|asked| asked.under_traffic(why)), &delivered);
    }
}

#[test]
fn a_recipient_or_output_that_differs_from_the_quote_is_a_payment_mismatch_and_nothing_is_forwarded() {
    let differs = Fact::Filled(Payout::Differs);
    let noted = Step::Move(key("p1"), CallMove::DepositSeen);
    for call in [quoted("p1"), failed("p1"), never_paid("p1")] {
        all_come_to(each_way(&call).map(|asked| asked.provider_says(differs.clone())), &noted);
    }
    let mismatch = Step::Refuse(Refusal::PaymentMismatch(key("p1")));
    all_come_to(each_way(&pending("p1")).map(|asked| asked.provider_says(differs.clone())), &mismatch);
}

#[test]
fn success_without_a_record_is_waited_for() {
    let not_recorded = Fact::Filled(Payout::NotRecorded);
    let noted = Step::Move(key("p1"), CallMove::DepositSeen);
    for call in [quoted("p1"), failed("p1"), never_paid("p1")] {
        all_come_to(each_way(&call).map(|asked| asked.provider_says(not_recorded.clone())), &noted);
    }
    all_come_to(each_way(&pending("p1")).map(|asked| asked.provider_says(not_recorded.clone())), &Step::Wait(key("p1")));
}

#[test]
fn where_the_provider_does_not_answer_it_is_503_at_any_time_and_nothing_is_written() {
    for call in every_open() {
        let asked = each_way_with_its_record(&call).map(|asked| asked.that_fits().provider_says(Fact::Unreachable));
        all_come_to(asked, &Step::Refuse(Refusal::ProviderUnavailable));
    }
    let long_ago = never_paid("p1").whose_ttl_ends(NOW - 40 * HOUR);
    let [.., by_id] = each_way_with_its_record(&long_ago);
    let step = by_id.that_fits().provider_says(Fact::Unreachable).decide();
    assert_eq!(step, Step::Refuse(Refusal::ProviderUnavailable), "the buyer says that it is paid");
}

#[test]
fn where_the_provider_is_down_for_an_hour_around_a_ttl_nothing_is_written_and_nothing_new_is_offered() {
    let ttl_ms = NOW + 30 * MINUTE;
    for minute in 0..=60 {
        for call in [quoted("p1"), pending("p1")] {
            let asked = each_way_with_its_record(&call.whose_ttl_ends(ttl_ms));
            let asked = asked.map(|asked| asked.that_fits().at(NOW + minute * MINUTE).provider_says(Fact::Unreachable));
            all_come_to(asked, &Step::Refuse(Refusal::ProviderUnavailable));
        }
    }
}

#[test]
fn an_id_that_the_provider_does_not_know_is_503_before_its_ttl() {
    for call in [quoted("p1"), closing("p1"), pending("p1"), failed("p1")] {
        let before = call.payment.as_ref().map_or(NOW, |payment| payment.ttl_ms - 1);
        let asked = each_way_with_its_record(&call);
        let asked = asked.map(|asked| asked.that_fits().at(before).provider_says(Fact::Unknown));
        all_come_to(asked, &Step::Refuse(Refusal::ProviderUnavailable));
    }
}

#[test]
fn an_id_that_the_provider_does_not_know_after_its_ttl_was_not_paid_and_is_replaced_once_its_closing_ends() {
    let ttl_ms = NOW;
    let says_unknown = |call: Call, now_ms| {
        let asked = each_way_with_its_record(&call.whose_ttl_ends(ttl_ms));
        asked.map(|asked| asked.that_fits().at(now_ms).provider_says(Fact::Unknown))
    };
    for now_ms in [ttl_ms, ttl_ms + MINUTE - 1] {
        all_come_to(says_unknown(quoted("p1"), now_ms), &Step::Closing(key("p1"), ttl_ms + MINUTE));
        all_come_to(says_unknown(pending("p1"), now_ms), &Step::Wait(key("p1")));
    }
    for call in [quoted("p1"), pending("p1")] {
        all_come_to(says_unknown(call, ttl_ms + MINUTE), &expired(PaymentState::Waiting));
    }
    for asked in says_unknown(never_paid("p1"), ttl_ms + MINUTE) {
        assert_eq!(quote_of(&asked).reason, replaces("p1", PaymentState::Waiting));
    }
}
