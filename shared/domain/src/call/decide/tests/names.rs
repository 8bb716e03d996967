//! Payment ids and idempotency keys: what they name, and what they are bound to.

use super::asking::asking;
use super::calls::{FILLED, another_buyer, another_listing, delivered, key, pending, quoted, settled, undelivered};
use crate::call::step::{Differs, Refusal, Step};
use crate::call::view::{BodyView, SchemaCheck};
use crate::call::{Call, CalledListing};
use crate::currency::OriginCurrency;

fn at_another_listing(call: Call) -> Call {
    let listing = CalledListing { id: another_listing(), ..call.listing.clone() };
    Call { listing, ..call }
}

fn with_another_body(call: Call) -> Call {
    Call { body_sha256: "another body".into(), ..call }
}

fn bound_to_another(differs: Differs) -> Step {
    Step::Refuse(Refusal::BoundToAnotherRequest { call: key("p1"), differs })
}

fn reused(differs: Differs) -> Step {
    Step::Refuse(Refusal::IdempotencyKeyReused(differs))
}

#[test]
fn an_id_that_is_unknown_or_anothers_is_payment_not_found() {
    let not_found = Step::Refuse(Refusal::PaymentNotFound);
    assert_eq!(asking().with_payment_id().decide(), not_found);
    let anothers = Call { buyer: another_buyer(), ..delivered("p1") };
    assert_eq!(asking().with_payment_id().that_meets(anothers).decide(), not_found);
}

#[test]
fn an_anothers_id_is_not_found_before_its_listing_or_body_is_compared() {
    let anothers = Call { buyer: another_buyer(), ..at_another_listing(with_another_body(quoted("p1"))) };
    let step = asking().with_payment_id().with_body(BodyView::Invalid).that_meets(anothers).decide();
    assert_eq!(step, Step::Refuse(Refusal::PaymentNotFound));
}

#[test]
fn an_id_with_another_listing_or_body_is_bound_to_another_request() {
    for call in [quoted("p1"), settled("p1"), delivered("p1")] {
        let elsewhere = at_another_listing(call.clone());
        assert_eq!(asking().with_payment_id().that_meets(elsewhere).decide(), bound_to_another(Differs::Listing));
        let changed = with_another_body(call);
        assert_eq!(asking().with_payment_id().that_meets(changed).decide(), bound_to_another(Differs::Body));
    }
}

#[test]
fn an_unseen_key_sent_with_a_valid_id_becomes_another_name_of_that_call() {
    for call in [quoted("p1"), settled("p1"), delivered("p1")] {
        let asked = asking().with_payment_id().and_key("k").that_meets(call);
        assert_eq!(asked.decide(), Step::AddIdempotencyKey(key("p1")));
    }
    let asked = asking().with_payment_id().and_key("k").that_meets(delivered("p1"));
    assert_eq!(asked.whose_key_was_added(true).decide(), Step::Replay(key("p1")));
}

#[test]
fn the_key_of_the_call_itself_is_not_added_again() {
    let asked = asking().with_payment_id().and_key("k").that_meets(delivered("p1").with_idempotency_key("k"));
    assert_eq!(asked.decide(), Step::Replay(key("p1")));
}

#[test]
fn a_key_that_names_another_call_is_an_idempotency_key_conflict() {
    for call in [quoted("p1"), delivered("p1")] {
        let asked = asking().with_payment_id().and_key("k").that_meets(call).whose_key_was_added(false);
        assert_eq!(asked.decide(), Step::Refuse(Refusal::IdempotencyKeyConflict));
    }
}

#[test]
fn no_key_is_added_for_a_request_that_is_refused() {
    let asked = asking().with_payment_id().and_key("k").that_meets(with_another_body(quoted("p1")));
    assert_eq!(asked.decide(), bound_to_another(Differs::Body));
}

#[test]
fn the_same_key_with_another_body_or_listing_is_idempotency_key_reused() {
    for call in [quoted("p1"), settled("p1"), delivered("p1"), undelivered("p1")] {
        let elsewhere = at_another_listing(call.clone());
        assert_eq!(asking().with_key("k").that_meets(elsewhere).decide(), reused(Differs::Listing));
        let changed = with_another_body(call);
        assert_eq!(asking().with_key("k").that_meets(changed).decide(), reused(Differs::Body));
    }
}

#[test]
fn the_same_key_with_another_currency_is_idempotency_key_reused() {
    for call in [quoted("p1"), pending("p1"), delivered("p1")] {
        let asked = asking().with_key("k").in_currency(OriginCurrency::Eth).that_meets(call);
        assert_eq!(asked.decide(), reused(Differs::Currency));
    }
}

#[test]
fn a_known_key_goes_on_without_a_currency_or_in_its_own() {
    let replayed = Step::Replay(key("p1"));
    assert_eq!(asking().with_key("k").that_meets(delivered("p1")).decide(), replayed);
    let eth = || delivered("p1").in_currency(OriginCurrency::Eth);
    assert_eq!(asking().with_key("k").that_meets(eth()).decide(), replayed, "the default wallet does not count");
    assert_eq!(asking().with_key("k").in_currency(OriginCurrency::Eth).that_meets(eth()).decide(), replayed);
}

#[test]
fn a_currency_that_is_none_is_unsupported_unless_an_id_is_sent() {
    let unsupported = Step::Refuse(Refusal::UnsupportedCurrency);
    let asked = || asking().in_an_unsupported_currency();
    assert_eq!(asked().that_fits().decide(), unsupported);
    assert_eq!(asked().that_meets(quoted("p1")).decide(), unsupported);
    assert_eq!(asked().with_key("k").that_meets(delivered("p1")).decide(), unsupported);
    assert_eq!(asked().with_payment_id().that_meets(delivered("p1")).decide(), Step::Replay(key("p1")));
}

#[test]
fn with_a_payment_id_the_stored_quote_alone_decides_and_the_header_is_ignored() {
    let by_id = || asking().with_payment_id().in_currency(OriginCurrency::Eth).that_meets(quoted("p1"));
    assert_eq!(by_id().decide(), Step::AskProvider(vec![key("p1")]));
    assert_eq!(by_id().provider_says(FILLED).decide(), Step::Deliver { call: key("p1"), settle: true });
}

#[test]
fn a_key_binds_only_once_a_quote_or_an_attempt_is_stored() {
    let refused = asking().with_key("k").checked(SchemaCheck::Fails).decide();
    assert_eq!(refused, Step::Refuse(Refusal::SchemaMismatch));
    assert!(matches!(asking().with_key("k").that_fits().decide(), Step::Quote(_)));
}

#[test]
fn a_key_that_leads_to_no_call_needs_an_operator() {
    let mut asked = asking().with_key("k").that_meets(quoted("p1"));
    asked.view.calls.clear();
    assert_eq!(asked.decide(), Step::Refuse(Refusal::CallMissing));
}
