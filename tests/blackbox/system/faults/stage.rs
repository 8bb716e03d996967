//! The market in which the plots are played, and a client that retries.

use std::pin::pin;

use crochet_tests::{Destination, Failure, Market, Outbound, Reply, Request, World};
use serde_json::Value;

/// Longer than an attempt's lease, in seconds. A process that dies during an attempt leaves its lease.
const LEASE: i64 = 40;
/// Retries after which a call counts as stuck.
const RETRIES: u32 = 12;

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
    pub(super) outbound: &'a Outbound,
    pub(super) market: Market<'a>,
    /// Where the fault is.
    pub(super) at: Destination,
}

impl<'a> Stage<'a> {
    /// A call by the buyer.
    pub(super) fn call(&self, body: &Value) -> Request {
        self.market.call(body)
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
}
