//! A failed attempt that is repeated before its `Retry-After`: the same failure again, and the seller is not called.

use super::asking::{Asking, asking, each_way};
use super::calls::{HOUR, MINUTE, NOW, free, free_key, key, settled};
use super::steps::{all_come_to, delivers};
use crate::call::outcome::Outcome;
use crate::call::step::{Refusal, Step};
use crate::call::view::ListingClosed;
use crate::call::{Call, LONGEST_RETRY_WAIT_MS, MAX_ATTEMPTS};

/// So many attempts failed, the last of them now.
fn failed_now(times: u32) -> Call {
    settled("p1").attempted_at(times, NOW)
}

fn failed_before(retry_from_ms: i64) -> Step {
    Step::Refuse(Refusal::FailedBefore { call: key("p1"), retry_from_ms })
}

/// Comes to the same failure until this time, and is forwarded from then on.
fn waits_until(call: &Call, with: impl Fn(Asking) -> Asking, from_ms: i64) {
    all_come_to(each_way(call).map(|asked| with(asked).at(from_ms - 1)), &failed_before(from_ms));
    all_come_to(each_way(call).map(|asked| with(asked).at(from_ms)), &delivers("p1"));
}

/// The wait after so many failures.
fn wait_after(failures: u32) -> i64 {
    (2_000 << (failures - 1).min(20)).min(3 * HOUR)
}

#[test]
fn the_wait_is_2_s_after_the_first_failure_and_doubles() {
    for (failures, wait_ms) in [(1, 2_000), (2, 4_000), (3, 8_000), (8, 256_000)] {
        waits_until(&failed_now(failures), |asked| asked, NOW + wait_ms);
    }
}

#[test]
fn the_wait_doubles_to_3_h() {
    for failures in 1..20 {
        let call = Call { settled_ms: Some(NOW + 3 * HOUR), ..failed_now(failures) };
        waits_until(&call, |asked| asked, NOW + wait_after(failures));
    }
    assert_eq!((wait_after(13), wait_after(14), wait_after(19)), (8_192_000, 3 * HOUR, LONGEST_RETRY_WAIT_MS));
}

#[test]
fn twenty_attempts_span_22_h() {
    let last = u32::try_from(MAX_ATTEMPTS).expect("few");
    let span: i64 = (1..last).map(wait_after).sum();
    assert_eq!(span / HOUR, 22);
}

#[test]
fn where_limits_are_relaxed_it_is_a_hundredth_of_it() {
    waits_until(&failed_now(3), |asked| asked.with_limits_relaxed(100), NOW + 80);
}

#[test]
fn a_changed_endpoint_ends_the_wait() {
    all_come_to(each_way(&failed_now(9)).map(|asked| asked.with_endpoint("another")), &delivers("p1"));
}

#[test]
fn the_wait_runs_from_the_end_of_the_failed_attempt() {
    let mut call = failed_now(1);
    call.attempts.iter_mut().for_each(|attempt| attempt.latency_ms = Some(500));
    waits_until(&call, |asked| asked, NOW + 2_500);
}

#[test]
fn an_interrupted_attempt_is_no_failure_that_is_waited_after() {
    let interrupted = settled("p1").with_attempt(Outcome::GatewayInterrupted, NOW);
    all_come_to(each_way(&interrupted), &delivers("p1"));
}

#[test]
fn interrupted_attempts_do_not_lengthen_the_wait() {
    let call = (0..9).fold(settled("p1"), |call, _| call.with_attempt(Outcome::GatewayInterrupted, NOW - MINUTE));
    waits_until(&call.attempted_at(1, NOW), |asked| asked, NOW + 2_000);
}

#[test]
fn while_the_wait_runs_a_paused_endpoint_does_not_change_the_answer() {
    let paused = each_way(&failed_now(1)).map(|asked| asked.while_closed(ListingClosed::Paused));
    all_come_to(paused, &failed_before(NOW + 2_000));
}

#[test]
fn a_free_call_with_a_key_waits_as_long() {
    let failed = || Call { attempts: Vec::new(), ..free() }.attempted_at(1, NOW);
    let asked = || asking().for_free().with_key("k").that_meets(failed());
    let refused = Step::Refuse(Refusal::FailedBefore { call: free_key(), retry_from_ms: NOW + 2_000 });
    assert_eq!(asked().decide(), refused);
    assert_eq!(asked().at(NOW + 2_000).decide(), Step::Deliver { call: free_key(), settle: false });
}
