//! The machine, move by move and in every order.

use super::*;

const DEAD: Observation = Observation::NoConnection;
const SILENT: Observation = Observation::NoResponse;
const ALIVE: Observation = Observation::Healthy;

fn buyer(n: u8) -> Holder {
    Holder::stored(&n.to_string())
}

fn permit(since_ms: i64) -> Permit {
    of(1, since_ms)
}

fn of(n: u8, since_ms: i64) -> Permit {
    Permit { buyer: buyer(n), secret_version: "v1".into(), since_ms, probe: None }
}

fn probe(since_ms: i64, token: &str) -> Permit {
    Permit { probe: Some(token.into()), ..permit(since_ms) }
}

fn apply(record: Option<BreakerRecord>, change: Change) -> Option<BreakerRecord> {
    match change {
        Change::Keep => record,
        Change::Put(breaker) => Some(breaker),
        Change::Forget => None,
    }
}

/// A record after these attempts, one a millisecond.
fn row(attempts: &[(u8, Observation)]) -> Option<BreakerRecord> {
    (1..).zip(attempts).fold(None, |record: Option<BreakerRecord>, (now_ms, (n, observation))| {
        let change = after(record.as_ref(), &of(*n, now_ms), *observation, now_ms);
        apply(record, change)
    })
}

/// A breaker that buyer 1 has opened at `since_ms`, by what no body can cause.
fn opened(since_ms: i64) -> BreakerRecord {
    let breaker = row(&[(1, DEAD); 5]).expect("an open breaker");
    let opened = Some(Opened { since_ms, times: 1 });
    let buyers = breaker.buyers.iter().map(|failures| BuyerFailures { failed_ms: since_ms, ..failures.clone() }).collect();
    BreakerRecord { opened, buyers, failed_ms: since_ms, ..breaker }
}

fn at(record: &Option<BreakerRecord>, now_ms: i64) -> BreakerState {
    state(record, 1, now_ms)
}

/// The state for buyer `n`.
fn state(record: &Option<BreakerRecord>, n: u8, now_ms: i64) -> BreakerState {
    breaker_state(record.as_ref(), "v1", &buyer(n), now_ms)
}

/// The record after a probe of buyer `n` that ends at once.
fn tried(record: &Option<BreakerRecord>, n: u8, observation: Observation, now_ms: i64) -> Option<BreakerRecord> {
    let breaker = record.as_ref().expect("an open breaker");
    let taken = with_probe(breaker, Probe { token: "t".into(), until_ms: now_ms + 17_000 });
    let permit = Permit { probe: Some("t".into()), ..of(n, now_ms) };
    apply(Some(taken.clone()), after(Some(&taken), &permit, observation, now_ms))
}

#[test]
fn five_failures_in_a_row_open_it_for_thirty_seconds() {
    for observation in [DEAD, SILENT] {
        let mut record = None;
        for n in 1..=5_u8 {
            assert_eq!(state(&record, 9, n.into()), BreakerState::Closed, "before failure {n}");
            record = apply(record.clone(), after(record.as_ref(), &of(n, n.into()), observation, n.into()));
        }
        for n in [1, 5, 9] {
            assert_eq!(state(&record, n, 5), BreakerState::Open { until_ms: 5 + FIRST_OPEN_MS });
            assert_eq!(state(&record, n, 5 + FIRST_OPEN_MS - 1), BreakerState::Open { until_ms: 5 + FIRST_OPEN_MS });
            assert_eq!(state(&record, n, 5 + FIRST_OPEN_MS), BreakerState::HalfOpen);
        }
    }
}

#[test]
fn a_success_in_between_starts_the_row_anew() {
    let four = row(&[(1, DEAD); 4]);
    assert_eq!(after(four.as_ref(), &permit(11), ALIVE, 12), Change::Forget);
    assert_eq!(after(None, &permit(11), ALIVE, 12), Change::Keep, "nothing to forget is not written");
    let of_two = row(&[(1, SILENT), (1, SILENT), (1, SILENT), (2, SILENT), (3, ALIVE), (2, SILENT), (2, SILENT), (2, SILENT)]);
    assert_eq!(state(&of_two, 9, 20), BreakerState::Closed);
}

