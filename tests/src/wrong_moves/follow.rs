//! A program that does what `recovery` says, to the letter. It knows what it wants, its own values, and the reply; nothing else.

use crochet_client::{Reply, Wallet};
use http::Method;
use serde_json::{Value, json};

use super::actors::{Actors, Wish};
use super::attempt::{Attempt, Body};
use crate::failure::Failure;
use crate::names::unique_name;

/// What the advice leads to.
pub(super) enum Next {
    Send(Box<Attempt>),
    /// No program gets out of this.
    DeadEnd(String),
}

const AUTHORIZATION: &str = "authorization";
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const CURRENCY: &str = "x-crochet-origin-currency";
const PAYMENT_ID: &str = "x-crochet-relay-request-id";

impl Actors<'_> {
    /// Follows the advice of a failure. `operation` makes new values where the advice asks for them.
    pub(super) async fn follow(&self, reply: &Reply, sent: &Attempt, wish: &Wish, operation: &str) -> Result<Next, Failure> {
        let (error, right) = (reply.error(), &wish.right);
        let (details, recovery) = (&error["details"], &error["recovery"]);
        let mut next = sent.clone();
        match recovery["next_action"].as_str().unwrap_or_default() {
            "rename_field" | "remove_unknown_field" | "fix_request_field" | "fix_request_fields" => {
                mend_fields(&mut next, details, right)
            }
            "fix_request_body" | "send_smaller_body" | "send_body_to_be_quoted" => {
                next.body = right.body.clone();
                next.headers.remove("content-encoding");
            }
            "send_json" => {
                match details["header"].as_str() {
                    Some(header) => drop(next.headers.remove(&header.to_lowercase())),
                    None => drop(next.headers.insert("content-type".into(), "application/json".into())),
                }
                next.body = right.body.clone();
            }
            "send_shorter_headers" => {
                next.headers.retain(|_, value| value.len() <= 8_192);
                if next.raw_query.len() > 4_096 {
                    (next.raw_query, next.query) = (String::new(), right.query.clone());
                }
                if next.path.len() > 4_096 {
                    next.path.clone_from(&right.path);
                }
            }
            "use_suggested_path" => {
                next.method = text(details, "method").parse().map_err(|_| Failure::new("no method is suggested"))?;
                let path = text(details, "path").split('/').map(|part| if part.starts_with(':') { &wish.id } else { part });
                next.path = path.collect::<Vec<_>>().join("/");
            }
            "use_allowed_method" => {
                let allowed = details["allow"].as_array().cloned().unwrap_or_default();
                if !allowed.contains(&right.method.as_str().into()) {
                    return Ok(Next::DeadEnd(format!("{allowed:?} does not have {}", right.method)));
                }
                next.method = right.method.clone();
            }
            "read_api_reference" => match self.look_up(right).await? {
                true => next.path.clone_from(&right.path),
                false => return Ok(Next::DeadEnd(format!("{} is not in the index", right.path))),
            },
            "send_api_key" => {
                let header = details["header"].as_str().and_then(|name| next.headers.remove(name));
                let token = header.or_else(|| next.headers.get(AUTHORIZATION).cloned());
                let token =
                    token.and_then(|value| value.split(' ').next_back().map(str::to_owned)).filter(|key| key.starts_with("am_k_"));
                if reply.code() == "UNKNOWN_FIELD" {
                    next.query.clone_from(&right.query);
                    next.raw_query.clear();
                }
                let value = match token {
                    Some(token) => format!("Bearer {token}"),
                    None if right.headers.contains_key(AUTHORIZATION) && !wish.id.is_empty() => {
                        right.headers[AUTHORIZATION].clone()
                    }
                    // It has no key: challenge, then register.
                    None => text(&self.world.agent().await?.issued, "authorization_header").to_owned(),
                };
                next.headers.insert(AUTHORIZATION.into(), value);
            }
            "recover_api_key" => {
                let recovered = self.world.client.recover(&wish.agent.wallet, false).await?;
                if reply.code() == "WALLET_ALREADY_REGISTERED" {
                    next = Attempt::new(Method::GET, "/me");
                }
                next.headers.insert(AUTHORIZATION.into(), text(&recovered.issued, "authorization_header").to_owned());
            }
            "register_wallet" => next = self.wish("register").await?.right,
            "request_new_challenge" => {
                let fresh = self.wish_for(wish, operation).await?.right;
                let discard = recovery["discard"].as_array().cloned().unwrap_or_default();
                let names: Vec<&str> = discard.iter().filter_map(Value::as_str).chain(["pow_challenge"]).collect();
                renew(&mut next, &fresh, &names);
            }
            "fix_wallet_address" | "fix_private_endpoint_url" | "add_private_endpoint_url" | "fix_schema" => {
                let fallback = if reply.code().starts_with("ENDPOINT") { "private_endpoint_url" } else { "" };
                let field = details["field"].as_str().unwrap_or(fallback);
                match right.value(field) {
                    Some(value) => next.set(field, value),
                    None if field == "private_endpoint_url" => next.set(field, self.world.seller.url("/echo").into()),
                    None => drop(next.remove(field)),
                }
            }
            "use_key_with_scope" => {
                let scopes = if text(details, "required_scope") == "read" { json!(["read"]) } else { json!(["read", "write"]) };
                let wider = wish.agent.create_key(&json!({ "name": "wider", "scopes": scopes })).await?;
                next.headers.insert(AUTHORIZATION.into(), format!("Bearer {}", wider.api_key));
            }
            "change_role" => {
                let change = json!({ "role": text(details, "required_role") });
                let key = next.headers.get(AUTHORIZATION).cloned().unwrap_or_default();
                self.world
                    .client
                    .request(Method::PATCH, "/me")
                    .header(AUTHORIZATION, &key)
                    .json(&change)
                    .send()
                    .await?
                    .expect(200)?;
            }
            "use_owner_key" => drop(next.headers.insert(AUTHORIZATION.into(), right.headers[AUTHORIZATION].clone())),
            "browse_listings" | "choose_another_listing" | "retry_later_or_choose_another_listing" => {
                // The listing that it wants, by its name.
                let wanted = if next.path.contains("/gateway/") { &self.free } else { &self.paid };
                let name = wanted.data["listing"]["name"].as_str().unwrap_or_default();
                let found = self.world.client.get("/listings").query("q", name).send().await?.expect(200)?;
                let id = found["listings"][0]["id"].as_str().unwrap_or_default();
                let parts = next.path.split('/').enumerate().map(|(at, part)| if at == 4 { id } else { part });
                next.path = parts.collect::<Vec<_>>().join("/");
            }
            "list_wallets" | "list_api_keys" | "list_gateway_requests" | "check_agent_id" => next.path.clone_from(&right.path),
            "restart_from_first_page" => drop(next.remove("cursor")),
            "choose_another_status" => next.set("status", "suspended".into()),
            "choose_supported_currency" => {
                next.headers.insert(CURRENCY.into(), details["origin_currencies"][0].as_str().unwrap_or_default().to_owned());
                next.headers.insert(IDEMPOTENCY_KEY.into(), unique_name());
            }
            "fix_idempotency_key" => drop(next.headers.remove(IDEMPOTENCY_KEY)),
            "fix_payment_id" => drop(next.headers.remove(PAYMENT_ID)),
            "use_new_idempotency_key" => drop(next.headers.insert(IDEMPOTENCY_KEY.into(), unique_name())),
            "retry_without_idempotency_key" => drop(next.headers.remove(IDEMPOTENCY_KEY)),
            "link_payment_wallet" | "add_payout_wallet" => {
                let wallet = if details["chain"] == "evm" { Wallet::evm() } else { Wallet::solana() };
                wish.agent.link_wallet(&wallet).await?;
                if recovery["discard"].as_array().is_some_and(|list| list.contains(&"pow_nonce".into())) {
                    renew(&mut next, &self.wish_for(wish, operation).await?.right, &["pow_nonce", "pow_challenge"]);
                }
            }
            "suspend_listings" => {
                for id in details["listing_ids"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    wish.agent.delete(&format!("/listings/{id}")).send().await?.expect(200)?;
                }
            }
            "complete_payment_then_retry" => {
                let id = reply.text_at("/data/payment/relay_request_id")?;
                self.world.sandbox.pay(&id).await?;
                next.headers.insert(PAYMENT_ID.into(), id);
            }
            "wait_and_retry" | "retry_same_request" => {
                let seconds = recovery["retry_after_seconds"].as_i64().unwrap_or(1);
                self.world.later(seconds).await?;
            }
            other => return Ok(Next::DeadEnd(format!("{other}: {}", text(recovery, "summary")))),
        }
        let acted = ["change_role", "suspend_listings", "link_payment_wallet", "add_payout_wallet"];
        let did_something = recovery["retryable"] == true || acted.iter().any(|action| recovery["next_action"] == *action);
        if next == *sent && !did_something {
            return Ok(Next::DeadEnd(format!("nothing is left to do: {}", text(recovery, "summary"))));
        }
        Ok(Next::Send(Box::new(next)))
    }

    /// A new right request by the same agent.
    async fn wish_for(&self, wish: &Wish, operation: &str) -> Result<Wish, Failure> {
        match operation {
            "create" | "create_as_other" => self.create(wish.agent.clone()).await,
            "link" => {
                let right = Attempt { body: Body::Json(wish.agent.link_request(&Wallet::evm()).await?), ..wish.right.clone() };
                Ok(Wish { right, agent: wish.agent.clone(), id: wish.id.clone() })
            }
            _ => self.wish(operation).await,
        }
    }

    /// Whether the index of the API has the request.
    async fn look_up(&self, right: &Attempt) -> Result<bool, Failure> {
        let index = self.world.client.site(Method::GET, "/api/v1").send().await?.expect(200)?;
        let groups = index.as_object().into_iter().flatten();
        let links = groups.filter_map(|(_, group)| group.as_array()).flatten();
        let is_it = |link: &Value| {
            let url = text(link, "url");
            let path = url.strip_prefix(self.world.client.base()).unwrap_or(url);
            let path = path.split('?').next().unwrap_or_default();
            let parts = path.split('/').zip(right.path.split('/'));
            path.split('/').count() == right.path.split('/').count() && parts.into_iter().all(|(a, b)| a == b || a.starts_with('{'))
        };
        Ok(links.into_iter().any(is_it))
    }
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}

