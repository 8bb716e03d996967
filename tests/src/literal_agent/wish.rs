//! A call that the agent wants once.

use std::collections::BTreeMap;

use bytes::Bytes;
use crochet_client::Reply;
use serde_json::Value;

use super::advice::Sending;
use crate::random::Random;

/// How the agent goes about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Temper {
    /// It pays at once.
    Prompt,
    /// It pays some time later, while the offer stands.
    Slow,
    /// It pays in the last seconds of the offer.
    LastMoment,
    /// It comes back after the offer is over.
    TooLate,
    /// It pays and never returns.
    Leaves,
}

/// A mistake in how a payment's id is sent, made once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    /// Its last digit is wrong.
    Mangled,
    /// It is sent in a header that does not exist.
    WrongHeader,
    /// It is sent in the body.
    InTheBody,
}

/// A call that the agent wants once.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// The listing's id.
    pub(super) listing: String,
    /// The JSON body, which no other wish has.
    pub(super) body: Value,
    /// The `Idempotency-Key` that the agent chose.
    pub(super) key: Option<String>,
    /// The currency that the agent names.
    pub(super) currency: Option<String>,
    /// How it pays.
    pub(super) temper: Temper,
    /// How many replies may still be lost.
    pub(super) losses: u32,
    /// How often it asks again after the answer.
    pub(super) repeats: u32,
    /// Whether it asks in another currency first.
    pub(super) looks_around: bool,
    hesitated: bool,
    /// The mistake that it will make.
    pub(super) mistake: Option<Mistake>,
    /// The payments that were offered for it.
    pub(super) offered: Vec<String>,
    /// The keys under which a quote or an attempt of it is known.
    pub(super) bound_keys: Vec<String>,
    /// The answers, by their calls' ids.
    pub(super) answers: BTreeMap<String, Bytes>,
    /// When the first came, in milliseconds since the start of the run.
    pub(super) answered_at: i64,
}

impl Wish {
    pub(super) fn drawn(random: &mut Random, listing: &str, body: Value) -> Self {
        let key = random.chance(40).then(|| format!("wish-{:016x}", random.bits()));
        let temper = match random.below(20) {
            0..=9 => Temper::Prompt,
            10..=12 => Temper::Slow,
            13..=15 => Temper::LastMoment,
            16..=17 => Temper::TooLate,
            _ => Temper::Leaves,
        };
        Self {
            listing: listing.to_owned(),
            body,
            currency: random.chance(40).then(|| random.pick(&["SOL", "USDC_SOL"]).to_owned()),
            temper,
            losses: if random.chance(40) { 2 } else { 0 },
            repeats: u32::try_from(random.below(3)).unwrap_or(0),
            looks_around: key.is_none() && random.chance(20),
            key,
            hesitated: false,
            mistake: random.chance(15).then(|| random.pick(&[Mistake::Mangled, Mistake::WrongHeader, Mistake::InTheBody])),
            offered: Vec::new(),
            bound_keys: Vec::new(),
            answers: BTreeMap::new(),
            answered_at: 0,
        }
    }

    /// What the agent sends when it knows of no reply.
    pub(super) fn first_sending(&self) -> Sending {
        Sending { id: None, key: self.key.clone(), currency: self.currency.clone() }
    }

    /// What it sends after it has lost the answer: the body, by any of the names that it may remember.
    pub(super) fn again(&self, random: &mut Random) -> Sending {
        let currency = random.chance(50).then(|| random.pick(&["SOL", "USDC_SOL"]).to_owned());
        let first = self.first_sending();
        match (random.below(3), self.offered.last()) {
            (0, Some(id)) => Sending { id: Some(id.clone()), ..first },
            (1, Some(id)) if self.key.is_none() => {
                Sending { id: Some(id.clone()), key: Some(format!("late-{:016x}", random.bits())), currency }
            }
            _ => Sending { currency: currency.or(first.currency), ..first },
        }
    }

    /// Seconds that the agent lets pass before it pays, once for each wish. `left` is the rest of the offer.
    pub(super) fn hesitates(&mut self, left: i64, random: &mut Random) -> i64 {
        if self.hesitated {
            return 0;
        }
        self.hesitated = true;
        match self.temper {
            Temper::Prompt | Temper::Leaves => 0,
            Temper::Slow => random.between(0, (left - 5).max(0)),
            Temper::LastMoment => (left - random.between(2, 5)).max(0),
            Temper::TooLate => left + random.pick(&[1, 30, 170, 190, 300, 3_600]),
        }
    }

    /// Remembers what a reply says of the call's names.
    pub(super) fn note(&mut self, sending: &Sending, reply: &Reply) {
        let offered = reply.data()["payment"]["relay_request_id"].as_str();
        if let Some(id) = offered.filter(|id| !self.offered.iter().any(|known| known == id)) {
            self.offered.push(id.to_owned());
        }
        let is_bound = reply.status == 200 || reply.status == 202 || offered.is_some();
        if let Some(key) = sending.key.as_ref().filter(|key| is_bound && !self.bound_keys.contains(*key)) {
            self.bound_keys.push(key.clone());
        }
    }
}
