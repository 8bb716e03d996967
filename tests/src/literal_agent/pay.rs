//! How the agent pays, and the invariant that each payment is held to.

use serde_json::json;

use super::advice::{Advice, Sending};
use super::fate::Fate;
use super::run::{Deposit, Ending, Run, Then, WRONG_HEADER, short};
use super::timeline::Event;
use super::wish::{Mistake, Temper};
use crate::failure::{Failure, Outcome};

/// Seconds after its expiry until which the provider fills a quote.
const FILLED_UNTIL: i64 = 180;
/// Seconds after its expiry until which nothing else is offered.
const CLOSED_AFTER: i64 = FILLED_UNTIL + 60;

impl Run<'_> {
    /// "Carry out the payment, then send the same body with its id."
    pub(super) async fn pay_as_told(&mut self, wish: usize, advice: &Advice, sending: &mut Sending) -> Result<Then, Failure> {
        let Some(id) = advice.offered().map(str::to_owned) else {
            self.violated(format!("wish {wish}: told to pay, but no payment is named"));
            return Ok(Then::End(Ending::Stopped));
        };
        if advice.payment["requirements"].is_null() {
            self.violated(format!("wish {wish}: told to pay {}, but nothing says how", short(&id)));
            return Ok(Then::End(Ending::Stopped));
        }
        let is_paid = self.deposits.iter().any(|deposit| deposit.id == id);
        if self.mistake == Some(Mistake::WrongHeader) && !advice.is_told_of(WRONG_HEADER) {
            self.violated(format!(
                "wish {wish}: the id came in {WRONG_HEADER}, and the reply does not say that this header is unknown"
            ));
        }
        if is_paid && (sending.id.as_deref() != Some(&id) || self.mistake.is_some()) {
            // It knows from its wallet that this is done, and goes on with what comes then.
            sending.id = Some(id);
            return Ok(Then::Repeat);
        }
        if is_paid {
            self.violated(format!("wish {wish}: told to pay {} a second time, after it had sent its id", short(&id)));
            return Ok(Then::End(Ending::Stopped));
        }
        let left = self.time.until(advice.payment["expires_at"].as_str().unwrap_or_default()) / 1_000;
        let hesitates = self.wishes[wish].hesitates(left, &mut self.random);
        if hesitates > 0 {
            for line in self.time.wait(hesitates).await? {
                self.note(line);
            }
            if hesitates > left {
                // The offer is over, so it is not paid.
                return Ok(Then::Repeat);
            }
        }
        let call = advice.details["request_id"].as_str().unwrap_or_default();
        self.pay(wish, &id, call, left - hesitates).await?;
        sending.id = Some(id);
        if self.wishes[wish].temper == Temper::Leaves {
            return Ok(Then::End(Ending::Stopped));
        }
        Ok(Then::Repeat)
    }

    /// "Pay an open quote": the first that the history lists.
    pub(super) async fn pay_an_open_quote(&mut self, wish: usize) -> Outcome {
        let reply = self.buyer.get("/gateway-requests").query("status", "quoted").send().await?;
        let Some(row) = reply.data()["gateway_requests"].as_array().and_then(|rows| rows.first()).cloned() else { return Ok(()) };
        let Some(id) = row["relay_request_id"].as_str().map(str::to_owned) else { return Ok(()) };
        let owner = self.wishes.iter().position(|wish| wish.offered.contains(&id)).unwrap_or(wish);
        let left = self.time.until(row["payment"]["expires_at"].as_str().unwrap_or_default()) / 1_000;
        self.note(format!("pays the open quote {}", short(&id)));
        self.pay(owner, &id, row["id"].as_str().unwrap_or_default(), left).await
    }

    /// Whether the history says that a call closed undelivered. A reply names one of several.
    async fn closed_undelivered(&self, call: &str) -> Result<bool, Failure> {
        let reply = self.buyer.get(&format!("/gateway-requests/{call}")).send().await?;
        Ok(reply.data()["gateway_request"]["status"] == "undelivered")
    }

    /// Pays. The invariant: not while an earlier payment of the same call may still be filled, unless that call closed undelivered.
    async fn pay(&mut self, wish: usize, id: &str, call: &str, seconds_to_expiry: i64) -> Outcome {
        let now = self.time.now();
        let fate = Fate::drawn(&mut self.random, (seconds_to_expiry + CLOSED_AFTER) * 1_000);
        self.note(format!("wish {wish}: pays {} ({}: {})", short(id), fate.name, json!(fate.changes)));
        let earlier: Vec<Deposit> = self.deposits.iter().filter(|deposit| deposit.wish == wish).cloned().collect();
        for deposit in &earlier {
            let since = now - deposit.at;
            if self.undelivered.contains(&deposit.call) {
                continue;
            }
            // It was offered because the earlier one had failed when the agent asked; by now, that may have been confirmed after all.
            let had_failed = |at| deposit.fate.is_reported_failed(at);
            if had_failed(since) || had_failed(self.asked_at - deposit.at) {
                self.confirmed_after_failure += u32::from(deposit.fate.filled_at.is_some());
            } else if !deposit.fate.is_lost(since, deposit.ends_at - deposit.at) && !self.closed_undelivered(&deposit.call).await? {
                let what = format!("wish {wish}: paid {} although {} had not failed", short(id), short(&deposit.id));
                self.violated(what);
            }
        }
        for (after_ms, change) in &fate.changes {
            let mut change = change.clone();
            change["after_ms"] = (*after_ms).into();
            self.world.sandbox.set(id, &change).await?;
        }
        if let Some((other, after_ms)) = &fate.superseded_by {
            self.world.sandbox.set(other, &json!({ "status": "success", "after_ms": after_ms })).await?;
        }
        if let Some(after_ms) = fate.forgotten_at {
            self.time.at(now + after_ms, Event::Forgets(id.to_owned()));
        }
        let ends_at = now + (seconds_to_expiry + FILLED_UNTIL) * 1_000;
        self.deposits.push(Deposit { wish, id: id.to_owned(), call: call.to_owned(), at: now, ends_at, fate });
        Ok(())
    }
}
