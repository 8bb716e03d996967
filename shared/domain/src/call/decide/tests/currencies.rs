//! Several quotes for one body without a key: at most one per currency.

use super::asking::{Asking, asking, each_way_of};
use super::calls::{FILLED, NOW, delivered, failed, failed_fact, key, never_paid, pending, quoted, settled};
use super::steps::{all_come_to, asks_about, body_name, delivers, first, not_seen, quote_of, replaces, settles_and_delivers};
use crate::call::PaymentState;
use crate::call::step::{CallMove, NewCall, Refusal, Step};
use crate::call::view::{Fact, Payout};
use crate::call::{Call, CallKey};
use crate::currency::OriginCurrency;

fn eth() -> Call {
    quoted("eth").in_currency(OriginCurrency::Eth)
}

/// A request by body that leads to an open quote in ETH and an older one in SOL, with what the provider says about each.
fn meets_both(eth_says: Fact, sol_says: Fact) -> Asking {
    asking().that_fits().that_meets(eth()).provider_says(eth_says).that_meets(quoted("sol")).provider_says(sol_says)
}

/// In no currency, in one that was quoted, and in one that was not.
fn in_any_currency(asked: impl Fn() -> Asking) -> [Asking; 4] {
    [
        asked(),
        asked().in_currency(OriginCurrency::Sol),
        asked().in_currency(OriginCurrency::Eth),
        asked().in_currency(OriginCurrency::Usdc),
    ]
}

#[test]
fn without_a_key_another_explicit_currency_gets_its_own_quote_once_the_others_were_asked_about() {
    let asked = || asking().in_currency(OriginCurrency::Eth).that_fits().that_meets(quoted("sol"));
    assert_eq!(asked().decide(), asks_about(&["sol"]));
    let expected = NewCall { currency: Some(OriginCurrency::Eth), ..first(body_name()) };
    assert_eq!(quote_of(&asked().provider_says(Fact::Waiting)), expected);
}

#[test]
fn of_several_quotes_for_a_body_all_are_asked_about_before_any_is_offered_also_with_an_explicit_currency() {
    all_come_to(in_any_currency(|| asking().that_meets(eth()).that_meets(quoted("sol"))), &asks_about(&["eth", "sol"]));
    let one_is_known = || asking().that_meets(eth()).provider_says(Fact::Waiting).that_meets(quoted("sol"));
    all_come_to(in_any_currency(one_is_known), &asks_about(&["sol"]));
}

#[test]
fn a_paid_or_pending_sibling_is_found_before_any_is_offered_also_with_an_explicit_currency() {
    for (eth_says, sol_says, paid) in [(FILLED, Fact::Waiting, "eth"), (Fact::Waiting, FILLED, "sol")] {
        let asked = in_any_currency(|| meets_both(eth_says.clone(), sol_says.clone()));
        all_come_to(asked, &settles_and_delivers(paid));
    }
    for seen in [Fact::Pending, Fact::Filled(Payout::NotRecorded)] {
        for (eth_says, sol_says, paid) in [(seen.clone(), Fact::Waiting, "eth"), (Fact::Waiting, seen.clone(), "sol")] {
            let asked = in_any_currency(|| meets_both(eth_says.clone(), sol_says.clone()));
            all_come_to(asked, &Step::Move(key(paid), CallMove::DepositSeen));
        }
    }
}

#[test]
fn a_paid_or_pending_sibling_is_found_also_when_both_have_expired() {
    let expired = [never_paid("eth").in_currency(OriginCurrency::Eth), never_paid("sol")];
    for paid in ["eth", "sol"] {
        let says = |fact: &Fact| {
            let fact_of = |call: &Call| if call.key() == key(paid) { fact.clone() } else { Fact::Waiting };
            let meets = |asked: Asking, call: &Call| asked.that_meets(call.clone()).provider_says(fact_of(call));
            in_any_currency(|| expired.iter().fold(asking().that_fits(), meets))
        };
        all_come_to(says(&FILLED), &settles_and_delivers(paid));
        all_come_to(says(&Fact::Pending), &Step::Move(key(paid), CallMove::DepositSeen));
    }
}

#[test]
fn the_id_of_one_currency_leads_to_the_paid_sibling_in_another() {
    for (paid, eth_says, sol_says) in [("eth", FILLED, Fact::Waiting), ("sol", Fact::Waiting, FILLED)] {
        all_come_to(each_way_of(&[(eth(), eth_says), (quoted("sol"), sol_says)]), &settles_and_delivers(paid));
    }
}

#[test]
fn of_several_open_quotes_that_nobody_paid_the_one_in_the_asked_or_else_the_default_currency_is_offered() {
    let nobody_paid = || meets_both(Fact::Waiting, Fact::Waiting);
    assert_eq!(nobody_paid().in_currency(OriginCurrency::Eth).decide(), not_seen("eth"));
    assert_eq!(nobody_paid().in_currency(OriginCurrency::Sol).decide(), not_seen("sol"));
    assert_eq!(nobody_paid().decide(), not_seen("sol"));
    assert_eq!(nobody_paid().with_default_currency(OriginCurrency::Eth).decide(), not_seen("eth"));
    assert_eq!(nobody_paid().with_default_currency(OriginCurrency::Usdc).decide(), not_seen("eth"), "else the newest");
}

