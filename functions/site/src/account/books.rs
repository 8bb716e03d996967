//! An agent's calls, ledger and listings, as its operator reads them.

use crochet::http::Code;
use crochet_domain::money::Micros;
use crochet_domain::timestamp::rfc3339;
use maud::{Markup, html};
use serde_json::Value;
use time::{Month, OffsetDateTime, Time};

use super::api::{Refused, Visitor};
use super::form::{Form, escaped};
use super::view::{amount, at, list, name, second, signed};
use crate::format;
use crate::web::icon;
use crate::web::part::{sheet, wide};

/// Calls that are shown at once.
const CALLS: usize = 20;
/// Pages of a hundred entries that are added up. What is beyond is in the statement.
const LEDGER_PAGES: usize = 5;
/// Entries that are shown.
const SHOWN_ENTRIES: usize = 50;
/// Statements of this month and of as many before it.
const STATEMENTS: usize = 3;
const STATES: [&str; 7] = ["quoted", "pending", "settled", "delivering", "delivered", "undelivered", "expired"];

/// What the account shows of one agent.
#[derive(Debug)]
pub(super) struct Books {
    calls: Value,
    entries: Vec<Value>,
    /// Whether the month has more entries than were read.
    is_partial: bool,
    listings: Value,
    now: OffsetDateTime,
}

/// Reads them with the visitor's session.
pub(super) async fn read(visitor: &Visitor, agent: &Value, query: &Form, now: OffsetDateTime) -> Result<Books, Refused> {
    let id = escaped(at(agent, "/id"));
    let mut calls = format!("/gateway-requests?agent_id={id}&limit={CALLS}");
    for field in ["status", "cursor"] {
        if !query.get(field).is_empty() {
            calls = format!("{calls}&{field}={}", escaped(query.get(field)));
        }
    }
    let listings = format!("/listings?seller={id}&limit=50");
    let (calls, ledger, listings) = tokio::try_join!(
        visitor.read(&calls),
        entries(visitor, &id, month_start(now, 0), None, LEDGER_PAGES),
        visitor.read(&listings),
    )?;
    let (entries, is_partial) = ledger;
    Ok(Books { calls, entries, is_partial, listings, now })
}

/// The ledger entries of an agent from a time on, newest first, and whether there are more than `pages` hundreds of them.
pub(super) async fn entries(
    visitor: &Visitor,
    agent: &str,
    from: OffsetDateTime,
    to: Option<OffsetDateTime>,
    pages: usize,
) -> Result<(Vec<Value>, bool), Refused> {
    let mut path = format!("/ledger?agent_id={agent}&limit=100&from={}", escaped(&rfc3339(from)));
    if let Some(to) = to {
        path = format!("{path}&to={}", escaped(&rfc3339(to)));
    }
    let (mut found, mut next) = (Vec::new(), path.clone());
    for _ in 0..pages {
        let mut page = visitor.read(&next).await?;
        if let Some(entries) = page["entries"].as_array_mut() {
            found.append(entries);
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("{path}&cursor={}", escaped(cursor)),
            None => return Ok((found, false)),
        }
    }
    Ok((found, true))
}

/// The first moment of the month that is this many months before `now` (UTC).
pub(super) fn month_start(now: OffsetDateTime, months_before: usize) -> OffsetDateTime {
    let mut day = now.date();
    for _ in 0..months_before {
        day = day.replace_day(1).ok().and_then(time::Date::previous_day).unwrap_or(day);
    }
    day.replace_day(1).unwrap_or(day).with_time(Time::MIDNIGHT).assume_utc()
}

/// The sections of one agent.
pub(super) fn sheets(agents: &[Value], agent: &Value, books: &Books, query: &Form) -> Markup {
    html! {
        (sheet("calls", "Calls", &html! {
            p { "Of " (name(agent, "/display_name")) ". One row per call. “Was I charged?” has one answer: the column " i { "Charge" } "." }
            ul.legend { @for state in ["delivered", "pending", "quoted", "undelivered", "expired"] { li { (stitch(state)) (state) } } }
        }, &calls(agents, agent, books, query)))
        (sheet("ledger", "Ledger", &html! {
            p { "Entries are only ever added. The entries of a call sum to zero across buyer, seller and operator." }
        }, &ledger(agent, books)))
        (sheet("listings", "Listings", &html! { p { "What " (name(agent, "/display_name")) " has on offer." } }, &listings(&books.listings)))
    }
}

