//! What must be true when a history is over.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::cast::Seen;
use super::history::History;
use crate::failure::{Failure, Outcome};

/// Retries until a paid call must be answered.
const RETRIES: u32 = 12;
/// Seconds after which the slots of a process that died count no more.
const SLOTS_RETURN: i64 = 120;

impl History<'_> {
    /// Lets every paid call end, and checks the books, the answers, the forwards and the slots.
    pub(super) async fn judge(&mut self) -> Outcome {
        self.calm_down().await?;
        let filled: Vec<Seen> = self.quotes.iter().filter(|seen| seen.status == "success").cloned().collect();
        for seen in &filled {
            self.must_end(seen).await?;
        }
        self.check_charges(&filled).await?;
        self.check_forwards().await?;
        self.world.later(SLOTS_RETURN).await?;
        let now = self.world.stack()?.clock().now().unix_timestamp();
        for stall in &self.stalls {
            let taken = self.world.table_of_books()?.slots_taken(&stall.listing.id, now).await?;
            if taken != 0 {
                self.findings.push(format!("{taken} slots of a listing were not given back"));
            }
        }
        Ok(())
    }

    async fn must_end(&mut self, seen: &Seen) -> Outcome {
        let mut last = String::new();
        for _ in 0..RETRIES {
            let reply = self.redeem(seen).await?;
            if reply.status == 200 || matches!(reply.code(), "CALL_UNDELIVERED" | "ANSWER_EXPIRED") {
                return Ok(());
            }
            last = format!("{} {}", reply.status, reply.code());
            self.world.later(reply.header("retry-after").parse().unwrap_or(2)).await?;
        }
        self.findings.push(format!("{} is paid, but by its id it is {last} in the end", seen.id));
        Ok(())
    }

    /// What was filled is charged once, nothing else is charged, and nobody is charged twice for what was wanted once.
    async fn check_charges(&mut self, filled: &[Seen]) -> Outcome {
        let mut charges: BTreeMap<String, usize> = BTreeMap::new();
        for buyer in &self.cast.buyers {
            let reply = buyer.get("/ledger").query("limit", 100).query("type", "payment").send().await?;
            for entry in reply.data()["entries"].as_array().into_iter().flatten() {
                *charges.entry(entry["relay_request_id"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
            }
        }
        let of = |seen: &Seen| charges.get(&seen.id).copied().unwrap_or(0);
        let mut findings = Vec::new();
        for seen in &self.quotes {
            let expected = usize::from(filled.iter().any(|other| other.id == seen.id));
            if of(seen) != expected {
                findings.push(format!("{} was charged {} times, not {expected}", seen.id, of(seen)));
            }
        }
        let wants: BTreeSet<_> = self.quotes.iter().map(|seen| &seen.want).collect();
        for want in wants {
            let charged: usize = self.quotes.iter().filter(|seen| seen.want == *want).map(of).sum();
            if charged > 1 {
                findings.push(format!("{charged} charges for what was wanted once: {want:?}"));
            }
        }
        self.findings.extend(findings);
        Ok(())
    }

    /// Whatever reached a seller was paid, or free.
    async fn check_forwards(&mut self) -> Outcome {
        let mut forwarded = BTreeSet::new();
        for stall in &self.stalls {
            forwarded.extend(stall.endpoint.webhook_ids());
        }
        for id in forwarded {
            let row = self.row(&id).await?;
            let (payment, charge) = (&row["payment"]["state"], &row["charge"]["state"]);
            if payment != "none" && (charge == "none" || charge == "pending" || row.is_null()) {
                self.findings.push(format!("{id} reached the seller, but its charge is {charge} and its payment {payment}"));
            }
        }
        Ok(())
    }

    async fn row(&self, id: &str) -> Result<Value, Failure> {
        let reply = self.cast.seller.get(&format!("/gateway-requests/{id}")).send().await?;
        Ok(reply.data()["gateway_request"].clone())
    }
}
