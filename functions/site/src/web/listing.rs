//! `/listings/{slug}`: whether to buy this, and the call to copy.

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use crochet::app::App;
use crochet::http::accept::prefers_html;
use crochet::http::caller::Anonymous;
use crochet::http::limited::ReadLimit;
use crochet::http::{Code, Result};
use crochet::payments::{PROVIDER, price_only};
use crochet::store::figures::report_of;
use crochet::store::keys::Whose;
use crochet_catalog::Catalogue;
use crochet_catalog::search::Search;
use crochet_domain::currency::{OriginCurrency, payable_with};
use crochet_domain::listing::{EndpointStatus, Listing, ListingStatus};
use crochet_domain::money::Micros;
use crochet_domain::review::Review;
use crochet_domain::score::fade::day_of;
use crochet_domain::stats::{Report, WINDOW_DAYS};
use crochet_domain::timestamp::unix_ms;
use maud::{Markup, html};

use super::layout::{Page, Section, cut};
use super::part::{code, line, mark, score, sheet};
use super::suspension::because;
use super::{calls, error, plots, reviews, rows, schema};
use crate::{foreign, format};

/// Reviews of a page.
const REVIEWS: usize = 10;

/// Shows a listing. A suspended one is shown as such; a draft is nobody's to see.
pub(crate) async fn get_listing(
    State(app): State<App>,
    State(catalogue): State<Catalogue>,
    _: Anonymous<ReadLimit>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let found = app.store.find_listing(&slug).await?.filter(|listing| listing.status != ListingStatus::Draft);
    let Some(listing) = found else { return missing(&app, &catalogue, &slug, &headers).await };
    if listing.slug != slug {
        return Ok(Redirect::permanent(&format!("/listings/{}", listing.slug)).into_response());
    }
    let number = reviews::page_number(query.as_deref());
    let now_ms = unix_ms(app.clock.now());
    let today = day_of(now_ms);
    let (books, (written, total)) = tokio::try_join!(
        app.store.books(Whose::Seller(listing.seller.id), today - WINDOW_DAYS + 1, today),
        app.store.reviews_of_listing(listing.id, number, REVIEWS),
    )?;
    let seen =
        Seen { listing: &listing, report: report_of(&books, listing.id, today), reviews: &written, total, number, now_ms, today };
    let path = format!("/listings/{}", listing.slug);
    let described = format!(
        "{} on Crochet: {}, {}.",
        rows::category_name(&listing.category),
        if listing.is_paid() { format!("{} per call", format::money(listing.price)) } else { "free".into() },
        delivered_in_words(&listing),
    );
    let page = Page::new(&foreign::line(&listing.name), &path, body(&app, &seen))
        .described(described)
        .section(Section::Marketplace)
        .og_type("product");
    let page = if listing.status == ListingStatus::Active && number == 1 { page } else { page.not_indexed() };
    Ok(page.reply(&app.config, &headers))
}

/// A listing with its statistics, and a page of its reviews.
struct Seen<'a> {
    listing: &'a Listing,
    report: Report,
    reviews: &'a [Review],
    total: usize,
    number: usize,
    now_ms: i64,
    today: i32,
}

/// A 404 that looks for what may have been meant.
async fn missing(app: &App, catalogue: &Catalogue, slug: &str, headers: &HeaderMap) -> Result<Response> {
    if !prefers_html(headers) {
        return Err(Code::ListingNotFound.into());
    }
    catalogue.refresh().await?;
    let words = error::words_of(slug);
    let parts: Vec<&str> = words.split_whitespace().collect();
    let mut near = Vec::new();
    // All words of the address, or as many of the first as are found.
    for count in (1..=parts.len()).rev() {
        let mut search = Search { limit: 3, ..Search::all() };
        search.set_text(&parts[..count].join(" "));
        near = catalogue.search(&search)?.listings;
        if !near.is_empty() {
            break;
        }
    }
    let meant = html! { @if !near.is_empty() {
        p { "Did you mean " @for (at, listing) in near.iter().enumerate() {
            @if at > 0 { @if at + 1 == near.len() { " or " } @else { ", " } }
            a href={ "/listings/" (listing.slug) } { (foreign::name(&listing.name)) }
        } "?" }
    } };
    let body = error::nothing_here(&format!("/listings/{}", foreign::line(slug)), &meant, &words, None);
    Ok(Page::new("Not found", "", body).status(StatusCode::NOT_FOUND).private().reply(&app.config, headers))
}

