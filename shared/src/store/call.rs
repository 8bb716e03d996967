//! Calls, their ledger entries, the names they are found by, and their stored answers.
//!
//! A call moves by putting its next version over the one that was read. A refused write that finds its own `writer` has been
//! made before: the reply was lost and the SDK tried again.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::answer::PackedAnswer;
use super::counter::n;
use super::keys::Key;
use super::table::{Item, Transacted, Written, record};
use super::write::{Condition, Putting};
use super::{Store, StoreError, keys};
use crochet_domain::call::Call;
use crochet_domain::call::entry::{Account, Entry};
use crochet_domain::currency::OriginCurrency;
use crochet_domain::ids::{CallId, ListingId, ProfileId, random_bytes};
use crochet_domain::timestamp::from_unix_ms;

/// What an Idempotency-Key names, and what it is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCall {
    /// Where the call is stored.
    pub home: String,
    /// The listing it is bound to.
    pub listing: ListingId,
    /// The body it is bound to.
    pub body_sha256: String,
    /// The currency it is bound to; `None` for a free call.
    pub currency: Option<OriginCurrency>,
    /// Counts its changes.
    pub version: u64,
}

/// The quotes of a buyer for one listing and body, without an Idempotency-Key: at most one for each currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnonymousQuotes {
    /// Currency and where the call is stored, newest first.
    pub quotes: Vec<(OriginCurrency, String)>,
    /// Counts its changes.
    pub version: u64,
}

/// What came of writing a call's next version.
#[derive(Debug)]
pub enum Moved {
    /// It is written; by this write, or by an earlier try of it.
    Done,
    /// Somebody else moved the call first: this is where it stands now.
    Lost(Box<Option<Call>>),
    /// Somebody else is writing it right now.
    Conflict,
}

/// What came of keeping a new quote or free call under its names.
#[derive(Debug)]
pub enum Kept {
    /// It is written.
    Done,
    /// The provider has given this id before.
    PaymentIdKnown,
    /// A parallel request was first at one of the names: read again.
    Raced,
}

/// How a new call can be found again.
#[derive(Debug, Clone)]
pub enum Name {
    /// By an Idempotency-Key; the version that was read, if any.
    Key {
        /// The caller's text.
        key: String,
        /// What is to be stored.
        named: NamedCall,
    },
    /// By listing and body.
    Anonymous(AnonymousQuotes),
}

/// A fresh name for a write.
#[must_use]
pub fn fresh_writer() -> String {
    hex::encode(random_bytes::<8>())
}

/// The next version of `call`, as a write of its own.
#[must_use]
pub fn next_version(mut call: Call) -> Call {
    call.version += 1;
    call.writer = fresh_writer();
    call
}

fn putting(call: &Call) -> Result<Putting, StoreError> {
    let putting = Putting::new(&keys::call(&call.home()), "call", call)?
        .indexed(Some(keys::buyer_history(call.buyer, call.id)))
        .indexed(Some(keys::seller_history(call.seller, call.id)))
        .indexed(call.due_ms().map(|due| keys::due(call.id, from_unix_ms(due))));
    Ok(if call.version == 1 {
        putting.when(Condition::absent())
    } else {
        putting.when(Condition::equals("version", n(call.version - 1)))
    })
}

fn entry_putting(home: &str, entry: &Entry) -> Result<Putting, StoreError> {
    let at = from_unix_ms(entry.created_ms);
    let index = match entry.account {
        Account::Buyer(profile) => Some(keys::account(profile, &entry.id)),
        Account::Seller(profile) => Some(keys::earnings(profile, at, &entry.id)),
        Account::Marketplace => None,
    };
    Ok(Putting::new(&keys::entry(home, &entry.slot), "entry", entry)?.indexed(index).when(Condition::absent()))
}