fn calls(agents: &[Value], agent: &Value, books: &Books, query: &Form) -> Markup {
    let rows = list(&books.calls, "/gateway_requests");
    let table = html! {
        table.book {
            thead { tr {
                th scope="col" { "Time, UTC" } th scope="col" { "Listing" } th scope="col" { "State" } th.n scope="col" { "Charge" }
                th.n scope="col" { "Tries" } th scope="col" { "Call" }
            } }
            tbody { @for call in rows {
                tr {
                    td.w { (second(call, "/created_at")) }
                    th.any scope="row" { a href={ "/listings/" (at(call, "/listing/slug")) } { (name(call, "/listing/name")) } @if at(call, "/role") == "seller" { " " span.tag { "sold" } } }
                    td { (state(at(call, "/status"))) }
                    td.n { (charge(call)) }
                    td.n data-l="tries" { (list(call, "/attempts").len()) }
                    td { code.soft { (at(call, "/id")) } }
                }
            } }
        }
    };
    html! {
        div.flow {
            form.acts.pick action="/account" method="get" aria-label="Which calls" {
                div.field { label for="agent" { "Agent" } select #agent name="agent_id" {
                    @for one in agents { option value=(at(one, "/id")) selected[at(one, "/id") == at(agent, "/id")] { (super::refused::line(at(one, "/display_name"))) } }
                } }
                div.field { label for="status" { "State" } select #status name="status" {
                    option value="" { "any" }
                    @for state in STATES { option value=(state) selected[query.get("status") == state] { (state) } }
                } }
                button.btn.quiet type="submit" { "Show" }
            }
            @if rows.is_empty() { p { "No call is to be shown here." } } @else { (wide("Calls", &table)) }
            @if let Some(cursor) = books.calls["next_cursor"].as_str() {
                p.small { a href={ "/account?agent_id=" (escaped(at(agent, "/id"))) "&status=" (escaped_or_empty(query.get("status"))) "&cursor=" (escaped(cursor)) "#calls" } { "Earlier calls" } }
            }
        }
    }
}

fn escaped_or_empty(value: &str) -> String {
    if value.is_empty() { String::new() } else { escaped(value) }
}

fn stitch(state: &str) -> Markup {
    match state {
        "delivered" => html! { svg.good aria-hidden="true" { use href="#i-chain" {} } },
        "quoted" => icon::decorative("i-dash"),
        "undelivered" => icon::decorative("i-cross"),
        "expired" => icon::decorative("i-bar"),
        _ => icon::decorative("i-open"),
    }
}

fn state(state: &str) -> Markup {
    let class = match state {
        "delivered" => "state good",
        "undelivered" => "state bad",
        _ => "state",
    };
    html! { span class=(class) { (stitch(state)) (state) } }
}

fn charge(call: &Value) -> Markup {
    let price = amount(call, "/charge/amount");
    match at(call, "/charge/state") {
        _ if price == Micros::ZERO => html! { "free" },
        "none" => html! { "none" },
        "owed" => html! { span.bad { "owed " (format::money(price)) } },
        state => html! { (state) " " (format::money(price)) },
    }
}

fn ledger(agent: &Value, books: &Books) -> Markup {
    let entries = &books.entries;
    let sum = |kind: &str| {
        Micros(entries.iter().filter(|entry| at(entry, "/type") == kind).map(|entry| amount(entry, "/amount").0).sum())
    };
    let open = |sign: i64| {
        let open = entries.iter().filter(|entry| at(entry, "/settlement") == "open").map(|entry| amount(entry, "/amount").0 * sign);
        Micros(open.filter(|amount| *amount > 0).sum())
    };
    let month = format!("{} {}", books.now.month(), books.now.year());
    let count = format::counted(entries.len() as u64, "entry", "entries");
    let basis = if books.is_partial { format!("in the newest {count} of {month}") } else { format!("in {month}, {count}") };
    let figure = |name: &str, value: String| html! { div { dt { (name) } dd { b { (value) } " " small { (basis) } } } };
    html! {
        div.flow {
            dl.strip {
                (figure("Spent", format::money(Micros(-sum("payment").0))))
                (figure("Received", format::money(sum("seller_credit"))))
                (figure("Owed to it", format::money(open(1))))
                (figure("It owes", format::money(open(-1))))
            }
            @if entries.is_empty() { p { "No entry in " (month) "." } } @else { (wide("Ledger", &entries_table(entries))) }
            @if entries.len() > SHOWN_ENTRIES { p.small.soft { "The newest " (SHOWN_ENTRIES) " are shown. All are in the statement." } }
            ul.list.less { @for before in 0..STATEMENTS { (statement_link(agent, books.now, before)) } }
        }
    }
}

fn statement_link(agent: &Value, now: OffsetDateTime, before: usize) -> Markup {
    let month = month_start(now, before);
    let value = format!("{}-{:02}", month.year(), u8::from(month.month()));
    html! {
        li {
            a href={ "/account/statement.csv?agent_id=" (escaped(at(agent, "/id"))) "&month=" (value) } download={ "crochet-" (value) ".csv" } {
                "Statement, " (month_name(month)) " " (month.year()) @if before == 0 { " to date" }
            }
            span.soft { "CSV" }
        }
    }
}

