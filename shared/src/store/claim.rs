//! Which person operates an agent: stored in the agent's profile, and as a pointer in the person's partition.

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

/// Maximum agents that one person may operate.
pub const MAX_CLAIMS: u32 = 50;

/// An entry in the list of agents that a person operates.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ClaimPointer {
    agent: ProfileId,
}

/// Why an agent was not claimed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The person operates [`MAX_CLAIMS`] agents.
    #[error("the person operates the maximum number of agents")]
    LimitReached,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an agent was not released.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The person does not operate the agent.
    #[error("the person does not operate the agent")]
    NotOperator,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Replaces version `agent.version - 1` of a claimed agent's profile and counts the claim with its operator, the session's
    /// person. If two people claim the same agent, one fails.
    ///
    /// # Errors
    /// [`ClaimError::LimitReached`]; [`StoreError::Conflict`] if the agent's profile has changed; [`StoreError::SessionOver`].
    pub async fn claim(&self, agent: &Profile, session: &Session) -> Result<(), ClaimError> {
        let person = session.profile;
        let count = Update::new("SET version = version + :one, claim_count = claim_count + :one")
            .when("claim_count < :max")
            .value(":one", n(1))
            .value(":max", n(MAX_CLAIMS));
        let operations = vec![
            self.table.transact_update(&keys::profile(person), count)?,
            self.put_next_version(agent)?,
            Put::new(&keys::profile_claim(person, agent.id), "profile_claim", &ClaimPointer { agent: agent.id })?
                .when(Condition::absent())
                .into_transact_item(&self.table)?,
        ];
        match self.transact_with_session(session, operations).await {
            Ok(()) => Ok(()),
            Err(TransactError::ConditionFailed { index: 0, .. }) => Err(ClaimError::LimitReached),
            Err(error) => Err(StoreError::from(error).into()),
        }
    }

    /// Removes the operator from an agent's profile, whatever version it has: an agent cannot prevent its release by changing its
    /// profile all the time. It marks the seller summaries stale, whether or not the agent has listings.
    ///
    /// # Errors
    /// [`ReleaseError::NotOperator`]; [`StoreError::Conflict`] if another transaction holds one of the items.
    pub async fn release_claim(&self, agent: ProfileId, person: ProfileId) -> Result<(), ReleaseError> {
        let account_type = serde_dynamo::to_attribute_value(AccountType::Agent).map_err(StoreError::defect)?;
        let release = Update::new("SET version = version + :one, account_type = :agent, summaries_stale = :stale REMOVE #operator")
            .name("#operator", "operator")
            .when("#operator = :me")
            .value(":one", n(1))
            .value(":agent", account_type)
            .value(":stale", AttributeValue::Bool(true))
            .value(":me", s(person.to_string()));
        let count = Update::new("SET version = version + :one, claim_count = claim_count - :one").value(":one", n(1));
        let operations = vec![
            self.table.transact_update(&keys::profile(agent), release)?,
            self.table.transact_update(&keys::profile(person), count)?,
            self.table.transact_delete(&keys::profile_claim(person, agent))?,
        ];
        match self.table.transact(operations).await {
            Ok(()) => Ok(()),
            Err(TransactError::ConditionFailed { .. }) => Err(ReleaseError::NotOperator),
            Err(error) => Err(StoreError::from(error).into()),
        }
    }

    /// The ids of the agents that a person operates, in order of their registration.
    pub async fn claims_of(&self, person: ProfileId) -> Result<Vec<ProfileId>, StoreError> {
        let pointers = self.table.query(&Range::of(&keys::profile_claims(person), MAX_CLAIMS as i32)).await?;
        pointers.into_iter().map(|pointer| Ok(record::<ClaimPointer>(pointer)?.agent)).collect()
    }

    /// The agents that a person operates, in order of their registration.
    pub async fn claimed_agents(&self, person: ProfileId) -> Result<Vec<Profile>, StoreError> {
        let agents = self.claims_of(person).await?;
        if agents.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: Vec<_> = agents.into_iter().map(keys::profile).collect();
        let mut found = self.table.get_all(&wanted).await?;
        wanted.iter().filter_map(|key| found.take(key).transpose()).collect()
    }

    fn put_next_version(&self, profile: &Profile) -> Result<aws_sdk_dynamodb::types::TransactWriteItem, StoreError> {
        let before = Condition::equals("version", n(profile.version.saturating_sub(1)));
        Put::new(&keys::profile(profile.id), "profile", profile)?.when(before).into_transact_item(&self.table)
    }
}
