//! What holds for every request in every world.

use std::collections::BTreeMap;

use super::world::{Next, World};
use crate::call::step::Step;
use crate::call::view::{Fact, Payout, ResolvedBy};
use crate::call::{Call, CallKey, CallState};

const WORLDS: u64 = 50_000;
/// The gateway's limit.
const MAX_STEPS: usize = 24;

#[test]
fn every_request_comes_to_a_reply_and_no_rule_of_money_is_broken() {
    let mut replies: BTreeMap<String, u32> = BTreeMap::new();
    let mut longest = 0;
    for seed in 0..WORLDS {
        let mut world = World::of_seed(seed);
        let steps = steps_to_reply(&mut world).unwrap_or_else(|broken| panic!("seed {seed}: {broken}\n{:#?}", world.view));
        longest = longest.max(steps.len());
        if let Some(reply) = steps.last() {
            *replies.entry(name(reply)).or_default() += 1;
        }
    }
    println!("{WORLDS} worlds, at most {longest} steps, replies: {replies:#?}");
    for reply in ["CallFree", "Deliver", "Offer", "Probe", "Quote", "Replay", "Wait", "Refuse(InProgress", "Refuse(PaymentMismatch"]
    {
        assert!(replies.contains_key(reply), "no world ended in {reply}: {replies:#?}");
    }
}

/// The steps of one request, the last of which is its reply.
fn steps_to_reply(world: &mut World) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    while steps.len() < MAX_STEPS {
        let step = world.decide();
        steps.push(step.clone());
        check(world, &step).map_err(|broken| format!("{broken}: {steps:#?}"))?;
        if matches!(world.carry_out(step), Next::Replied) {
            return Ok(steps);
        }
    }
    Err(format!("no reply: {steps:#?}"))
}

/// What is wrong with this step, if anything is.
fn check(world: &World, step: &Step) -> Result<(), String> {
    let view = &world.view;
    match step {
        Step::AskProvider(calls) => calls.iter().try_for_each(|key| is_read(world, key)),
        Step::Quote(new) => {
            if view.listing.closed.is_some() {
                return Err("a quote of a closed listing".into());
            }
            if !view.listing.is_paid {
                return Err("a quote of a free listing".into());
            }
            offers_nothing_paid(world, new.replaces.as_ref())
        }
        Step::CallFree(_) if view.listing.closed.is_some() || view.listing.is_paid => Err("a free call that is none".into()),
        Step::Offer(key, _) => {
            is_read(world, key)?;
            offers_nothing_paid(world, Some(key))?;
            offers_nothing_paid(world, view.call(key).and_then(|call| call.replaces.as_ref()))
        }
        Step::Settle(key) | Step::Deliver { call: key, settle: true } => {
            is_read(world, key)?;
            let fact = view.known(key).and_then(|known| known.fact.as_ref());
            if fact != Some(&Fact::Filled(Payout::AsQuoted)) {
                return Err(format!("{key} settles, and the provider says {fact:?}"));
            }
            Ok(())
        }
        Step::FindSuccessor(key)
        | Step::AddIdempotencyKey(key)
        | Step::Move(key, _)
        | Step::Close(key)
        | Step::Replay(key)
        | Step::Wait(key)
        | Step::Deliver { call: key, settle: false } => is_read(world, key),
        Step::CheckSchema | Step::Load(_) | Step::CallFree(_) | Step::Probe | Step::Refuse(_) => Ok(()),
    }
}

fn is_read(world: &World, key: &CallKey) -> Result<(), String> {
    if world.view.call(key).is_none() { Err(format!("{key} was not read")) } else { Ok(()) }
}

/// No call that the request leads to, and not `other`, is known to be paid or pending. For a request by body a call that has ended
/// is the past, even if a parallel request has ended it a moment ago.
fn offers_nothing_paid(world: &World, other: Option<&CallKey>) -> Result<(), String> {
    let view = &world.view;
    let named = view.record.as_ref().map(|record| &record.call);
    let successors = view.successors.iter().filter_map(|(_, successor)| successor.as_ref());
    for key in view.candidates.iter().chain(named).chain(successors).chain(other) {
        let Some(known) = view.known(key) else { continue };
        let has_ended = |call: &Call| matches!(call.state, CallState::Delivered { .. } | CallState::Undelivered);
        let is_past = view.request.resolved_by == ResolvedBy::Body && known.call.as_ref().is_some_and(has_ended);
        if matches!(known.fact, Some(Fact::Filled(_) | Fact::Pending)) && !is_past {
            return Err(format!("an offer, and the provider says {:?} about {key}", known.fact));
        }
    }
    Ok(())
}

/// The name of a step, and of a refusal, without what it holds.
fn name(step: &Step) -> String {
    let text = format!("{step:?}");
    let parts = if matches!(step, Step::Refuse(_)) { 2 } else { 1 };
    text.split(['(', ')', ' ']).take(parts).collect::<Vec<_>>().join("(")
}
