//! Plays a plot with one fault, and checks how its call ended.

use std::fmt;

use crochet_tests::{Destination, Failure, Fault, Market, Outbound, Replies, World, sweep, text};
use serde_json::{Value, json};

use super::plot::{Answered, Plot};
use super::stage::{Stage, Stop};

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

/// Prepares the market of a plot.
pub(super) async fn prepare<'a>(world: &'a World, outbound: &'a Outbound, plot: Plot) -> Result<Stage<'a>, Failure> {
    let market = market(world, outbound, plot).await?;
    let stage = Stage { world, outbound, market, at: Destination::DynamoDb };
    // Everything that is remembered between requests is remembered by then.
    match plot.play(&stage, &json!("warm"), "warm").await {
        Ok(_) => Ok(stage),
        Err(Stop::Failed(failure)) => Err(failure),
        Err(Stop::Stuck(what)) => Err(Failure::new(what)),
    }
}

/// Plays the plot with one fault. Returns false if the call made fewer requests.
pub(super) async fn play(
    stage: &mut Stage<'_>,
    plot: Plot,
    at: Destination,
    fault: Fault,
    k: usize,
    tally: &mut Tally,
) -> Result<bool, Failure> {
    if at == Destination::SecretsManager {
        // A secret that was read is remembered.
        stage.market = market(stage.world, stage.outbound, plot).await?;
    }
    stage.at = at;
    let name = format!("{:?}, {at:?} × {fault:?} at {k}", plot);
    let (body, key) = (json!({ "story": name }), format!("{plot:?} {at:?} {fault:?} {k}"));
    stage.outbound.at(at).plan(fault, k);
    let played = plot.play(stage, &body, &key).await;
    let struck = stage.outbound.at(at).end();
    tally.pairs += usize::from(struck);
    sweep(stage.world).await?;
    match played {
        Ok(answered) => check(stage, plot, &name, (&body, &key), &answered, tally).await?,
        Err(Stop::Failed(failure)) => return Err(failure),
        Err(Stop::Stuck(what)) => {
            tally.stuck_calls += 1;
            tally.findings.push(format!("{name}: {what}"));
        }
    }
    stage.world.later(SLOTS_RETURN).await?;
    let taken = stage.market.slots_taken().await?;
    if taken != 0 {
        tally.others += 1;
        tally.findings.push(format!("{name}: {taken} slots were not given back"));
    }
    Ok(struck)
}

async fn check(
    stage: &Stage<'_>,
    plot: Plot,
    name: &str,
    (body, key): (&Value, &str),
    answered: &Answered,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let market = &stage.market;
    let id = text(answered.reply.ok(200), "request_id").to_owned();
    let mut wrong = Vec::new();
    let again = plot.again(stage, body, key, answered.payment.as_deref()).send().await?;
    if again.status != 200 || !again.is_replay() || again.body != answered.reply.body {
        wrong.push(format!("asked again, the answer is another one: {}", again.text()));
    }
    let sent = body.to_string();
    let calls = stage.world.seller.calls(&[("path", &market.path)]).await?;
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

async fn market<'a>(world: &'a World, outbound: &Outbound, plot: Plot) -> Result<Market<'a>, Failure> {
    let path = plot.path(world.echo_path());
    let mut fields = if plot == Plot::Free { world.free_fields(&path) } else { world.paid_fields(&json!(1), &path) };
    fields["private_endpoint_url"] = outbound.seller_url(world, &path).into();
    world.market_with(&fields, &path).await
}