#[test]
fn each_failed_trial_doubles_the_time_up_to_five_minutes() {
    let mut record = Some(opened(0));
    let mut now_ms = 0;
    for seconds in [30, 60, 120, 240, 300, 300, 300] {
        assert_eq!(at(&record, now_ms), BreakerState::Open { until_ms: now_ms + seconds * 1_000 }, "{seconds}");
        now_ms += seconds * 1_000;
        assert_eq!(at(&record, now_ms), BreakerState::HalfOpen);
        record = tried(&record, 1, DEAD, now_ms);
        assert_eq!(record.as_ref().and_then(|breaker| breaker.probe.clone()), None);
    }
    assert_eq!(pause_ms(u32::MAX), LONGEST_OPEN_MS, "no overflow");
}

#[test]
fn a_trial_that_succeeds_closes_it() {
    let record = with_probe(&opened(0), Probe { token: "t".into(), until_ms: 1_000_000 });
    for observation in [ALIVE, Observation::ServerError] {
        assert_eq!(after(Some(&record), &probe(500_000, "t"), observation, 500_001), Change::Forget, "{observation:?}");
    }
}

#[test]
fn others_wait_for_a_trial_until_its_time_is_over() {
    let record = with_probe(&opened(0), Probe { token: "t".into(), until_ms: 50_000 });
    let open = |now_ms| at(&Some(record.clone()), now_ms);
    assert_eq!(open(30_000), BreakerState::Open { until_ms: 30_000 + PROBE_POLL_MS });
    assert_eq!(open(49_500), BreakerState::Open { until_ms: 50_000 });
    assert_eq!(open(50_000), BreakerState::HalfOpen, "whoever made it has died");
    // The one that took so long has no say once another has taken over.
    let taken_over = with_probe(&record, Probe { token: "u".into(), until_ms: 70_000 });
    for observation in [ALIVE, DEAD, SILENT, Observation::ServerError, Observation::Inconclusive] {
        assert_eq!(after(Some(&taken_over), &probe(30_000, "t"), observation, 51_000), Change::Keep);
    }
}

#[test]
fn a_trial_that_was_not_made_leaves_room_for_the_next() {
    let record = with_probe(&opened(0), Probe { token: "t".into(), until_ms: 50_000 });
    let Change::Put(free) = release_probe(Some(&record), &probe(30_000, "t")) else { panic!("it is given back") };
    assert_eq!(at(&Some(free), 30_001), BreakerState::HalfOpen);
    assert_eq!(release_probe(Some(&record), &probe(30_000, "u")), Change::Keep);
    assert_eq!(release_probe(Some(&record), &permit(30_000)), Change::Keep);
    assert_eq!(release_probe(None, &probe(30_000, "t")), Change::Keep);
    // One that was cut short has not been made either.
    assert_eq!(
        after(Some(&record), &probe(30_000, "t"), Observation::Inconclusive, 30_001),
        release_probe(Some(&record), &probe(30_000, "t"))
    );
}

#[test]
fn calls_that_were_on_their_way_when_it_opened_change_nothing() {
    let open = opened(100);
    for observation in [ALIVE, DEAD, SILENT, Observation::ServerError, Observation::Inconclusive] {
        assert_eq!(after(Some(&open), &permit(50), observation, 120), Change::Keep, "{observation:?}");
    }
}

#[test]
fn a_breaker_of_another_version_does_not_count() {
    let open = opened(100);
    assert_eq!(breaker_state(Some(&open), "v2", &buyer(1), 101), BreakerState::Closed);
    let of_new = Permit { secret_version: "v2".into(), ..permit(110) };
    assert_eq!(after(Some(&open), &of_new, ALIVE, 120), Change::Keep);
    let Change::Put(first) = after(Some(&open), &of_new, DEAD, 120) else { panic!("it is the new version's first") };
    assert_eq!((first.secret_version.as_str(), first.without_connection, first.failed_ms), ("v2", 1, 120));
    // A call of the old version that comes back late finds the new one's record, and leaves it alone.
    assert_eq!(after(Some(&first), &permit(90), DEAD, 130), Change::Keep);
}

