//! Quotes that replace one another. Whichever of them is paid, every way of asking leads to it, and nobody is led to pay twice.

use super::asking::{Asking, asking, each_way_of, each_way_with_its_record};
use super::calls::{
    FILLED, HOUR, MINUTE, NOW, delivered, delivering, failed, failed_fact, key, never_paid, overdue, pending, quoted, settled,
    undelivered,
};
use super::steps::{
    all_come_to, asks_about, body_name, closed, delivers, key_name, not_seen, not_seen_by_id, offers, quote_of, replaces,
    settles_and_delivers,
};
use crate::call::record::MAX_FILLABLE;
use crate::call::step::{CallMove, Refusal, Step};
use crate::call::view::{Fact, ListingClosed, Payout, SchemaCheck, TrafficRefusal};
use crate::call::{Call, PaymentState};
use crate::currency::OriginCurrency;

/// A chain of four, the last of which is open: failure, failure, never paid. The provider says this about the payment of `which`.
fn chain(which: &str, fact: &Fact) -> Vec<(Call, Fact)> {
    let usual = [
        (quoted("p4"), Fact::Waiting),
        (never_paid("p3"), Fact::Waiting),
        (failed("p2"), failed_fact()),
        (failed("p1"), failed_fact()),
    ];
    let said = |(call, says): (Call, Fact)| {
        let fact = if call.key() == key(which) { fact.clone() } else { says };
        (call, fact)
    };
    usual.into_iter().map(said).collect()
}

/// By body and by key: the ways that send no id.
fn by_name(chain: &[(Call, Fact)]) -> Vec<Asking> {
    each_way_of(chain).into_iter().filter(|asked| asked.view.named.is_none()).collect()
}

const CHAIN: [&str; 4] = ["p4", "p3", "p2", "p1"];

#[test]
fn before_anything_is_offered_the_provider_is_asked_about_every_payment_that_may_still_be_filled() {
    let all = || CHAIN.map(|p| if p == "p4" { quoted(p) } else { failed(p) });
    let asked = |asked: Asking| all().into_iter().fold(asked, Asking::that_meets);
    all_come_to([asked(asking()), asked(asking().with_key("k"))], &asks_about(&CHAIN));
    for known in CHAIN {
        let by_id = asked(asking().with_payment_id(&key(known))).and_knows(failed(known)).provider_says(failed_fact());
        let others: Vec<&str> = CHAIN.into_iter().filter(|p| *p != known).collect();
        assert_eq!(by_id.decide(), asks_about(&others));
    }
}

#[test]
fn whichever_quote_of_a_chain_turns_out_to_be_paid_every_way_of_asking_leads_to_it() {
    for paid in CHAIN {
        all_come_to(each_way_of(&chain(paid, &FILLED)), &settles_and_delivers(paid));
        all_come_to(each_way_of(&chain(paid, &Fact::Pending)), &Step::Move(key(paid), CallMove::DepositSeen));
    }
}

#[test]
fn a_paid_quote_of_a_chain_wins_over_one_that_is_pending_or_could_not_be_asked_about() {
    for paid in CHAIN {
        for other in CHAIN.into_iter().filter(|other| *other != paid) {
            for fact in [Fact::Pending, Fact::Unreachable, Fact::Unknown, Fact::Filled(Payout::NotRecorded)] {
                let mut chain = chain(paid, &FILLED);
                chain.iter_mut().filter(|(call, _)| call.key() == key(other)).for_each(|(_, says)| *says = fact.clone());
                all_come_to(by_name(&chain), &settles_and_delivers(paid));
            }
        }
    }
}

#[test]
fn where_the_provider_does_not_answer_about_one_of_a_chain_nothing_is_offered() {
    for unanswered in CHAIN {
        all_come_to(each_way_of(&chain(unanswered, &Fact::Unreachable)), &Step::Refuse(Refusal::ProviderUnavailable));
    }
}

#[test]
fn a_fill_in_a_chain_that_is_not_recorded_or_differs_offers_nothing() {
    for filled in CHAIN {
        for payout in [Payout::NotRecorded, Payout::Differs] {
            let noted = Step::Move(key(filled), CallMove::DepositSeen);
            all_come_to(each_way_of(&chain(filled, &Fact::Filled(payout))), &noted);
        }
    }
    let differs = [(quoted("p2"), Fact::Waiting), (pending("p1"), Fact::Filled(Payout::Differs))];
    all_come_to(each_way_of(&differs), &Step::Refuse(Refusal::PaymentMismatch(key("p1"))));
}

