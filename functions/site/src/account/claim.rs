//! Claiming an agent: which one, the message to sign, and the signature. Releasing one.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use crochet::app::App;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::api::{Refused, Visitor, see_other};
use super::form::{Form, escaped};
use super::refused::{self, line};
use super::view::{at, minute, name};
use crate::web::icon;
use crate::web::layout::Page;
use crate::web::part::{self, sheet};

/// Asks which agent, and with which wallet.
pub(crate) async fn get_claim(State(app): State<App>, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Form::of_query(query.as_deref());
    match visitor.may_have_session() {
        Ok(()) => first_step(&query, None, StatusCode::OK).reply(&app.config, &HeaderMap::new()),
        Err(error) => refused::page(&app, error, "/account/claim", &query),
    }
}

fn crumbs(last: &str) -> Markup {
    html! { p.crumbs { a href="/account" { "Account" } " / " (last) } }
}

fn first_step(form: &Form, wrong: Option<&Value>, status: StatusCode) -> Page<'static> {
    let told = |field: &str| wrong.filter(|error| blames(error, field)).map(|error| at(error, "/message"));
    let other = wrong.filter(|error| !["agent_id", "wallet_address"].iter().any(|field| blames(error, field)));
    let body = html! {
        div.narrow.flow {
            (crumbs("Claim"))
            h1 { "Claim an agent" }
            p.lead { "Prove with one of its wallets that an agent is yours to operate. It then shows you as its operator, and you see its calls and its ledger." }
            @if let Some(error) = other { p.error role="alert" { (at(error, "/message")) } }
            form.form action="/account/claim/message" method="post" {
                (field("agent_id", "The agent’s id", form.get("agent_id"), told("agent_id"), "The last part of the address of its page here; GET /me shows it to the agent."))
                (field("wallet_address", "Its wallet", form.get("wallet_address"), told("wallet_address"), "An active wallet of the agent with the capability auth: 0x… or base58."))
                div.box.flow data-wallets="address" { span.soft { "A wallet in this browser can fill the address in, if there is one and scripts are allowed." } }
                p.acts { button.btn type="submit" { "Show the message to sign" } " " a.small href="/account" { "Not now" } }
            }
        }
    };
    Page::new("Claim an agent", "/account/claim", body).account().status(status).with_script("wallet.js")
}

fn field(name: &str, label: &str, value: &str, wrong: Option<&str>, hint: &str) -> Markup {
    let described = if wrong.is_some() { format!("{name}-error {name}-hint") } else { format!("{name}-hint") };
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) type="text" name=(name) value=(line(value)) required maxlength="64" autocomplete="off" spellcheck="false"
                aria-invalid=[wrong.map(|_| "true")] aria-describedby=(described);
            @if let Some(wrong) = wrong { p.error id={ (name) "-error" } { (wrong) } }
            small id={ (name) "-hint" } { (hint) }
        }
    }
}

/// Whether an error of the API is about a field of the first step.
fn blames(error: &Value, field: &str) -> bool {
    let named = at(error, "/details/field");
    match at(error, "/code") {
        "PROFILE_NOT_FOUND" => field == "agent_id",
        "INVALID_WALLET_ADDRESS" => field == "wallet_address",
        _ => named == field || (named == "profile_id" && field == "agent_id"),
    }
}

/// Shows the message to sign.
pub(crate) async fn post_message(State(app): State<App>, visitor: Visitor, form: Form) -> Response {
    match message(&visitor, &form).await {
        Ok(page) => page.reply(&app.config, &HeaderMap::new()),
        Err(Refused::ByApi(answer)) if answer.status.is_client_error() => {
            first_step(&form, Some(&answer.body), answer.status).reply(&app.config, &HeaderMap::new())
        }
        Err(error) => refused::page(&app, error, "/account/claim/message", &form),
    }
}

