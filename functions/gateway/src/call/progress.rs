//! What a request has learnt so far.

use std::collections::HashMap;

use crochet::http::{ApiError, Result};
use crochet::store::call::PutCallError;
use crochet_domain::call::view::Race;
use crochet_domain::call::{Call, CallKey};
use crochet_domain::money::Micros;
use crochet_domain::schema::Mismatch;

use super::reply;
use super::resolve::Resolved;

/// The view of a request, and what only its reply needs.
pub(super) struct Progress {
    pub(super) resolved: Resolved,
    /// Why the provider, or something on our side, failed: for the log and for the reply.
    pub(super) failure: Option<ApiError>,
    /// Where the body does not match the listing's schema.
    pub(super) mismatches: Vec<Mismatch>,
    /// What the provider's records say that it collected for the operator.
    pub(super) collected: HashMap<CallKey, Micros>,
    /// What the buyer has to do to pay the quotes that may be offered again.
    pub(super) requirements: HashMap<CallKey, String>,
    /// How often a parallel request's quote was waited for.
    pub(super) quotes_awaited: u32,
}

impl Progress {
    pub(super) fn new(resolved: Resolved) -> Self {
        Self {
            resolved,
            failure: None,
            mismatches: Vec::new(),
            collected: HashMap::new(),
            requirements: HashMap::new(),
            quotes_awaited: 0,
        }
    }

    pub(super) fn call(&self, key: &CallKey) -> Result<&Call> {
        self.resolved.view.call(key).ok_or_else(|| ApiError::internal("a step names a call that was not read").alarm())
    }

    /// Takes in the result of writing `next` under `key`.
    pub(super) fn written(&mut self, key: &CallKey, written: Result<(), PutCallError>, next: Call) -> Result<()> {
        match written {
            Ok(()) => self.resolved.view.put(key, Some(next)),
            Err(PutCallError::Superseded(found)) => self.superseded(key, *found),
            // The other request may be settling the call, so nothing may be offered before that is known.
            Err(PutCallError::Contended) => return Err(reply::in_progress(&next)),
            Err(PutCallError::Store(e)) => return Err(e.into()),
        }
        Ok(())
    }

    /// Another request was first: continues with the call that it wrote.
    pub(super) fn superseded(&mut self, key: &CallKey, found: Option<Call>) {
        if let Some(found) = found {
            self.resolved.view.put(key, Some(found));
        }
        self.resolved.view.raced = Some(Race::Moved);
    }
}
