//! The state that every group of routes shares.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::response::Response;
use url::Url;

use crate::budget::ProviderBudget;
use crate::clock::Clock;
use crate::config::Config;
use crate::limits::Limiter;
use crate::store::Store;
use crate::telemetry::meter::Cost;

/// Starts a process: telemetry, then the configuration. The process exits if the configuration is not valid.
#[must_use]
pub fn start() -> Config {
    crate::telemetry::start();
    Config::from_env().unwrap_or_else(|problem| {
        eprintln!("{problem}");
        std::process::exit(1)
    })
}

/// Renders an error as a page, with its headers.
pub type ErrorPage = fn(&ErrorSeen<'_>) -> Response;

/// An error, as its page shows it.
#[derive(Debug, Clone, Copy)]
pub struct ErrorSeen<'a> {
    /// HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: &'static str,
    /// The message for the caller.
    pub message: &'a str,
    /// Path of the request, percent-encoded.
    pub path: &'a str,
    /// The request's id.
    pub request_id: &'a str,
    /// The operator's configuration.
    pub config: &'a Config,
}

/// Configuration, clock, store, limits and budgets. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct App {
    /// The operator's configuration.
    pub config: Arc<Config>,
    /// The only source of time.
    pub clock: Clock,
    /// The table.
    pub store: Store,
    /// The rate limiter.
    pub limiter: Limiter,
    /// What this deployment may ask of the payment provider.
    pub provider_budget: ProviderBudget,
    /// The costs of recent requests, if they are recorded.
    pub costs: CostLog,
    /// Renders errors for readers who ask for a page. Without it, they get the same JSON as programs.
    pub error_page: Option<ErrorPage>,
    /// Where to read the offset of a movable clock; `None` for a fixed clock or one shared in memory.
    clock_source: Option<ClockSource>,
}

impl App {
    /// Connects to the table, so that the first request after a cold start does not wait for it.
    pub async fn connect(config: Config) -> Self {
        let app = Self::unconnected(config).await;
        app.store.warm().await;
        app
    }

    /// Like [`App::connect`], but without opening a connection, for a group that needs no table.
    pub async fn unconnected(config: Config) -> Self {
        let store = Store::of(&config).await;
        let clock_source = config.movable_clock.then(|| ClockSource::new(&config));
        Self {
            limiter: Limiter::new(store.clone(), config.limit_factor),
            provider_budget: ProviderBudget::new(store.clone(), &config),
            config: Arc::new(config),
            clock: Clock::system(),
            store,
            costs: CostLog::default(),
            error_page: None,
            clock_source,
        }
    }

    /// Uses a clock shared in memory instead of the sandbox's.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self.clock_source = None;
        self
    }

    /// The same app with another public URL.
    #[must_use]
    pub fn at(&self, public_url: Url) -> Self {
        Self { config: Arc::new(self.config.at(public_url)), ..self.clone() }
    }

    /// Renders errors for readers who ask for a page.
    #[must_use]
    pub fn with_error_page(mut self, error_page: ErrorPage) -> Self {
        self.error_page = Some(error_page);
        self
    }

    /// Records the costs of recent requests in `costs`.
    #[must_use]
    pub fn with_costs(mut self, costs: CostLog) -> Self {
        self.costs = costs;
        self
    }

    /// Reads the sandbox's clock, if this deployment follows it.
    pub async fn follow_clock(&self) {
        if let Some(source) = &self.clock_source
            && let Some(offset_ms) = source.offset_ms().await
        {
            self.clock.set_offset_ms(offset_ms);
        }
    }
}

#[derive(Clone, Debug)]
struct ClockSource {
    http: reqwest::Client,
    url: String,
}

impl ClockSource {
    fn new(config: &Config) -> Self {
        let url = format!("{}/sandbox/clock", config.provider_url.as_str().trim_end_matches('/'));
        Self { http: crate::outbound::operator_client(), url }
    }

    async fn offset_ms(&self) -> Option<i64> {
        let reply: serde_json::Value = self.http.get(&self.url).send().await.ok()?.json().await.ok()?;
        reply.get("offset_ms")?.as_i64()
    }
}

/// The costs of the last thousand requests, by request id. The default records nothing.
#[derive(Clone, Debug, Default)]
pub struct CostLog(Option<Arc<Mutex<Recent>>>);

#[derive(Debug, Default)]
struct Recent {
    order: VecDeque<String>,
    costs: HashMap<String, (String, Cost)>,
}

/// Maximum number of recorded requests.
const REMEMBERED: usize = 1_000;

impl CostLog {
    /// A log that records costs.
    #[must_use]
    pub fn remembering() -> Self {
        Self(Some(Arc::default()))
    }

    /// Records the cost of a request.
    pub(crate) fn note(&self, request_id: &str, route: &str, cost: Cost) {
        let Some(recent) = &self.0 else { return };
        let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.order.push_back(request_id.to_owned());
        recent.costs.insert(request_id.to_owned(), (route.to_owned(), cost));
        if recent.order.len() > REMEMBERED
            && let Some(oldest) = recent.order.pop_front()
        {
            recent.costs.remove(&oldest);
        }
    }

    /// The route and cost of a request.
    #[must_use]
    pub fn of(&self, request_id: &str) -> Option<(String, Cost)> {
        self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).costs.get(request_id).cloned()
    }
}
