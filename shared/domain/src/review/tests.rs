//! Each state of a buyer on its own.

use time::OffsetDateTime;

use super::*;
use crate::call::ledger::Settlement;
use crate::call::{Call, CallState, PaymentState};
use crate::debt::Standing;
use crate::ids::WalletId;
use crate::profile::{AccountType, Capability, Profile, Role, STARTING_SCORE, Wallet, WalletStatus};
use crate::refund::samples::{NOW, call, undelivered};
use crate::unknown::Unknown;
use crate::wallet::WalletAddress;

const DAY_MS: i64 = 24 * 3_600_000;
const WALLETS: [&str; 3] = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
];

fn delivered(at_ms: i64) -> Call {
    let settled = call(1).settled(None, at_ms);
    Call { state: CallState::Delivered { response: None }, updated_ms: at_ms, ..settled }
}

fn judged(call: &Call) -> Result<(), NotEvidence> {
    judge(call, None, NOW)
}

#[test]
fn every_state_of_a_call_is_judged() {
    use NotEvidence::{Free, NoPurchase, NotDelivered, Refunded, Reversed, TooOld, Used};
    assert_eq!(judged(&call(1)), Err(NoPurchase), "quoted");
    assert_eq!(judged(&call(1).expired(PaymentState::Failed, NOW)), Err(NoPurchase), "never paid");
    assert_eq!(judged(&call(1).deposit_seen(NOW)), Err(NotDelivered), "pending");
    assert_eq!(judged(&call(1).settled(None, NOW)), Err(NotDelivered), "paid");
    assert_eq!(judged(&undelivered(1)), Err(NotDelivered), "failed");
    assert_eq!(judged(&call(1).settled(None, NOW).reversed(NOW)), Err(Reversed));
    assert_eq!(judged(&Call { payment: None, ..delivered(NOW) }), Err(Free));
    assert_eq!(judged(&delivered(NOW)), Ok(()));
    assert_eq!(judged(&delivered(NOW - EVIDENCE_MS)), Ok(()), "on the last millisecond");
    assert_eq!(judged(&delivered(NOW - EVIDENCE_MS - 1)), Err(TooOld));
    let mut refunded = delivered(NOW);
    refunded.debts.seller = Settlement::Settled;
    assert_eq!(judged(&refunded), Err(Refunded));
    assert_eq!(judge(&delivered(NOW - DAY_MS), Some(NOW - DAY_MS), NOW), Err(Used));
    assert_eq!(judge(&delivered(NOW), Some(NOW - DAY_MS), NOW), Ok(()));
}

#[test]
fn the_newest_evidence_is_found_or_the_closest_reason_is_told() {
    let calls = [call(1), undelivered(2), delivered(NOW - 40 * DAY_MS)];
    assert_eq!(evidence(&calls, None, NOW), Err(NotEvidence::TooOld));
    assert_eq!(evidence(&calls[..2], None, NOW), Err(NotEvidence::NotDelivered));
    assert_eq!(evidence(&[], None, NOW), Err(NotEvidence::NoPurchase));
    let both = [delivered(NOW - 1), delivered(NOW - 2)];
    assert_eq!(evidence(&both, None, NOW).map(|call| call.updated_ms), Ok(NOW - 1));
}

fn profile(n: u8) -> Profile {
    let wallet = Wallet {
        id: WalletId::from_bytes([n; 16]),
        address: WalletAddress::parse(WALLETS[usize::from(n)]).expect("an address"),
        capabilities: Capability::ALL.to_vec(),
        default_for: Vec::new(),
        status: WalletStatus::Active,
        created_ms: 0,
        unknown: Unknown::default(),
    };
    Profile {
        id: ProfileId::from_bytes([n + 1; 16]),
        account_type: AccountType::Agent,
        display_name: "Ada".into(),
        description: None,
        role: Role::Both,
        score: STARTING_SCORE,
        wallets: vec![wallet],
        operator: None,
        listing_count: 0,
        claim_count: 0,
        standing: Standing::default(),
        suspended: None,
        summaries_stale: false,
        version: 1,
        created_ms: 0,
        unknown: Unknown::default(),
    }
}