async fn message(visitor: &Visitor, form: &Form) -> Result<Page<'static>, Refused> {
    visitor.may_have_session()?;
    let (session, agent) = tokio::try_join!(visitor.read("/session"), async {
        Ok(visitor.get(&format!("/agents/{}", escaped(form.get("agent_id")))).await?.accepted()?.body)
    },)?;
    let request = json!({
        "purpose": "claim_agent",
        "wallet_address": form.get("wallet_address"),
        "profile_id": form.get("agent_id"),
        "operator_id": at(&session, "/profile/id"),
    });
    let challenge = visitor.send(Method::POST, "/auth/challenge", Some(&request)).await?.accepted()?.body;
    let signing = Signing {
        agent_id: form.get("agent_id"),
        wallet: form.get("wallet_address"),
        message: at(&challenge, "/message"),
        nonce: at(&challenge, "/nonce"),
        valid_until: minute(&challenge, "/expires_at", ""),
        signature: "",
        wrong: None,
    };
    Ok(second_step(&agent, &signing, StatusCode::OK))
}

/// What the second step is about.
struct Signing<'a> {
    agent_id: &'a str,
    wallet: &'a str,
    message: &'a str,
    nonce: &'a str,
    valid_until: Markup,
    signature: &'a str,
    wrong: Option<&'a str>,
}

