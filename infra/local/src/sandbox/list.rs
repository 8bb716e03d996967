//! `GET /requests/v3`: the request of an id, or the requests made with a key.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::facts::Facts;
use super::faults::Route;
use super::payment::{Payment, Status};
use super::record::record_json;
use super::refusal::Refusal;
use super::state::Sandbox;

/// The provider's maximum of requests on a page.
const MAXIMUM: usize = 50;
/// Parameters that the sandbox supports. The provider has more.
const SUPPORTED: [&str; 8] =
    ["apiKey", "status", "sortBy", "sortDirection", "startTimestamp", "endTimestamp", "limit", "continuation"];

/// Answers `GET /requests/v3`.
pub(super) async fn requests(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    if let Some(trouble) = sandbox.trouble(Route::Requests).await {
        return trouble;
    }
    let answer = || -> Result<Value, Refusal> {
        sandbox.check_key(&headers, true)?;
        let now_ms = sandbox.now_ms();
        let Some(id) = query.get("id") else { return list(&sandbox, &query, now_ms) };
        let mut found: Vec<Payment> = sandbox.known(id).into_iter().collect();
        if query.get("includeChildRequests").is_some_and(|value| value == "true") {
            let child = found.first().and_then(|payment| payment.recorded(now_ms)?.superseded_by.clone());
            found.extend(child.and_then(|id| sandbox.known(&id)));
        }
        let fault = sandbox.fault(Route::Requests);
        let records: Vec<Value> = found.iter().map(|payment| record_json(payment, now_ms, fault)).collect();
        Ok(json!({ "requests": records }))
    };
    answer().map(Json).into_response()
}

/// One page of the requests. Each is shown as its record is at `now_ms`.
fn list(sandbox: &Sandbox, query: &HashMap<String, String>, now_ms: i64) -> Result<Value, Refusal> {
    if let Some(other) = query.keys().find(|name| !SUPPORTED.contains(&name.as_str())) {
        return Err(Refusal::malformed(format!("this sandbox does not support the parameter {other}")));
    }
    let Some(key) = query.get("apiKey").filter(|key| sandbox.accepts(key)) else {
        return Err(Refusal::malformed("this sandbox looks requests up by id, or lists those of its apiKey"));
    };
    let by_update = one_of(query, "sortBy", &["createdAt", "updatedAt"])? == "updatedAt";
    let ascending = one_of(query, "sortDirection", &["desc", "asc"])? == "asc";
    let since_ms = number::<i64>(query, "startTimestamp")?.unwrap_or_default() * 1_000;
    let until_ms = number::<i64>(query, "endTimestamp")?.map_or(i64::MAX, |seconds| seconds * 1_000);
    let limit = number(query, "limit")?.unwrap_or(MAXIMUM).clamp(1, MAXIMUM);
    let skipped: usize = number(query, "continuation")?.unwrap_or_default();
    let status = match query.get("status") {
        Some(name) => Some(serde_json::from_value::<Status>(name.as_str().into()).map_err(|_| unsupported("status"))?),
        None => None,
    };
    let time = |payment: &Payment| {
        if by_update { Facts::of(payment, payment.recorded(now_ms)).updated_at_ms() } else { payment.quoted_at_ms }
    };
    let (_, mut found) = sandbox.newest(usize::MAX, None);
    found.retain(|payment| {
        let is_wanted = status.is_none_or(|status| Facts::of(payment, payment.recorded(now_ms)).status == status);
        is_wanted
            && sandbox.is_listed_under(&payment.id, key)
            && !payment.is_forgotten(now_ms)
            && (since_ms..=until_ms).contains(&time(payment))
    });
    if ascending {
        found.reverse();
        found.sort_by_key(&time);
    } else {
        found.sort_by_key(|payment| std::cmp::Reverse(time(payment)));
    }
    let fault = sandbox.fault(Route::Requests);
    let page = found.iter().skip(skipped).take(limit);
    let records: Vec<Value> = page.map(|payment| record_json(payment, now_ms, fault)).collect();
    let end = skipped.saturating_add(limit);
    let next = (end < found.len()).then(|| end.to_string());
    Ok(json!({ "requests": records, "continuation": next }))
}

/// The value of a parameter, which must be one of these; absent, the first.
fn one_of<'a>(query: &'a HashMap<String, String>, name: &str, values: &[&'a str]) -> Result<&'a str, Refusal> {
    let value = query.get(name).map_or(values[0], String::as_str);
    if values.contains(&value) { Ok(value) } else { Err(unsupported(name)) }
}

fn number<T: FromStr>(query: &HashMap<String, String>, name: &str) -> Result<Option<T>, Refusal> {
    query.get(name).map(|value| value.parse().map_err(|_| unsupported(name))).transpose()
}

fn unsupported(name: impl Display) -> Refusal {
    Refusal::malformed(format!("querystring/{name} must be equal to one of the allowed values"))
}
