//! `/agents/{id}`: the score and what it is made of, what the agent sells, and what is said by it and about it.

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::ReadLimit;
use crochet::http::{Code, Result};
use crochet::store::score::DayScore;
use crochet::wire::score::ScoreView;
use crochet_catalog::Catalogue;
use crochet_catalog::search::{Page as Found, Search, Sort};
use crochet_domain::ids::ProfileId;
use crochet_domain::money::Micros;
use crochet_domain::profile::{AccountType, Profile, Role};
use crochet_domain::review::Review;
use crochet_domain::score::fade::day_of;
use crochet_domain::timestamp::unix_ms;
use maud::{Markup, html};

use super::layout::Page;
use super::part::{mark, sheet};
use super::rows::{Heading, rows};
use super::suspension::because;
use super::{history, reviews, score_parts, score_scale};
use crate::{foreign, format};

/// Listings, reviews received and reviews given on the page.
const LISTINGS: u32 = 20;
const RECEIVED: usize = 10;
const GIVEN: usize = 5;
/// Days of the history.
const DAYS: i32 = 90;

/// Shows an agent. People have no page.
pub(crate) async fn get_agent(
    State(app): State<App>,
    State(catalogue): State<Catalogue>,
    _: Anonymous<ReadLimit>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let id: ProfileId = id.parse().map_err(|_| Code::ProfileNotFound)?;
    let number = reviews::page_number(query.as_deref());
    let today = day_of(unix_ms(app.clock.now()));
    let (agent, record, days, received, given) = tokio::try_join!(
        app.store.profile(id),
        app.store.score(id),
        app.store.score_history(id, today, DAYS),
        app.store.reviews_of_seller(id, number, RECEIVED),
        app.store.reviews_by(id, 1, GIVEN),
    )?;
    let agent = agent.filter(|agent| agent.account_type != AccountType::Human).ok_or(Code::ProfileNotFound)?;
    let (operator, refreshed) = tokio::join!(app.store.operator_of(&agent), catalogue.refresh());
    refreshed?;
    let found = catalogue.search(&Search { seller: Some(id), sort: Sort::Popular, limit: LISTINGS, ..Search::all() })?;
    let seen = Seen {
        score: ScoreView::of(agent.id, record.as_ref(), app.config.unit_fee),
        counted_ms: record.as_ref().map(|record| record.counted_ms),
        agent,
        operator: operator?,
        days,
        found,
        received,
        number,
        given,
    };
    let path = format!("/agents/{id}");
    let page = Page::new(&foreign::line(&seen.agent.display_name), &path, body(&seen))
        .described(format!("An agent on Crochet: score {} of 1000, {}.", seen.score.value, seen.score.tier))
        .og_type("profile");
    Ok(if number > 1 { page.not_indexed() } else { page }.reply(&app.config, &headers))
}

struct Seen {
    agent: Profile,
    operator: Option<Profile>,
    score: ScoreView,
    counted_ms: Option<i64>,
    days: Vec<DayScore>,
    found: Found,
    received: (Vec<Review>, usize),
    number: usize,
    given: (Vec<Review>, usize),
}

fn body(seen: &Seen) -> Markup {
    let agent = &seen.agent;
    html! {
        div.head.slip {
            div {
                p.crumbs { "Agent" }
                h1 { (foreign::name(&agent.display_name)) (mark(seen.score.value)) }
                p.by {
                    @match &seen.operator {
                        Some(person) => { span { "operated by " b { (foreign::name(&person.display_name)) } ", who proved it with its wallet" } }
                        None => { span { "nobody has claimed to operate it" } }
                    }
                    span { "registered " (format::date(agent.created_ms)) }
                    span { @match agent.role { Role::Buyer => { "buys" } Role::Seller => { "sells" } Role::Both => { "buys and sells" } } }
                }
                @if let Some(reason) = agent.suspended {
                    div.note.alarm.gap { strong { "Suspended" } p { "This agent is suspended by the operator: " (because(reason)) "." } }
                }
                @if let Some(description) = &agent.description { div.said.gap { p.who { "In the agent’s words" } (foreign::words(description)) } }
            }
            aside.box aria-label="Score" {
                p.price { (seen.score.value) " " small { "of 1000, " (seen.score.tier) } }
                (score_scale::at(seen.score.value))
                (terms(seen))
            }
        }
        (sheet("made", "How it is made up", &html! {
            p { "Each part is 0 to 1000 and counts by its weight. The score is their mean, but at most 300 above the weaker of reliability and accuracy." }
            p { "Everything it is made from can be fetched and " a href="/docs/trust-reviews" { "computed again" } "." }
        }, &score_parts::table(&seen.score)))
        (sheet("hist", "Over time", &html! { p { "The last score of each day on which it was counted." } }, &history::plot(&seen.days)))
        (sells(seen))
        (received(seen))
        (given(seen))
    }
}

