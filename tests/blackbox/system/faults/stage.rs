//! The market in which the plots are played, and what is checked after each.

use std::fmt;
use std::pin::pin;

use crochet_tests::{Destination, Failure, Fault, Market, Outbound, Replies, Reply, Request, World, sweep, text};
use serde_json::{Value, json};

use super::plot::{Answered, Plot};

/// Longer than an attempt's lease, in seconds. A process that dies during an attempt leaves its lease.
const LEASE: i64 = 40;
/// Retries after which a call counts as stuck.
const RETRIES: u32 = 12;
/// Seconds after which the slots of a process that died count no more.
const SLOTS_RETURN: i64 = 120;

/// What the pairs of request and fault came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) pairs: usize,
    double_charges: usize,
    lost_payments: usize,
    stuck_calls: usize,
    others: usize,
    /// One sentence each.
    pub(super) findings: Vec<String>,
}

impl Tally {
    pub(super) fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pairs, double_charges, lost_payments, stuck_calls, others, .. } = self;
        write!(
            f,
            "{pairs} pairs, {double_charges} double charges, {lost_payments} lost payments, {stuck_calls} stuck calls, {others} others"
        )
    }
}

/// Why a plot did not come to its end.
pub(super) enum Stop {
    /// The call is stuck.
    Stuck(String),
    /// The stage failed.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// The market in which a plot is played.
pub(super) struct Stage<'a> {
    pub(super) world: &'a World,
    outbound: &'a Outbound,
    plot: Plot,
    market: Market<'a>,
    /// Where the fault is.
    at: Destination,
}

impl<'a> Stage<'a> {
    pub(super) async fn prepare(world: &'a World, outbound: &'a Outbound, plot: Plot) -> Result<Self, Failure> {
        let market = market(world, outbound, plot).await?;
        let stage = Self { world, outbound, plot, market, at: Destination::DynamoDb };
        // Everything that is remembered between requests is remembered by then.
        match plot.play(&stage, &json!("warm"), "warm").await {
            Ok(_) => Ok(stage),
            Err(Stop::Failed(failure)) => Err(failure),
            Err(Stop::Stuck(what)) => Err(Failure::new(what)),
        }
    }

    /// A call by the buyer.
    pub(super) fn call(&self, body: &Value) -> Request {
        self.market.call(body)
    }

    /// Plays the plot with one fault. Returns false if the call made fewer requests.
    pub(super) async fn play(&mut self, at: Destination, fault: Fault, k: usize, tally: &mut Tally) -> Result<bool, Failure> {
        if at == Destination::SecretsManager {
            // A secret that was read is remembered.
            self.market = market(self.world, self.outbound, self.plot).await?;
        }
        self.at = at;
        let name = format!("{:?}, {at:?} × {fault:?} at {k}", self.plot);
        let (body, key) = (json!({ "story": name }), format!("{:?}, {at:?}, {fault:?}, {k}", self.plot));
        self.outbound.at(at).plan(fault, k);
        let played = self.plot.play(self, &body, &key).await;
        let struck = self.outbound.at(at).end();
        tally.pairs += usize::from(struck);
        sweep(self.world).await?;
        match played {
            Ok(answered) => self.check(&name, &body, &key, &answered, tally).await?,
            Err(Stop::Failed(failure)) => return Err(failure),
            Err(Stop::Stuck(what)) => {
                tally.stuck_calls += 1;
                tally.findings.push(format!("{name}: {what}"));
            }
        }
        self.world.later(SLOTS_RETURN).await?;
        let taken = self.market.slots_taken().await?;
        if taken != 0 {
            tally.others += 1;
            tally.findings.push(format!("{name}: {taken} slots were not given back"));
        }
        Ok(struck)
    }

