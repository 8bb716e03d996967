//! `GET /ledger`: the caller's own accounts. The entries of a call sum to zero over all accounts.

use std::collections::HashMap;

use axum::extract::State as Extract;
use crochet::http::caller::Caller;
use crochet::http::request::{Query, int_param};
use crochet::http::{ApiError, Reply, Result};
use crochet::store::history::{HistoryPage, Side};
use crochet::wire::call::EntryView;
use crochet::wire::schema;
use crochet_domain::api_key::Scope;
use crochet_domain::call::ledger::{Account, EntryType, LedgerEntry, LedgerMove, LedgerRecord};
use crochet_domain::call::{Call, CallKey};
use crochet_domain::ids::{CallId, ProfileId};
use crochet_domain::timestamp::unix_ms;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::account::account;
use super::page::{LIMIT, Paging, filter, moment, page};
use crate::state::State;

/// Which entries are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filters {
    /// `payment`, `seller_credit`, `marketplace_fee` or `adjustment`.
    #[serde(rename = "type")]
    #[param(rename = "type", value_type = Option<schema::EntryType>)]
    entry_type: Option<String>,
    /// Only entries written at this time (RFC 3339) or later. In an offset, write `+` as `%2B`.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Only entries written before this time (RFC 3339). It must not be earlier than `from`.
    #[param(format = DateTime)]
    to: Option<String>,
    /// Profile id of an agent that you operate. The default is your own.
    #[param(format = "uuid")]
    agent_id: Option<String>,
    /// Number of entries, 1 to 100. The default is 20.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// A page of ledger entries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ledger {
    entries: Vec<EntryView>,
    #[serde(flatten)]
    paging: Paging,
}

crochet::error_list!(ListLedgerErrors: Caller, Query<Filters>; InsufficientScope, InvalidCursor, ProfileNotFound, NotOperator);

/// List ledger entries
///
/// Payments, seller credits and adjustments in your own accounts, newest first. Entries are never changed or removed.
#[utoipa::path(
    get,
    path = "/api/v1/ledger",
    tag = "Gateway and payments",
    security(("api_key" = ["read"]), ("session" = [])),
    params(Filters),
    responses((status = 200, description = "A page of entries.", body = Ledger), ListLedgerErrors),
)]
pub(crate) async fn list_ledger(caller: Caller, Extract(state): Extract<State>, Query(query): Query<Filters>) -> Result {
    caller.may(Scope::Read)?;
    let types = "one of payment, seller_credit, marketplace_fee, adjustment";
    let entry_type = filter("type", query.entry_type.as_deref(), EntryType::parse, types)?;
    let from = moment("from", query.from.as_deref())?;
    let to = moment("to", query.to.as_deref())?;
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(ApiError::field("from", "must not be later than `to`"));
    }
    let limit = int_param("limit", query.limit.as_deref(), 1, LIMIT.1, LIMIT.0)?;
    let account = account(&state, &caller, query.agent_id.as_deref()).await?.id;
    let scope = format!("ledger|{account}|{entry_type:?}|{from:?}|{to:?}");
    let cursors = state.cursors.current().await?;
    let before = query.cursor.as_deref().map(|cursor| cursors.open(&scope, cursor)).transpose()?;
    let now = state.app.clock.now();
    let read = |before: Option<String>, limit: usize| {
        let store = &state.app.store;
        async move {
            let window = HistoryPage { profile: account, side: Side::All, before: before.as_deref(), now, limit };
            Ok(store.ledger_history(window).await?)
        }
    };
    let own = |record: &LedgerRecord| record.entries().filter(|entry| is_own(entry, account)).collect::<Vec<_>>();
    let is_wanted = |entry: &LedgerEntry| entry_type.is_none_or(|wanted| entry.leg.entry_type == wanted);
    let keep = |record: &LedgerRecord| {
        own(record).iter().any(is_wanted)
            && from.is_none_or(|from| record.created_ms >= from)
            && to.is_none_or(|to| record.created_ms < to)
    };
    let keep = (entry_type.is_some() || from.is_some() || to.is_some()).then_some(keep);
    let page = page(limit as usize, before, read, LedgerRecord::id, keep).await?;
    let entries: Vec<LedgerEntry> = page.members.iter().flat_map(own).filter(is_wanted).collect();
    let calls = adjusted_calls(&state, &page.members).await?;
    Reply::ok(Ledger {
        entries: entries.iter().map(|entry| EntryView::of(entry, calls.get(&entry.call))).collect(),
        paging: Paging {
            has_more: page.next.is_some(),
            next_cursor: page.next.map(|position| cursors.seal(&scope, &position, unix_ms(now))),
        },
    })
}

fn is_own(entry: &LedgerEntry, account: ProfileId) -> bool {
    matches!(entry.leg.account, Account::Buyer(profile) | Account::Seller(profile) if profile == account)
}

/// The calls of adjustments: they say what has become of a debt.
async fn adjusted_calls(state: &State, records: &[LedgerRecord]) -> Result<HashMap<CallId, Call>> {
    let adjusted = records.iter().filter(|record| record.of != LedgerMove::Settlement);
    let mut keys: Vec<CallKey> = adjusted.map(|record| CallKey::of_payment(state.provider.name(), &record.payment_id)).collect();
    keys.sort();
    keys.dedup();
    Ok(state.app.store.calls(&keys).await?.into_iter().map(|call| (call.id, call)).collect())
}