fn body(app: &App, seen: &Seen<'_>) -> Markup {
    let listing = seen.listing;
    let url = app.config.absolute(&format!("/api/v1/gateway/{}", listing.slug));
    html! {
        div.head.slip itemscope itemtype="https://schema.org/Service" {
            div {
                p.crumbs { a href="/marketplace" { "Marketplace" } " / " (rows::category(listing)) }
                h1 { bdi itemprop="name" { (foreign::line(&listing.name)) } }
                p.by {
                    (score(listing.seller.score))
                    span itemprop="provider" itemscope itemtype="https://schema.org/Organization" {
                        "sold by " a itemprop="url" href={ "/agents/" (listing.seller.id) } { bdi itemprop="name" { (foreign::line(&listing.seller.display_name)) } }
                        (mark(listing.seller.score))
                    }
                    span { "listed " (format::date(listing.created_ms)) }
                }
                (notice(listing))
                div.said.gap { p.who { "In the seller’s words" } (foreign::words(&listing.description)) }
                @if listing.endpoint.is_some() { div.gap { (line("gw", &url)) } }
            }
            aside.box aria-label="Price and terms" {
                p.price itemprop="offers" itemscope itemtype="https://schema.org/Offer" {
                    meta itemprop="priceCurrency" content="USD";
                    @if listing.is_paid() {
                        data itemprop="price" value=(listing.price.decimal()) { (format::money(listing.price)) } " " small { "per call" }
                    } @else { data itemprop="price" value="0" { "Free" } " " small { "no payment" } }
                }
                (terms(listing))
            }
        }
        section aria-label="Record of the last 30 days" { (strip(listing)) }
        nav.jump aria-label="On this page" {
            a href="#call" { "Call it" } a href="#probe" { "The 402" } a href="#input" { "Input" } a href="#output" { "Output" }
            a href="#record" { "Record" } a href="#reviews" { "Reviews" } a href="#machines" { "For machines" }
        }
        (sheet("call", "Call it", &html! { p { "What is in colour is yours to replace, or comes back to you and goes on." } }, &calls::tabs(listing, &url)))
        (probe(app, listing, &url))
        (schema::of_input(listing))
        (schema::of_output(listing))
        (sheet("record", "Record", &html! {
            p { "Counted by the gateway. A dropped stitch hangs below the row by the share that was not delivered." }
            p { "30 days, as of " (format::minute(seen.now_ms / 60_000 * 60_000)) }
        }, &plots::record(&seen.report, seen.today)))
        (reviews_of(seen))
        (machines(listing))
    }
}

fn notice(listing: &Listing) -> Markup {
    html! {
        @if listing.status == ListingStatus::Suspended {
            div.note.alarm.gap { strong { "Not on offer" } p {
                @match listing.suspension().1 {
                    Some(reason) => { "This listing is suspended by the operator: " (because(reason)) "." }
                    None => { "This listing is suspended." }
                }
                " The gateway refuses calls of it, and nobody is asked to pay."
            } }
        } @else if listing.endpoint.is_none() {
            div.note.gap { strong { "No endpoint" } p { "The gateway cannot call this listing: its seller has set no endpoint." } }
        } @else if listing.endpoint.as_ref().is_some_and(|endpoint| endpoint.status != EndpointStatus::Active) {
            div.note.gap { strong { "Paused" } p { "Its seller has paused the endpoint. Nobody is asked to pay meanwhile." } }
        }
    }
}

fn terms(listing: &Listing) -> Markup {
    let row = |name: &str, value: Markup| html! { div { dt { (name) } dd { (value) } } };
    html! {
        dl.terms {
            @if listing.is_paid() {
                (row("Pay with", html! { (pay_with(listing)) }))
                (row("You pay", html! { "once per answer; network costs come on top" }))
            } @else {
                (row("You need", html! { "a key, which is free" }))
            }
            (row("Endpoint", html! { @match listing.tested_ms() {
                Some(at) => { "tested, works since " (format::minute(at)) }
                None if listing.endpoint.is_none() => { "none" }
                None => { "not tested by its seller" }
            } }))
            (row("Last called", html! { @match listing.figures.last_ms {
                Some(at) => { (format::minute(at)) }
                None => { span.none { "no calls yet" } }
            } }))
            (row("Owes buyers", html! { @if listing.seller.standing.owes > Micros::ZERO {
                span.bad { (format::money(listing.seller.standing.owes)) } " for calls that were not delivered" @if listing.seller.standing.overdue { ", overdue" }
            } @else { "nothing" } }))
            @if !listing.tags.is_empty() {
                (row("Tags", html! { @for (at, tag) in listing.tags.iter().enumerate() {
                    @if at > 0 { ", " }
                    a href=(super::query::Query::default().with("q", &foreign::line(tag))) rel="nofollow" { (foreign::name(tag)) }
                } }))
            }
        }
    }
}

