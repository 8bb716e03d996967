//! Counts what a request costs: serial round trips, and DynamoDB capacity units.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

tokio::task_local! {
    static METER: Meter;
}

/// The meter of one request.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Vec<Trip>>>);

/// One round trip to another service.
#[derive(Debug, Clone)]
pub(crate) struct Trip {
    /// Which service.
    pub(crate) to: &'static str,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    /// DynamoDB read units.
    pub(crate) read_units: f64,
    /// DynamoDB write units.
    pub(crate) write_units: f64,
}

impl Trip {
    /// Adds the trip to the meter of the current request, if there is one.
    pub(crate) fn record(self) {
        let _ = METER.try_with(|meter| meter.record(self));
    }
}

/// What one request cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cost {
    /// Serial round trips: those that overlap in time count once.
    pub serial_trips: usize,
    /// The trips in order of their start; overlapping ones are joined by `+`: `dynamodb+dynamodb, provider, seller`.
    pub path: Vec<String>,
    /// DynamoDB read units.
    pub read_units: f64,
    /// DynamoDB write units.
    pub write_units: f64,
}

impl Meter {
    /// Runs a request under this meter.
    pub async fn scope<F: Future>(&self, request: F) -> F::Output {
        METER.scope(self.clone(), request).await
    }

    /// What the request has cost so far.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let mut trips = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        trips.sort_by_key(|trip| trip.began);
        let mut cost = Cost::default();
        let mut wave_ends: Option<Instant> = None;
        for trip in trips {
            cost.read_units += trip.read_units;
            cost.write_units += trip.write_units;
            match wave_ends {
                Some(end) if trip.began < end => {
                    if let Some(last) = cost.path.last_mut() {
                        last.push('+');
                        last.push_str(trip.to);
                    }
                    wave_ends = Some(end.max(trip.ended));
                }
                _ => {
                    cost.path.push(trip.to.to_owned());
                    wave_ends = Some(trip.ended);
                }
            }
        }
        cost.serial_trips = cost.path.len();
        cost
    }

    fn record(&self, trip: Trip) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(trip);
    }
}

/// Counts a request to a service other than DynamoDB.
pub async fn trip<F: Future>(to: &'static str, request: F) -> F::Output {
    let began = Instant::now();
    let output = request.await;
    Trip { to, began, ended: Instant::now(), read_units: 0.0, write_units: 0.0 }.record();
    output
}
