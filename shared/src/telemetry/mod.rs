//! Logs and metering. Logs are JSON, one line per request, and never contain keys, secrets, bodies or endpoint URLs.

pub mod actions;
pub mod meter;
pub mod metrics;

use tracing_subscriber::EnvFilter;

/// Starts logging to standard output in JSON; `CROCHET_LOG` is the filter, `info` by default.
pub fn start() {
    let filter = EnvFilter::try_from_env("CROCHET_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start (tests in one process) keeps the first.
    let _ = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_env_filter(filter).try_init();
}
