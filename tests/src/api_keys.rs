//! Keys of a profile, as its agent handles them.

use crochet_client::{Agent, Reply};
use serde_json::Value;

use crate::expect::{Replies, list, text};
use crate::failure::Failure;
use crate::world::World;

/// A profile's keys as it sees them.
pub async fn keys(agent: &Agent) -> Result<Vec<Value>, Failure> {
    Ok(list(agent.get("/api-keys").send().await?.ok(200), "keys").to_vec())
}

/// `by` ends the key that the other holds.
pub async fn revoke(by: &Agent, key: &Agent) -> Result<Reply, Failure> {
    Ok(by.delete(&format!("/api-keys/{}", text(&key.issued["key"], "id"))).send().await?)
}

/// A moment so many seconds from the stack's now, as RFC 3339 spells it.
pub async fn in_seconds(world: &World, seconds: i64) -> Result<String, Failure> {
    let health = world.client.get("/health").send().await?;
    let now = time::OffsetDateTime::parse(text(health.data(), "time"), &time::format_description::well_known::Rfc3339)
        .map_err(|error| Failure::new(error.to_string()))?;
    (now + time::Duration::seconds(seconds))
        .format(&time::format_description::well_known::Rfc3339)
        .map_err(|error| Failure::new(error.to_string()))
}