fn month_name(at: OffsetDateTime) -> Month {
    at.month()
}

fn entries_table(entries: &[Value]) -> Markup {
    html! {
        table.book {
            thead { tr { th scope="col" { "Time, UTC" } th scope="col" { "Call" } th scope="col" { "Entry" } th.n scope="col" { "Amount" } th scope="col" { "Settlement" } } }
            tbody { @for entry in entries.iter().take(SHOWN_ENTRIES) {
                tr {
                    td.w { (second(entry, "/created_at")) }
                    th.any scope="row" { code.soft { (at(entry, "/request_id")) } }
                    td { (at(entry, "/type").replace('_', " ")) }
                    td.n { (signed(amount(entry, "/amount"))) }
                    td { @if at(entry, "/settlement") == "open" { span.bad { "open" } } @else { (at(entry, "/settlement")) } }
                }
            } }
        }
    }
}

fn listings(listings: &Value) -> Markup {
    let offered = list(listings, "/listings");
    if offered.is_empty() {
        return html! { p { "Nothing is on offer." } };
    }
    wide(
        "Listings",
        &html! {
            table.book {
                thead { tr { th scope="col" { "Listing" } th scope="col" { "Delivered in 30 days" } th scope="col" { "Rating, of 5" } th.n scope="col" { "Price" } } }
                tbody { @for listing in offered {
                    tr {
                        th.any scope="row" { a href={ "/listings/" (at(listing, "/slug")) } { (name(listing, "/name")) } }
                        td data-l="delivered" { (delivered(listing)) }
                        td data-l="rating" { (rating(listing)) }
                        td.n { @if amount(listing, "/price") == Micros::ZERO { "Free" } @else { (format::money(amount(listing, "/price"))) " per call" } }
                    }
                } }
            }
        },
    )
}

fn delivered(listing: &Value) -> Markup {
    let calls = listing.pointer("/stats/success_sample_30d").and_then(Value::as_u64).unwrap_or(0);
    let rate = listing.pointer("/stats/success_rate_30d").and_then(Value::as_f64);
    // The rate is exact to the call: it was computed from whole numbers.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of calls")]
    #[expect(clippy::cast_precision_loss, reason = "fewer calls than a double has whole numbers")]
    let share = rate.and_then(|rate| format::delivered((rate * calls as f64).round() as u64, calls));
    html! { @match share { Some(share) => { (share.value) " " small.soft { (share.of) } } None => { span.soft { "no calls yet" } } } }
}

fn rating(listing: &Value) -> Markup {
    let count = listing.pointer("/rating/count").and_then(Value::as_u64).unwrap_or(0);
    let average = listing.pointer("/rating/average").and_then(Value::as_f64);
    html! { @match average {
        Some(average) if count > 0 => { (format!("{average:.1}")) " " small.soft { (format::counted(count, "review", "reviews")) } }
        _ => { span.soft { "no reviews" } }
    } }
}

/// The start of the month in `2026-11`, and of the next one.
///
/// # Errors
/// `INVALID_REQUEST` if it is no month.
pub(super) fn month_of(text: &str) -> Result<(OffsetDateTime, OffsetDateTime), Refused> {
    let wrong =
        || Refused::Failed(crochet::http::ApiError::new(Code::InvalidRequest).message("A statement is of a month: 2026-11."));
    let (year, month) = text.split_once('-').ok_or_else(wrong)?;
    let (year, month): (i32, u8) = (year.parse().map_err(|_| wrong())?, month.parse().map_err(|_| wrong())?);
    let start = |year: i32, month: u8| {
        let month = Month::try_from(month).ok()?;
        (2_000..=2_999).contains(&year).then(|| time::Date::from_calendar_date(year, month, 1).ok())?
    };
    let next = if month == 12 { start(year + 1, 1) } else { start(year, month.saturating_add(1)) };
    match (start(year, month), next) {
        (Some(from), Some(to)) => Ok((from.with_time(Time::MIDNIGHT).assume_utc(), to.with_time(Time::MIDNIGHT).assume_utc())),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn months_begin_at_midnight() {
        let now = datetime!(2026-03-31 12:00 UTC);
        assert_eq!(
            [0, 1, 2, 3].map(|before| month_start(now, before)),
            [
                datetime!(2026-03-01 0:00 UTC),
                datetime!(2026-02-01 0:00 UTC),
                datetime!(2026-01-01 0:00 UTC),
                datetime!(2025-12-01 0:00 UTC),
            ]
        );
        let month = |text| month_of(text).ok();
        assert_eq!(month("2025-12"), Some((datetime!(2025-12-01 0:00 UTC), datetime!(2026-01-01 0:00 UTC))));
        for bad in ["", "2026", "2026-13", "2026-00", "x-01", "1999-01", "2026-1-1"] {
            assert_eq!(month(bad), None, "{bad}");
        }
    }
}
