//! What must be true when a run is over: every payment ended, and every name of its call says so.

use crochet_client::Reply;
use serde_json::Value;

use super::advice::{Advice, Sending};
use super::run::{Deposit, Run, short};
use crate::failure::{Failure, Outcome};

/// Requests for each payment until a name must say how its call ended: a seller that fails is tried 20 times.
const PATIENCE: usize = 30;
/// Seconds after the last change at the provider after which nothing may be open: a fill counts until one hour after the `ttl`.
const AFTERWARDS: i64 = 3_600 + 900;
/// For so long a body leads to what was delivered for it (seconds).
const BODY_LEADS_FOR: i64 = 48 * 3_600;
/// Unused money becomes owed after this (seconds).
const A_DAY: i64 = 24 * 3_600;

/// How a call ended, as one of its names says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    /// The answer, or where it is.
    Delivered,
    /// It closed undelivered; the ledger says what is owed.
    Owed,
    /// Nothing was paid: a new offer.
    Unpaid,
    /// Anything else: status, code and advice.
    Otherwise(String),
}

impl Run<'_> {
    /// Lets everything end that can, and checks the invariant.
    pub(super) async fn judge(&mut self) -> Outcome {
        let last = self.deposits.iter().map(|deposit| (deposit.at + deposit.fate.ends_at()).max(deposit.ends_at)).max();
        let Some(last) = last else { return Ok(()) };
        let seconds = (last - self.time.now()).max(0) / 1_000 + AFTERWARDS;
        for line in self.time.wait(seconds).await? {
            self.note(line);
        }
        self.world.sandbox.clear_faults().await?;
        self.time.sweep().await?;
        self.note("-- the end: every name is asked".to_owned());
        // Bodies first: they lead to what was delivered for 48 hours, and the other names may take long.
        let (answered, others): (Vec<usize>, Vec<usize>) =
            (0..self.wishes.len()).partition(|wish| !self.wishes[*wish].answers.is_empty());
        for wish in answered.into_iter().chain(others) {
            self.ask_names(wish, true).await?;
        }
        for wish in 0..self.wishes.len() {
            self.ask_names(wish, false).await?;
        }
        self.time.wait(A_DAY).await?;
        self.time.sweep().await?;
        self.check_money().await
    }

    /// Asks by the body alone, or by every other name.
    async fn ask_names(&mut self, wish: usize, by_body: bool) -> Outcome {
        let deposits: Vec<Deposit> = self.deposits.iter().filter(|deposit| deposit.wish == wish).cloned().collect();
        if deposits.is_empty() {
            return Ok(());
        }
        let is_filled = deposits.iter().any(|deposit| deposit.fate.filled_at.is_some());
        let mut names: Vec<Sending> = Vec::new();
        if by_body {
            names.extend(self.wishes[wish].key.is_none().then(Sending::default));
        } else {
            names.extend(deposits.iter().map(|deposit| Sending { id: Some(deposit.id.clone()), ..Sending::default() }));
            let keys = self.wishes[wish].bound_keys.clone();
            names.extend(keys.into_iter().map(|key| Sending { key: Some(key), ..Sending::default() }));
        }
        for name in names {
            let ended = self.ask_until_it_ended(wish, &name).await?;
            let is_right = match &ended {
                Ended::Delivered | Ended::Owed => is_filled,
                Ended::Unpaid => !is_filled || (by_body && self.was_answered_long_ago(wish)),
                Ended::Otherwise(_) => false,
            };
            if !is_right {
                let asked = name.id.as_deref().or(name.key.as_deref()).unwrap_or("its body alone");
                let what = if is_filled { "paid" } else { "unpaid" };
                self.violated(format!("wish {wish} is {what}, but by {} it is {ended:?}", short(asked)));
            }
        }
        Ok(())
    }

    fn was_answered_long_ago(&self, wish: usize) -> bool {
        let wish = &self.wishes[wish];
        !wish.answers.is_empty() && self.time.now() - wish.answered_at >= BODY_LEADS_FOR * 1_000
    }

    async fn ask_until_it_ended(&mut self, wish: usize, name: &Sending) -> Result<Ended, Failure> {
        let mut told = Ended::Otherwise("nothing".into());
        let mut pause: i64 = 1;
        for _ in 0..PATIENCE * self.payments_of(wish).max(1) {
            let reply = self.send(wish, name).await?;
            self.describe(wish, name, &reply);
            told = ended(&reply);
            let Ended::Otherwise(_) = &told else { break };
            // The agent has made its mistake, and is told so.
            match Advice::of(&reply).action.as_str() {
                "send_payment_id_in_header" | "send_listed_payment_id" => continue,
                "list_gateway_requests" if self.listed(wish).await?.is_some() => continue,
                _ => {}
            }
            let Some(wait) = Advice::of(&reply).wait else { break };
            self.time.wait(wait.max(pause)).await?;
            pause = (2 * pause).min(3_600);
        }
        if told == Ended::Delivered && self.wishes[wish].answers.is_empty() {
            self.note(format!("wish {wish} was delivered to a repeat in the end"));
        }
        Ok(told)
    }

    /// Every filled payment is charged once, and delivered or owed. No other is charged.
    async fn check_money(&mut self) -> Outcome {
        let ledger = self.buyer.get("/ledger").query("limit", 100).send().await?;
        let entries = ledger.data()["entries"].as_array().cloned().unwrap_or_default();
        for deposit in self.deposits.clone() {
            let other = deposit.fate.superseded_by.as_ref().map(|(id, _)| id.as_str());
            let is_its = |entry: &&Value| {
                let id = entry["relay_request_id"].as_str();
                id == Some(deposit.id.as_str()) || (other.is_some() && id == other)
            };
            let count = |kind: &str| entries.iter().filter(is_its).filter(|entry| entry["type"] == kind).count();
            let (charged, owed) = (count("payment"), count("adjustment"));
            if deposit.fate.filled_at.is_none() && charged > owed {
                self.violated(format!("{} was charged, but it was never filled", short(&deposit.id)));
            }
            if deposit.fate.filled_at.is_none() {
                continue;
            }
            if charged != 1 {
                self.violated(format!("{} was filled, and charged {charged} times", short(&deposit.id)));
            }
            if owed == 0 && !self.is_delivered(&deposit).await? {
                self.violated(format!("{} was filled, and is neither delivered nor owed", short(&deposit.id)));
            }
        }
        Ok(())
    }

    async fn is_delivered(&mut self, deposit: &Deposit) -> Result<bool, Failure> {
        let name = Sending { id: Some(deposit.id.clone()), ..Sending::default() };
        let reply = self.send(deposit.wish, &name).await?;
        self.describe(deposit.wish, &name, &reply);
        Ok(ended(&reply) == Ended::Delivered)
    }
}

fn ended(reply: &Reply) -> Ended {
    let advice = Advice::of(reply);
    match (reply.status, advice.code.as_str(), advice.action.as_str()) {
        (200, ..) | (_, "ANSWER_EXPIRED", _) | (402 | 409, _, "fetch_stored_answer") => Ended::Delivered,
        (_, "CALL_UNDELIVERED", _) => Ended::Owed,
        (402, ..) if advice.details["undelivered_request_id"].is_string() => Ended::Owed,
        (402, _, "complete_payment_then_retry") => Ended::Unpaid,
        (status, code, action) => Ended::Otherwise(format!("{status} {code}, {action}")),
    }
}
