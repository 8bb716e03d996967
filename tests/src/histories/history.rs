//! Plays the steps of a history and remembers what was seen.

use std::collections::BTreeMap;
use std::pin::pin;

use bytes::Bytes;
use crochet_client::{Reply, Request};
use http::Method;
use serde_json::{Value, json};

use super::cast::{Asking, Cast, Seen, Stall, Want};
use super::step::Step;
use crate::failure::{Failure, Outcome};
use crate::outbound::{Destination, Outbound};
use crate::proxy::Fault;
use crate::scripted_seller::{Behavior, ScriptedSeller};
use crate::sweeper::sweep;
use crate::world::World;

/// Longer than an attempt's lease, in seconds.
pub(super) const LEASE: i64 = 40;
/// What a seller's endpoint answers while it works.
const WORKS: Behavior = Behavior::Body("{\"done\":true}");

/// A history in progress.
pub(super) struct History<'a> {
    pub(super) world: &'a World,
    outbound: &'a Outbound,
    pub(super) cast: &'a Cast,
    seed: u64,
    pub(super) stalls: Vec<Stall>,
    pub(super) quotes: Vec<Seen>,
    /// The first answer of each call, by request id.
    pub(super) answers: BTreeMap<String, Bytes>,
    /// How often each name of a body was answered with something new.
    answered: BTreeMap<(usize, usize, String), usize>,
    armed: Option<(Destination, Fault, u64)>,
    pub(super) findings: Vec<String>,
    pub(super) log: Vec<String>,
}

impl<'a> History<'a> {
    pub(super) async fn begin(
        world: &'a World,
        outbound: &'a Outbound,
        cast: &'a Cast,
        seed: u64,
        stalls: u64,
    ) -> Result<Self, Failure> {
        let mut history = Self {
            world,
            outbound,
            cast,
            seed,
            stalls: Vec::new(),
            quotes: Vec::new(),
            answers: BTreeMap::new(),
            answered: BTreeMap::new(),
            armed: None,
            findings: Vec::new(),
            log: Vec::new(),
        };
        for _ in 0..stalls {
            let endpoint = ScriptedSeller::start(WORKS).await?;
            let mut fields = world.paid_fields(&json!(1), "");
            fields["private_endpoint_url"] = endpoint.url().into();
            history.stalls.push(Stall { listing: cast.seller.create_listing(&fields).await?, endpoint });
        }
        Ok(history)
    }

    pub(super) async fn play(&mut self, step: Step) -> Outcome {
        self.log.push(format!("{step:?}"));
        match step {
            Step::Ask { buyer, listing, body, key, currency, twice } => {
                let (buyer, stall) = (place(buyer), place(listing));
                let body = json!({ "seed": self.seed, "body": body });
                let key = key.map(|key| self.key(buyer, key));
                self.ask(Asking { buyer, stall, body, key, currency, id: None }, twice).await
            }
            Step::Redeem { quote, key, twice } => {
                let Some(seen) = self.quote(quote).cloned() else { return Ok(()) };
                let key = key.map(|key| self.key(seen.buyer, key));
                let asking =
                    Asking { buyer: seen.buyer, stall: seen.stall, body: seen.body, key, currency: None, id: Some(seen.id) };
                self.ask(asking, twice).await
            }
            Step::Provider { quote, status } => self.provider_shows(quote, status).await,
            Step::Rotate { listing, immediate } => {
                self.seller(Method::POST, listing, "/endpoint/rotate-secret", &json!({ "immediate": immediate })).await
            }
            Step::Price { listing, cents: None } => {
                self.seller(Method::PATCH, listing, "", &json!({ "pricing_model": "free" })).await
            }
            Step::Price { listing, cents: Some(cents) } => {
                let dollars = format!("{}.{:02}", cents / 100, cents % 100).parse::<f64>().unwrap_or(1.0);
                self.seller(Method::PATCH, listing, "", &json!({ "pricing_model": "per_call", "pricing_amount": dollars })).await
            }
            Step::Offer { listing, active } => {
                let status = if active { "active" } else { "suspended" };
                self.seller(Method::PATCH, listing, "", &json!({ "status": status })).await
            }
            Step::Pause { listing, paused } => {
                let status = if paused { "paused" } else { "active" };
                self.seller(Method::PUT, listing, "/endpoint", &json!({ "status": status })).await
            }
            Step::Seller { listing, works, answers } => {
                let behavior = match (works, answers) {
                    (true, _) => WORKS,
                    (false, true) => Behavior::Status(500),
                    (false, false) => Behavior::DropsConnection,
                };
                self.stalls[place(listing)].endpoint.set(behavior);
                Ok(())
            }
            Step::Fault { at, fault, k } => {
                self.armed = Some((at, fault, k));
                Ok(())
            }
            Step::Later(seconds) => self.world.later(seconds).await,
            Step::Sweep => sweep(self.world).await,
        }
    }

    fn key(&self, buyer: usize, key: u64) -> String {
        format!("history-{}-{buyer}-{key}", self.seed)
    }

    fn quote(&self, drawn: u64) -> Option<&Seen> {
        let count = self.quotes.len() as u64;
        (count > 0).then(|| &self.quotes[place(drawn % count)])
    }

    /// A seller's change. It may be refused, for example if nothing changes.
    async fn seller(&mut self, method: Method, stall: u64, path: &str, body: &Value) -> Outcome {
        let id = &self.stalls[place(stall)].listing.id;
        let reply = self.cast.seller.request(method, &format!("/listings/{id}{path}")).json(body).send().await?;
        self.log.push(format!("  -> {} {}", reply.status, reply.code()));
        self.no_defect(&reply);
        Ok(())
    }

