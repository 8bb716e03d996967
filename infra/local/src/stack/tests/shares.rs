//! What instances count together in the table: the calls at a listing, and what the payment provider is asked.

use crochet::app::App;
use crochet::budget::{Asker, Grant};
use crochet::config::Config;
use crochet::store::traffic::{CountedCall, Slot, Traffic};
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::share::Holder;
use futures::future::join_all;
use time::OffsetDateTime;

use super::*;

/// A stack, and two instances of the functions.
async fn two_instances(settings: &[(&str, &str)]) -> (Stack, [App; 2]) {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let stack = Stack::start(Options { routers: false, settings, ..Options::ephemeral() }).await.expect("a stack");
    let env = stack.env();
    let config = Config::from_lookup(|name| env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()));
    let config = config.expect("the stack's settings");
    let instances = [App::connect(config.clone()).await, App::connect(config).await];
    (stack, instances)
}

fn profile(n: u8) -> ProfileId {
    ProfileId::from_bytes([n; 16])
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_790_000_010).expect("a time")
}

const NOW_MS: i64 = 1_790_000_010_000;

#[tokio::test]
async fn no_buyer_gets_more_than_half_of_the_quotes_that_are_left_from_any_number_of_instances() {
    let (stack, apps) = two_instances(&[("CROCHET_RATE_LIMITS", "exact"), ("CROCHET_PROVIDER_QUOTES_PER_MINUTE", "12")]).await;
    let granted = async |buyer: u8, at_once: usize| {
        let asked = join_all((0..at_once).map(|n| apps[n % 2].provider_budget.quote(profile(buyer), now()))).await;
        asked.into_iter().filter(|grant| *grant.as_ref().expect("a grant") == Grant::Granted).count()
    };
    // All at once, so the counts that are given back are seen by some.
    assert_eq!(granted(1, 60).await, 6);
    assert_eq!(granted(2, 1).await, 1, "nobody else is refused");
    assert_eq!(granted(2, 60).await, 2);
    for buyer in 3..=5 {
        assert_eq!(granted(buyer, 1).await, 1, "{buyer}");
    }
    // What was refused was given back.
    let spent = apps[0].store.spend("quotes", now().unix_timestamp() / 60, &Holder::of(profile(1)), 0).await.expect("a count");
    assert_eq!((spent.by(&Holder::of(profile(1))), spent.by(&Holder::of(profile(2))), spent.total()), (6, 3, 12));
    let refused = apps[0].provider_budget.quote(profile(1), now()).await.expect("an answer");
    assert_eq!(refused, Grant::Refused { retry_after_seconds: 60 - now().unix_timestamp().rem_euclid(60).unsigned_abs() });
    let next_minute = now() + time::Duration::seconds(60);
    assert_eq!(apps[0].provider_budget.quote(profile(1), next_minute).await.expect("an answer"), Grant::Granted);
    stack.stop().await;
}

#[tokio::test]
async fn the_sweeper_asks_what_the_others_leave_or_a_quarter_and_several_at_once_are_granted_or_refused_together() {
    let (stack, [app, _]) =
        two_instances(&[("CROCHET_RATE_LIMITS", "exact"), ("CROCHET_PROVIDER_QUESTIONS_PER_MINUTE", "40")]).await;
    let ask_at =
        async |now, asker, count| app.provider_budget.questions(asker, count, now).await.expect("an answer") == Grant::Granted;
    let ask = async |asker, count| ask_at(now(), asker, count).await;
    let buyer = |n| Asker::Buyer(profile(n));
    // Half of 40, because nobody else asks.
    assert!(ask(Asker::Sweeper, 4).await && ask(Asker::Sweeper, 16).await);
    assert!(!ask(Asker::Sweeper, 1).await);
    // 40, less 20, halved.
    assert!(!ask(buyer(1), 11).await, "all or none");
    assert!(!ask(buyer(1), 1).await, "a refusal is repeated for two seconds");
    let later = now() + time::Duration::seconds(2);
    assert!(ask_at(later, buyer(1), 10).await && !ask_at(later, buyer(1), 1).await);
    assert!(ask(buyer(2), 5).await && !ask(buyer(2), 2).await);
    // In the next minute, buyers come first.
    let next = now() + time::Duration::minutes(1);
    assert!(ask_at(next, buyer(1), 20).await && ask_at(next, buyer(2), 10).await);
    assert!(ask_at(next, Asker::Sweeper, 10).await && !ask_at(next, Asker::Sweeper, 1).await, "a quarter");
    stack.stop().await;
}

