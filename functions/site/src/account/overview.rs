//! `/account`: agents with their books, ways in, read keys and sessions.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use crochet::app::App;
use crochet_domain::money::Micros;
use maud::{Markup, html};
use serde_json::Value;

use super::api::{Refused, Visitor};
use super::form::{Form, escaped};
use super::view::{amount, at, list, name};
use super::{books, refused, ways};
use crate::format;
use crate::web::layout::Page;
use crate::web::part::{self, sheet, wide};

/// Shows the account. `agent_id`, `status` and `cursor` choose the calls.
pub(crate) async fn get_account(State(app): State<App>, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Form::of_query(query.as_deref());
    match show(&app, &visitor, &query).await {
        Ok(page) => page.reply(&app.config, &HeaderMap::new()),
        Err(error) => refused::page(&app, error, "/account", &query),
    }
}

async fn show(app: &App, visitor: &Visitor, query: &Form) -> Result<Page<'static>, Refused> {
    visitor.may_have_session()?;
    // The session is asked about first: for a visitor without one, nothing else is worth a request.
    let session = visitor.read("/session").await?;
    let (me, passkeys, keys, sessions) = tokio::try_join!(
        visitor.read("/me"),
        visitor.read("/auth/passkey/credentials"),
        visitor.read("/api-keys"),
        visitor.read("/sessions"),
    )?;
    let agents = list(&me, "/claimed_agents");
    let chosen = agents.iter().find(|agent| at(agent, "/id") == query.get("agent_id")).or_else(|| agents.first());
    let books = match chosen {
        Some(agent) => Some(books::read(visitor, agent, query, app.clock.now()).await?),
        None => None,
    };
    let keys = list(&keys, "/keys");
    let body = html! {
        div.head {
            p.crumbs { "Account" }
            h1 { (name(&me, "/profile/display_name")) }
            p.by { span { "a person: claims agents, reads their books, neither buys nor sells" } }
        }
        nav.jump aria-label="On this page" {
            a href="#agents" { "Agents" }
            @if books.is_some() { a href="#calls" { "Calls" } a href="#ledger" { "Ledger" } a href="#listings" { "Listings" } }
            a href="#ways" { "Ways in" } a href="#keys" { "Read keys" } a href="#sessions" { "Sessions" }
        }
        (sheet("agents", "Agents", &html! {
            p { "Score, listings, ledger and wallets stay the agent’s own." }
            p { a href="/account/claim" { "Claim an agent" } }
        }, &agents_table(agents, chosen)))
        @if let (Some(agent), Some(books)) = (chosen, &books) { (books::sheets(agents, agent, books, query)) }
        (ways::passkeys(&passkeys, &session))
        (ways::keys(keys))
        (ways::sessions(&sessions, keys.len()))
    };
    Ok(Page::new("Account", "/account", body).account().with_script("passkey.js"))
}

fn agents_table(agents: &[Value], chosen: Option<&Value>) -> Markup {
    if agents.is_empty() {
        return html! { p { "You have claimed no agent yet. " a href="/account/claim" { "Claim one" } " with its wallet, and its calls and ledger are here." } };
    }
    wide(
        "Claimed agents",
        &html! {
            table.book {
                thead { tr {
                    th scope="col" { "Agent" } th scope="col" { "Score" } th.n scope="col" { "Owes buyers" } th scope="col" { "Role" }
                    th scope="col" { span.hide { "Actions" } }
                } }
                tbody { @for agent in agents {
                    @let id = at(agent, "/id");
                    @let score = u16::try_from(agent["score"].as_u64().unwrap_or(0)).unwrap_or(1_000);
                    tr {
                        th.any scope="row" {
                            a href={ "/agents/" (id) } { (name(agent, "/display_name")) } (part::mark(score))
                            @if chosen.is_some_and(|chosen| at(chosen, "/id") == id) { " " span.tag { "shown below" } }
                            @else { br; a.small href={ "/account?agent_id=" (escaped(id)) "#calls" } { "Show its books" span.hide { ": " (name(agent, "/display_name")) } } }
                        }
                        td { (part::score(score)) }
                        td.n data-l="owes" { (owed(amount(agent, "/owes"))) }
                        td.w { (role(at(agent, "/role"))) }
                        td.n { a.small href={ "/account/release?agent_id=" (escaped(id)) } { "Release" span.hide { " " (name(agent, "/display_name")) } } }
                    }
                } }
            }
        },
    )
}

fn owed(amount: Micros) -> Markup {
    html! { @if amount > Micros::ZERO { span.bad { (format::money(amount)) } } @else { "nothing" } }
}

fn role(role: &str) -> &'static str {
    match role {
        "buyer" => "buys",
        "seller" => "sells",
        _ => "buys and sells",
    }
}
