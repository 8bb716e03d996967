//! One run: a buyer that wants some calls and obeys every reply to the letter.

use std::collections::BTreeSet;

use crochet_client::{Agent, Reply};
use serde_json::Value;

use super::advice::{Advice, Loops, Sending};
use super::fate::Fate;
use super::timeline::Timeline;
use super::wish::{Mistake, Wish};
use crate::expect::text;
use crate::failure::{Failure, Outcome};
use crate::random::Random;
use crate::world::World;

/// The header that names a payment.
const PAYMENT_ID: &str = "x-crochet-relay-request-id";
/// A header that does not exist.
pub(super) const WRONG_HEADER: &str = "x-crochet-payment-id";
/// More requests than an obedient program needs for one answer with one payment, the attempts of a failing seller included.
const MAX_STEPS: usize = 60;
/// How often the same advice may come in a row without a time to wait.
const MAX_ADVICE_WITHOUT_WAIT: u32 = 3;

/// A payment that the agent made.
#[derive(Debug, Clone)]
pub(super) struct Deposit {
    /// The wish that it was made for.
    pub(super) wish: usize,
    /// The id of the payment.
    pub(super) id: String,
    /// The request id of its call.
    pub(super) call: String,
    /// When it was made.
    pub(super) at: i64,
    /// When the provider stops to fill the quote.
    pub(super) ends_at: i64,
    /// What the provider does with it.
    pub(super) fate: Fate,
}

/// A run in progress.
pub(super) struct Run<'a> {
    pub(super) world: &'a World,
    pub(super) random: Random,
    pub(super) time: Timeline<'a>,
    pub(super) buyer: Agent,
    pub(super) wishes: Vec<Wish>,
    pub(super) deposits: Vec<Deposit>,
    pub(super) violations: Vec<String>,
    pub(super) trace: Vec<String>,
    /// Payments made after the provider had reported an earlier one of the same call as failed, where the earlier one was filled all the same.
    pub(super) confirmed_after_failure: u32,
    /// Requests to the gateway.
    pub(super) requests: usize,
    /// When the last request was sent.
    pub(super) asked_at: i64,
    /// The mistake in the last request.
    pub(super) mistake: Option<Mistake>,
    /// The request ids of calls of which a reply said that they closed undelivered, and that what was paid is owed.
    pub(super) undelivered: BTreeSet<String>,
}

/// How an errand ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    Answered,
    /// The advice leads elsewhere: its `next_action`.
    LedAway(String),
    /// The agent left after paying, or a violation made it stop.
    Stopped,
}

/// What to do after obeying an advice.
pub(super) enum Then {
    Repeat,
    End(Ending),
}

