//! The machine, move by move and in every order.

use super::*;

const DEAD: Observation = Observation::NoConnection;
const ALIVE: Observation = Observation::Healthy;

fn buyer(n: u8) -> ProfileId {
    format!("00000000-0000-7000-8000-0000000000{n:02}").parse().expect("an id")
}

fn pass(since_ms: i64) -> Permit {
    of(1, since_ms)
}

fn of(n: u8, since_ms: i64) -> Permit {
    Permit { buyer: buyer(n), secret_version: "v1".into(), since_ms, trial: None }
}

fn trial(since_ms: i64, token: &str) -> Permit {
    Permit { trial: Some(token.into()), ..pass(since_ms) }
}

fn apply(record: Option<BreakerRecord>, change: Change) -> Option<BreakerRecord> {
    match change {
        Change::Keep => record,
        Change::Put(breaker) => Some(breaker),
        Change::Forget => None,
    }
}

/// A record after so many failures in a row, the last at `failed_ms`.
fn failed(failures: u32, failed_ms: i64) -> BreakerRecord {
    BreakerRecord { failures, unconnected: failures, ..first_failure(&pass(0), DEAD, failed_ms) }
}

fn at(record: &Option<BreakerRecord>, now_ms: i64) -> BreakerState {
    breaker_state(record.as_ref(), "v1", now_ms)
}

#[test]
fn five_failures_in_a_row_open_it_for_thirty_seconds() {
    let mut record = None;
    for n in 1..=5 {
        assert_eq!(at(&record, n), BreakerState::Closed, "before failure {n}");
        record = apply(record.clone(), after(record.as_ref(), &pass(n), DEAD, n));
    }
    assert_eq!(at(&record, 5), BreakerState::Open { until_ms: 5 + FIRST_OPEN_MS });
    assert_eq!(at(&record, 5 + FIRST_OPEN_MS - 1), BreakerState::Open { until_ms: 5 + FIRST_OPEN_MS });
    assert_eq!(at(&record, 5 + FIRST_OPEN_MS), BreakerState::HalfOpen);
}

#[test]
fn a_success_in_between_starts_the_row_anew() {
    let four = failed(4, 10);
    assert_eq!(after(Some(&four), &pass(11), ALIVE, 12), Change::Forget);
    assert_eq!(after(None, &pass(11), ALIVE, 12), Change::Keep, "nothing to forget is not written");
}

#[test]
fn each_failed_trial_doubles_the_time_up_to_five_minutes() {
    let mut record = failed(FAILURES_TO_OPEN, 0);
    let mut now_ms = 0;
    for seconds in [30, 60, 120, 240, 300, 300, 300] {
        assert_eq!(at(&Some(record.clone()), now_ms), BreakerState::Open { until_ms: now_ms + seconds * 1_000 }, "{seconds}");
        now_ms += seconds * 1_000;
        assert_eq!(at(&Some(record.clone()), now_ms), BreakerState::HalfOpen);
        record = tried(&record, Probe { token: "t".into(), until_ms: now_ms + 17_000 });
        let Change::Put(next) = after(Some(&record), &trial(now_ms, "t"), DEAD, now_ms) else { panic!("a trial counts") };
        assert_eq!(next.trial, None);
        record = next;
    }
    assert!(failed(u32::MAX, 0).open_until_ms() == LONGEST_OPEN_MS, "no overflow");
}

#[test]
fn a_trial_that_succeeds_closes_it() {
    let record = tried(&failed(7, 0), Probe { token: "t".into(), until_ms: 1_000_000 });
    for sign in [ALIVE, Observation::ServerError] {
        assert_eq!(after(Some(&record), &trial(500_000, "t"), sign, 500_001), Change::Forget, "{sign:?}");
    }
}

#[test]
fn others_wait_for_a_trial_until_its_time_is_over() {
    let record = tried(&failed(5, 0), Probe { token: "t".into(), until_ms: 50_000 });
    let open = |now_ms| at(&Some(record.clone()), now_ms);
    assert_eq!(open(30_000), BreakerState::Open { until_ms: 30_000 + TRIAL_POLL_MS });
    assert_eq!(open(49_500), BreakerState::Open { until_ms: 50_000 });
    assert_eq!(open(50_000), BreakerState::HalfOpen, "whoever made it has died");
    // The one that took so long has no say once another has taken over.
    let taken_over = tried(&record, Probe { token: "u".into(), until_ms: 70_000 });
    for sign in [ALIVE, DEAD, Observation::NoResponse, Observation::ServerError, Observation::Inconclusive] {
        assert_eq!(after(Some(&taken_over), &trial(30_000, "t"), sign, 51_000), Change::Keep);
    }
}

