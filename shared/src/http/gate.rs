//! Gates at the routes that the operator may close, and that a deployment lets through only so often in a day.

use time::OffsetDateTime;

use super::codes::Code;
use super::error::ApiError;
use crate::app::App;
use crate::store::gate::{Gate, Passage};

const DAY_SECONDS: i64 = 86_400;
/// When to look again at a gate that the operator has closed, in seconds.
const CLOSED_FOR: u64 = 300;

/// Lets one registration or listing pass, and counts it.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` if the operator has closed it; `RATE_LIMITED` if the deployment has let through as many as it may today.
pub async fn pass(app: &App, gate: Gate, now: OffsetDateTime) -> Result<(), ApiError> {
    let per_day = match gate {
        Gate::Registrations => app.config.registrations_per_day,
        Gate::Listings => app.config.listings_per_day,
        Gate::Quotes => u32::MAX,
    };
    let seconds = now.unix_timestamp();
    let day = u32::try_from(seconds.div_euclid(DAY_SECONDS)).unwrap_or_default();
    match app.store.pass_gate(gate, per_day.saturating_mul(app.config.limit_factor), day).await? {
        Passage::Open => Ok(()),
        Passage::Closed => Err(closed(gate)),
        Passage::Full => {
            let tomorrow = u64::try_from(DAY_SECONDS - seconds.rem_euclid(DAY_SECONDS)).unwrap_or(CLOSED_FOR);
            Err(ApiError::new(Code::RateLimited)
                .message(format!("This deployment takes no more {} today; wait until tomorrow (UTC).", gate.as_str()))
                .detail("limited", gate.as_str())
                .retry_after(tomorrow))
        }
    }
}

/// The error at a gate that the operator has closed.
#[must_use]
pub fn closed(gate: Gate) -> ApiError {
    ApiError::new(Code::ServiceUnavailable)
        .message(format!("The operator has closed {} for now; what is paid is delivered.", gate.as_str()))
        .detail("closed", gate.as_str())
        .retry_after(CLOSED_FOR)
}