    /// A buyer pays once for what it wants: no second payment becomes a success while another may.
    async fn provider_shows(&mut self, quote: u64, status: &'static str) -> Outcome {
        let Some(seen) = self.quote(quote).cloned() else { return Ok(()) };
        let others = self.quotes.iter().filter(|other| other.want == seen.want && other.id != seen.id);
        let is_taken = others.clone().any(|other| matches!(other.status, "success" | "pending"));
        if seen.status == "success" || (is_taken && matches!(status, "success" | "pending")) {
            return Ok(());
        }
        self.world.sandbox.set(&seen.id, &json!({ "status": status })).await?;
        for known in self.quotes.iter_mut().filter(|known| known.id == seen.id) {
            known.status = status;
        }
        Ok(())
    }

    async fn ask(&mut self, asking: Asking, twice: bool) -> Outcome {
        let request = || {
            let request = self.cast.buyers[asking.buyer].call(&self.stalls[asking.stall].listing.id, &asking.body);
            let request = request.header_if("idempotency-key", asking.key.as_deref());
            let request = request.header_if("x-crochet-origin-currency", asking.currency);
            request.header_if("x-crochet-relay-request-id", asking.id.as_deref())
        };
        let armed = self.armed.take();
        let replies = self.send(request, armed, twice).await?;
        for reply in replies {
            self.note(&asking, &reply);
        }
        Ok(())
    }

    /// Sends a request, once or twice at the same time, with a fault. A held request goes on after the lease and a repeat.
    async fn send(
        &self,
        request: impl Fn() -> Request,
        armed: Option<(Destination, Fault, u64)>,
        twice: bool,
    ) -> Result<Vec<Reply>, Failure> {
        let both = async {
            match twice {
                true => {
                    let (one, other) = tokio::join!(request().send(), request().send());
                    [one, other].into_iter().flatten().collect::<Vec<_>>()
                }
                false => request().send().await.into_iter().collect(),
            }
        };
        let Some((at, fault, k)) = armed else { return Ok(both.await) };
        let proxy = self.outbound.at(at);
        proxy.plan(fault, place(k));
        let mut both = pin!(both);
        let replies = tokio::select! {
            replies = both.as_mut() => replies,
            () = proxy.is_holding() => {
                self.world.later(LEASE).await?;
                let other = request().send().await;
                proxy.release();
                other.into_iter().chain(both.await).collect()
            }
        };
        proxy.release();
        let _ = proxy.end();
        Ok(replies)
    }

    fn note(&mut self, asking: &Asking, reply: &Reply) {
        self.no_defect(reply);
        let offered = reply.data()["payment"]["relay_request_id"].as_str();
        self.log.push(format!("  -> {} {} {}", reply.status, reply.code(), offered.unwrap_or_default()));
        let name = asking.key.clone().unwrap_or_else(|| asking.body.to_string());
        let count = self.answered.entry((asking.buyer, asking.stall, name.clone())).or_default();
        if let Some(id) = offered.filter(|id| !self.quotes.iter().any(|known| known.id == *id)) {
            let before = if asking.key.is_some() { 0 } else { *count };
            let by_id = asking.id.as_ref().and_then(|id| self.quotes.iter().find(|known| known.id == *id));
            let want = by_id.map(|known| known.want.clone());
            let want = want.unwrap_or(Want { buyer: asking.buyer, stall: asking.stall, name, answers_before: before });
            let seen = Seen {
                id: id.to_owned(),
                buyer: asking.buyer,
                stall: asking.stall,
                body: asking.body.clone(),
                want,
                status: "waiting",
            };
            self.quotes.push(seen);
        } else if reply.status == 200 || reply.code() == "CALL_UNDELIVERED" {
            let id = reply.data()["request_id"].as_str().unwrap_or("undelivered").to_owned();
            let is_new = !self.answers.contains_key(&id);
            if is_new {
                *count += 1;
            }
            if reply.status == 200 && self.answers.entry(id.clone()).or_insert_with(|| reply.body.clone()) != &reply.body {
                self.findings.push(format!("{id} was answered in two ways"));
            }
        }
    }

    fn no_defect(&mut self, reply: &Reply) {
        if reply.code() == "INTERNAL_ERROR" {
            self.findings.push(format!("{} answered INTERNAL_ERROR", reply.request()));
        }
    }

    /// Makes everything work again.
    pub(super) async fn calm_down(&mut self) -> Outcome {
        self.log.push("-- everything works again".to_owned());
        self.armed = None;
        self.outbound.recover();
        for stall in 0..self.stalls.len() as u64 {
            self.stalls[place(stall)].endpoint.set(WORKS);
            self.seller(Method::PATCH, stall, "", &json!({ "status": "active" })).await?;
            self.seller(Method::PUT, stall, "/endpoint", &json!({ "status": "active" })).await?;
        }
        self.world.later(LEASE + 4_200).await?;
        sweep(self.world).await
    }

    /// Repeats the call of a quote with its id, without a fault.
    pub(super) async fn redeem(&mut self, seen: &Seen) -> Result<Reply, Failure> {
        let request = self.cast.buyers[seen.buyer].call(&self.stalls[seen.stall].listing.id, &seen.body);
        let reply = request.paid_with(&seen.id).send().await?;
        let asking = Asking {
            buyer: seen.buyer,
            stall: seen.stall,
            body: seen.body.clone(),
            key: None,
            currency: None,
            id: Some(seen.id.clone()),
        };
        self.note(&asking, &reply);
        Ok(reply)
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(0)
}
