//! `/`: what this is, the line to paste, and that it is used.

use axum::http::HeaderMap;
use axum::response::Response;
use crochet::app::App;
use crochet::http::Result;
use crochet_catalog::Catalogue;
use crochet_catalog::search::{Search, Sort};
use crochet_domain::listing::{CATEGORIES, Listing, PricingModel};
use crochet_domain::money::{FeeRate, Micros, PriceSplit};
use crochet_domain::stats::Report;
use maud::{Markup, PreEscaped, html};

use super::layout::Page;
use super::part::{code, line, sheet, tabs, wide};
use super::rows::{Heading, rows};
use super::{icon, score_scale};
use crate::format::{counted, delivered, grouped, minute, money};

/// Listings that the page shows.
const SHOWN: u32 = 6;
/// Prices in the table of what a seller receives.
const PRICES: [Micros; 4] = [Micros(1_000_000), Micros(50_000), Micros(5_000), Micros(100)];

/// Everything that the page shows of this deployment.
struct Seen {
    listings: u64,
    free: u64,
    popular: Vec<Listing>,
    categories: Vec<usize>,
    report: Option<(Report, i64)>,
}

/// The page.
pub(crate) async fn page(app: &App, catalogue: &Catalogue, headers: &HeaderMap) -> Result<Response> {
    let (report, refreshed) = tokio::join!(app.store.total_stats(), catalogue.refresh());
    refreshed?;
    let categories = catalogue.category_counts();
    let seen = Seen {
        listings: catalogue.search(&Search { limit: 1, ..Search::all() })?.total as u64,
        free: catalogue.search(&Search { limit: 1, pricing_model: Some(PricingModel::Free), ..Search::all() })?.total as u64,
        popular: catalogue.search(&Search { limit: SHOWN, sort: Sort::Popular, ..Search::all() })?.listings,
        categories,
        report: report?,
    };
    let body = body(app, &seen);
    Ok(Page::new("Crochet: agents buy and sell API calls", "/", body)
        .described(
            "A marketplace and payment gateway where AI agents buy and sell API capabilities per call. Open, and yours to deploy.",
        )
        .negotiated()
        .reply(&app.config, headers))
}

fn body(app: &App, seen: &Seen) -> Markup {
    let url = app.config.absolute("");
    html! {
        div.hero {
            div.flow {
                h1 { "Agents buy and sell API calls, one call at a time." }
                p.lead { "Post JSON to a listing. Get its price as a 402. Pay from your own wallet, post again, read the answer. Sellers keep their endpoint private, and Crochet never holds the money." }
                (tabs("paste", "Ways to connect an agent", &[
                    ("Skill", line("paste-skill", &format!("Read {url}/SKILL.md and buy from Crochet when you lack a capability."))),
                    ("Terminal", line("paste-curl", &format!("curl -s '{url}/api/v1/listings?sort=popular&limit=5'"))),
                    ("Install", line("paste-install", &format!("npx skills add {url}"))),
                ]))
                p.small.soft { "No key needed to look. " a href="/docs/quick-start" { "First call in five steps" } }
            }
            (call(app.config.fee_rate))
        }
        section aria-label="This marketplace in figures" { (figures(seen)) }
        p.small.soft.gap.counted {
            "Counted by the gateway over 30 days" @match &seen.report { Some((_, at)) => { ", as of " (minute(*at)) "." } None => { ", once an hour." } }
        }
        (popular(seen))
        (sheet("cats", "Categories", &html! {}, &html! {
            ul.list.many { @for ((slug, name), count) in CATEGORIES.iter().zip(&seen.categories) {
                li { a href={ "/marketplace?category=" (slug) } { (name) } span.soft { (grouped(*count as u64)) } }
            } }
        }))
        (sell(&url, app.config.fee_rate))
        (sheet("score", "A score that is counted, not claimed",
            &html! { p { "From what the gateway saw: deliveries, failures, who paid, and for how long. Anyone can recompute it." } },
            &html! { div.flow { (score_scale::tiers()) (tier_table()) p { a href="/docs/trust-reviews" { "How a score is made up" } } } }))
        (sheet("own", "Or run your own", &html! { p { "All of it is open: gateway, catalogue, books, this site. MIT or Apache-2.0." } }, &html! {
            div.pair {
                (code("own-local", &html! { "On this machine, with a sandbox for payments and a demo seller" }, &html! { "cargo run" }))
                (code("own-aws", &html! { "On your AWS account, at your domain, with your fee" }, &html! { "cargo xtask deploy prod" }))
            }
        }))
    }
}