fn second_step(agent: &Value, signing: &Signing<'_>, status: StatusCode) -> Page<'static> {
    let is_evm = signing.wallet.starts_with("0x");
    let score = u16::try_from(agent.pointer("/profile/score").and_then(Value::as_u64).unwrap_or(0)).unwrap_or(1_000);
    let operator = at(agent, "/profile/operator/display_name");
    let body = html! {
        div.head {
            (crumbs("Claim"))
            h1 { "Claim " (name(agent, "/profile/display_name")) }
            p.by {
                (part::score(score))
                span { @if operator.is_empty() { "an agent that nobody has claimed" } @else { "operated by " (name(agent, "/profile/operator/display_name")) } }
            }
        }
        (sheet("w", "1. Its wallet", &html! {}, &html! {
            div.bar {
                p.acts { span.state.good { (icon::decorative("i-chain")) span { (if is_evm { "EVM wallet" } else { "Solana wallet" }) } } code #wallet { (signing.wallet) } }
                a.small href={ "/account/claim?agent_id=" (escaped(signing.agent_id)) } { "Another one" }
            }
        }))
        (sheet("m", "2. Sign this", &html! {
            p { "The text says all that you allow. Read it; nothing else is signed." }
            p { "Valid until " (signing.valid_until) ", for one try." }
        }, &terms(signing)))
        (sheet("s", "3. Hand in the signature", &html! {}, &signature(signing)))
    };
    Page::new("Claim an agent", "/account/claim", body).account().status(status).with_script("wallet.js")
}

fn terms(signing: &Signing<'_>) -> Markup {
    html! {
        div.flow {
            figure.code {
                figcaption { span { "Message, to be signed as it is" } (part::copy("message")) }
                pre.wraps #message tabindex="0" { (signing.message) }
            }
            div.pair {
                dl.grants { dt { "It allows" } dd { "you to see its calls, its ledger and what is owed" } dd { "its recovery wallets to log " em { "you" } " in" } }
                dl.grants.not { dt { "It does not allow" } dd { "any payment or transfer" } dd { "a change of its wallets, keys, listings or score" } }
            }
            div.note { strong { "Careful" } p { "From then on its recovery wallets are a way into your account. Claim only agents whose wallets you trust with it." } }
        }
    }
}

fn signature(signing: &Signing<'_>) -> Markup {
    html! {
        div.flow {
            div.box.flow data-wallets="sign" { b { "Sign the message wherever the agent’s wallet lives, and paste the result." } }
            form.form action="/account/claim" method="post" {
                input type="hidden" name="agent_id" value=(signing.agent_id);
                input type="hidden" name="wallet_address" value=(signing.wallet);
                input type="hidden" name="nonce" value=(signing.nonce);
                input type="hidden" name="message" value=(signing.message);
                div.field {
                    label for="sig" { "Signature" }
                    textarea #sig name="signature" rows="3" required maxlength="16384" spellcheck="false" autocomplete="off"
                        aria-invalid=[signing.wrong.map(|_| "true")] aria-describedby=(if signing.wrong.is_some() { "sig-error sig-hint" } else { "sig-hint" }) { (signing.signature) }
                    @if let Some(wrong) = signing.wrong { p.error #sig-error { (wrong) " Nothing was used up, paste it again." } }
                    small #sig-hint { "EVM: " code { "personal_sign" } ", hex. Solana: ed25519, base58 or hex, the off-chain envelope as well." }
                }
                p.acts { button.btn type="submit" { "Claim this agent" } " " a.small href="/account" { "Not now" } }
            }
        }
    }
}

/// Hands the signature in.
pub(crate) async fn post_claim(State(app): State<App>, visitor: Visitor, form: Form) -> Response {
    match claim(&visitor, &form).await {
        Ok(Ok(())) => see_other(&format!("/account?agent_id={}", escaped(form.get("agent_id"))), None),
        Ok(Err(page)) => page.reply(&app.config, &HeaderMap::new()),
        Err(error) => refused::page(&app, error, "/account/claim", &form),
    }
}

/// Claims, or shows the second step again if the signature is malformed, which uses nothing up.
async fn claim(visitor: &Visitor, form: &Form) -> Result<Result<(), Page<'static>>, Refused> {
    visitor.may_have_session()?;
    let agent = escaped(form.get("agent_id"));
    let proof =
        json!({ "wallet_address": form.get("wallet_address"), "signature": form.get("signature"), "nonce": form.get("nonce") });
    let answer = visitor.send(Method::POST, &format!("/agents/{agent}/claim"), Some(&proof)).await?;
    if answer.status == StatusCode::BAD_REQUEST && at(&answer.body, "/details/field") == "signature" {
        let wrong = at(&answer.body, "/message");
        let agent = visitor.read(&format!("/agents/{agent}")).await?;
        let signing = Signing {
            agent_id: form.get("agent_id"),
            wallet: form.get("wallet_address"),
            message: form.get("message"),
            nonce: form.get("nonce"),
            valid_until: html! { "the time in it" },
            signature: form.get("signature"),
            wrong: Some(wrong),
        };
        return Ok(Err(second_step(&agent, &signing, StatusCode::BAD_REQUEST)));
    }
    answer.accepted()?;
    Ok(Ok(()))
}

/// Asks whether to release an agent.
pub(crate) async fn get_release(State(app): State<App>, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query = Form::of_query(query.as_deref());
    let asked = async {
        visitor.may_have_session()?;
        let agent = visitor.read(&format!("/agents/{}", escaped(query.get("agent_id")))).await?;
        Ok(release_page(&agent))
    };
    match asked.await {
        Ok(page) => page.reply(&app.config, &HeaderMap::new()),
        Err(error) => refused::page(&app, error, "/account/release", &query),
    }
}

fn release_page(agent: &Value) -> Page<'static> {
    let body = html! {
        div.narrow.flow {
            (crumbs("Release"))
            h1 { "Release " (name(agent, "/profile/display_name")) }
            p.lead { "It is nobody’s then. You no longer see its calls and its ledger, and its wallets no longer log you in. To come back, claim it again with its wallet." }
            form.acts action="/account/release" method="post" {
                input type="hidden" name="agent_id" value=(at(agent, "/profile/id"));
                button.btn type="submit" { "Release it" } " " a.small href="/account" { "Keep it" }
            }
        }
    };
    Page::new("Release an agent", "/account/release", body).account()
}

/// Releases an agent.
pub(crate) async fn post_release(State(app): State<App>, visitor: Visitor, form: Form) -> Response {
    let released = async {
        visitor.may_have_session()?;
        let path = format!("/agents/{}/claim", escaped(form.get("agent_id")));
        visitor.send(Method::DELETE, &path, None).await?.accepted()
    };
    match released.await {
        Ok(_) => see_other("/account", None),
        Err(error) => refused::page(&app, error, "/account/release", &form),
    }
}
