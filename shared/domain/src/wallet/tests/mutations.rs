//! Wrong proofs, of which none may be accepted, and right ones in between, of which none may be refused: a million in a release
//! build.

mod evm;
mod solana;

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::super::proof::verify;
use super::*;

const MUTATIONS: usize = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
/// Each block has dice of its own, so that what is tried depends neither on the number of threads nor on their order.
const BLOCK: usize = 10_000;
/// A right proof goes before every so many wrong ones.
const RIGHT_EVERY: usize = 50;
/// The wallets of each chain, and the texts that each of them has signed.
const WALLETS: usize = 64;
const TEXTS: usize = 8;

/// A proof as a request would carry it.
struct Proof {
    address: String,
    message: String,
    signature: String,
}

impl Proof {
    fn is_accepted(&self) -> bool {
        WalletAddress::parse(&self.address).is_ok_and(|address| verify(&address, &self.message, &self.signature).is_ok())
    }
}

/// A signed text before encoding: `A` bytes of address, `S` bytes of signature.
#[derive(Clone)]
struct Signed<const A: usize, const S: usize> {
    wallet: usize,
    text: usize,
    address: [u8; A],
    /// The address as a text: spelling one takes as long as checking a signature does.
    spelt: String,
    message: String,
    signature: [u8; S],
}

/// One way to make a proof wrong; the first argument is all that was ever signed.
type Mutation<const A: usize, const S: usize> = (&'static str, fn(&[Signed<A, S>], &Signed<A, S>, &mut Dice) -> Proof);

/// Signed texts of a chain, how they are encoded, and how they are corrupted.
struct Chain<const A: usize, const S: usize> {
    signed: Vec<Signed<A, S>>,
    right: fn(&Signed<A, S>, &mut Dice) -> Proof,
    wrong: &'static [Mutation<A, S>],
}

impl<const A: usize, const S: usize> Chain<A, S> {
    /// Tries one block; how many wrong proofs were tried, and how many right ones.
    fn block(&self, number: usize) -> (usize, usize) {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1));
        // The first numbers of xorshift show that its seeds are alike.
        for _ in 0..16 {
            dice.below(2);
        }
        let mut right = 0;
        for i in 0..BLOCK {
            let signed = &self.signed[dice.below(self.signed.len())];
            if i.is_multiple_of(RIGHT_EVERY) {
                let proof = (self.right)(signed, &mut dice);
                assert!(proof.is_accepted(), "refused, in block {number}: {} {}", proof.address, proof.signature);
                right += 1;
            }
            let (what, mutate) = self.wrong[dice.below(self.wrong.len())];
            let proof = mutate(&self.signed, signed, &mut dice);
            assert!(
                !proof.is_accepted(),
                "accepted, {what}: {} {:?} {}, in block {number}",
                proof.address,
                proof.message,
                proof.signature
            );
        }
        (BLOCK, right)
    }
}

/// A text of the kind that is signed here.
fn text(wallet: usize, number: usize) -> String {
    format!(
        "crochet.example wants you to sign in with your account:\n{wallet}\n\nRegister this wallet with Crochet.\n\n\
         URI: https://crochet.example\nVersion: 1\nNonce: {:032x}\nIssued At: 2026-01-01T00:00:{number:02}Z",
        0x9e37_79b9_7f4a_7c15_u128 << 64 | (wallet * TEXTS + number) as u128
    )
}

/// Another message: one change somewhere, by a character, a line end or a length.
fn other_message(message: &str, dice: &mut Dice) -> String {
    let place = dice.below(message.len());
    let (before, after) = (&message[..place], &message[place..]);
    match dice.below(8) {
        // Texts here are ASCII, and every bit below the eighth makes another ASCII character.
        0..=2 => {
            let mut bytes = message.as_bytes().to_vec();
            bytes[place] ^= 1 << dice.below(7);
            String::from_utf8(bytes).expect("ASCII")
        }
        3 => before.to_owned(),
        4 => format!("{before} {after}"),
        5 => format!("{before}{}", &after[1..]),
        6 => format!("{message}{}", ["\n", "\0", " ", "\u{feff}"][dice.below(4)]),
        _ => message.replace('\n', "\r\n"),
    }
}

/// A text with one character changed, dropped or put in, that no decoder takes for what it was.
fn broken_text(text: &str, dice: &mut Dice) -> String {
    let place = dice.below(text.len());
    let (before, after) = (&text[..place], &text[place..]);
    match dice.below(6) {
        0 => before.to_owned(),
        1 => format!("{before}{}", &after[1..]),
        2 => format!("{before}{}{after}", ["0", "a", "1", "=", " "][dice.below(5)]),
        3 => format!("{before}_{}", &after[1..]),
        4 => format!("{text}{}", ["\n", "0", "00", "\0", "é"][dice.below(5)]),
        _ => format!("{}{text}", [" ", "0x", "\n", "00", "+"][dice.below(5)]),
    }
}

/// Flips one to three bits, of different bytes.
fn flip<const N: usize>(bytes: &mut [u8; N], dice: &mut Dice) {
    let first = dice.below(N);
    for step in 0..=dice.below(3) {
        bytes[(first + step * 7) % N] ^= 1 << dice.below(8);
    }
}

#[test]
fn no_mutated_signature_is_accepted_and_no_right_one_refused() {
    let started = Instant::now();
    let (evm, solana) = (evm::chain(), solana::chain());
    let next = AtomicUsize::new(0);
    let blocks = MUTATIONS / BLOCK;
    let work = || {
        let mut tried = (0, 0);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= blocks {
                return tried;
            }
            let (wrong, right) = if number.is_multiple_of(2) { evm.block(number) } else { solana.block(number) };
            tried = (tried.0 + wrong, tried.1 + right);
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let (wrong, right) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().fold((0, 0), |sum, worker| {
            let tried = worker.join().expect("a mutation was accepted, or a right proof refused; the worker said which");
            (sum.0 + tried.0, sum.1 + tried.1)
        })
    });
    assert_eq!((wrong, right), (MUTATIONS, MUTATIONS / RIGHT_EVERY));
    // Past the test runner, which keeps what a passing test prints to itself: the figure is what this test is for.
    let told = writeln!(
        std::io::stdout().lock(),
        "{} mutated signatures: 0 accepted; {} positives: {} accepted ({:.1} s)",
        thousands(wrong),
        thousands(right),
        thousands(right),
        started.elapsed().as_secs_f64()
    );
    told.expect("standard output takes a line");
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}
