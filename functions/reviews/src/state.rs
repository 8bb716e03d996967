//! The state of the reviews function.

use axum::extract::FromRef;
use crochet::app::App;

use crate::receipt_keys::KeyRing;

/// What the handlers of this group have at hand.
#[derive(Clone, FromRef)]
pub struct State {
    /// Configuration, time and store.
    pub app: App,
    /// The keys of receipts.
    #[from_ref(skip)]
    pub(crate) receipts: KeyRing,
}

impl State {
    /// The state of an instance. The keys are read when they are first needed.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { receipts: KeyRing::of(&app), app }
    }
}
