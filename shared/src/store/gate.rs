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
    /// New secrets of endpoints in Secrets Manager, which are billed for as long as they exist.
    EndpointSecrets,
}

impl Gate {
    /// Every gate.
    pub const ALL: [Self; 4] = [Self::Registrations, Self::Listings, Self::Quotes, Self::EndpointSecrets];

    /// Its name in keys, errors and commands.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registrations => "registrations",
            Self::Listings => "listings",
            Self::Quotes => "quotes",
            Self::EndpointSecrets => "endpoint-secrets",
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
    /// As many as allowed exist.
    NoRoom,
}

/// How many may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// In a day (UTC).
    pub per_day: u32,
    /// In all, of what stays; `None` for what is counted by the day only.
    pub in_all: Option<u32>,
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
    /// How many exist, if that is counted: those of the last full count, and those that have passed since.
    pub kept: u32,
}

impl GateState {
    fn of(item: &Item) -> Self {
        let is_closed = item.get("closed").and_then(|value| value.as_bool().ok()).copied().unwrap_or_default();
        Self { is_closed, passed: number(item.get("passed")), day: number(item.get("day")), kept: number(item.get("kept")) }
    }
}

impl Store {
    /// Lets one pass, if the gate is open and the caps allow one more on this day (UTC, counted from 1970-01-01). Returns the gate after
    /// it, too.
    ///
    /// A gate that is a day ahead counts on: clocks differ around midnight. One that is further ahead was written by a wrong clock, and
    /// begins anew. One conditional write, and a second one for the first of a day.
    pub async fn pass_gate(&self, gate: Gate, caps: Caps, day: u32) -> Result<(Passage, GateState), StoreError> {
        let key = keys::gate(gate.as_str());
        let (mut keep, mut is_open) = ("", "(attribute_not_exists(closed) OR closed = :open)".to_owned());
        if caps.in_all.is_some() {
            keep = ", kept = if_not_exists(kept, :zero) + :one";
            is_open.push_str(" AND (attribute_not_exists(kept) OR kept < :all)");
        }
        let mut attempts = Attempts::default();
        loop {
            let next = Update::new(&format!("SET passed = passed + :one{keep}"))
                .when(&format!("#day BETWEEN :day AND :tomorrow AND passed < :most AND {is_open}"))
                .value(":most", n(caps.per_day));
            let first = Update::new(&format!("SET passed = :one, #day = :day{keep}"))
                .when(&format!("(attribute_not_exists(#day) OR #day < :day OR #day > :tomorrow) AND {is_open}"));
            for mut update in [next, first] {
                if let Some(all) = caps.in_all {
                    update = update.value(":all", n(all)).value(":zero", n(0));
                }
                let update = update
                    .name("#day", "day")
                    .value(":one", n(1))
                    .value(":day", n(day))
                    .value(":tomorrow", n(day + 1))
                    .value(":open", aws_sdk_dynamodb::types::AttributeValue::Bool(false));
                let error = match self.table.update(&key, update).await {
                    Ok(item) => return Ok((Passage::Open, GateState::of(&item))),
                    Err(error) => error,
                };
                if matches!(error, WriteError::Conflict) {
                    break;
                }
                let found = error.found()?.as_ref().map(GateState::of).unwrap_or_default();
                if found.is_closed {
                    return Ok((Passage::Closed, found));
                }
                if caps.in_all.is_some_and(|all| found.kept >= all) {
                    return Ok((Passage::NoRoom, found));
                }
                if (day..=day + 1).contains(&found.day) && found.passed >= caps.per_day {
                    return Ok((Passage::Full, found));
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

    /// Notes how many exist, after all were counted.
    pub async fn set_kept(&self, gate: Gate, kept: u32) -> Result<(), StoreError> {
        let update = Update::new("SET kept = :kept").value(":kept", n(kept));
        self.table.update(&keys::gate(gate.as_str()), update).await?;
        Ok(())
    }

    /// Closes or opens a gate.
    pub async fn set_gate(&self, gate: Gate, is_closed: bool) -> Result<(), StoreError> {
        let update = Update::new("SET closed = :closed").value(":closed", aws_sdk_dynamodb::types::AttributeValue::Bool(is_closed));
        self.table.update(&keys::gate(gate.as_str()), update).await?;
        Ok(())
    }
}