impl Store {
    /// The calls that are stored at these places and exist, in the order asked for.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn calls(&self, homes: &[String]) -> Result<Vec<Call>, StoreError> {
        let wanted: Vec<Key> = homes.iter().map(|home| keys::call(home)).collect();
        let mut calls = Vec::with_capacity(wanted.len());
        for batch in wanted.chunks(100) {
            let mut found = self.table.get_all(batch).await?;
            for key in batch {
                calls.extend(found.take::<Call>(key)?);
            }
        }
        Ok(calls)
    }

    /// The call with this id: a free one in one read, a paid one in two.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn call(&self, id: CallId) -> Result<Option<Call>, StoreError> {
        let (free, pointer) = (keys::call(&id.to_string()), keys::call_home(id));
        let mut found = self.table.get_all(&[free.clone(), pointer.clone()]).await?;
        if let Some(call) = found.take::<Call>(&free)? {
            return Ok(Some(call));
        }
        match found.take::<CallHome>(&pointer)? {
            Some(pointer) => Ok(self.calls(&[pointer.home]).await?.into_iter().next()),
            None => Ok(None),
        }
    }

    /// Keeps a new call under its names, all or nothing. Its id at the provider must be new.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn keep_call(&self, call: &Call, name: Name) -> Result<Kept, StoreError> {
        let mut operations = vec![putting(call)?.in_transaction(&self.table)?];
        if call.payment.is_some() {
            let home = CallHome { home: call.home() };
            operations.push(Putting::new(&keys::call_home(call.id), "call_home", &home)?.in_transaction(&self.table)?);
        }
        let naming = match name {
            Name::Key { key, named } => naming_by_key(call.buyer, &key, &named)?,
            Name::Anonymous(quotes) => {
                let at = keys::anonymous_quotes(call.buyer, call.listing.id, &call.body_sha256);
                Putting::new(&at, "anonymous_quotes", &quotes)?.when(Condition::absent_or_equals("version", n(quotes.version - 1)))
            }
        };
        operations.push(naming.in_transaction(&self.table)?);
        Ok(match self.table.transact(operations).await? {
            Transacted::Done => Kept::Done,
            Transacted::Refused { index: 0, found } => {
                if written_by(found, &call.writer)? {
                    Kept::Done
                } else {
                    Kept::PaymentIdKnown
                }
            }
            Transacted::Refused { .. } | Transacted::Conflict => Kept::Raced,
        })
    }

    /// Writes a free call that nobody can ask for again: one put.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn put_call(&self, call: &Call) -> Result<Moved, StoreError> {
        match self.table.put(putting(call)?).await {
            Ok(Written::Done) => Ok(Moved::Done),
            Ok(Written::Refused(found)) => lost(found, &call.writer),
            Err(StoreError::Conflict) => Ok(Moved::Conflict),
            Err(e) => Err(e),
        }
    }

    /// Gives a call one more name. `false` where the key names another call already.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn name_call(&self, buyer: ProfileId, key: &str, named: &NamedCall) -> Result<bool, StoreError> {
        match self.table.put(naming_by_key(buyer, key, named)?).await? {
            Written::Done => Ok(true),
            Written::Refused(found) => {
                Ok(found.map(record::<NamedCall>).transpose()?.is_some_and(|found| found.home == named.home))
            }
        }
    }

    /// Writes a call's next version, and with it the ledger entries of this move, all or nothing.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn move_call(&self, call: &Call, entries: &[Entry]) -> Result<Moved, StoreError> {
        if entries.is_empty() {
            return self.put_call(call).await;
        }
        let mut operations = vec![putting(call)?.in_transaction(&self.table)?];
        let home = call.home();
        for entry in entries {
            operations.push(entry_putting(&home, entry)?.in_transaction(&self.table)?);
        }
        self.transact_move(operations, &call.writer).await
    }

    /// Writes the outcome of an attempt together with a short answer; a long answer has to be stored before.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn finish_call(&self, call: &Call, answer: Option<&PackedAnswer>) -> Result<Moved, StoreError> {
        let Some(answer) = answer.filter(|answer| answer.fits_in_transaction()) else { return self.put_call(call).await };
        let mut operations = vec![putting(call)?.in_transaction(&self.table)?];
        for putting in answer.puttings(call.id)? {
            operations.push(putting.in_transaction(&self.table)?);
        }
        self.transact_move(operations, &call.writer).await
    }

    async fn transact_move(&self, operations: Vec<TransactWriteItem>, writer: &str) -> Result<Moved, StoreError> {
        match self.table.transact(operations).await? {
            Transacted::Done => Ok(Moved::Done),
            Transacted::Refused { index: 0, found } => lost(found, writer),
            // An entry or answer stands there already, so this move was made; whose it was, the call itself says.
            Transacted::Refused { .. } | Transacted::Conflict => Ok(Moved::Conflict),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct CallHome {
    home: String,
}

fn naming_by_key(buyer: ProfileId, key: &str, named: &NamedCall) -> Result<Putting, StoreError> {
    Ok(Putting::new(&keys::idempotency(buyer, key), "idempotency_key", named)?
        .when(Condition::absent_or_equals("version", n(named.version.saturating_sub(1)))))
}

fn written_by(found: Option<Item>, writer: &str) -> Result<bool, StoreError> {
    Ok(found.map(record::<Call>).transpose()?.is_some_and(|call| call.writer == writer))
}

fn lost(found: Option<Item>, writer: &str) -> Result<Moved, StoreError> {
    let found: Option<Call> = found.map(record).transpose()?;
    Ok(if found.as_ref().is_some_and(|call| call.writer == writer) { Moved::Done } else { Moved::Lost(Box::new(found)) })
}