#[test]
fn where_the_provider_does_not_answer_about_one_of_several_open_quotes_nothing_is_offered() {
    for (eth_says, sol_says) in [(Fact::Unreachable, Fact::Waiting), (Fact::Waiting, Fact::Unreachable)] {
        let asked = in_any_currency(|| meets_both(eth_says.clone(), sol_says.clone()));
        all_come_to(asked, &Step::Refuse(Refusal::ProviderUnavailable));
    }
}

#[test]
fn a_failed_one_of_several_open_quotes_expires_and_the_other_is_offered() {
    let expires = Step::Move(key("sol"), CallMove::Expired(PaymentState::Failed));
    all_come_to(in_any_currency(|| meets_both(Fact::Waiting, failed_fact())), &expires);
    let asked = || asking().that_meets(eth()).provider_says(Fact::Waiting).that_meets(failed("sol")).provider_says(failed_fact());
    assert_eq!(asked().decide(), not_seen("eth"));
    let new = quote_of(&asked().in_currency(OriginCurrency::Sol).that_fits());
    assert_eq!((new.currency, new.reason), (Some(OriginCurrency::Sol), replaces("sol", PaymentState::Failed)));
}

#[test]
fn a_sibling_that_is_settled_already_is_gone_on_with_and_the_open_quotes_are_not_asked_about() {
    all_come_to(in_any_currency(|| asking().that_meets(eth()).that_meets(settled("sol"))), &delivers("sol"));
    let waits = || asking().that_meets(eth()).provider_says(Fact::Waiting).that_meets(pending("sol")).provider_says(Fact::Pending);
    all_come_to(in_any_currency(waits), &Step::Wait(key("sol")));
}

#[test]
fn the_same_key_with_another_currency_has_its_payments_asked_about_first_paid_or_pending_goes_on() {
    let asked = |call: Call| asking().with_key("k").in_currency(OriginCurrency::Eth).that_meets(call);
    assert_eq!(asked(quoted("p1")).decide(), asks_about(&["p1"]));
    assert_eq!(asked(quoted("p1")).provider_says(FILLED).decide(), settles_and_delivers("p1"));
    let noted = Step::Move(key("p1"), CallMove::DepositSeen);
    assert_eq!(asked(quoted("p1")).provider_says(Fact::Pending).decide(), noted);
    assert_eq!(asked(pending("p1")).provider_says(Fact::Waiting).decide(), Step::Wait(key("p1")));
    assert_eq!(asked(settled("p1")).decide(), delivers("p1"));
    assert_eq!(asked(delivered("p1")).decide(), Step::Replay(key("p1")));
    assert_eq!(asked(quoted("p1")).provider_says(Fact::Unreachable).decide(), Step::Refuse(Refusal::ProviderUnavailable));
}

#[test]
fn the_same_key_with_another_currency_is_refused_where_nothing_was_paid() {
    let refused = Step::Refuse(Refusal::OtherCurrency(OriginCurrency::Sol));
    let asked = |call: Call, says| asking().with_key("k").in_currency(OriginCurrency::Eth).that_meets(call).provider_says(says);
    assert_eq!(asked(quoted("p1"), Fact::Waiting).decide(), refused);
    assert_eq!(asked(failed("p1"), failed_fact()).decide(), refused);
    assert_eq!(asked(never_paid("p1"), Fact::Waiting).decide(), refused);
}

#[test]
fn a_known_key_without_a_currency_keeps_the_stored_one() {
    let expired = failed("p1").in_currency(OriginCurrency::Eth).with_idempotency_key("k");
    let asked = asking().with_key("k").that_fits().that_meets(expired).provider_says(failed_fact());
    assert_eq!(quote_of(&asked).currency, Some(OriginCurrency::Eth), "whatever the default wallet");
    let open = eth().with_idempotency_key("k");
    let asked = asking().with_key("k").that_meets(open).provider_says(Fact::Waiting);
    assert_eq!(asked.decide(), not_seen("eth"));
}

#[test]
fn with_a_payment_id_the_stored_quote_alone_decides_and_the_header_is_ignored() {
    let by_id = |call: Call| asking().with_payment_id(&call.key()).that_meets(call).in_currency(OriginCurrency::Eth);
    assert_eq!(by_id(quoted("p1")).decide(), asks_about(&["p1"]));
    assert_eq!(by_id(quoted("p1")).provider_says(FILLED).decide(), settles_and_delivers("p1"));
    let replacement = quote_of(&by_id(failed("p1")).that_fits().provider_says(failed_fact()));
    assert_eq!(replacement.currency, Some(OriginCurrency::Sol));
}

#[test]
fn there_is_at_most_one_open_payment_per_call_and_currency() {
    let [id_of_sol, id_of_eth]: [CallKey; 2] = ["old sol", "old eth"].map(key);
    let old_eth = failed("old eth").in_currency(OriginCurrency::Eth);
    for (id, open) in [(id_of_sol, "sol"), (id_of_eth, "eth")] {
        let asked = asking().with_payment_id(&id).that_meets(eth()).provider_says(Fact::Waiting);
        let asked = asked.that_meets(quoted("sol")).provider_says(Fact::Waiting);
        let asked = asked.that_meets(old_eth.clone()).provider_says(failed_fact());
        let asked = asked.that_meets(failed("old sol")).provider_says(failed_fact());
        assert!(matches!(asked.at(NOW).decide(), Step::Offer(offer) if offer.call == key(open)));
    }
}