#[test]
fn a_trial_that_was_not_made_leaves_room_for_the_next() {
    let record = tried(&failed(5, 0), Probe { token: "t".into(), until_ms: 50_000 });
    let Change::Put(free) = release_probe(Some(&record), &trial(30_000, "t")) else { panic!("it is given back") };
    assert_eq!(at(&Some(free), 30_001), BreakerState::HalfOpen);
    assert_eq!(release_probe(Some(&record), &trial(30_000, "u")), Change::Keep);
    assert_eq!(release_probe(Some(&record), &pass(30_000)), Change::Keep);
    assert_eq!(release_probe(None, &trial(30_000, "t")), Change::Keep);
    // One that was cut short has not been made either.
    assert_eq!(
        after(Some(&record), &trial(30_000, "t"), Observation::Inconclusive, 30_001),
        release_probe(Some(&record), &trial(30_000, "t"))
    );
}

#[test]
fn calls_that_were_on_their_way_when_it_opened_change_nothing() {
    let open = failed(FAILURES_TO_OPEN, 100);
    for sign in [ALIVE, DEAD, Observation::NoResponse, Observation::ServerError, Observation::Inconclusive] {
        assert_eq!(after(Some(&open), &pass(50), sign, 120), Change::Keep, "{sign:?}");
    }
}

#[test]
fn a_breaker_of_another_version_does_not_count() {
    let open = failed(FAILURES_TO_OPEN, 100);
    assert_eq!(breaker_state(Some(&open), "v2", 101), BreakerState::Closed);
    let of_new = Permit { secret_version: "v2".into(), ..pass(110) };
    assert_eq!(after(Some(&open), &of_new, ALIVE, 120), Change::Keep);
    let Change::Put(first) = after(Some(&open), &of_new, DEAD, 120) else { panic!("it is the new version's first") };
    assert_eq!((first.secret_version.as_str(), first.failures, first.failed_ms), ("v2", 1, 120));
    // A call of the old version that comes back late finds the new one's record, and leaves it alone.
    assert_eq!(after(Some(&first), &pass(90), DEAD, 130), Change::Keep);
}

/// What is remembered after these failures, one a millisecond.
fn row(failures: &[(u8, Observation)]) -> Option<BreakerRecord> {
    (1..).zip(failures).fold(None, |record: Option<BreakerRecord>, (now_ms, (n, sign))| {
        let change = after(record.as_ref(), &of(*n, now_ms), *sign, now_ms);
        apply(record, change)
    })
}

#[test]
fn one_buyer_opens_it_only_by_what_no_body_can_cause() {
    let is_open = |failures: &[(u8, Observation)]| matches!(at(&row(failures), 100), BreakerState::Open { .. });
    assert!(!is_open(&[(1, Observation::NoResponse); 50]));
    assert!(is_open(&[(1, DEAD); 5]));
    let mixed = [
        (1, Observation::NoResponse),
        (1, Observation::NoResponse),
        (1, Observation::NoResponse),
        (1, Observation::NoResponse),
        (1, DEAD),
    ];
    assert!(!is_open(&mixed), "one restart of the seller makes no proof of the rest");
    let of_two = [
        (1, Observation::NoResponse),
        (1, Observation::NoResponse),
        (2, Observation::NoResponse),
        (1, Observation::NoResponse),
        (1, Observation::NoResponse),
    ];
    assert!(is_open(&of_two) && !is_open(&of_two[..4]));
    // Whatever one buyer has piled up, the first pause is as short as ever.
    let mut piled_up = vec![(1, Observation::NoResponse); 50];
    piled_up.push((2, Observation::NoResponse));
    assert_eq!(at(&row(&piled_up), 51), BreakerState::Open { until_ms: 51 + FIRST_OPEN_MS });
}

