//! `GET /ledger`: the caller's own accounts. The entries of a call sum to zero over all accounts.

use axum::extract::State as Extract;
use crochet::http::caller::Caller;
use crochet::http::request::{Query, int_param};
use crochet::http::{Reply, Result};
use crochet::store::history::{HistoryPage, Side};
use crochet::wire::call::EntryView;
use crochet_domain::api_key::Scope;
use crochet_domain::call::ledger::{EntryType, LedgerEntry};
use crochet_domain::timestamp::unix_ms;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::{IntoParams, ToSchema};

use super::account::account;
use super::page::{LIMIT, Paging, filter, page};
use crate::state::State;

/// Which entries are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filters {
    /// `payment`, `seller_credit`, `marketplace_fee` or `adjustment`.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    entry_type: Option<String>,
    /// Only entries written at this time (RFC 3339) or later.
    from: Option<String>,
    /// Only entries written before this time (RFC 3339).
    to: Option<String>,
    /// The agent whose entries to list, if you are its operator: its profile id. By default, your own.
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
    let times = "a time like 2026-01-31T00:00:00Z";
    let moment = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok().map(unix_ms);
    let from = filter("from", query.from.as_deref(), moment, times)?;
    let to = filter("to", query.to.as_deref(), moment, times)?;
    let limit = int_param("limit", query.limit.as_deref(), 1, LIMIT.1, LIMIT.0)?;
    let account = account(&state, &caller, query.agent_id.as_deref()).await?;
    let scope = format!("ledger|{account}|{entry_type:?}|{from:?}|{to:?}");
    let before = query.cursor.as_deref().map(|cursor| state.cursors.open(&scope, cursor)).transpose()?;
    let now = state.app.clock.now();
    let read = |before: Option<String>, limit: usize| {
        let store = &state.app.store;
        async move {
            let window = HistoryPage { profile: account, side: Side::All, before: before.as_deref(), now, limit };
            Ok(store.entry_history(window).await?)
        }
    };
    let keep = |entry: &LedgerEntry| {
        entry_type.is_none_or(|wanted| entry.entry_type == wanted)
            && from.is_none_or(|from| entry.created_ms >= from)
            && to.is_none_or(|to| entry.created_ms < to)
    };
    let keep = (entry_type.is_some() || from.is_some() || to.is_some()).then_some(keep);
    let page = page(limit as usize, before, read, |entry: &LedgerEntry| entry.id.clone(), keep).await?;
    Reply::ok(Ledger {
        entries: page.members.iter().map(EntryView::from).collect(),
        paging: Paging {
            has_more: page.next.is_some(),
            next_cursor: page.next.map(|position| state.cursors.seal(&scope, &position)),
        },
    })
}
