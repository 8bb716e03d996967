//! Who operates an agent: written in the agent's profile, and as a pointer in the person's partition.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::counter::{n, s};
use super::table::{Range, Transacted, record};
use super::write::{Condition, Putting, Updating};
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
    /// Where DynamoDB does not answer; [`StoreError::SessionOver`].
    pub async fn claim(&self, agent: &Profile, session: &Session) -> Result<Claimed, StoreError> {
        let person = session.profile;
        let counting = Updating::new("SET version = version + :one, claim_count = claim_count + :one")
            .when("claim_count < :max")
            .value(":one", n(1))
            .value(":max", n(MAX_CLAIMS));
        let operations = vec![
            self.table.updating(&keys::profile(person), counting)?,
            self.over_the_version_read(agent)?,
            Putting::new(&keys::profile_claim(person, agent.id), "profile_claim", &ClaimPointer { agent: agent.id })?
                .when(Condition::absent())
                .in_transaction(&self.table)?,
        ];
        Ok(match self.transact_in(session, operations).await? {
            Transacted::Done => Claimed::Done,
            Transacted::Refused { index: 0, .. } => Claimed::LimitReached,
            Transacted::Refused { .. } | Transacted::Conflict => Claimed::Conflict,
        })
    }

    /// Takes the operator out of an agent's profile, whatever else is written there meanwhile: an agent cannot hold on to its
    /// operator by changing its profile all the time. Its listings are said to be behind, whether or not it has any.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn release_claim(&self, agent: ProfileId, person: ProfileId) -> Result<Released, StoreError> {
        let kind = serde_dynamo::to_attribute_value(AccountType::Agent).map_err(StoreError::defect)?;
        let releasing =
            Updating::new("SET version = version + :one, account_type = :agent, listings_behind = :behind REMOVE #operator")
                .name("#operator", "operator")
                .when("#operator = :me")
                .value(":one", n(1))
                .value(":agent", kind)
                .value(":behind", AttributeValue::Bool(true))
                .value(":me", s(person.to_string()));
        let counting = Updating::new("SET version = version + :one, claim_count = claim_count - :one").value(":one", n(1));
        let operations = vec![
            self.table.updating(&keys::profile(agent), releasing)?,
            self.table.updating(&keys::profile(person), counting)?,
            self.table.removing(&keys::profile_claim(person, agent))?,
        ];
        Ok(match self.table.transact(operations).await? {
            Transacted::Done => Released::Done,
            Transacted::Refused { .. } => Released::NotOperator,
            Transacted::Conflict => Released::Conflict,
        })
    }

    /// The agents that a person operates, in order of their registration.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn claimed_agents(&self, person: ProfileId) -> Result<Vec<Profile>, StoreError> {
        let partition = keys::profile_partition(person);
        let pointers = self
            .table
            .query(&Range {
                index: None,
                partition: &partition,
                from: Some(keys::PROFILE_CLAIM_PREFIX),
                to: Some("CLAIM#~"),
                newest_first: false,
                limit: MAX_CLAIMS as i32,
            })
            .await?;
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
        Putting::new(&keys::profile(profile.id), "profile", profile)?.when(before).in_transaction(&self.table)
    }
}
