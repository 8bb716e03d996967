//! `crochet-admin endpoints`: where the secrets of endpoints are.

use std::sync::Arc;

use crochet::app::App;
use crochet::config::{Config, EndpointStore};
use crochet_domain::ids::ListingId;
use crochet_listings::State;
use crochet_listings::secret_move::{Moved, move_secret};

/// Moves the secrets of all endpoints to this store. Returns what was done, as text.
///
/// # Errors
/// One sentence, if the table cannot be read, or some endpoints could not be moved.
pub(crate) async fn move_all(app: &App, store: EndpointStore) -> Result<String, String> {
    let mut app = app.clone();
    app.config = Arc::new(Config { endpoint_secrets: store, ..Config::clone(&app.config) });
    let state = State::connect(app.clone()).await;
    let (mut moved, mut in_place, mut busy) = (0, 0, 0);
    let mut failed: Vec<String> = Vec::new();
    for id in with_endpoint(&app).await? {
        match move_secret(&state, id).await {
            Ok(Moved::Moved) => moved += 1,
            Ok(Moved::InPlace) => in_place += 1,
            Ok(Moved::Busy) => busy += 1,
            Err(error) => failed.push(format!("{id} ({})", error.operator_message().unwrap_or("it is not as expected"))),
        }
    }
    let counts = format!("{moved} endpoints were moved, {in_place} were in place.");
    if failed.is_empty() && busy == 0 {
        return Ok(format!("{counts}\n"));
    }
    Err(format!("{counts} {busy} are being changed, {} failed: repeat the command. {}", failed.len(), failed.join(", ")))
}

async fn with_endpoint(app: &App) -> Result<Vec<ListingId>, String> {
    let (mut ids, mut from) = (Vec::new(), None);
    loop {
        let (listings, next) = app.store.all_listings(from).await.map_err(|error| error.to_string())?;
        ids.extend(listings.into_iter().filter(|listing| listing.endpoint.is_some()).map(|listing| listing.id));
        from = next;
        if from.is_none() {
            return Ok(ids);
        }
    }
}
