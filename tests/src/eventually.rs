//! Waiting for what happens in the background.

use std::time::{Duration, Instant};

use crate::failure::Failure;

const LIMIT: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_millis(10);

/// Polls `ask` until it returns a value, for at most 30 seconds.
///
/// # Errors
/// A failure that names `what`, after 30 seconds; or the first failure of `ask`.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<Option<T>, Failure>) -> Result<T, Failure> {
    let started = Instant::now();
    while started.elapsed() < LIMIT {
        if let Some(value) = ask().await? {
            return Ok(value);
        }
        tokio::time::sleep(INTERVAL).await;
    }
    Err(Failure::new(format!("{what}: not within 30 seconds")))
}