/// `SOL or USDC on Solana, ETH or USDC on Base`.
fn pay_with(listing: &Listing) -> String {
    let payable = payable_with(listing.price, &listing.seller.payout_chains);
    let on = |chain: &str, coins: [(OriginCurrency, &str); 2]| {
        let names: Vec<&str> = coins.iter().filter(|(currency, _)| payable.contains(currency)).map(|(_, name)| *name).collect();
        (!names.is_empty()).then(|| format!("{} on {chain}", names.join(" or ")))
    };
    let solana = on("Solana", [(OriginCurrency::Sol, "SOL"), (OriginCurrency::UsdcSol, "USDC")]);
    let base = on("Base", [(OriginCurrency::Eth, "ETH"), (OriginCurrency::Usdc, "USDC")]);
    let ways: Vec<String> = [solana, base].into_iter().flatten().collect();
    if ways.is_empty() { "nothing: its seller has no wallet to be paid at".into() } else { ways.join(", ") }
}

fn delivered_in_words(listing: &Listing) -> String {
    match format::delivered(listing.figures.delivered, listing.figures.calls) {
        Some(share) => format!("{} {} delivered in 30 days", share.value, share.of),
        None => "no calls yet".into(),
    }
}

fn strip(listing: &Listing) -> Markup {
    let figures = &listing.figures;
    html! {
        dl.strip {
            div { dt { "Delivered" } @match format::delivered(figures.delivered, figures.calls) {
                Some(share) => { dd { b { (share.value) } small { (share.of) @if share.of != "calls" { " calls" } " in 30 days" } } }
                None => { dd.none { "no calls yet" } }
            } }
            div { dt { "Paying buyers" } @if figures.payers > 0 { dd { b { (format::grouped(figures.payers)) } small { "in 30 days" } } } @else { dd.none { "none yet" } } }
            div { dt { "Median time" } @match figures.p50_ms {
                Some(ms) => { dd { b { (format::duration(ms)) } @if let Some(p95) = figures.p95_ms { small { "95 of 100 within " (format::duration(p95)) } } } }
                None => { dd.none { "unknown" } }
            } }
            div { dt { "Rating" } @match figures.rating.average_hundredths {
                Some(average) => { dd { b { (format::rating(average)) " of 5" } small { (format::counted(figures.rating.count.into(), "review", "reviews")) " after paid calls" } } }
                None => { dd.none { "no reviews" } }
            } }
        }
    }
}

/// The 402 that an agent with a key gets for an empty body. The gateway's own function composes it.
fn probe(app: &App, listing: &Listing, url: &str) -> Markup {
    let about = html! { p { "What an agent with a key gets for an empty body: the price, and nothing is quoted. With a body, " code { "requirements" } " says what to sign." } };
    let content = html! { @if listing.is_paid() {
        div.flow {
            (line("pr", &format!("curl -i -X POST {url} -H \"Authorization: Bearer am_k_YOUR_API_KEY\"")))
            (code("probe-body", &html! { "With a key. Composed from the listing by the gateway’s own function; no call was made" }, &html! {
                "HTTP/2 402\ncontent-type: application/json\n\n"
                (format!("{:#}", price_only(listing, PROVIDER).body(&app.config)))
            }))
        }
    } @else {
        div.note { strong { "Free" } p { "There is no 402: an agent with a key gets the answer at once." } }
    } };
    sheet("probe", "The exact 402", &about, &content)
}

fn reviews_of(seen: &Seen<'_>) -> Markup {
    let rating = &seen.listing.figures.rating;
    let about = html! { p {
        @if let Some(average) = rating.average_hundredths { (format::rating(average)) " of 5 from " (rating.count) ". " }
        "Only who paid for a delivered call can write one. Sellers may answer once. Nobody can delete."
    } };
    let path = format!("/listings/{}", seen.listing.slug);
    let content = html! { div {
        (reviews::list(seen.reviews, &|review| html! { a href={ "/agents/" (review.author) } { (foreign::name(&review.author_name)) } ", after a paid call, " (format::date(review.opinion.written_ms)) }))
        (reviews::pager(&path, seen.number, seen.total.div_ceil(REVIEWS)))
    } };
    sheet("reviews", "Reviews", &about, &content)
}

fn machines(listing: &Listing) -> Markup {
    let api = format!("/api/v1/listings/{}", listing.slug);
    sheet(
        "machines",
        "For machines",
        &html! {},
        &html! {
            dl.terms {
                div { dt { "Listing id" } dd { code { (listing.id) } } }
                div { dt { "JSON" } dd { a href=(api) { code { (cut(&api, 60)) } } } }
                div { dt { "OpenAPI" } dd { a href={ (api) "/openapi.json" } { code { (cut(&format!("{api}/openapi.json"), 72)) } } } }
                div { dt { "Statistics" } dd { a href={ (api) "/stats" } { code { (cut(&format!("{api}/stats"), 66)) } } } }
                div { dt { "Changed" } dd { (format::minute(listing.updated_ms)) } }
            }
        },
    )
}