#[test]
fn one_buyer_closes_the_seller_to_others_only_by_what_no_body_can_cause() {
    let is_open = |attempts: &[(u8, Observation)]| matches!(state(&row(attempts), 9, 100), BreakerState::Open { .. });
    assert!(!is_open(&[(1, SILENT); 50]));
    assert!(is_open(&[(1, DEAD); 5]));
    assert!(!is_open(&[(1, SILENT), (1, SILENT), (1, SILENT), (1, SILENT), (1, DEAD)]), "one restart is no proof of the rest");
    // Nor does somebody else's one time-out help.
    let mut poisoned = vec![(1, SILENT); 50];
    poisoned.push((2, SILENT));
    assert!(!is_open(&poisoned));
    poisoned.push((2, SILENT));
    assert!(is_open(&poisoned), "two of two buyers");
    assert!(is_open(&[(1, SILENT), (2, SILENT), (3, SILENT), (1, SILENT), (2, SILENT)]));
    // Whatever one buyer has piled up, the pause is as short as ever.
    assert_eq!(state(&row(&poisoned), 9, 60), BreakerState::Open { until_ms: 52 + FIRST_OPEN_MS });
}

#[test]
fn what_a_buyer_fails_alone_keeps_away_that_buyer_alone() {
    let mut record = row(&[(1, SILENT); 5]);
    let mut now_ms = 5;
    for seconds in [30, 60, 120, 240, 300, 300] {
        let until_ms = now_ms + seconds * 1_000;
        assert_eq!(at(&record, now_ms), BreakerState::Open { until_ms }, "{seconds}");
        assert_eq!(state(&record, 2, now_ms), BreakerState::Closed);
        // Those of its calls that were on their way do not make it longer.
        assert_eq!(after(record.as_ref(), &permit(now_ms - 1), SILENT, now_ms + 1), Change::Keep);
        // Nor does a success of others make it shorter.
        record = apply(record.clone(), after(record.as_ref(), &of(2, now_ms), ALIVE, now_ms + 2));
        assert_eq!(at(&record, until_ms - 1), BreakerState::Open { until_ms });
        assert_eq!(after(record.as_ref(), &of(2, now_ms), ALIVE, now_ms + 3), Change::Keep, "written once");
        now_ms = until_ms;
        assert_eq!(at(&record, now_ms), BreakerState::Closed);
        record = apply(record.clone(), after(record.as_ref(), &permit(now_ms), SILENT, now_ms));
    }
    assert_eq!(after(record.as_ref(), &permit(now_ms), ALIVE, now_ms + 1), Change::Forget, "its own success ends it");
}

#[test]
fn a_seller_that_fails_is_there_and_neither_adds_to_a_row_nor_ends_it() {
    assert_eq!(after(None, &permit(1), Observation::ServerError, 2), Change::Keep);
    let four = row(&[(1, DEAD); 4]);
    for observation in [Observation::ServerError, Observation::Inconclusive] {
        assert_eq!(after(four.as_ref(), &permit(11), observation, 12), Change::Keep, "{observation:?}");
    }
}

/// Buyers 1 and 2 have opened it. One of them may have poisonous bodies.
#[test]
fn a_trial_by_a_buyer_that_has_failed_before_does_not_open_it_again() {
    let record = row(&[(1, SILENT), (1, SILENT), (1, SILENT), (2, SILENT), (2, SILENT)]);
    let due_ms = 5 + FIRST_OPEN_MS;
    for poisonous in [1, 2] {
        let failed = tried(&record, poisonous, SILENT, due_ms);
        assert_eq!(state(&failed, 3, due_ms), BreakerState::HalfOpen, "the next trial is another's, at once");
        assert_eq!(state(&failed, poisonous, due_ms), BreakerState::Open { until_ms: due_ms + FIRST_OPEN_MS });
        // It is only away for longer each time.
        let again = tried(&failed, poisonous, SILENT, due_ms + FIRST_OPEN_MS);
        assert_eq!(
            state(&again, poisonous, due_ms + FIRST_OPEN_MS),
            BreakerState::Open { until_ms: due_ms + FIRST_OPEN_MS + 2 * FIRST_OPEN_MS }
        );
        assert_eq!(state(&again, 3, due_ms + FIRST_OPEN_MS), BreakerState::HalfOpen);
        let closed = tried(&failed, 3, ALIVE, due_ms + 1);
        assert_eq!(state(&closed, 3, due_ms + 2), BreakerState::Closed);
        assert_eq!(state(&closed, poisonous, due_ms + 2), BreakerState::Open { until_ms: due_ms + FIRST_OPEN_MS });
    }
    // A buyer that has not failed yet, or what no body can cause, says something new.
    for (n, observation) in [(3, SILENT), (1, DEAD)] {
        let failed = tried(&record, n, observation, due_ms);
        assert_eq!(state(&failed, 4, due_ms), BreakerState::Open { until_ms: due_ms + 2 * FIRST_OPEN_MS });
    }
}

