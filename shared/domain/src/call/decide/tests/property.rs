//! What holds for every request in every world.

use std::collections::BTreeMap;

use super::rules;
use super::world::{Next, World};
use crate::call::step::{CallMove, Step};

const WORLDS: u64 = 20_000;
/// Turns of a request that nobody gets in the way of. What it asks and writes about payments that come to nothing, one after
/// another, is not counted.
const MAX_TURNS: usize = 8;
/// Turns that each parallel request may cost it.
const TURNS_PER_RACE: usize = 3;

/// Every kind of reply must occur, or the worlds have become too tame.
const REPLIES: [&str; 24] = [
    "CallFree",
    "Closing",
    "Deliver",
    "Offer",
    "Probe",
    "Quote",
    "Replay",
    "Wait",
    "Refuse(AlreadyDelivered",
    "Refuse(BoundToAnotherRequest",
    "Refuse(BreakerOpen",
    "Refuse(FailedBefore",
    "Refuse(Failed",
    "Refuse(IdempotencyKeyConflict",
    "Refuse(IdempotencyKeyReused",
    "Refuse(InProgress",
    "Refuse(ListingClosed",
    "Refuse(OtherCurrency",
    "Refuse(PaymentMismatch",
    "Refuse(ProviderUnavailable",
    "Refuse(QuoteInProgress",
    "Refuse(SellerUnavailable",
    "Refuse(TooManyQuotes",
    "Refuse(Undelivered",
];

#[test]
fn every_request_comes_to_a_reply_and_no_rule_of_money_is_broken() {
    let mut replies: BTreeMap<String, u32> = BTreeMap::new();
    let (mut longest, mut with_moves) = (0, 0);
    for seed in 0..WORLDS {
        let mut world = World::of_seed(seed);
        let races = usize::try_from(world.races).expect("few");
        let steps = steps_to_reply(&mut world).unwrap_or_else(|broken| panic!("seed {seed}: {broken}\n{:#?}", world.view));
        let turns = turns(&steps);
        let limit = MAX_TURNS + TURNS_PER_RACE * races;
        assert!(turns <= limit, "seed {seed}: {turns} turns: {steps:#?}");
        if races == 0 {
            longest = longest.max(turns);
        }
        with_moves = with_moves.max(steps.len());
        if let Some(reply) = steps.last() {
            *replies.entry(name(reply)).or_default() += 1;
        }
    }
    println!("{WORLDS} worlds, at most {longest} turns, {with_moves} with all moves and races, replies: {replies:#?}");
    for reply in REPLIES {
        assert!(replies.contains_key(reply), "no world ended in {reply}: {replies:#?}");
    }
}

/// The steps of one request, the last of which is its reply.
fn steps_to_reply(world: &mut World) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    while steps.len() < 64 {
        let step = world.decide();
        steps.push(step.clone());
        rules::check(&world.view, &step).map_err(|broken| format!("{broken}: {steps:#?}"))?;
        match world.carry_out(step) {
            Next::GoOn => {}
            Next::Replied => return Ok(steps),
            Next::Made(call) => {
                world.store(*call);
                return Ok(steps);
            }
        }
    }
    Err(format!("no reply: {steps:#?}"))
}

/// How many steps are not about a payment that comes to nothing.
fn turns(steps: &[Step]) -> usize {
    let writes_off = |step: &Step| matches!(step, Step::Move(..) | Step::Close(_));
    let asks_before = |step: &Step, next: &Step| match (step, next) {
        (Step::AskProvider(asked), Step::Close(key) | Step::Move(key, CallMove::Reversed)) => asked.as_slice() == [key.clone()],
        _ => false,
    };
    let questions = steps.windows(2).filter(|pair| asks_before(&pair[0], &pair[1])).count();
    steps.iter().filter(|step| !writes_off(step)).count() - questions
}

/// The name of a step, and of a refusal, without what it holds.
fn name(step: &Step) -> String {
    let text = format!("{step:?}");
    let parts = if matches!(step, Step::Refuse(_)) { 2 } else { 1 };
    text.split(['(', ')', ' ']).take(parts).collect::<Vec<_>>().join("(")
}
