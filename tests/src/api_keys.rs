//! API keys of a profile.

use crochet_client::{Agent, Reply};
use serde_json::Value;

use crate::expect::{Replies, list, text};
use crate::failure::Failure;
use crate::world::World;

/// The keys of the agent's profile.
pub async fn keys(agent: &Agent) -> Result<Vec<Value>, Failure> {
    Ok(list(agent.get("/api-keys").send().await?.ok(200), "keys").to_vec())
}

/// Revokes the key of `key` with the key of `by`.
pub async fn revoke(by: &Agent, key: &Agent) -> Result<Reply, Failure> {
    Ok(by.delete(&format!("/api-keys/{}", text(&key.issued["key"], "id"))).send().await?)
}

/// The stack's time plus this many seconds, in RFC 3339.
pub async fn in_seconds(world: &World, seconds: i64) -> Result<String, Failure> {
    let health = world.client.get("/health").send().await?;
    let now = time::OffsetDateTime::parse(text(health.data(), "time"), &time::format_description::well_known::Rfc3339)
        .map_err(|error| Failure::new(error.to_string()))?;
    (now + time::Duration::seconds(seconds))
        .format(&time::format_description::well_known::Rfc3339)
        .map_err(|error| Failure::new(error.to_string()))
}
