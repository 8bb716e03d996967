//! The steps of a history, drawn from a seed without looking at what they lead to, so that every prefix can be played alone.

use crate::outbound::Destination;
use crate::proxy::Fault;
use crate::random::Random;

/// Buyers in a history.
pub(super) const BUYERS: u64 = 2;
/// Listings in a history.
pub(super) const LISTINGS: u64 = 2;

/// Where faults happen. A seller's failures are steps of its own.
const DESTINATIONS: [Destination; 3] = [Destination::DynamoDb, Destination::SecretsManager, Destination::Provider];

/// Something that a buyer, a seller, the provider or bad luck does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A buyer asks for a body, with a key or without.
    Ask { buyer: u64, listing: u64, body: u64, key: Option<u64>, currency: Option<&'static str>, twice: bool },
    /// A buyer repeats a call with the id of one of the quotes, and perhaps a key.
    Redeem { quote: u64, key: Option<u64>, twice: bool },
    /// The provider shows this state of one of the quotes.
    Provider { quote: u64, status: &'static str },
    /// The seller rotates the signing secret.
    Rotate { listing: u64, immediate: bool },
    /// The seller changes the price: free, or this many cents.
    Price { listing: u64, cents: Option<u64> },
    /// The seller suspends the listing, or offers it again.
    Offer { listing: u64, active: bool },
    /// The seller pauses the endpoint, or resumes it.
    Pause { listing: u64, paused: bool },
    /// The seller's endpoint works again, or fails from now on: it answers with a status, or hangs up.
    Seller { listing: u64, works: bool, answers: bool },
    /// The next request of a buyer meets this fault.
    Fault { at: Destination, fault: Fault, k: u64 },
    /// Time passes (seconds).
    Later(i64),
    /// The scheduled sweep runs.
    Sweep,
}

/// The steps of the history with this seed.
pub(super) fn steps(random: &mut Random) -> Vec<Step> {
    let count = 8 + random.below(18);
    (0..count).map(|_| step(random)).collect()
}

fn step(random: &mut Random) -> Step {
    let listing = random.below(LISTINGS);
    match random.below(100) {
        0..=24 => Step::Ask {
            buyer: random.below(BUYERS),
            listing,
            body: random.below(2),
            key: random.chance(40).then(|| random.below(2)),
            currency: random.chance(20).then(|| random.pick(&["SOL", "USDC_SOL"])),
            twice: random.chance(15),
        },
        25..=44 => Step::Redeem { quote: random.bits(), key: random.chance(15).then(|| random.below(2)), twice: random.chance(15) },
        45..=64 => Step::Provider {
            quote: random.bits(),
            status: random.pick(&["success", "success", "success", "pending", "waiting", "failure", "refund"]),
        },
        65..=67 => Step::Rotate { listing, immediate: random.chance(50) },
        68..=73 => Step::Price { listing, cents: random.pick(&[None, Some(100), Some(50), Some(200)]) },
        74..=77 => Step::Offer { listing, active: random.chance(60) },
        78..=80 => Step::Pause { listing, paused: random.chance(40) },
        81..=84 => Step::Seller { listing, works: random.chance(50), answers: random.chance(50) },
        85..=91 => fault(random),
        92..=97 => Step::Later(random.pick(&[1, 40, 130, 700, 1_000, 5_000])),
        _ => Step::Sweep,
    }
}

fn fault(random: &mut Random) -> Step {
    let at = random.pick(&DESTINATIONS);
    // While the table is gone, a request that has an outcome to store tries until its time is over, half a minute.
    let faults: &[Fault] = match at {
        Destination::DynamoDb => &[Fault::LostReply, Fault::Delay, Fault::KillBefore, Fault::KillAfter],
        _ => &Fault::ANYWHERE,
    };
    Step::Fault { at, fault: random.pick(faults), k: 1 + random.below(8) }
}