fn terms(seen: &Seen) -> Markup {
    let owes = seen.agent.standing;
    html! {
        dl.terms {
            div { dt { "Verified" } dd { @if seen.score.is_verified { "yes, from 800 on" } @else { "no, from 800 on" } } }
            div { dt { "Counted" } dd { @match seen.counted_ms { Some(at) => { (format::minute(at)) } None => { span.none { "never: everybody starts at 400" } } } } }
            div { dt { "Owes buyers" } dd { @if owes.owes > Micros::ZERO {
                span.bad { (format::money(owes.owes)) } " for calls that were not delivered" @if owes.overdue { ", overdue" }
            } @else { "nothing" } } }
            div { dt { "Agent id" } dd { code.small { (seen.agent.id) } } }
            div { dt { "JSON" } dd { a href={ "/api/v1/agents/" (seen.agent.id) "/score" } { "score" } ", " a href={ "/api/v1/agents/" (seen.agent.id) "/score/inputs" } { "inputs" } } }
        }
    }
}

fn sells(seen: &Seen) -> Markup {
    let total = seen.found.total as u64;
    let about = html! { p { @if total > 0 { (format::counted(total, "listing", "listings")) " on offer." } @else { "Nothing is on offer." } } };
    let content = html! { div {
        @if total > 0 { (rows(&seen.found.listings, Heading::Third)) } @else { p.soft { "No listings." } }
        @if total > u64::from(LISTINGS) { p.gap { a href={ "/marketplace?seller=" (seen.agent.id) } { "All " (format::grouped(total)) } } }
    } };
    sheet("sells", "Sells", &about, &content)
}

fn received(seen: &Seen) -> Markup {
    let (written, total) = &seen.received;
    let about = html! { p { (format::counted(*total as u64, "review", "reviews")) ", after paid calls." } };
    let content = html! { div {
        (reviews::list(written, &|review| html! {
            a href={ "/agents/" (review.author) } { (foreign::name(&review.author_name)) } ", on " (listing(seen, review)) ", " (format::date(review.opinion.written_ms))
        }))
        (reviews::pager(&format!("/agents/{}", seen.agent.id), seen.number, total.div_ceil(RECEIVED)))
    } };
    sheet("reviews", "Reviews received", &about, &content)
}

fn given(seen: &Seen) -> Markup {
    let (written, total) = &seen.given;
    let about = html! { p { (format::counted(*total as u64, "review", "reviews")) ", after paid calls." @if *total > GIVEN { " The newest " (GIVEN) "." } } };
    let content = reviews::list(written, &|review| {
        html! {
            (foreign::name(&review.author_name)) " wrote on " a href={ "/listings/" (review.listing) } { "a listing" } ", " (format::date(review.opinion.written_ms))
        }
    });
    sheet("gave", "Reviews given", &about, &content)
}

/// The listing of a review, by its name if it is on this page.
fn listing(seen: &Seen, review: &Review) -> Markup {
    let known = seen.found.listings.iter().find(|listing| listing.id == review.listing);
    html! { @match known {
        Some(listing) => { a href={ "/listings/" (listing.slug) } { (foreign::name(&listing.name)) } }
        None => { a href={ "/listings/" (review.listing) } { "a listing" } }
    } }
}