fn figures(seen: &Seen) -> Markup {
    let report = seen.report.as_ref().map(|(report, _)| report.figures).unwrap_or_default();
    let none = if seen.report.is_some() { "no calls yet" } else { "not counted yet" };
    html! {
        dl.strip {
            div { dt { "Listings" } dd { b { (grouped(seen.listings)) } small { (grouped(seen.free)) " free, " (grouped(seen.listings - seen.free.min(seen.listings))) " per call" } } }
            div { dt { "Calls in 30 days" } @if report.calls > 0 {
                dd { b { (grouped(report.calls)) } small { "paid for by " (counted(report.payers, "buyer", "buyers")) } }
            } @else { dd.none { (none) } } }
            div { dt { "Delivered" } @match delivered(report.delivered, report.calls) {
                Some(share) => { dd { b { (share.value) } small { (share.of) } } }
                None => { dd.none { (none) } }
            } }
            div { dt { "Median price" } @match report.median_price {
                Some(price) => { dd { b { (money(price)) } small { "of what was paid for" } } }
                None => { dd.none { "nothing paid yet" } }
            } }
            div { dt { "Median time" } @match report.p50_ms {
                Some(ms) => { dd { b { (crate::format::duration(ms)) } small { "of the sellers’ answers" } } }
                None => { dd.none { "unknown" } }
            } }
        }
    }
}

fn popular(seen: &Seen) -> Markup {
    let (title, order) = if seen.popular.iter().all(|listing| listing.figures.calls > 0) {
        ("Most called", "By paid calls of the last 30 days.")
    } else {
        ("On offer", "Those called most in the last 30 days, then those of the sellers with the best score.")
    };
    let about = html! {
        p { (order) }
        p { a href="/marketplace" { "All " (counted(seen.listings, "listing", "listings")) } }
    };
    let content = html! { @if seen.popular.is_empty() {
        div.note { strong { "Empty" } p { "Nothing is on offer here yet. " a href="#sell" { "List what you already run" } "." } }
    } @else { (rows(&seen.popular, Heading::Third)) } };
    sheet("popular", title, &about, &content)
}

fn sell(url: &str, rate: FeeRate) -> Markup {
    let step = |id: &str, title: &str, about: Markup, route: String| {
        html! { li { h3 { (title) } p { (about) } (line(id, &route)) } }
    };
    let about = html! { p { "Your endpoint stays where it is. Only signed calls that were paid for reach it." } };
    let content = html! {
        div.flow {
            ol.steps {
                (step("sell-1", "List it", html! { "Name, price, schemas and a private HTTPS endpoint. Nobody ever sees its address." }, format!("POST {url}/api/v1/listings")))
                (step("sell-2", "Verify the signature", html! { "Every call carries a Standard Webhooks signature. " a href="/docs/verify-signatures" { "Ten lines in any language" } ", and a test call." }, format!("POST {url}/api/v1/listings/{{id}}/endpoint/test")))
                (step("sell-3", "Be paid per call", html! { "USDC to your wallet as each call settles. No balance, no pay-out day." }, format!("GET {url}/api/v1/ledger")))
            }
            (wide("What a seller receives", &receives(rate)))
            p { a href="/docs/seller-integration" { "Seller integration" } }
        }
    };
    sheet("sell", "Sell what you already run", &about, &content)
}

fn receives(rate: FeeRate) -> Markup {
    let percent = crate::format::percent(rate.bps().into(), 10_000);
    html! {
        table {
            caption { "What a seller receives. The fee of this deployment is " (percent) "; the network’s costs come on top of the price and are the buyer’s." }
            thead { tr { th scope="col" { "Your price" } th.n scope="col" { "Fee" } th.n scope="col" { "You receive" } th.n scope="col" { "From 10,000 calls" } } }
            tbody { @for price in PRICES {
                @let split = PriceSplit::of(price, rate);
                tr {
                    th scope="row" { (money(price)) }
                    td.n { (money(split.fee)) }
                    td.n { (money(split.seller_receives)) }
                    td.n { (money(Micros(split.seller_receives.0 * 10_000))) }
                }
            } }
        }
    }
}

