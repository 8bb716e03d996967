//! The state of the reviews function.

use axum::extract::FromRef;
use crochet::app::App;

/// What the handlers of this group have at hand.
#[derive(Clone, FromRef)]
pub struct State {
    /// Configuration, time and store.
    pub app: App,
}

impl State {
    /// The state over this app.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { app }
    }
}
