//! Gates at the routes that the operator may close, and that a deployment lets through only so often in a day.

use time::OffsetDateTime;

use super::codes::Code;
use super::error::ApiError;
use crate::app::App;
use crate::store::gate::{Caps, Gate, Passage};
use crate::telemetry::metrics::{self, Metric};

const DAY_SECONDS: i64 = 86_400;
/// When to look again at a gate that the operator has closed, in seconds.
const CLOSED_FOR: u64 = 300;

/// Lets one registration, listing or secret pass, and counts it.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` if the operator has closed it, or there are as many as there may be; `RATE_LIMITED` if the deployment has let
/// through as many as it may today.
pub async fn pass(app: &App, gate: Gate, now: OffsetDateTime) -> Result<(), ApiError> {
    let config = &app.config;
    let (per_day, in_all) = match gate {
        Gate::Registrations => (config.registrations_per_day, None),
        Gate::Listings => (config.listings_per_day, None),
        Gate::Quotes => (u32::MAX, None),
        Gate::EndpointSecrets => (config.endpoint_secrets_per_day, Some(config.max_endpoint_secrets)),
    };
    let [per_day, all] = [per_day, in_all.unwrap_or(u32::MAX)].map(|most| most.saturating_mul(config.limit_factor));
    let caps = Caps { per_day, in_all: in_all.map(|_| all) };
    let seconds = now.unix_timestamp();
    let day = u32::try_from(seconds.div_euclid(DAY_SECONDS)).unwrap_or_default();
    let (passage, after) = app.store.pass_gate(gate, caps, day).await?;
    if caps.in_all.is_some() {
        metrics::emit(&[(Metric::EndpointSecretsUsed, percent(after.passed, per_day).max(percent(after.kept, all)))]);
    }
    match passage {
        Passage::Open => {
            // Once a day, and not for each refusal: that would hide what else is an alarm.
            if after.passed == per_day {
                tracing::error!(
                    alarm = true,
                    gate = gate.as_str(),
                    cause = "no more are let through today",
                    "a day's cap is used up"
                );
            }
            Ok(())
        }
        Passage::NoRoom => Err(ApiError::new(Code::ServiceUnavailable)
            .message("This deployment keeps as many endpoints as it may; ask its operator.")
            .detail("closed", gate.as_str())
            .cause("as many exist as may")
            .not_ours()
            .retry_after(CLOSED_FOR)),
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

/// How much of a cap is used, in percent.
#[must_use]
pub fn percent(used: u32, cap: u32) -> i64 {
    i64::from(used) * 100 / i64::from(cap.max(1))
}

/// The error at a gate that the operator has closed.
#[must_use]
pub fn closed(gate: Gate) -> ApiError {
    ApiError::new(Code::ServiceUnavailable)
        .message(format!("The operator has closed {} for now; what is paid is delivered.", gate.as_str()))
        .detail("closed", gate.as_str())
        .cause("the operator has closed this")
        .not_ours()
        .retry_after(CLOSED_FOR)
}
