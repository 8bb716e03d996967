//! `/account/statement.csv`: a month of an agent's ledger.

use std::fmt::Write;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use crochet::app::App;
use crochet::http::{ApiError, Code};
use crochet::wire::payment::PAYMENT_ID;
use serde_json::Value;

use super::api::{Refused, Visitor};
use super::books::{entries, month_of};
use super::form::{Form, escaped};
use super::refused;
use super::view::{amount, at};

/// Pages of a hundred entries that a statement may have.
const MAX_PAGES: usize = 100;
const COLUMNS: &str = "time_utc,entry,type,amount_usd,settlement,call,listing,payment\r\n";

/// Sends the entries of a month, oldest first.
pub(crate) async fn get_statement(State(app): State<App>, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Form::of_query(query.as_deref());
    match statement(&visitor, &query).await {
        Ok(csv) => file(csv, query.get("month")),
        Err(error) => refused::page(&app, error, "/account", &query),
    }
}

async fn statement(visitor: &Visitor, query: &Form) -> Result<String, Refused> {
    visitor.may_have_session()?;
    let (from, to) = month_of(query.get("month"))?;
    let (found, is_partial) = entries(visitor, &escaped(query.get("agent_id")), from, Some(to), MAX_PAGES).await?;
    if is_partial {
        let message =
            "This month has over 10,000 entries, too many for one file. Read them with a read key: GET /ledger, page by page.";
        return Err(ApiError::new(Code::PayloadTooLarge).message(message).into());
    }
    Ok(found.iter().rev().fold(COLUMNS.to_owned(), |csv, entry| csv + &row(entry)))
}

/// A row. Every value is one of ours: no comma, no quote, and nothing that a spreadsheet takes for a formula.
fn row(entry: &Value) -> String {
    let mut row = String::new();
    let dollars = amount(entry, "/amount").decimal();
    let _ = write!(
        row,
        "{},{},{},{dollars},{},{},{},{}\r\n",
        at(entry, "/created_at"),
        at(entry, "/id"),
        at(entry, "/type"),
        at(entry, "/settlement"),
        at(entry, "/request_id"),
        at(entry, "/listing_id"),
        at(entry, &format!("/{PAYMENT_ID}")),
    );
    row
}

/// `month` has been read as one.
fn file(csv: String, month: &str) -> Response {
    let mut response = Response::new(Body::from(csv));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"crochet-{month}.csv\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}
