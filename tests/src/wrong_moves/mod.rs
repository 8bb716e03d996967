//! Wrong moves: requests that are almost right. A program follows each answer's `recovery` until the request succeeds.

mod actors;
mod attempt;
mod follow;
mod mutation;

use serde_json::Value;

use actors::{Actors, Wish};
use attempt::Attempt;
use follow::Next;

use crate::failure::{Failure, Outcome};
use crate::world::World;

/// Requests per move. The longest way out takes half of them.
const MAX_REQUESTS: usize = 10;

/// What became of the moves.
#[derive(Debug, Default)]
pub struct MovesReport {
    /// Moves that ended in success.
    pub led_out: usize,
    /// Moves that ended where the table says that no program gets out.
    pub dead_ends: usize,
    /// Requests in all.
    pub requests: usize,
    /// Moves that ended otherwise: the row, and what happened.
    pub lost: Vec<String>,
}

/// Plays a table of moves: a JSON list of `{operation, wrong, code, dead_end?}`.
///
/// # Errors
/// If the table is not valid, or the stack cannot be reached.
pub async fn play_wrong_moves(world: &World, table: &str) -> Result<MovesReport, Failure> {
    let rows: Vec<Value> = serde_json::from_str(table).map_err(|error| Failure::new(format!("the table: {error}")))?;
    let actors = Actors::gather(world).await?;
    let mut report = MovesReport::default();
    for row in &rows {
        let (outcome, requests) = play(&actors, row).await.unwrap_or_else(|failure| (Err(Lost::Other(format!("{failure:?}"))), 0));
        report.requests += requests;
        let expects_dead_end = row["dead_end"] == true;
        match (outcome, expects_dead_end) {
            (Ok(()), false) => report.led_out += 1,
            (Err(Lost::DeadEnd(_)), true) => report.dead_ends += 1,
            (Ok(()), true) => report.lost.push(format!("{row}: it is no dead end")),
            (Err(Lost::DeadEnd(why)), false) => report.lost.push(format!("{row}: dead end: {why}")),
            (Err(Lost::Other(why)), _) => report.lost.push(format!("{row}: {why}")),
        }
    }
    Ok(report)
}

/// Why a move did not end in success.
enum Lost {
    DeadEnd(String),
    Other(String),
}

async fn play(actors: &Actors<'_>, row: &Value) -> Result<(Result<(), Lost>, usize), Failure> {
    let operation = row["operation"].as_str().unwrap_or_default();
    let wish = actors.wish(operation).await?;
    let mut attempt = wish.right.clone();
    prepare(actors, row, &wish, &mut attempt).await?;
    for change in row["wrong"].as_array().into_iter().flatten() {
        mutation::spoil(&mut attempt, change, &wish.id)?;
    }
    let mut codes: Vec<String> = Vec::new();
    for number in 1..=MAX_REQUESTS {
        let reply = attempt.send(&actors.world.client).await?;
        if codes.is_empty() && reply.code() != row["code"].as_str().unwrap_or_default() {
            return Ok((Err(Lost::Other(format!("{} {}", reply.status, reply.text()))), number));
        }
        if reply.status < 300 && reply.status != 202 {
            return Ok((Ok(()), number));
        }
        codes.push(reply.code().to_owned());
        match actors.follow(&reply, &attempt, &wish, operation).await? {
            Next::Send(next) => attempt = *next,
            Next::DeadEnd(why) => return Ok((Err(Lost::DeadEnd(why)), number)),
        }
        if number == MAX_REQUESTS {
            return Ok((Err(Lost::Other(format!("no end: {codes:?}; last: {}", reply.text()))), number));
        }
    }
    Ok((Err(Lost::Other("no request was sent".into())), 0))
}

/// What has happened before, as the row's `before` says.
async fn prepare(actors: &Actors<'_>, row: &Value, wish: &Wish, attempt: &mut Attempt) -> Outcome {
    let world = actors.world;
    match row["before"].as_str() {
        None => {}
        // The same request was sent before.
        Some("sent") => drop(attempt.send(&world.client).await?),
        Some("revoked") => {
            let key = wish.agent.create_key(&serde_json::json!({ "name": "gone" })).await?;
            let id = key.issued["key"]["id"].as_str().unwrap_or_default();
            wish.agent.delete(&format!("/api-keys/{id}")).send().await?.expect(200)?;
            *attempt = attempt.clone().key(&key.api_key);
        }
        Some("read_only") => {
            let key = wish.agent.create_key(&serde_json::json!({ "name": "reader", "scopes": ["read"] })).await?;
            *attempt = attempt.clone().key(&key.api_key);
        }
        Some("write_only") => {
            let key = wish.agent.create_key(&serde_json::json!({ "name": "writer", "scopes": ["write"] })).await?;
            *attempt = attempt.clone().key(&key.api_key);
        }
        Some("other") => *attempt = attempt.clone().key(&world.agent().await?.api_key),
        Some("buyer_only") => {
            wish.agent.patch("/me").json(&serde_json::json!({ "role": "buyer" })).send().await?.expect(200)?;
        }
        Some("late") => world.later(600).await?,
        Some(other) => return Err(Failure::new(format!("nothing is known of {other}"))),
    }
    Ok(())
}