#[test]
fn who_is_not_independent_of_the_seller_does_not_review() {
    let (buyer, seller, person) = (profile(0), profile(1), profile(2));
    assert_eq!(between(&buyer, &seller, false), Ok(()));
    assert_eq!(between(&seller, &seller, false), Err(NotEligible::Seller));
    assert_eq!(between(&buyer, &seller, true), Err(NotEligible::Circular));
    let claimed = |mut agent: Profile| {
        agent.set_operator(Some(person.id));
        agent
    };
    assert_eq!(between(&claimed(buyer.clone()), &seller, false), Ok(()));
    assert_eq!(between(&claimed(buyer.clone()), &claimed(seller.clone()), false), Err(NotEligible::SameOperator));
    assert_eq!(between(&person, &claimed(seller.clone()), false), Err(NotEligible::SameOperator));
    let mut sharing = buyer;
    sharing.wallets.extend(seller.wallets.clone());
    sharing.wallets[1].status = WalletStatus::Disabled;
    assert_eq!(between(&sharing, &seller, false), Err(NotEligible::SharedWallet), "even a disabled one");
}

fn review(ratings: [u8; 3], voice: i64) -> Review {
    let [accuracy, reliability, value] = ratings;
    let evidence = delivered(NOW);
    let opinion = Opinion {
        ratings: Ratings { accuracy, reliability, value },
        title: "T".into(),
        comment: "C".into(),
        voice,
        evidence: evidence.id,
        evidence_key: evidence.key(),
        evidence_state: EvidenceState::Stands,
        written_ms: NOW,
        unknown: Unknown::default(),
    };
    let id = ReviewId::generate(OffsetDateTime::UNIX_EPOCH);
    Review::new(id, (evidence.listing.id, evidence.seller), (evidence.buyer, "Ada".into()), opinion)
}

#[test]
fn a_review_weighs_what_its_evidence_and_its_state_say() {
    let written = review([5, 4, 3], 5_000);
    assert_eq!(written.voice(), 5_000);
    let paid_back = written.clone().with_evidence_state(EvidenceState::PaidBack).expect("a change");
    assert_eq!(paid_back.voice(), 2_500);
    assert_eq!(paid_back.clone().with_evidence_state(EvidenceState::PaidBack), None);
    assert_eq!(paid_back.with_evidence_state(EvidenceState::Reversed).expect("a change").voice(), 0);
    let hidden = written.clone().hidden(Some("Spam.".into()), NOW);
    assert_eq!((hidden.voice(), Tally::of(&hidden)), (0, Tally::default()));
    assert_eq!(Tally::of(&hidden.hidden(None, NOW)), Tally::of(&written));
    let answered = written.answered("Thanks.".into(), NOW).expect("the first answer");
    assert_eq!(answered.clone().answered("Again.".into(), NOW), None);
    assert_eq!(answered.clone().erased(NOW).answer, None);
    let unanswered = answered.clone().without_answer(NOW).expect("it had one");
    assert_eq!((Tally::of(&unanswered), unanswered.version), (Tally::of(&answered), answered.version + 1));
    assert_eq!(unanswered.without_answer(NOW), None);
}

#[test]
fn a_rating_shows_the_plain_mean_and_ranks_by_voice() {
    assert_eq!(Rating::default(), Rating { count: 0, average_hundredths: None, rank: 3_000 });
    let sum = Tally::of(&review([5, 5, 5], 5_000)) + Tally::of(&review([1, 2, 2], 100));
    let rating = sum.rating();
    assert_eq!((rating.count, rating.average_hundredths), (2, Some(333)));
    // (5 × 5 + 0.1 × 5/3 + 50 × 3) ÷ (5 + 0.1 + 50)
    assert_eq!(rating.rank, 3_179);
    let without = sum - Tally::of(&review([1, 2, 2], 100));
    assert_eq!(without.rating().average_hundredths, Some(500));
    assert!(without.rating().rank > rating.rank);
}