/// Renames, removes, adds and corrects what `details.fields` lists.
fn mend_fields(next: &mut Attempt, details: &Value, right: &Attempt) {
    for row in details["fields"].as_array().into_iter().flatten() {
        let field = text(row, "field");
        if field == "." || field == "body" {
            next.body = right.body.clone();
            continue;
        }
        match (text(row, "problem"), row["did_you_mean"].as_str()) {
            ("unknown", Some(meant)) => {
                if let Some(value) = next.remove(field) {
                    next.set(meant, value);
                }
            }
            ("unknown", None) => {
                next.remove(field);
                next.raw_query.clear();
            }
            // A member of a list is corrected with its list.
            ("unexpected", _) => drop(next.remove(field)),
            _ => {
                let whole = field.split('[').next().unwrap_or(field);
                match right.value(whole) {
                    Some(value) => next.set(whole, value),
                    None => drop(next.remove(whole)),
                }
            }
        }
        // What came in a query that was written by hand is written anew.
        if !next.raw_query.is_empty() {
            next.raw_query.clear();
            next.query.clone_from(&right.query);
        }
    }
    if next.path.contains('%') {
        next.path.clone_from(&right.path);
    }
}

/// Replaces the named members, at every depth, by those of a new request.
fn renew(next: &mut Attempt, fresh: &Attempt, names: &[&str]) {
    if let (Body::Json(old), Body::Json(new)) = (&mut next.body, &fresh.body) {
        renew_in(old, new, names);
    }
}

fn renew_in(old: &mut Value, new: &Value, names: &[&str]) {
    let Some(old) = old.as_object_mut() else { return };
    for (name, value) in new.as_object().into_iter().flatten() {
        match old.get_mut(name) {
            // A new challenge is for the wallet that it was asked for.
            _ if names.contains(&name.as_str()) || name == "wallet_address" => drop(old.insert(name.clone(), value.clone())),
            Some(inner) => renew_in(inner, value, names),
            None => {}
        }
    }
}
