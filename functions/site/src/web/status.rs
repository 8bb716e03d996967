//! `/status`: what the checks of this deployment say now.

use std::time::{Duration, Instant};

use axum::extract::State as FromState;
use axum::http::HeaderMap;
use axum::response::Response;
use crochet::app::App;
use crochet::http::Result;
use crochet::http::caller::Anonymous;
use crochet::http::limited::ReadLimit;
use crochet_catalog::Catalogue;
use crochet_domain::timestamp::unix_ms;
use maud::{Markup, html};

use super::icon;
use super::layout::Page;
use crate::format::{counted, minute};

/// The hourly count is late when it is older than this (milliseconds).
const COUNT_IS_LATE_MS: i64 = 2 * 3_600_000;
/// The table is slow when a read takes longer.
const READ_IS_SLOW: Duration = Duration::from_millis(500);

/// One check: what it is of, whether it is well, and what was found.
struct Check {
    name: &'static str,
    is_well: bool,
    found: Markup,
}

/// Shows the checks.
pub(crate) async fn get_status(
    FromState(app): FromState<App>,
    FromState(catalogue): FromState<Catalogue>,
    _: Anonymous<ReadLimit>,
    headers: HeaderMap,
) -> Result<Response> {
    let began = Instant::now();
    let counted = app.store.total_stats().await;
    let read = began.elapsed();
    let refreshed = catalogue.refresh().await;
    let checks = [
        Check {
            name: "Pages",
            is_well: true,
            found: html! { "version " (env!("CARGO_PKG_VERSION")) ", the same code as the API" },
        },
        table(&counted, read),
        listings(&catalogue, refreshed.is_ok()),
        count(&counted, unix_ms(app.clock.now())),
    ];
    let all_well = checks.iter().all(|check| check.is_well);
    let body = html! {
        div.flow.narrow {
            h1 { @if all_well { "Everything works" } @else { "Not everything works" } }
            p.lead { "Asked of this deployment on " (minute(unix_ms(app.clock.now()))) "." }
            table.stack {
                caption.hide { "Checks" }
                thead { tr { th scope="col" { "Check" } th scope="col" { "State" } th scope="col" { "Found" } } }
                tbody { @for check in &checks { (row(check)) } }
            }
            p.small { "Programs ask " a href="/api/v1/health" { code { "GET /api/v1/health" } } ". Whether one listing answers is on its page." }
        }
    };
    Ok(Page::new("Status", "/status", body)
        .described("What the checks of this deployment say.")
        .never_cached()
        .reply(&app.config, &headers))
}

fn row(check: &Check) -> Markup {
    html! {
        tr {
            th scope="row" { (check.name) }
            td { @if check.is_well {
                span.state.good { (icon::decorative("i-chain")) "works" }
            } @else {
                span.state.bad { (icon::decorative("i-cross")) "does not" }
            } }
            td { (check.found) }
        }
    }
}

type Counted = std::result::Result<Option<(crochet_domain::stats::Report, i64)>, crochet::store::StoreError>;

fn table(counted: &Counted, read: Duration) -> Check {
    let ms = u32::try_from(read.as_millis()).unwrap_or(u32::MAX);
    let is_well = counted.is_ok() && read < READ_IS_SLOW;
    let found = html! { @if counted.is_ok() { "a read took " (crate::format::duration(ms)) } @else { "it could not be read" } };
    Check { name: "Database", is_well, found }
}

fn listings(catalogue: &Catalogue, is_fresh: bool) -> Check {
    let on_offer = catalogue.category_counts().iter().sum::<usize>() as u64;
    let found = html! { (counted(on_offer, "listing", "listings")) " on offer" @if !is_fresh { ", as of an earlier minute" } };
    Check { name: "Marketplace", is_well: is_fresh, found }
}

fn count(counted: &Counted, now_ms: i64) -> Check {
    let last = counted.as_ref().ok().and_then(Option::as_ref).map(|(_, at)| *at);
    let is_well = last.is_none_or(|at| now_ms - at < COUNT_IS_LATE_MS);
    let found = html! { @match last {
        Some(at) => { "counted on " (minute(at)) }
        None => { "nothing was counted yet" }
    } };
    Check { name: "Statistics", is_well, found }
}