fn tier_table() -> Markup {
    let row = |name: &str, from: &str, verified: bool, meaning: &str| {
        html! { tr { th scope="row" { (name) @if verified { " " (icon::verified()) } } td.n { (from) } td { (meaning) } } }
    };
    html! {
        table.stack {
            thead { tr { th scope="col" { "Tier" } th.n scope="col" { "From" } th scope="col" { "What a buyer may read from it" } } }
            tbody {
                (row("Low", "0", false, "Calls failed, or buyers are owed and not paid back."))
                (row("Moderate", "400", false, "New, or too few paid calls to tell. Everybody starts here."))
                (row("Trusted", "700", false, "Serves paying customers, and few of them were let down."))
                (row("Elite", "800", true, "Has done so in volume. The verified mark begins here."))
                (row("Exceptional", "900", true, "For longer, and almost nobody was let down."))
            }
        }
    }
}

/// One paid call as one thread in six rows.
fn call(rate: FeeRate) -> Markup {
    let split = PriceSplit::of(Micros(1_000_000), rate);
    html! {
        figure.call aria-labelledby="call-cap" {
            figcaption.hide #call-cap { "One paid call of " (money(split.price)) " in six steps" }
            p aria-hidden="true" { i { "Buyer" } i { "Crochet" } i { "Seller" } }
            div {
                (PreEscaped(THREAD))
                ol {
                    li { span { b { "Buyer asks" } br; code { "POST /gateway/" var { "listing" } } } }
                    li { span { b { "Crochet answers 402" } br; code { (money(split.price)) " · " var { "payment id" } } } }
                    li { span { b { "Wallet pays wallet" } br; code { "SOL → " (split.seller_receives.decimal()) " USDC" } } }
                    li { span { b { "It settles" } br; code { "on chain, past Crochet" } } }
                    li { span { b { "Buyer asks again" } br; code { "same JSON · " var { "payment id" } } } }
                    li { span { b { "Seller answers" } br; code { "200, JSON" } } }
                }
            }
        }
    }
}

/// The thread, worked back and forth: a stitch where Crochet acts, its post cut where money passes it.
const THREAD: &str = r##"<svg aria-hidden="true"><svg viewBox="0 0 100 100" preserveAspectRatio="none" width="100%" height="100%"><path class="axis" fill="none" d="M2.5 0V100M97.5 0V100" vector-effect="non-scaling-stroke"/><path class="axis" fill="none" d="M50 0V45.70M50 48.30V62.37M50 64.97V100" vector-effect="non-scaling-stroke"/><path class="yarn" d="M2.5 13.67H50C54.8 13.67 54.8 30.33 50 30.33H2.5C-0.5 30.33 -0.5 47.00 2.5 47.00H97.5C100.5 47.00 100.5 63.67 97.5 63.67H2.5C-0.5 63.67 -0.5 80.33 2.5 80.33H97.5C100.5 80.33 100.5 97.00 97.5 97.00H2.5"/></svg><svg x="41%" y="13.67%" width="1" height="1" overflow="visible"><path class="tip" d="M-5-5 1 0-5 5"/></svg><svg x="11.5%" y="30.33%" width="1" height="1" overflow="visible"><path class="tip" d="M5-5-1 0 5 5"/></svg><svg x="88.5%" y="47.00%" width="1" height="1" overflow="visible"><path class="tip" d="M-5-5 1 0-5 5"/></svg><svg x="11.5%" y="63.67%" width="1" height="1" overflow="visible"><path class="tip" d="M5-5-1 0 5 5"/></svg><svg x="88.5%" y="80.33%" width="1" height="1" overflow="visible"><path class="tip" d="M-5-5 1 0-5 5"/></svg><svg x="2.5%" y="97.00%" width="1" height="1" overflow="visible"><path class="tip" d="M5-5-1 0 5 5"/></svg><ellipse class="st" cx="50%" cy="80.33%" rx="6" ry="4"/><ellipse class="st" cx="50%" cy="97.00%" rx="6" ry="4"/><ellipse class="st" cx="2.5%" cy="13.67%" rx="5" ry="5"/></svg>"##;
