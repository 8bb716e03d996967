//! Gates: what the operator may close without a deployment, and how much passes in a day. One item each.

use super::conditional::WriteError;
use super::counter::number;
use super::item::{Item, n};
use super::retry::Attempts;
use super::write::Update;
use super::{Store, StoreError, keys};

/// What passes a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// New profiles.
    Registrations,
    /// New listings.
    Listings,
    /// Quotes. They are not counted here: the provider's budget counts them.
    Quotes,
}

impl Gate {
    /// Every gate.
    pub const ALL: [Self; 3] = [Self::Registrations, Self::Listings, Self::Quotes];

    /// Its name in keys, errors and commands.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registrations => "registrations",
            Self::Listings => "listings",
            Self::Quotes => "quotes",
        }
    }
}

/// Whether something may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Passage {
    /// It may, and is counted.
    Open,
    /// The operator has closed the gate.
    Closed,
    /// As many as allowed have passed today.
    Full,
}

/// A gate, as it is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GateState {
    /// Whether the operator has closed it.
    pub is_closed: bool,
    /// How many passed on `day`.
    pub passed: u32,
    /// The day (UTC, counted from 1970-01-01) on which something passed last.
    pub day: u32,
}

impl GateState {
    fn of(item: &Item) -> Self {
        let is_closed = item.get("closed").and_then(|value| value.as_bool().ok()).copied().unwrap_or_default();
        Self { is_closed, passed: number(item.get("passed")), day: number(item.get("day")) }
    }
}

impl Store {
    /// Lets one pass, if the gate is open and fewer than `per_day` have passed on this day (UTC, counted from 1970-01-01).
    ///
    /// One conditional write, and a second one for the first of a day.
    pub async fn pass_gate(&self, gate: Gate, per_day: u32, day: u32) -> Result<Passage, StoreError> {
        let key = keys::gate(gate.as_str());
        let is_open = "(attribute_not_exists(closed) OR closed = :open)";
        let mut attempts = Attempts::default();
        loop {
            let next = Update::new("SET passed = passed + :one")
                .when(&format!("#day = :day AND passed < :most AND {is_open}"))
                .value(":most", n(per_day));
            let first = Update::new("SET passed = :one, #day = :day")
                .when(&format!("(attribute_not_exists(#day) OR #day < :day) AND {is_open}"));
            for update in [next, first] {
                let update = update
                    .name("#day", "day")
                    .value(":one", n(1))
                    .value(":day", n(day))
                    .value(":open", aws_sdk_dynamodb::types::AttributeValue::Bool(false));
                let Err(error) = self.table.update(&key, update).await else { return Ok(Passage::Open) };
                if matches!(error, WriteError::Conflict) {
                    break;
                }
                let found = error.found()?.as_ref().map(GateState::of).unwrap_or_default();
                if found.is_closed {
                    return Ok(Passage::Closed);
                }
                if found.day >= day && found.passed >= per_day {
                    return Ok(Passage::Full);
                }
            }
            attempts.next_or(StoreError::Conflict).await?;
        }
    }

    /// The gate. Read eventually consistently, so a change counts within a second or so.
    pub async fn gate(&self, gate: Gate) -> Result<GateState, StoreError> {
        let item = self.table.get_eventually(&keys::gate(gate.as_str())).await?;
        Ok(item.as_ref().map(GateState::of).unwrap_or_default())
    }

    /// Closes or opens a gate.
    pub async fn set_gate(&self, gate: Gate, is_closed: bool) -> Result<(), StoreError> {
        let update = Update::new("SET closed = :closed").value(":closed", aws_sdk_dynamodb::types::AttributeValue::Bool(is_closed));
        self.table.update(&keys::gate(gate.as_str()), update).await?;
        Ok(())
    }
}