#[test]
fn many_buyers_failures_take_no_more_room() {
    let attempts: Vec<(u8, Observation)> = (1..=4).map(|n| (n, SILENT)).collect();
    let mut record = row(&attempts);
    for n in 5..100 {
        let now_ms = i64::from(n) * LONGEST_OPEN_MS;
        record = match state(&record, n, now_ms) {
            BreakerState::HalfOpen => tried(&record, n, SILENT, now_ms),
            _ => apply(record.clone(), after(record.as_ref(), &of(n, now_ms), SILENT, now_ms)),
        };
    }
    assert_eq!(record.map(|breaker| breaker.buyers.len()), Some(8));
}

#[test]
fn a_row_is_over_a_day_after_its_last_failure_though_the_table_still_has_it() {
    let (four, open) = (row(&[(1, DEAD); 4]).expect("a record"), opened(4));
    let late = 4 + FAILURE_KEPT_MS;
    assert_eq!((at(&Some(open.clone()), late - 1), at(&Some(open.clone()), late)), (BreakerState::HalfOpen, BreakerState::Closed));
    for old in [four, open] {
        let Change::Put(first) = after(Some(&old), &permit(late), DEAD, late) else { panic!("a failure counts") };
        assert_eq!((first.without_connection, first.buyers[0].own, first.failed_ms), (1, 1, late));
        assert_eq!(after(Some(&old), &permit(late), ALIVE, late), Change::Keep);
    }
}

/// Whatever is played in whatever order, at most one call passes an open breaker at a time, and a live seller is found again.
#[test]
fn in_every_order_one_trial_at_a_time_and_a_live_seller_is_found_again() {
    // Six steps of four kinds each, with trials that fail by either observation.
    for order in 0..4_u32.pow(6) {
        for failure in [DEAD, SILENT] {
            let mut record = Some(opened(0));
            let (mut now_ms, mut running): (i64, Option<Permit>) = (0, None);
            for step in 0..6 {
                now_ms += 400_000;
                match (order >> (2 * step)) & 3 {
                    0 if at(&record, now_ms) == BreakerState::HalfOpen => {
                        let token = format!("t{step}");
                        let breaker = record.as_ref().expect("a breaker at which a probe is due");
                        record = Some(with_probe(breaker, Probe { token: token.clone(), until_ms: now_ms + 900_000 }));
                        running = Some(probe(now_ms, &token));
                        for n in [1, 2] {
                            assert_ne!(state(&record, n, now_ms), BreakerState::HalfOpen, "a second one passes");
                        }
                    }
                    1 => {
                        if let Some(permit) = running.take() {
                            record = apply(record.clone(), after(record.as_ref(), &permit, failure, now_ms));
                            assert!(matches!(at(&record, now_ms), BreakerState::Open { .. }) || record.is_none());
                        }
                    }
                    2 => record = apply(record.clone(), after(record.as_ref(), &permit(now_ms - 1_000_000), failure, now_ms)),
                    _ => {}
                }
            }
            now_ms += 2_000_000;
            if at(&record, now_ms) == BreakerState::HalfOpen {
                record = tried(&record, 1, ALIVE, now_ms);
            }
            assert_eq!(at(&record, now_ms), BreakerState::Closed, "{order}");
        }
    }
}

/// Whatever one buyer does, with whatever bodies and in whatever order, another one whose calls succeed is never kept away.
#[test]
fn in_every_order_one_buyers_failures_keep_no_other_away() {
    for order in 0..3_u32.pow(8) {
        let mut record = None;
        let mut now_ms = 0;
        for step in 0..8 {
            now_ms += 400_000;
            let (n, observation) = [(1, SILENT), (1, ALIVE), (2, ALIVE)][(order / 3_u32.pow(step) % 3) as usize];
            let change = after(record.as_ref(), &of(n, now_ms), observation, now_ms);
            record = apply(record, change);
            assert_eq!(state(&record, 2, now_ms), BreakerState::Closed, "{order}");
        }
    }
}
