//! Work that runs by a schedule: the sweepers of calls and of secrets, the writer of the catalogue's snapshot, and the run of the scores.

use std::pin::Pin;
use std::time::Duration;

use crochet::app::App;
use crochet::clock::Clock;
use crochet::config::Config;
use crochet::telemetry::actions;
use crochet_catalog::snapshot_writer::{self, Schedule};
use crochet_gateway::State;
use crochet_gateway::sweep::{self, Swept, Times};
use crochet_listings::secret_sweep::{SecretSweeper, SecretsSwept};
use crochet_reviews::score::run::{Ran, run, run_within};

/// Time between two runs. Deployed, the sweeper of calls runs every minute, and that of secrets once a day.
pub(super) const SCHEDULE: Duration = Duration::from_secs(10);

/// What scheduled functions connect to.
pub struct Scheduled {
    app: App,
    gateway: State,
    secrets: SecretSweeper,
}

impl Scheduled {
    pub(super) async fn connect(env: &[(String, String)], clock: Clock) -> Result<Self, String> {
        let config = Config::from_lookup(|name| env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()));
        let app = App::unconnected(config.map_err(|error| error.to_string())?).await.with_clock(clock);
        let gateway = actions::of("GatewaySweeper", State::connect(app.clone())).await.map_err(|error| error.to_string())?;
        let secrets = SecretSweeper::connect(app.clone()).await;
        Ok(Self { app, gateway, secrets })
    }

    /// Sweeps once, as the schedule does.
    ///
    /// Boxed, because the compiler cannot see through its layers that it may move between threads.
    ///
    /// # Errors
    /// One sentence with the cause.
    pub fn sweep(&self) -> Pin<Box<dyn Future<Output = Result<Swept, String>> + Send + '_>> {
        let failed = |error: crochet::http::ApiError| error.operator_message().unwrap_or("the sweep failed").to_owned();
        Box::pin(async move { actions::of("GatewaySweeper", sweep::sweep(&self.gateway)).await.map_err(failed) })
    }

    /// As [`Scheduled::sweep`], within these times.
    pub(super) fn sweep_within(&self, times: Times) -> Pin<Box<dyn Future<Output = Result<Swept, String>> + Send + '_>> {
        let failed = |error: crochet::http::ApiError| error.operator_message().unwrap_or("the sweep failed").to_owned();
        Box::pin(async move { actions::of("GatewaySweeper", sweep::sweep_within(&self.gateway, times)).await.map_err(failed) })
    }

    pub(super) async fn sweep_secrets(&self) -> Result<SecretsSwept, String> {
        actions::of("SecretSweeper", self.secrets.sweep()).await.map_err(|error| error.to_string())
    }

    pub(super) async fn write_snapshot(&self, schedule: Schedule) -> Result<String, String> {
        let work = snapshot_writer::write(&self.app.store, &self.app.clock, schedule);
        let outcome = actions::of("CatalogSnapshot", work).await.map_err(|error| error.to_string())?;
        Ok(format!("{outcome:?}"))
    }

    /// Boxed, because the compiler cannot see through its layers that it may move between threads.
    pub(super) fn count_scores(&self) -> Pin<Box<dyn Future<Output = Result<Ran, String>> + Send + '_>> {
        Box::pin(async { actions::of("ReviewsScoreRun", run(&self.app)).await.map_err(|error| error.to_string()) })
    }

    /// As [`Scheduled::count_scores`], with this time for comparing one seller with its calls.
    pub(super) fn count_scores_within(&self, within: Duration) -> Pin<Box<dyn Future<Output = Result<Ran, String>> + Send + '_>> {
        Box::pin(
            async move { actions::of("ReviewsScoreRun", run_within(&self.app, within)).await.map_err(|error| error.to_string()) },
        )
    }

    /// Runs everything again and again. A run that fails is reported; the next one starts over.
    pub(super) async fn run_every(self, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            let (swept, secrets, written) = tokio::join!(self.sweep(), self.sweep_secrets(), self.write_snapshot(Schedule::IfDue));
            // After the sweep, which counts what scores are made of.
            let scored = self.count_scores().await;
            for cause in [swept.err(), secrets.err(), written.err(), scored.err()].into_iter().flatten() {
                tracing::warn!(%cause, "scheduled work failed");
            }
        }
    }
}
