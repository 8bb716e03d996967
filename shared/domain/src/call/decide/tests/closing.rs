//! A quote is closing from `expires_at`, three minutes before its `ttl` ends, until one minute after.

use super::asking::{Asking, asking, each_way, each_way_of, each_way_with_its_record};
use super::calls::{FILLED, MINUTE, NOW, key, pending, quoted};
use super::steps::{all_come_to, asks_about, quote_of, replaces, settles_and_delivers};
use crate::call::step::{CallMove, Step};
use crate::call::view::Fact;
use crate::call::{OFFER_MARGIN_MS, PaymentState};
use crate::currency::OriginCurrency;

const TTL: i64 = NOW + 10 * MINUTE;
const CLOSES: i64 = TTL + MINUTE;
/// From `expires_at` until the last moment of closing.
const WHILE_CLOSING: [i64; 5] = [TTL - OFFER_MARGIN_MS, TTL - 1, TTL, TTL + 1, CLOSES - 1];

fn each_way_at(now_ms: i64) -> impl Iterator<Item = Asking> {
    each_way_with_its_record(&quoted("p1").whose_ttl_ends(TTL)).into_iter().map(move |asked| asked.at(now_ms).that_fits())
}

#[test]
fn while_a_quote_is_closing_a_repeat_by_any_name_gets_no_new_quote() {
    for now_ms in WHILE_CLOSING {
        all_come_to(each_way_at(now_ms), &asks_about(&["p1"]));
        let told = Step::Closing(key("p1"), CLOSES);
        all_come_to(each_way_at(now_ms).map(|asked| asked.provider_says(Fact::Waiting)), &told);
    }
}

#[test]
fn until_expires_at_the_quote_is_offered() {
    for asked in each_way_at(TTL - OFFER_MARGIN_MS - 1) {
        assert!(matches!(asked.provider_says(Fact::Waiting).decide(), Step::Offer(offer) if offer.call == key("p1")));
    }
}

#[test]
fn a_deposit_that_shows_120_s_late_settles_while_the_quote_is_closing() {
    // Paid in the last moment in which the quote is offered.
    let shows = TTL - OFFER_MARGIN_MS + 120_000;
    all_come_to(each_way_at(shows - 1).map(|asked| asked.provider_says(Fact::Waiting)), &Step::Closing(key("p1"), CLOSES));
    let seen = Step::Move(key("p1"), CallMove::DepositSeen);
    all_come_to(each_way_at(shows).map(|asked| asked.provider_says(Fact::Pending)), &seen);
    all_come_to(each_way_at(shows).map(|asked| asked.provider_says(FILLED)), &settles_and_delivers("p1"));
}

#[test]
fn a_quote_between_expires_at_and_its_ttl_is_no_longer_offered_but_settles_if_it_is_paid() {
    for now_ms in WHILE_CLOSING {
        all_come_to(each_way_at(now_ms).map(|asked| asked.provider_says(FILLED)), &settles_and_delivers("p1"));
    }
}

#[test]
fn sixty_seconds_after_its_ttl_an_unpaid_quote_expires_and_a_new_one_says_why() {
    let never = CallMove::Expired(PaymentState::Waiting);
    all_come_to(each_way_at(CLOSES).map(|asked| asked.provider_says(Fact::Waiting)), &Step::Move(key("p1"), never));
    let expired = quoted("p1").whose_ttl_ends(TTL).expired(PaymentState::Waiting, CLOSES);
    for asked in each_way_with_its_record(&expired) {
        let new = quote_of(&asked.at(CLOSES).that_fits().provider_says(Fact::Waiting));
        assert_eq!((new.round, new.currency), (0, Some(OriginCurrency::Sol)));
        assert_eq!(new.reason, replaces("p1", PaymentState::Waiting));
    }
}

#[test]
fn a_closing_quote_is_not_closing_any_more_once_it_is_reported_failed_or_refunded() {
    for how in [PaymentState::Failed, PaymentState::Refunded] {
        let over = Fact::Over { how, reason: None };
        for now_ms in WHILE_CLOSING {
            let expired = Step::Move(key("p1"), CallMove::Expired(how));
            all_come_to(each_way_at(now_ms).map(|asked| asked.provider_says(over.clone())), &expired);
        }
    }
}

#[test]
fn the_provider_going_back_from_pending_to_waiting_changes_nothing() {
    let seen = || pending("p1").whose_ttl_ends(TTL);
    for now_ms in [NOW].into_iter().chain(WHILE_CLOSING) {
        let asked = each_way(&seen()).map(|asked| asked.at(now_ms).provider_says(Fact::Waiting));
        all_come_to(asked, &Step::Wait(key("p1")));
    }
    let never = Step::Move(key("p1"), CallMove::Expired(PaymentState::Waiting));
    let asked = each_way_with_its_record(&seen()).map(|asked| asked.at(CLOSES).provider_says(Fact::Waiting));
    all_come_to(asked, &never);
}

#[test]
fn a_closing_quote_is_replaced_in_no_currency_of_its_own_but_another_currency_is_quoted() {
    let closing = || quoted("sol").whose_ttl_ends(NOW + MINUTE);
    let asked = || asking().that_fits().that_meets(closing()).provider_says(Fact::Waiting);
    assert_eq!(asked().in_currency(OriginCurrency::Sol).decide(), Step::Closing(key("sol"), NOW + 2 * MINUTE));
    assert_eq!(asked().decide(), Step::Closing(key("sol"), NOW + 2 * MINUTE));
    assert_eq!(quote_of(&asked().in_currency(OriginCurrency::Eth)).currency, Some(OriginCurrency::Eth));
}

#[test]
fn whoever_asks_with_the_id_of_what_a_closing_quote_replaced_gets_no_third_one() {
    let before = quoted("p1").expired(PaymentState::Failed, NOW - 1);
    let closing = quoted("p2").whose_ttl_ends(NOW + MINUTE);
    let chain = [(closing, Fact::Waiting), (before, super::calls::failed_fact())];
    all_come_to(each_way_of(&chain), &Step::Closing(key("p2"), NOW + 2 * MINUTE));
}
