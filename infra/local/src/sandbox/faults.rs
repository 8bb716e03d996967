//! Faults of the provider, for a duration of real time.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

/// Delay of the fault `slow`.
const SLOW: Duration = Duration::from_secs(10);

/// A route of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Route {
    /// `POST /quote/v2`
    Quote,
    /// `GET /intents/status/v3`
    Status,
    /// `GET /requests/v3`
    Requests,
}

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// HTTP 503.
    Down,
    /// The correct reply, ten seconds late.
    Slow,
    /// HTTP 200 with a body that is not JSON.
    Garbage,
    /// A quote with an id that was used before.
    ReplayId,
    /// A quote or record that pays somebody else.
    WrongRecipient,
    /// A quote or record with one unit less than was asked.
    SmallerOutput,
    /// A quote or record that pays another token.
    WrongCurrency,
    /// HTTP 400 with `AMOUNT_TOO_LOW`, whatever the amount and the route.
    TooLow,
    /// HTTP 400 with `NO_SWAP_ROUTES_FOUND`.
    NoRoute,
}

impl Mode {
    /// Whether a route supports this fault.
    pub(super) fn applies_to(self, route: Route) -> bool {
        match self {
            Self::Down | Self::Slow | Self::Garbage => true,
            Self::ReplayId | Self::TooLow | Self::NoRoute => route == Route::Quote,
            Self::WrongRecipient | Self::SmallerOutput | Self::WrongCurrency => route != Route::Status,
        }
    }

    /// Whether this fault changes what a quote says.
    pub(super) fn changes_quote(self, route: Route) -> bool {
        route == Route::Quote && matches!(self, Self::WrongRecipient | Self::SmallerOutput | Self::WrongCurrency)
    }

    /// The response of a fault that replaces the reply. `None` if the route should reply.
    pub(super) async fn play(self) -> Option<Response> {
        match self {
            Self::Down => Some(Refusal::unavailable().into_response()),
            Self::TooLow => Some(Refusal::coded("AMOUNT_TOO_LOW", "Swap output amount is too small to cover fees").into_response()),
            Self::NoRoute => Some(Refusal::coded("NO_SWAP_ROUTES_FOUND", "No routes found").into_response()),
            Self::Garbage => {
                let content_type = [(header::CONTENT_TYPE, "application/json")];
                Some((StatusCode::OK, content_type, "<html>upstream connect error {\"status\":").into_response())
            }
            Self::Slow => {
                tokio::time::sleep(SLOW).await;
                None
            }
            Self::ReplayId | Self::WrongRecipient | Self::SmallerOutput | Self::WrongCurrency => None,
        }
    }
}

#[derive(Debug)]
struct Fault {
    mode: Mode,
    /// The address that pays, if the fault is of its quotes alone.
    user: Option<String>,
    until: Instant,
}

/// Active faults: the newest for each route.
#[derive(Debug, Default)]
pub(super) struct Faults {
    by_route: HashMap<Route, Fault>,
}

impl Faults {
    /// Starts a fault for a duration; with a user, of what this address pays alone.
    pub(super) fn start(&mut self, route: Route, mode: Mode, user: Option<String>, lasts: Duration) {
        self.by_route.insert(route, Fault { mode, user, until: Instant::now() + lasts });
    }

    /// Ends all faults.
    pub(super) fn clear(&mut self) {
        self.by_route.clear();
    }

    /// The active fault of a route. `user` is who pays, once the request has been read.
    pub(super) fn on(&self, route: Route, user: Option<&str>) -> Option<Mode> {
        let fault = self.by_route.get(&route).filter(|fault| Instant::now() < fault.until)?;
        (fault.user.is_none() || fault.user.as_deref() == user).then_some(fault.mode)
    }
}
