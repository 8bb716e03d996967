//! Several quotes for one body without a key: at most one per currency.

use super::asking::{Asking, asking};
use super::calls::{FILLED, NOW, closing, delivered, failed, failed_fact, key, pending, quoted, settled};
use crate::call::step::{OfferReason, PaymentMove, Refusal, Step};
use crate::call::view::{Fact, Payout};
use crate::call::{Call, PaymentState};
use crate::currency::OriginCurrency;

const SEVERAL: [&str; 2] = ["eth", "sol"];

fn eth() -> Call {
    quoted("eth").in_currency(OriginCurrency::Eth)
}

/// A request by body that leads to an open quote in ETH and an older one in SOL, with what the provider says about each.
fn meets_both(eth_says: Fact, sol_says: Fact) -> Asking {
    asking().that_meets(eth()).provider_says(eth_says).that_meets(quoted("sol")).provider_says(sol_says)
}

fn not_seen(payment: &str) -> Step {
    Step::Offer(key(payment), OfferReason::NotSeen { by_payment_id: false })
}

#[test]
fn without_a_key_another_explicit_currency_gets_its_own_quote() {
    let asked = asking().in_currency(OriginCurrency::Eth).that_fits().that_meets(quoted("sol"));
    let Step::Quote(new) = asked.decide() else { panic!("a quote of its own") };
    assert_eq!((new.currency, new.replaces, new.reason), (None, None, OfferReason::First));
}

#[test]
fn an_explicit_currency_meets_its_own_quote_alone() {
    let asked = asking().in_currency(OriginCurrency::Sol).that_meets(eth()).that_meets(quoted("sol"));
    assert_eq!(asked.decide(), Step::AskProvider(vec![key("sol")]));
    assert_eq!(asked.provider_says(Fact::Waiting).decide(), not_seen("sol"));
}

#[test]
fn of_several_open_quotes_for_a_body_all_are_asked_about_first() {
    let asked = asking().that_meets(eth()).that_meets(quoted("sol"));
    assert_eq!(asked.decide(), Step::AskProvider(SEVERAL.map(key).to_vec()));
    let one_is_known = asking().that_meets(eth()).provider_says(Fact::Waiting).that_meets(quoted("sol"));
    assert_eq!(one_is_known.decide(), Step::AskProvider(SEVERAL.map(key).to_vec()));
}

#[test]
fn of_several_open_quotes_for_a_body_the_paid_one_is_found_without_its_id_and_currency() {
    for (eth_says, sol_says, paid) in [(FILLED, Fact::Waiting, "eth"), (Fact::Waiting, FILLED, "sol")] {
        assert_eq!(meets_both(eth_says, sol_says).decide(), Step::Deliver { call: key(paid), settle: true });
    }
    for (eth_says, sol_says, paid) in [(Fact::Pending, Fact::Waiting, "eth"), (Fact::Waiting, Fact::Pending, "sol")] {
        assert_eq!(meets_both(eth_says, sol_says).decide(), Step::Move(key(paid), PaymentMove::DepositSeen));
    }
    let not_recorded = meets_both(Fact::Filled(Payout::NotRecorded), Fact::Waiting);
    assert_eq!(not_recorded.decide(), Step::Refuse(Refusal::PayoutNotRecorded));
}

#[test]
fn of_several_open_quotes_that_nobody_paid_the_one_in_the_default_currency_is_offered() {
    let nobody_paid = || meets_both(Fact::Waiting, Fact::Waiting);
    assert_eq!(nobody_paid().decide(), not_seen("sol"));
    assert_eq!(nobody_paid().with_default_currency(OriginCurrency::Eth).decide(), not_seen("eth"));
    assert_eq!(nobody_paid().with_default_currency(OriginCurrency::Usdc).decide(), not_seen("eth"), "else the newest");
}

#[test]
fn where_the_provider_does_not_answer_about_one_of_several_open_quotes_nothing_is_offered() {
    let unavailable = Step::Refuse(Refusal::ProviderUnavailable);
    assert_eq!(meets_both(Fact::Unreachable, Fact::Waiting).decide(), unavailable);
    assert_eq!(meets_both(Fact::Waiting, Fact::Unreachable).decide(), unavailable);
}

#[test]
fn a_failed_one_of_several_open_quotes_expires_and_the_other_is_offered() {
    let asked = meets_both(Fact::Waiting, failed_fact());
    assert_eq!(asked.decide(), Step::Move(key("sol"), PaymentMove::Expired(PaymentState::Failed)));
    let asked = asking().that_meets(eth()).provider_says(Fact::Waiting).that_meets(failed("sol")).provider_says(failed_fact());
    assert_eq!(asked.decide(), not_seen("eth"));
}

#[test]
fn a_call_that_is_paid_or_pending_already_is_gone_on_with_and_the_open_quotes_are_not_asked_about() {
    let asked = asking().that_meets(eth()).that_meets(settled("sol"));
    assert_eq!(asked.decide(), Step::Deliver { call: key("sol"), settle: false });
    let asked = asking().that_meets(eth()).that_meets(pending("sol"));
    assert_eq!(asked.decide(), Step::AskProvider(vec![key("sol")]));
}

#[test]
fn an_open_quote_counts_before_a_call_that_has_ended() {
    let asked = asking().that_meets(delivered("sol")).that_meets(eth().made_at(NOW - 9_000_000));
    assert_eq!(asked.decide(), Step::AskProvider(vec![key("eth")]));
}

#[test]
fn of_calls_that_have_all_ended_the_newest_counts() {
    let older = delivered("eth").in_currency(OriginCurrency::Eth).made_at(NOW - 9_000_000);
    let asked = asking().that_fits().that_meets(older).that_meets(delivered("sol"));
    let Step::Quote(new) = asked.decide() else { panic!("a new call") };
    assert_eq!(new.reason, OfferReason::AfterDelivered(key("sol")));
}

#[test]
fn a_closing_quote_is_replaced_in_its_own_currency_alone() {
    let asked = asking().in_currency(OriginCurrency::Sol).that_fits();
    let asked = asked.that_meets(eth()).that_meets(closing("sol")).provider_says(Fact::Waiting);
    let Step::Quote(new) = asked.succeeded(key("sol"), Some(key("sol"))).decide() else { panic!("a new quote") };
    assert_eq!((new.currency, new.replaces), (Some(OriginCurrency::Sol), Some(key("sol"))));
}