#[test]
fn a_seller_that_fails_is_there_and_neither_adds_to_a_row_nor_ends_it() {
    assert_eq!(after(None, &pass(1), Observation::ServerError, 2), Change::Keep);
    let four = failed(4, 10);
    for sign in [Observation::ServerError, Observation::Inconclusive] {
        assert_eq!(after(Some(&four), &pass(11), sign, 12), Change::Keep, "{sign:?}");
    }
}

#[test]
fn trials_of_the_buyer_that_failed_last_make_the_time_no_longer() {
    let mut record = row(&[
        (1, Observation::NoResponse),
        (1, Observation::NoResponse),
        (1, Observation::NoResponse),
        (2, Observation::NoResponse),
        (1, Observation::NoResponse),
    ]);
    let mut now_ms = 5;
    // The same buyer's trials keep it, another's doubles it.
    for (seconds, n) in [(30, 1), (30, 1), (30, 2), (60, 2), (60, 1), (120, 1), (120, 1)] {
        assert_eq!(at(&record, now_ms), BreakerState::Open { until_ms: now_ms + seconds * 1_000 }, "{seconds}");
        now_ms += seconds * 1_000;
        let breaker = record.as_ref().expect("an open breaker");
        let taken = tried(breaker, Probe { token: "t".into(), until_ms: now_ms + 17_000 });
        let pass = Permit { trial: Some("t".into()), ..of(n, now_ms) };
        record = apply(Some(taken.clone()), after(Some(&taken), &pass, Observation::NoResponse, now_ms));
    }
}

#[test]
fn a_row_is_over_a_day_after_its_last_failure_though_the_table_still_has_it() {
    let (four, open) = (failed(4, 10), failed(7, 10));
    let late = 10 + ROW_KEPT_MS;
    assert_eq!((at(&Some(open.clone()), late - 1), at(&Some(open.clone()), late)), (BreakerState::HalfOpen, BreakerState::Closed));
    for old in [four, open] {
        let Change::Put(first) = after(Some(&old), &pass(late), DEAD, late) else { panic!("a failure counts") };
        assert_eq!((first.failures, first.failed_ms), (1, late));
        assert_eq!(after(Some(&old), &pass(late), ALIVE, late), Change::Keep);
    }
}

/// Whatever is played in whatever order, at most one call passes an open breaker at a time, and a live seller is found again.
#[test]
fn in_every_order_one_trial_at_a_time_and_a_live_seller_is_found_again() {
    // Six steps of four kinds each.
    for order in 0..4_u32.pow(6) {
        let mut record = Some(failed(FAILURES_TO_OPEN, 0));
        let (mut now_ms, mut running): (i64, Option<Permit>) = (0, None);
        for step in 0..6 {
            now_ms += 400_000;
            match (order >> (2 * step)) & 3 {
                0 if at(&record, now_ms) == BreakerState::HalfOpen => {
                    let token = format!("t{step}");
                    let breaker = record.as_ref().expect("a breaker at which a trial is due");
                    record = Some(tried(breaker, Probe { token: token.clone(), until_ms: now_ms + 900_000 }));
                    running = Some(trial(now_ms, &token));
                    assert_ne!(at(&record, now_ms), BreakerState::HalfOpen, "a second one passes");
                }
                1 => {
                    if let Some(pass) = running.take() {
                        record = apply(record.clone(), after(record.as_ref(), &pass, DEAD, now_ms));
                        assert!(matches!(at(&record, now_ms), BreakerState::Open { .. }) || record.is_none());
                    }
                }
                2 => record = apply(record.clone(), after(record.as_ref(), &pass(now_ms - 1_000_000), DEAD, now_ms)),
                _ => {}
            }
        }
        now_ms += 2_000_000;
        if at(&record, now_ms) == BreakerState::HalfOpen {
            let breaker = record.as_ref().expect("a breaker at which a trial is due");
            let taken = tried(breaker, Probe { token: "last".into(), until_ms: now_ms + 1 });
            record = apply(Some(taken.clone()), after(Some(&taken), &trial(now_ms, "last"), ALIVE, now_ms));
        }
        assert_eq!(at(&record, now_ms), BreakerState::Closed, "{order}");
    }
}