impl Run<'_> {
    /// Fetches every wish, then some of them again.
    pub(super) async fn fetch_wishes(&mut self) -> Outcome {
        for wish in 0..self.wishes.len() {
            if self.wishes[wish].looks_around {
                self.look_around(wish).await?;
            }
            let mut ending = self.fetch(wish, self.wishes[wish].first_sending()).await?;
            for _ in 0..self.wishes[wish].repeats {
                if ending != Ending::Answered {
                    break;
                }
                // The answer was lost. The agent knows what it wanted, and asks for it again.
                let sending = self.wishes[wish].again(&mut self.random);
                self.note(format!("wish {wish}: the answer is lost; the agent asks again"));
                ending = self.fetch(wish, sending).await?;
            }
        }
        Ok(())
    }

    /// Asks in another currency, without paying.
    async fn look_around(&mut self, wish: usize) -> Outcome {
        let currency = self.random.pick(&["SOL", "USDC_SOL"]).to_owned();
        let sending = Sending { currency: Some(currency), ..self.wishes[wish].first_sending() };
        let reply = self.send(wish, &sending).await?;
        self.describe(wish, &sending, &reply);
        Ok(())
    }

    /// Repeats a request as each reply advises, until it is answered.
    async fn fetch(&mut self, wish: usize, mut sending: Sending) -> Result<Ending, Failure> {
        let mut loops = Loops::default();
        let mut steps = 0;
        while steps < MAX_STEPS * self.payments_of(wish).max(1) {
            steps += 1;
            let reply = self.send(wish, &sending).await?;
            self.describe(wish, &sending, &reply);
            if self.wishes[wish].losses > 0 && self.random.chance(40) {
                self.wishes[wish].losses -= 1;
                if self.random.chance(50) {
                    sending = self.wishes[wish].first_sending();
                }
                self.note("  this reply is lost".to_owned());
                // The same advice comes again because of that, and not because it goes round in circles.
                loops = Loops::default();
                continue;
            }
            match reply.status {
                200 => {
                    self.answered(wish, &reply);
                    return Ok(Ending::Answered);
                }
                202 => {
                    sending.id = reply.data()["relay_request_id"].as_str().map(str::to_owned).or(sending.id);
                    if !self.patient(&mut loops, &Advice::of(&reply)).await? {
                        return Ok(Ending::Stopped);
                    }
                }
                _ => {
                    let advice = Advice::of(&reply);
                    match self.obey(wish, &advice, &mut sending, &mut loops).await? {
                        Then::Repeat => {}
                        Then::End(ending) => {
                            self.note(format!("wish {wish} ends: {ending:?}"));
                            return Ok(ending);
                        }
                    }
                }
            }
        }
        self.violated(format!("wish {wish} was not over after {steps} requests"));
        Ok(Ending::Stopped)
    }

    /// How often the agent paid for a wish.
    pub(super) fn payments_of(&self, wish: usize) -> usize {
        self.deposits.iter().filter(|deposit| deposit.wish == wish).count()
    }

    pub(super) async fn send(&mut self, wish: usize, sending: &Sending) -> Result<Reply, Failure> {
        for line in self.time.catch_up().await? {
            self.note(line);
        }
        self.mistake = None;
        self.asked_at = self.time.now();
        let (mut header, mut id, mut body) = (PAYMENT_ID, sending.id.clone(), self.wishes[wish].body.clone());
        if let Some(paid) = &sending.id
            && let Some(mistake) = self.wishes[wish].mistake.take()
        {
            self.note(format!("  by mistake: {mistake:?}"));
            self.mistake = Some(mistake);
            match mistake {
                Mistake::Mangled => id = Some(mangled(paid)),
                Mistake::WrongHeader => header = WRONG_HEADER,
                Mistake::InTheBody => {
                    body["relay_request_id"] = paid.as_str().into();
                    id = None;
                }
            }
        }
        let request = self.buyer.call(&self.wishes[wish].listing, &body);
        let request = request.header_if("idempotency-key", sending.key.as_deref());
        let request = request.header_if("x-crochet-origin-currency", sending.currency.as_deref());
        let reply = request.header_if(header, id.as_deref()).send().await?;
        self.requests += 1;
        self.undelivered.extend(Advice::of(&reply).undelivered().map(str::to_owned));
        self.wishes[wish].note(sending, &reply);
        Ok(reply)
    }

    /// An answer is always the same. A wish has a second one only if a payment that had failed was filled after all, beside the one
    /// that took its place: by its own id, each is delivered.
    fn answered(&mut self, wish: usize, reply: &Reply) {
        let id = text(reply.data(), "request_id").to_owned();
        let (payments, now) = (self.payments_of(wish).max(1), self.time.now());
        let wanted = &mut self.wishes[wish];
        if wanted.answers.is_empty() {
            wanted.answered_at = now;
        }
        let known = wanted.answers.entry(id).or_insert_with(|| reply.body.clone());
        if *known != reply.body || wanted.answers.len() > payments {
            self.violated(format!("wish {wish} got another answer than before"));
        }
    }

    /// Does what a failure advises.
    async fn obey(&mut self, wish: usize, advice: &Advice, sending: &mut Sending, loops: &mut Loops) -> Result<Then, Failure> {
        if !self.patient(loops, advice).await? {
            return Ok(Then::End(Ending::Stopped));
        }
        sending.discard(advice);
        match advice.action.as_str() {
            "complete_payment_then_retry" => return self.pay_as_told(wish, advice, sending).await,
            "wait_and_retry" | "retry_same_request" | "retry_later" | "retry_later_or_choose_another_listing" => {}
            "fetch_stored_answer" => match advice.details["delivered_relay_request_id"].as_str() {
                Some(id) => sending.id = Some(id.to_owned()),
                None => {
                    self.violated(format!("wish {wish}: fetch_stored_answer names no delivered_relay_request_id"));
                    return Ok(Then::End(Ending::Stopped));
                }
            },
            "send_payment_id_in_header" => sending.id = advice.details["relay_request_id"].as_str().map(str::to_owned),
            // The agent knows which of them it has paid for this.
            "send_listed_payment_id" if sending.id.is_some() => {}
            "list_gateway_requests" => match self.listed(wish).await? {
                Some(id) => sending.id = Some(id),
                None => return Ok(Then::End(Ending::LedAway(advice.action.clone()))),
            },
            "send_stored_currency" => sending.currency = advice.details["origin_currency"].as_str().map(str::to_owned),
            "retry_without_payment_id" => {
                sending.id = None;
                sending.keep_only_preserved(advice);
            }
            "retry_without_idempotency_key" => sending.key = None,
            "use_new_idempotency_key" => {
                sending.keep_only_preserved(advice);
                sending.key = Some(self.new_key());
            }
            // The agent sends what it wants. The other half of the advice costs more.
            "send_original_request" => sending.id = None,
            "retry_with_solana_payment_route" => {
                sending.keep_only_preserved(advice);
                *sending = Sending { id: sending.id.take(), key: Some(self.new_key()), currency: Some("SOL".into()) };
            }
            "choose_supported_currency" => {
                sending.keep_only_preserved(advice);
                sending.key = sending.key.is_some().then(|| self.new_key());
                sending.currency = advice.details["origin_currencies"][0].as_str().map(str::to_owned);
            }
            "pay_or_wait" => self.pay_an_open_quote(wish).await?,
            "read_ledger" | "contact_operator" | "start_a_new_call" | "choose_another_listing" | "read_connection_instructions" => {
                return Ok(Then::End(Ending::LedAway(advice.action.clone())));
            }
            other => {
                // It may name a payment that the agent knows from its wallet.
                let known = self.deposits.iter().find(|deposit| deposit.wish == wish && advice.names(&deposit.id));
                match known.filter(|deposit| sending.id.as_deref() != Some(&deposit.id)) {
                    Some(deposit) => sending.id = Some(deposit.id.clone()),
                    None => return Ok(Then::End(Ending::LedAway(other.to_owned()))),
                }
            }
        }
        Ok(Then::Repeat)
    }

    /// The payment for a wish that the history names.
    pub(super) async fn listed(&self, wish: usize) -> Result<Option<String>, Failure> {
        let history = self.buyer.get("/gateway-requests").query("limit", 100).send().await?;
        let rows = history.data()["gateway_requests"].as_array().into_iter().flatten();
        let mut ids = rows.filter_map(|row| row["relay_request_id"].as_str());
        let is_its = |id: &&str| self.deposits.iter().any(|deposit| deposit.wish == wish && deposit.id == *id);
        Ok(ids.find(is_its).map(str::to_owned))
    }

    /// Waits as long as told, and longer the more often it is told the same. Returns false if the advice goes round in circles.
    async fn patient(&mut self, loops: &mut Loops, advice: &Advice) -> Result<bool, Failure> {
        let (in_a_row, without_wait) = loops.note(advice);
        if without_wait > MAX_ADVICE_WITHOUT_WAIT {
            self.violated(format!("{} with {} came {without_wait} times without retry_after_seconds", advice.code, advice.action));
            return Ok(false);
        }
        // A program may be late. Without this, an outage of an hour would take thousands of requests.
        let late = if in_a_row > 2 { 2_i64.saturating_pow(in_a_row).min(1_800) } else { 0 };
        if let Some(seconds) = advice.wait.filter(|_| advice.action != "complete_payment_then_retry") {
            for line in self.time.wait(seconds.max(late)).await? {
                self.note(line);
            }
        }
        Ok(true)
    }

    fn new_key(&mut self) -> String {
        format!("key-{:016x}", self.random.bits())
    }

    pub(super) fn violated(&mut self, what: String) {
        self.note(format!("!! {what}"));
        self.violations.push(what);
    }

    pub(super) fn note(&mut self, line: String) {
        let seconds = self.time.now() / 1_000;
        self.trace.push(format!("[{seconds:>6} s] {line}"));
    }

    pub(super) fn describe(&mut self, wish: usize, sending: &Sending, reply: &Reply) {
        let advice = Advice::of(reply);
        let sent: Vec<String> = [("id", &sending.id), ("key", &sending.key), ("currency", &sending.currency)]
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name} {}", short(value.as_deref()?))))
            .collect();
        let mut line = format!("wish {wish} [{}] -> {} {}", sent.join(", "), reply.status, advice.code);
        if !advice.action.is_empty() {
            line.push_str(&format!(", {}, wait {:?}", advice.action, advice.wait));
        }
        if let Some(id) = advice.offered() {
            line.push_str(&format!(", offers {}", short(id)));
        }
        if advice.details != Value::Null {
            line.push_str(&format!(", {}", advice.details));
        }
        self.note(line);
    }
}

/// An id with another last digit.
fn mangled(id: &str) -> String {
    let (start, last) = id.split_at(id.len().saturating_sub(1));
    format!("{start}{}", if last == "0" { "1" } else { "0" })
}

/// The start of an id, for traces.
pub(super) fn short(text: &str) -> &str {
    text.get(..12).unwrap_or(text)
}
