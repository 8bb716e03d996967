//! `GET /gateway-requests` and `GET /gateway-requests/:id`: one row per call, which says whether the buyer was charged.

use axum::extract::{Path, State as Extract};
use crochet::budget::Asker;
use crochet::http::caller::Caller;
use crochet::http::request::{Query, int_param};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::payments::RecordWanted;
use crochet::store::history::{HistoryPage, Side};
use crochet::wire::call::GatewayRequestView;
use crochet::wire::schema;
use crochet_domain::api_key::Scope;
use crochet_domain::call::{Call, CallState};
use crochet_domain::ids::{CallId, ListingId};
use crochet_domain::timestamp::unix_ms;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::account::{Account, account};
use super::page::{LIMIT, Paging, filter, page};
use crate::attend::attend_to;
use crate::state::State;

const STATUSES: [&str; 7] = ["quoted", "pending", "settled", "delivering", "delivered", "undelivered", "expired"];

/// Which calls are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filters {
    /// `buyer`, `seller` or `all` (default).
    #[param(inline, value_type = Option<HistoryRole>)]
    role: Option<String>,
    /// Only calls of this listing (its id).
    #[param(format = "uuid")]
    listing_id: Option<String>,
    /// Only calls with this status.
    #[param(value_type = Option<schema::CallStatus>)]
    status: Option<String>,
    /// Profile id of an agent that you operate. The default is your own.
    #[param(format = "uuid")]
    agent_id: Option<String>,
    /// Number of calls, 1 to 100. The default is 20.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

schema::string_enum! {
    pub(crate) enum HistoryRole = ["buyer", "seller", "all"], "On which side of a call you were.";
}

/// Whose call to read.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Whose {
    /// Profile id of an agent that you operate. The default is your own.
    #[param(format = "uuid")]
    agent_id: Option<String>,
}

/// A page of calls.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GatewayRequests {
    gateway_requests: Vec<GatewayRequestView>,
    #[serde(flatten)]
    paging: Paging,
}

/// One call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneGatewayRequest {
    pub(crate) gateway_request: GatewayRequestView,
}

crochet::error_list!(
    ListGatewayRequestsErrors: Caller, Query<Filters>;
    InsufficientScope, InvalidCursor, ProfileNotFound, NotOperator
);

/// List gateway requests
///
/// Your calls as buyer, as seller or both, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/gateway-requests",
    tag = "Gateway and payments",
    security(("api_key" = ["read"]), ("session" = [])),
    params(Filters),
    responses((status = 200, description = "A page of calls.", body = GatewayRequests), ListGatewayRequestsErrors),
)]
pub(crate) async fn list_gateway_requests(caller: Caller, Extract(state): Extract<State>, Query(query): Query<Filters>) -> Result {
    caller.may(Scope::Read)?;
    let side = filter("role", query.role.as_deref(), Side::parse, "buyer, seller or all")?.unwrap_or(Side::All);
    let listing = filter("listing_id", query.listing_id.as_deref(), |id| id.parse::<ListingId>().ok(), "a listing's id (a UUID)")?;
    let status = filter(
        "status",
        query.status.as_deref(),
        |text| STATUSES.into_iter().find(|s| *s == text),
        &format!("one of {}", STATUSES.join(", ")),
    )?;
    let limit = int_param("limit", query.limit.as_deref(), 1, LIMIT.1, LIMIT.0)?;
    let whose = account(&state, &caller, query.agent_id.as_deref()).await?;
    let account = whose.id;
    let scope = format!("gateway-requests|{account}|{side:?}|{listing:?}|{status:?}");
    let cursors = state.cursors.current().await?;
    let before = query.cursor.as_deref().map(|cursor| cursors.open(&scope, cursor)).transpose()?;
    let now = state.app.clock.now();
    let read = |before: Option<String>, limit: usize| {
        let store = &state.app.store;
        async move {
            let window = HistoryPage { profile: account, side, before: before.as_deref(), now, limit };
            Ok(store.call_history(window).await?)
        }
    };
    let keep = |call: &Call| listing.is_none_or(|id| call.listing.id == id) && status.is_none_or(|s| call.state.as_str() == s);
    let keep = (listing.is_some() || status.is_some()).then_some(keep);
    let page = page(limit as usize, before, read, |call: &Call| call.id.to_string(), keep).await?;
    let requirements = requirements(&state, &whose, &page.members).await?;
    let rows = page.members.iter().zip(&requirements);
    Reply::ok(GatewayRequests {
        gateway_requests: rows.map(|(call, text)| GatewayRequestView::of(call, account, text.as_deref())).collect(),
        paging: Paging {
            has_more: page.next.is_some(),
            next_cursor: page.next.map(|position| cursors.seal(&scope, &position, unix_ms(now))),
        },
    })
}

crochet::error_list!(
    GetGatewayRequestErrors: Caller, Path<String>, Query<Whose>;
    InsufficientScope, ProfileNotFound, NotOperator, CallNotFound
);

/// Get one gateway request
///
/// You must be the buyer or the seller of the call. While it is open, the payment provider is asked, and what it says is recorded:
/// `charge.state` is true at this moment.
#[utoipa::path(
    get,
    path = "/api/v1/gateway-requests/{id}",
    tag = "Gateway and payments",
    security(("api_key" = ["read"]), ("session" = [])),
    params(("id" = String, Path, description = "The call's id, `gw_req_…`.", pattern = "^gw_req_[0-9A-HJKMNP-TV-Z]{26}$"), Whose),
    responses((status = 200, description = "The call.", body = OneGatewayRequest), GetGatewayRequestErrors),
)]
pub(crate) async fn get_gateway_request(
    caller: Caller,
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    Query(whose): Query<Whose>,
) -> Result {
    caller.may(Scope::Read)?;
    let not_found = || ApiError::new(Code::CallNotFound);
    let id: CallId = id.parse().map_err(|_| not_found())?;
    let whose = account(&state, &caller, whose.agent_id.as_deref()).await?;
    let account = whose.id;
    let call = state.app.store.call(id, account).await?.filter(|call| call.buyer == account || call.seller == account);
    // Whoever asks whether a call was charged gets the provider's answer of this moment.
    let call = attend_to(&state, call.ok_or_else(not_found)?, RecordWanted::Beside, Asker::Buyer(account)).await?;
    let text = requirements(&state, &whose, std::slice::from_ref(&call)).await?.pop().flatten();
    Reply::ok(OneGatewayRequest { gateway_request: GatewayRequestView::of(&call, account, text.as_deref()) })
}

/// The requirements of each of these calls that the account may still start to pay.
async fn requirements(state: &State, whose: &Account, calls: &[Call]) -> Result<Vec<Option<String>>> {
    let now_ms = unix_ms(state.app.clock.now());
    let is_open = |call: &Call| call.state == CallState::Quoted && call.payment.as_ref().is_some_and(|p| now_ms < p.expires_ms);
    let is_payable = |call: &Call| !whose.is_suspended && call.buyer == whose.id && is_open(call);
    let payable: Vec<&Call> = calls.iter().filter(|call| is_payable(call)).collect();
    let mut found = state.app.store.requirements(&payable).await?;
    Ok(calls.iter().map(|call| found.remove(&call.key())).collect())
}