fn listing() -> ListingId {
    ListingId::from_bytes([7; 16])
}

/// A slot for a minute, of a seller with 10 calls per minute.
fn slot(buyer: u8) -> Slot {
    slot_at(buyer, NOW_MS)
}

fn slot_at(buyer: u8, now_ms: i64) -> Slot {
    Slot::new(listing(), profile(buyer), now_ms + 60_000, Some(counted(buyer, now_ms)))
}

fn counted(buyer: u8, now_ms: i64) -> CountedCall {
    CountedCall::of(profile(buyer), now_ms.div_euclid(60_000), 10)
}

/// The slots and the calls of a buyer.
fn held(traffic: &Traffic, buyer: u8, now_ms: i64) -> (u32, u32) {
    let holder = Holder::of(profile(buyer));
    (traffic.in_flight(now_ms).by(&holder), traffic.calls(&counted(buyer, now_ms)).by(&holder))
}

#[tokio::test]
async fn a_slot_is_given_back_once_however_often_that_is_tried() {
    let (stack, [app, other]) = two_instances(&[]).await;
    let (one, two) = (slot(1), slot(1));
    let first = app.store.acquire_slot(&one, NOW_MS).await.expect("a slot");
    assert_eq!(held(&first, 1, NOW_MS), (1, 1));
    // The same write again, as after a lost reply.
    let again = other.store.acquire_slot(&one, NOW_MS).await.expect("the same slot");
    assert_eq!(held(&again, 1, NOW_MS), (1, 1));
    let both = app.store.acquire_slot(&two, NOW_MS).await.expect("a slot");
    assert_eq!((held(&both, 1, NOW_MS), held(&both.without(&two), 1, NOW_MS)), ((2, 2), (1, 1)));
    for _ in 0..3 {
        app.store.release_slot(&one, &both, NOW_MS).await.expect("released");
        app.store.cancel_slot(&one, &both, NOW_MS).await.expect("gone already");
    }
    assert_eq!(held(&app.store.traffic(listing()).await.expect("the traffic"), 1, NOW_MS), (1, 2), "one was made");
    for _ in 0..3 {
        app.store.cancel_slot(&two, &both, NOW_MS).await.expect("cancelled");
    }
    assert_eq!(held(&app.store.traffic(listing()).await.expect("the traffic"), 1, NOW_MS), (0, 1), "the other was not");
    // Nothing is made by giving back what never was.
    let elsewhere = Slot::new(ListingId::from_bytes([8; 16]), profile(1), NOW_MS, None);
    app.store.release_slot(&elsewhere, &Traffic::default(), NOW_MS).await.expect("nothing");
    stack.stop().await;
}

#[tokio::test]
async fn of_parallel_slots_each_counts_and_the_next_call_removes_what_is_outdated() {
    let (stack, apps) = two_instances(&[]).await;
    let slots: Vec<Slot> = (0..60).map(|n| slot(n % 3)).collect();
    let acquired = join_all((0..).zip(&slots).map(|(n, slot): (usize, _)| apps[n % 2].store.acquire_slot(slot, NOW_MS))).await;
    let mut totals: Vec<u32> = acquired.iter().map(|seen| seen.as_ref().expect("a slot").in_flight(NOW_MS).total()).collect();
    totals.sort_unstable();
    assert_eq!(totals, (1..=60).collect::<Vec<u32>>(), "each has seen another count");
    // Ten minutes later all of them are gone, and what counted them. The process that acquired them has died.
    let late_ms = NOW_MS + 600_000;
    for _ in 0..2 {
        let next = slot_at(1, late_ms);
        let seen = apps[0].store.acquire_slot(&next, late_ms).await.expect("a slot");
        assert_eq!(held(&seen, 1, late_ms).0, 1);
        apps[0].store.release_slot(&next, &seen, late_ms).await.expect("released");
    }
    let rest = apps[1].store.traffic(listing()).await.expect("the traffic");
    assert_eq!(rest.in_flight(NOW_MS).total(), 0, "nothing of them is stored");
    assert_eq!(held(&rest, 1, late_ms), (0, 2));
    stack.stop().await;
}