    /// Retries until `status` is the answer. What was unreachable is back for the first retry.
    pub(super) async fn insist(&self, status: u16, request: impl Fn() -> Request) -> Result<Reply, Stop> {
        let mut last = String::new();
        for _ in 0..RETRIES {
            let replies = self.send(&request).await?;
            self.outbound.recover();
            let mut found = replies.iter().filter(|reply| reply.status == status);
            if let Some(reply) = found.next() {
                if status == 200 && found.any(|other| other.body != reply.body) {
                    return Err(Stop::Stuck("two parallel requests got different answers".into()));
                }
                return Ok(reply.clone());
            }
            // A client that got no reply does not know what happened.
            let Some(reply) = replies.last() else { continue };
            last = reply.text();
            let is_expected = match reply.code() {
                "" => reply.status == 202,
                "SERVICE_UNAVAILABLE"
                | "PAYMENT_PROVIDER_UNAVAILABLE"
                | "CALL_IN_PROGRESS"
                | "GATEWAY_INTERRUPTED"
                | "LISTING_BUSY" => true,
                code => code.starts_with("SELLER_"),
            };
            if !is_expected {
                break;
            }
            let told = reply.header("retry-after").parse().unwrap_or(1);
            self.world.later(if reply.code() == "CALL_IN_PROGRESS" { LEASE } else { told }).await?;
        }
        Err(Stop::Stuck(format!("no {status} came in the end: {last}")))
    }

    /// Sends a request. If one of its own is held, another client sends the same after the lease, and only then the held one goes on.
    async fn send(&self, request: &impl Fn() -> Request) -> Result<Vec<Reply>, Failure> {
        let proxy = self.outbound.at(self.at);
        let mut first = pin!(request().send());
        tokio::select! {
            reply = first.as_mut() => Ok(reply.into_iter().collect()),
            () = proxy.is_holding() => {
                self.world.later(LEASE).await?;
                let other = request().send().await;
                proxy.release();
                Ok(other.into_iter().chain(first.await).collect())
            }
        }
    }

    async fn check(&self, name: &str, body: &Value, key: &str, answered: &Answered, tally: &mut Tally) -> Result<(), Failure> {
        let market = &self.market;
        let id = text(answered.reply.ok(200), "request_id").to_owned();
        let mut wrong = Vec::new();
        let again = self.plot.again(self, body, key, answered.payment.as_deref()).send().await?;
        if again.status != 200 || !again.is_replay() || again.body != answered.reply.body {
            wrong.push(format!("asked again, the answer is another one: {}", again.text()));
        }
        let sent = body.to_string();
        let calls = self.world.seller.calls(&[("path", &market.path)]).await?;
        let received: Vec<&Value> = calls.iter().filter(|call| text(call, "body") == sent).collect();
        if received.is_empty() || received.iter().any(|call| call["webhook_id"] != json!(id)) {
            wrong.push(format!("the seller received {} calls, and not all as {id}", received.len()));
        }
        tally.others += wrong.len();
        if let Some(payment) = &answered.payment {
            let charges = [market.entries(&market.buyer, &id).await?.len(), market.entries(&market.seller, &id).await?.len()];
            let row = market.row(payment).await?;
            if charges.iter().any(|entries| *entries > 1) {
                tally.double_charges += 1;
                wrong.push(format!("{charges:?} entries of buyer and seller"));
            }
            if charges.contains(&0) || row["status"] != "delivered" || row["charge"]["state"] != "charged" {
                tally.lost_payments += 1;
                wrong.push(format!("{charges:?} entries of buyer and seller, {}, {}", row["status"], row["charge"]["state"]));
            }
        }
        tally.findings.extend(wrong.into_iter().map(|what| format!("{name}: {what}")));
        Ok(())
    }
}

async fn market<'a>(world: &'a World, outbound: &Outbound, plot: Plot) -> Result<Market<'a>, Failure> {
    let path = plot.path(world.echo_path());
    let mut fields = if plot == Plot::Free { world.free_fields(&path) } else { world.paid_fields(&json!(1), &path) };
    fields["private_endpoint_url"] = outbound.seller_url(world, &path).into();
    world.market_with(&fields, &path).await
}
