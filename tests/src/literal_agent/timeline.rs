//! The time of a run: waiting moves the stack's clock, and what is due happens on the way.

use crochet_local::stack::Scheduled;
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::world::World;

const MINUTE_MS: i64 = 60_000;
/// The first sweep of a wait comes when it is due. In a longer wait, each time between two of them is so many times the one before.
const RARER: i64 = 3;

/// Something that happens at the provider at a moment of a run.
#[derive(Debug, Clone)]
pub(super) enum Event {
    /// It stops to answer in this way.
    OutageBegins(&'static str),
    /// It answers again.
    OutageEnds,
    /// It forgets this payment.
    Forgets(String),
}

/// The time of one run, in milliseconds since its start.
pub(super) struct Timeline<'a> {
    world: &'a World,
    sweeper: Scheduled,
    sweep_every_minutes: i64,
    started_ms: i64,
    /// What will happen, in no order.
    due: Vec<(i64, Event)>,
}

impl<'a> Timeline<'a> {
    /// A sweeper that is late, or fails now and then, comes less often than every minute.
    pub(super) async fn new(world: &'a World, sweep_every_minutes: i64) -> Result<Self, Failure> {
        let sweeper = world.stack()?.scheduled().await.map_err(Failure::new)?;
        Ok(Self { world, sweeper, sweep_every_minutes, started_ms: clock_ms(world)?, due: Vec::new() })
    }

    /// Milliseconds since the start of the run.
    pub(super) fn now(&self) -> i64 {
        clock_ms(self.world).map_or(0, |now| now - self.started_ms)
    }

    /// Milliseconds until a time in a reply. Zero if it is over or unreadable.
    pub(super) fn until(&self, time: &str) -> i64 {
        let parsed = time::OffsetDateTime::parse(time, &time::format_description::well_known::Rfc3339);
        parsed.map_or(0, |time| (unix_ms(time) - self.started_ms - self.now()).max(0))
    }

    /// Makes something happen at a time.
    pub(super) fn at(&mut self, at: i64, event: Event) {
        self.due.push((at, event));
    }

    /// Moves the clock. Returns what happened on the way, for the trace.
    pub(super) async fn wait(&mut self, seconds: i64) -> Result<Vec<String>, Failure> {
        let target = self.now() + seconds.max(0) * 1_000;
        let mut happened = Vec::new();
        let mut later: i64 = 1;
        while let Some(at) = self.next_sweep(later, target) {
            happened.extend(self.let_happen(at).await?);
            self.sweep().await?;
            later = later.saturating_mul(RARER);
        }
        happened.extend(self.let_happen(target).await?);
        Ok(happened)
    }

    /// Sweeps once.
    pub(super) async fn sweep(&self) -> Outcome {
        self.sweeper.sweep().await.map(drop).map_err(Failure::new)
    }

    /// The time of the sweep that comes after so many others have been left out, if it is over by `target`.
    fn next_sweep(&self, later: i64, target: i64) -> Option<i64> {
        let every_ms = self.sweep_every_minutes * MINUTE_MS;
        let next = (self.now() / every_ms).saturating_add(later).saturating_mul(every_ms);
        (next <= target).then_some(next)
    }

    async fn let_happen(&mut self, target: i64) -> Result<Vec<String>, Failure> {
        let mut happened = Vec::new();
        while let Some(next) = self.next_until(target) {
            let (at, event) = self.due.swap_remove(next);
            self.advance_to(at).await?;
            happened.push(format!("the provider: {event:?}"));
            self.happen(event).await?;
        }
        self.advance_to(target).await?;
        Ok(happened)
    }

    /// Lets happen what is due already.
    pub(super) async fn catch_up(&mut self) -> Result<Vec<String>, Failure> {
        self.wait(0).await
    }

    fn next_until(&self, target: i64) -> Option<usize> {
        let due = self.due.iter().enumerate().filter(|(_, (at, _))| *at <= target);
        due.min_by_key(|(_, (at, _))| *at).map(|(place, _)| place)
    }

    async fn advance_to(&self, at: i64) -> Outcome {
        let ms = at - self.now();
        if ms > 0 {
            self.world.sandbox.advance_clock(ms).await?;
        }
        Ok(())
    }

    async fn happen(&self, event: Event) -> Outcome {
        let sandbox = &self.world.sandbox;
        match event {
            Event::OutageBegins(mode) => {
                for route in ["quote", "status", "requests"] {
                    sandbox.fault(route, mode, 3_600_000).await?;
                }
            }
            Event::OutageEnds => sandbox.clear_faults().await?,
            Event::Forgets(id) => drop(sandbox.set(&id, &json!({ "forget": true })).await?),
        }
        Ok(())
    }
}

fn clock_ms(world: &World) -> Result<i64, Failure> {
    Ok(unix_ms(world.stack()?.clock().now()))
}

fn unix_ms(time: time::OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}