#[test]
fn a_quote_of_a_chain_that_was_seen_pending_is_waited_for_though_the_provider_goes_back() {
    let chain = [(quoted("p2"), Fact::Waiting), (pending("p1"), Fact::Waiting)];
    all_come_to(each_way_of(&chain), &Step::Wait(key("p1")));
}

#[test]
fn the_last_of_an_unpaid_chain_is_offered_however_it_is_asked_for() {
    let unpaid = chain("p4", &Fact::Waiting);
    all_come_to(by_name(&unpaid), &not_seen("p4"));
    let by_ids = each_way_of(&unpaid).into_iter().skip(2).map(|asked| asked.decide());
    let because = |payment, how| offers("p4", replaces(payment, how));
    let expected = [
        not_seen_by_id("p4"),
        because("p3", PaymentState::Waiting),
        because("p2", PaymentState::Failed),
        because("p1", PaymentState::Failed),
    ];
    assert_eq!(by_ids.collect::<Vec<_>>(), expected);
}

#[test]
fn a_payment_of_a_chain_that_has_settled_is_gone_on_with_and_nobody_is_asked_about_the_others() {
    let asked = |call: Call| {
        let meets = |asked: Asking| asked.that_meets(quoted("p2")).that_meets(call.clone());
        let by_id = meets(asking().with_payment_id(&key("p2"))).and_knows(quoted("p2")).provider_says(Fact::Waiting);
        [meets(asking()), meets(asking().with_key("k")), by_id]
    };
    all_come_to(asked(settled("p1")), &delivers("p1"));
    all_come_to(asked(delivering("p1", NOW + 1)), &Step::Refuse(Refusal::InProgress(key("p1"))));
    all_come_to(asked(overdue("p1")), &asks_about(&["p1"]));
    let confirmed = asked(overdue("p1")).map(|asked| asked.and_knows(overdue("p1")).provider_says(FILLED));
    all_come_to(confirmed, &Step::Close(key("p1")));
}

#[test]
fn of_two_settled_payments_the_one_that_is_with_the_seller_is_gone_on_with() {
    let asked =
        [asking(), asking().with_key("k")].map(|asked| asked.that_meets(settled("p2")).that_meets(delivering("p1", NOW + 1)));
    all_come_to(asked, &Step::Refuse(Refusal::InProgress(key("p1"))));
}

#[test]
fn the_id_of_a_failed_quote_of_a_call_that_has_ended_leads_to_what_became_of_it() {
    for (call, step) in
        [(delivered("p2"), Step::Replay(key("p2"))), (undelivered("p2"), Step::Refuse(Refusal::Undelivered(key("p2"))))]
    {
        let by_id = || asking().with_payment_id(&key("p1")).that_meets(call.clone()).that_meets(failed("p1"));
        assert_eq!(by_id().provider_says(failed_fact()).decide(), step);
        // The same body was called again since then.
        let later = asking().with_payment_id(&key("p1")).that_meets(quoted("p3").in_round(1)).that_meets(call.clone());
        assert_eq!(later.that_meets(failed("p1")).provider_says(failed_fact()).decide(), step);
    }
}

#[test]
fn the_id_of_a_quote_that_the_record_has_forgotten_leads_to_the_open_one_and_never_to_a_second() {
    let long_ago = failed("p1").whose_ttl_ends(NOW - 3 * HOUR);
    let by_id = asking().with_payment_id(&key("p1")).that_meets(quoted("p2")).provider_says(Fact::Waiting);
    let by_id = by_id.and_knows(long_ago).provider_says(failed_fact());
    assert_eq!(by_id.decide(), offers("p2", replaces("p1", PaymentState::Failed)));
}

#[test]
fn a_name_of_a_call_that_has_ended_and_is_forgotten_buys_nothing_though_the_body_was_called_again() {
    let long_ago = || failed("p1").whose_ttl_ends(NOW - 50 * HOUR);
    // The record has dropped the payment in the place of p1, which was delivered.
    for later in [quoted("p3"), delivered("p3")].map(|call| call.in_round(1)) {
        let meets = |asked: Asking| asked.that_meets(later.clone()).provider_says(Fact::Waiting);
        let by_id = meets(asking().with_payment_id(&key("p1"))).and_knows(long_ago()).provider_says(failed_fact());
        let by_key = meets(asking().with_key("later").that_was_sent_for(&key("p1"))).and_knows(long_ago());
        all_come_to([by_id, by_key], &Step::Refuse(Refusal::AnswerExpired(key("p1"))));
    }
}

