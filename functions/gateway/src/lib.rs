//! The gateway: calls, their history and their books.
//!
//! A paid call is told in `call/`: [`call::entry`](call) reads what was asked and what is known, `payment` asks the provider,
//! `quote` makes an offer, `deliver` claims the call, forwards it once and writes what came of it.

mod call;
mod history;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRef;
use crochet::app::App;
use crochet::endpoint_secrets::{ReadSecrets, SecretStoreError, SecretsManager};
use crochet::http::cursor::CursorKey;
use crochet::outbound::{Outbound, OutboundRules};
use crochet::payments::PaymentProvider;
use crochet::payments::relay::Relay;
use crochet_domain::ids::ListingId;
use crochet_domain::listing::Listing;
use crochet_domain::schema::{InputSchema, SchemaError};
use secrecy::ExposeSecret;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What the gateway may do: read endpoint secrets, ask the payment provider, call sellers.
#[derive(Clone)]
pub struct State {
    app: App,
    secrets: Arc<dyn ReadSecrets>,
    provider: Arc<dyn PaymentProvider>,
    outbound: Outbound,
    cursors: CursorKey,
    remembered: Arc<Remembered>,
}

/// What an instance remembers between calls; forgetting it costs a round trip and nothing else.
#[derive(Default)]
struct Remembered {
    slugs: Mutex<HashMap<String, ListingId>>,
    free: Mutex<HashMap<ListingId, ()>>,
    schemas: Mutex<HashMap<ListingId, (u64, Arc<InputSchema>)>>,
}

/// Entries of each memory; past it the memory is emptied. A parsed schema takes up to a few hundred kilobytes.
const REMEMBERED: usize = 1_000;

impl FromRef<State> for App {
    fn from_ref(state: &State) -> Self {
        state.app.clone()
    }
}

impl State {
    /// Connects to Secrets Manager and the payment provider, with the operator's secret.
    ///
    /// # Errors
    /// Where the operator's secret cannot be read.
    pub async fn connect(app: App) -> Result<Self, SecretStoreError> {
        let secrets = SecretsManager::connect(&app.config).await;
        let operator = secrets.operator_secret(&app.config).await?;
        Ok(Self {
            provider: Arc::new(Relay::new(&app.config.relay_url, operator.relay_api_key)),
            outbound: Outbound::new(OutboundRules::of(&app.config)),
            cursors: CursorKey::new(operator.cursor_key.expose_secret()),
            secrets: Arc::new(secrets),
            remembered: Arc::default(),
            app,
        })
    }

    /// The same with another way to sellers.
    #[must_use]
    pub fn with_outbound(self, outbound: Outbound) -> Self {
        Self { outbound, ..self }
    }
}

impl Remembered {
    fn slug(&self, slug: &str) -> Option<ListingId> {
        self.slugs.lock().unwrap_or_else(PoisonError::into_inner).get(slug).copied()
    }

    fn remember_slug(&self, slug: &str, listing: ListingId) {
        remember(&self.slugs, slug.to_owned(), listing);
    }

    /// The parsed schema of a listing at this version: parsing costs more than checking.
    fn schema(&self, listing: &Listing, text: &str) -> Result<Arc<InputSchema>, SchemaError> {
        let known = self.schemas.lock().unwrap_or_else(PoisonError::into_inner).get(&listing.id).cloned();
        if let Some((_, schema)) = known.filter(|(version, _)| *version == listing.version) {
            return Ok(schema);
        }
        let schema = Arc::new(InputSchema::parse(text)?);
        remember(&self.schemas, listing.id, (listing.version, Arc::clone(&schema)));
        Ok(schema)
    }

    fn is_free(&self, listing: ListingId) -> bool {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&listing)
    }

    fn forget_free(&self, listing: ListingId) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).remove(&listing);
    }

    fn remember_free(&self, listing: ListingId) {
        remember(&self.free, listing, ());
    }
}

fn remember<K: std::hash::Hash + Eq, V>(memory: &Mutex<HashMap<K, V>>, key: K, value: V) {
    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    if memory.len() >= REMEMBERED {
        memory.clear();
    }
    memory.insert(key, value);
}

/// The routes of this group.
pub fn router(state: State) -> OpenApiRouter {
    routes().with_state(state)
}

/// What this group answers, as an OpenAPI document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(call::entry::call_listing))
        .routes(routes!(history::requests::list_gateway_requests))
        .routes(routes!(history::requests::get_gateway_request))
        .routes(routes!(history::ledger::list_ledger))
}
