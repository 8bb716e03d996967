//! Who operates an agent: written in the agent's profile, and as a pointer in the person's partition.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::item::{n, record, s};
use super::read::Range;
use super::transaction::TransactError;
use super::write::{Condition, Put, Update};
use super::{Store, StoreError, keys};
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::{AccountType, Profile};
use crochet_domain::session::Session;

/// Agents that one person may operate.
pub const MAX_CLAIMS: u32 = 50;

/// Says that a person operates an agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ClaimPointer {
    agent: ProfileId,
}

/// What came of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// The person operates the agent now.
    Done,
    /// The person operates as many agents as one may.
    LimitReached,
    /// The agent's profile changed meanwhile: read it again, then decide.
    Conflict,
}

/// What came of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// The agent has no operator now.
    Done,
    /// The person does not operate the agent, or not any more.
    NotOperator,
    /// Another transaction is at one of the items.
    Conflict,
}

impl Store {
    /// Writes a claimed agent's profile over the version that was read (`agent.version - 1`) and counts it with its operator,
    /// whose session this is, all or nothing: of two racing claims one wins.
    ///
    /// # Errors
    /// [`StoreError::SessionOver`].
    pub async fn claim(&self, agent: &Profile, session: &Session) -> Result<Claimed, StoreError> {
        let person = session.profile;
        let counting = Update::new("SET version = version + :one, claim_count = claim_count + :one")
            .when("claim_count < :max")
            .value(":one", n(1))
            .value(":max", n(MAX_CLAIMS));
        let operations = vec![
            self.table.transact_update(&keys::profile(person), counting)?,
            self.over_the_version_read(agent)?,
            Put::new(&keys::profile_claim(person, agent.id), "profile_claim", &ClaimPointer { agent: agent.id })?
                .when(Condition::absent())
                .into_transact_item(&self.table)?,
        ];
        Ok(match self.transact_in(session, operations).await {
            Ok(()) => Claimed::Done,
            Err(TransactError::ConditionFailed { index: 0, .. }) => Claimed::LimitReached,
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => Claimed::Conflict,
            Err(TransactError::Store(error)) => return Err(error),
        })
    }

    /// Takes the operator out of an agent's profile, whatever else is written there meanwhile: an agent cannot hold on to its
    /// operator by changing its profile all the time. Its listings are said to be behind, whether or not it has any.
    pub async fn release_claim(&self, agent: ProfileId, person: ProfileId) -> Result<Released, StoreError> {
        let kind = serde_dynamo::to_attribute_value(AccountType::Agent).map_err(StoreError::defect)?;
        let releasing =
            Update::new("SET version = version + :one, account_type = :agent, listings_behind = :behind REMOVE #operator")
                .name("#operator", "operator")
                .when("#operator = :me")
                .value(":one", n(1))
                .value(":agent", kind)
                .value(":behind", AttributeValue::Bool(true))
                .value(":me", s(person.to_string()));
        let counting = Update::new("SET version = version + :one, claim_count = claim_count - :one").value(":one", n(1));
        let operations = vec![
            self.table.transact_update(&keys::profile(agent), releasing)?,
            self.table.transact_update(&keys::profile(person), counting)?,
            self.table.transact_delete(&keys::profile_claim(person, agent))?,
        ];
        Ok(match self.table.transact(operations).await {
            Ok(()) => Released::Done,
            Err(TransactError::ConditionFailed { .. }) => Released::NotOperator,
            Err(TransactError::Conflict) => Released::Conflict,
            Err(TransactError::Store(error)) => return Err(error),
        })
    }

    /// The agents that a person operates, in order of their registration.
    pub async fn claimed_agents(&self, person: ProfileId) -> Result<Vec<Profile>, StoreError> {
        let pointers = self.table.query(&Range::of(&keys::profile_claims(person), MAX_CLAIMS as i32)).await?;
        let pointers = pointers.into_iter().map(record::<ClaimPointer>).collect::<Result<Vec<_>, _>>()?;
        if pointers.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: Vec<_> = pointers.iter().map(|pointer| keys::profile(pointer.agent)).collect();
        let mut found = self.table.get_all(&wanted).await?;
        wanted.iter().filter_map(|key| found.take(key).transpose()).collect()
    }

    fn over_the_version_read(&self, profile: &Profile) -> Result<aws_sdk_dynamodb::types::TransactWriteItem, StoreError> {
        let before = Condition::equals("version", n(profile.version.saturating_sub(1)));
        Put::new(&keys::profile(profile.id), "profile", profile)?.when(before).into_transact_item(&self.table)
    }
}
