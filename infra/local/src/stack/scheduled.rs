//! Work that runs by a schedule: the sweeper, and the writer of the catalogue's snapshot.

use std::time::Duration;

use crochet::app::App;
use crochet::clock::Clock;
use crochet::config::Config;
use crochet::telemetry::actions;
use crochet_catalog::snapshot_writer::{self, Schedule};
use crochet_gateway::State;
use crochet_gateway::sweep::{self, Swept};

/// Time between two runs. Deployed, the sweeper runs every minute.
pub(super) const SCHEDULE: Duration = Duration::from_secs(10);

/// What scheduled functions connect to.
pub(super) struct Scheduled {
    pub(super) app: App,
    gateway: State,
}

impl Scheduled {
    pub(super) async fn connect(env: &[(String, String)], clock: Clock) -> Result<Self, String> {
        let config = Config::from_lookup(|name| env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()));
        let app = App::unconnected(config.map_err(|error| error.to_string())?).await.with_clock(clock);
        let gateway = actions::of("GatewaySweeper", State::connect(app.clone())).await.map_err(|error| error.to_string())?;
        Ok(Self { app, gateway })
    }

    pub(super) async fn sweep(&self) -> Result<Swept, String> {
        let failed = |error: crochet::http::ApiError| error.operator_message().unwrap_or("the sweep failed").to_owned();
        actions::of("GatewaySweeper", sweep::sweep(&self.gateway)).await.map_err(failed)
    }

    pub(super) async fn write_snapshot(&self, schedule: Schedule) -> Result<String, String> {
        let work = snapshot_writer::write(&self.app.store, &self.app.clock, schedule);
        let outcome = actions::of("CatalogSnapshot", work).await.map_err(|error| error.to_string())?;
        Ok(format!("{outcome:?}"))
    }

    /// Runs everything again and again. A run that fails is reported; the next one starts over.
    pub(super) async fn run_every(self, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            let (swept, written) = tokio::join!(self.sweep(), self.write_snapshot(Schedule::IfDue));
            for cause in [swept.err(), written.err()].into_iter().flatten() {
                tracing::warn!(%cause, "scheduled work failed");
            }
        }
    }
}
