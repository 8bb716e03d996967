//! What is owed, and refunds.

use crochet_client::{Agent, Reply};
use serde_json::{Value, json};

use crate::expect::{Replies, number, text};
use crate::failure::Failure;
use crate::market::{Market, Quote};
use crate::world::World;

/// Seconds after which a call whose seller failed closes.
const CLOSES: i64 = 24 * 3_600 + 60;

impl Market<'_> {
    /// Pays for calls with these bodies that the seller fails, and lets them close as undelivered. Returns their request ids. The
    /// market's endpoint must fail, and its stack must be isolated: the clock is moved by a day.
    pub async fn undelivered(&self, bodies: &[Value]) -> Result<Vec<String>, Failure> {
        let mut quotes = Vec::new();
        for body in bodies {
            let quote = self.paid(body).await?;
            self.redeem(&quote, body).await?.refused(502, "SELLER_ERROR");
            quotes.push((quote, body));
        }
        self.world.later(CLOSES).await?;
        let mut ids = Vec::new();
        for (quote, body) in quotes {
            let reply = self.redeem(&quote, body).await?;
            reply.refused(502, "CALL_UNDELIVERED");
            ids.push(text(&reply.error()["details"], "request_id").to_owned());
        }
        Ok(ids)
    }

    /// Asks, as the seller, to refund a call.
    pub async fn refund(&self, request_id: &str) -> Result<Reply, Failure> {
        refund(&self.seller, request_id).await
    }

    /// Refunds a call: asks, pays, and asks again. Returns the refund.
    pub async fn refunded(&self, request_id: &str) -> Result<Value, Failure> {
        let offer = Quote::of(self.refund(request_id).await?);
        self.world.sandbox.pay(&offer.id).await?;
        Ok(self.refund(request_id).await?.ok(200)["refund"].clone())
    }

    /// State of the charge of a call, as its buyer sees it.
    pub async fn charge(&self, request_id: &str) -> Result<String, Failure> {
        let reply = self.buyer.get(&format!("/gateway-requests/{request_id}")).send().await?;
        Ok(text(&reply.ok(200)["gateway_request"]["charge"], "state").to_owned())
    }
}

impl World {
    /// Sweeps once. Returns how many debtors and refunds were due.
    pub async fn look_at_debts(&self) -> Result<usize, Failure> {
        Ok(self.stack()?.sweep().await.map_err(Failure::new)?.debts)
    }

    /// Gives an agent a wallet of another one, which no route can do.
    pub async fn share_wallet(&self, of: &Agent, with: &Agent) -> Result<(), Failure> {
        let books = self.table_of_books()?;
        let key = |agent: &Agent| json!({ "PK": { "S": format!("PROFILE#{}", agent.profile_id) }, "SK": { "S": "PROFILE" } });
        let profile = books.item(&key(of)).await?.ok_or_else(|| Failure::new("no such profile"))?;
        books.change(&key(with), "SET wallets = list_append(wallets, :v)", Some(&profile["wallets"])).await
    }
}

/// Asks to refund a call.
pub async fn refund(caller: &Agent, request_id: &str) -> Result<Reply, Failure> {
    Ok(caller.post(&format!("/gateway-requests/{request_id}/refund")).json(&json!({})).send().await?)
}

/// Asks to close a call.
pub async fn close(caller: &Agent, request_id: &str) -> Result<Reply, Failure> {
    Ok(caller.post(&format!("/gateway-requests/{request_id}/close")).json(&json!({})).send().await?)
}

/// The sum of entries in micro-dollars.
#[must_use]
pub fn sum(entries: &[Value]) -> i64 {
    entries.iter().map(|entry| number(&entry["amount"], "amount_micros")).sum()
}