#[test]
fn a_replacement_belongs_to_the_same_call() {
    let [by_body, by_key, by_id] =
        each_way_with_its_record(&failed("p1")).map(|asked| asked.that_fits().provider_says(failed_fact()));
    for (asked, name) in [(by_body, body_name()), (by_key, key_name()), (by_id, body_name())] {
        let new = quote_of(&asked);
        assert_eq!((new.name, new.round, new.currency), (Some(name), 0, Some(OriginCurrency::Sol)));
        assert_eq!((new.reason, new.delivered), (replaces("p1", PaymentState::Failed), None));
    }
    let call = failed("p1").with_idempotency_key("k");
    let by_id = asking().with_payment_id(&key("p1")).that_fits().that_meets(call).provider_says(failed_fact());
    assert_eq!(quote_of(&by_id).name, Some(key_name()), "also by its id alone");
}

#[test]
fn a_replacement_keeps_the_currency_of_the_quote_before_it() {
    let eth = failed("p1").in_currency(OriginCurrency::Eth);
    for asked in each_way_with_its_record(&eth).map(|asked| asked.that_fits().provider_says(failed_fact())) {
        assert_eq!(quote_of(&asked).currency, Some(OriginCurrency::Eth));
    }
    let [.., by_id] = each_way_with_its_record(&eth).map(|asked| asked.that_fits().provider_says(failed_fact()));
    assert_eq!(quote_of(&by_id.in_an_unsupported_currency()).currency, Some(OriginCurrency::Eth));
}

#[test]
fn a_replacement_is_held_to_what_holds_for_every_new_call() {
    let replaced = || each_way_with_its_record(&failed("p1")).map(|asked| asked.provider_says(failed_fact()));
    all_come_to(replaced(), &Step::CheckSchema);
    all_come_to(replaced().map(|asked| asked.checked(SchemaCheck::Fails)), &Step::Refuse(Refusal::SchemaMismatch));
    let why = ListingClosed::Paused;
    all_come_to(replaced().map(|asked| asked.while_closed(why)), &closed(why, None));
    let kept_away = replaced().map(|asked| asked.that_fits().with_open_breaker(30));
    all_come_to(kept_away, &Step::Refuse(Refusal::BreakerOpen { retry_after: 30 }));
    let limited = replaced().map(|asked| asked.that_fits().under_traffic(TrafficRefusal::RateLimited));
    all_come_to(limited, &Step::Refuse(Refusal::Traffic(TrafficRefusal::RateLimited)));
}

/// So many failed payments, newest first, whose `ttl` ends one minute after another.
fn many_failed(count: usize) -> Vec<(Call, Fact)> {
    let ttl_ms = |n: usize| NOW - i64::try_from(n).expect("few") * MINUTE;
    (0..count).map(|n| (failed(&format!("p{n}")).whose_ttl_ends(ttl_ms(n)), failed_fact())).collect()
}

#[test]
fn with_16_payments_that_may_still_be_filled_none_is_offered_and_the_wait_is_told() {
    let oldest_ttl_ms = NOW - 15 * MINUTE;
    let refused = Step::Refuse(Refusal::TooManyQuotes { until_ms: oldest_ttl_ms + HOUR });
    all_come_to(each_way_of(&many_failed(MAX_FILLABLE)).into_iter().map(Asking::that_fits), &refused);
    for asked in each_way_of(&many_failed(MAX_FILLABLE - 1)) {
        quote_of(&asked.that_fits());
    }
    for asked in by_name(&many_failed(MAX_FILLABLE)) {
        quote_of(&asked.that_fits().at(oldest_ttl_ms + HOUR));
    }
}

#[test]
fn one_of_16_payments_that_is_paid_is_gone_on_with() {
    let mut many = many_failed(MAX_FILLABLE);
    many[9].1 = FILLED;
    all_come_to(each_way_of(&many), &settles_and_delivers("p9"));
}
