//! The state of this group.

use std::sync::Arc;

use axum::extract::FromRef;
use crochet::app::App;
use crochet_catalog::Catalogue;

use crate::documents::Documents;

/// What the handlers of this group have at hand.
#[derive(Clone, Debug, FromRef)]
pub struct State {
    /// Configuration, time and store.
    pub app: App,
    pub(crate) documents: Arc<Documents>,
    pub(crate) catalogue: Catalogue,
}

impl State {
    /// Renders the documents for this deployment. The catalogue is empty, and fills itself when it is first asked.
    #[must_use]
    pub fn new(app: App) -> Self {
        let documents = Arc::new(Documents::render(&app.config));
        Self { documents, catalogue: Catalogue::new(app.store.clone(), app.clock.clone()), app }
    }
}
