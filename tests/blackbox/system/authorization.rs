//! Every route of the OpenAPI document with every kind of caller. `authorization/expected.txt` is the table of replies.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crochet_tests::{
    Agent, Client, Failure, Market, Outcome, Person, Replies, Reply, Request, World, list, shared, text, unique_name,
};
use http::Method;
use serde_json::{Value, json};

/// A session may do everything for five minutes after its log-in. On a slow stack the rows take longer.
const SESSION_AGE: Duration = Duration::from_secs(120);
const TABLE: &str = include_str!("authorization/expected.txt");
const CALLERS: [Caller; 8] = [
    Caller::Nobody,
    Caller::BadKey,
    Caller::RevokedKey,
    Caller::ReadOnlyKey,
    Caller::OtherAgent,
    Caller::Owner,
    Caller::Session,
    Caller::OtherSession,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Nobody,
    BadKey,
    RevokedKey,
    ReadOnlyKey,
    OtherAgent,
    Owner,
    Session,
    OtherSession,
}

/// A line of the table.
struct Row {
    method: Method,
    /// The operation of the OpenAPI document, with a query if it matters.
    path: &'static str,
    marks: Vec<&'static str>,
}

impl Row {
    /// `GET /api/v1/listings/{id}`, as in the document.
    fn route(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        format!("{} {}", self.method, path.replace("{draft}", "{id}"))
    }
}

fn rows() -> Vec<Row> {
    let (_, lines) = TABLE.split_once("other session\n").expect("the table has a heading");
    let row = |line: &'static str| {
        let mut words = line.split_whitespace();
        let method = words.next().and_then(|word| word.parse().ok()).expect("a method");
        let path = words.next().expect("a path");
        Row { method, path, marks: words.collect() }
    };
    lines.lines().map(row).collect()
}

/// The callers and the owner's resources.
struct Stage<'a> {
    world: &'a World,
    market: Market<'a>,
    read_only: Agent,
    revoked: String,
    unknown: String,
    other: Agent,
    ada: Person,
    eve: Person,
    logged_in: Instant,
    passkey: String,
    wallet: String,
    call: String,
}

impl<'a> Stage<'a> {
    async fn set(world: &'a World) -> Result<Self, Failure> {
        let market = world.market(1.0).await?;
        let (quote, _) = market.buy(&json!({ "n": 1 })).await?;
        let call = text(&market.row(&quote.id).await?, "id").to_owned();
        let owner = &market.buyer;
        let read_only = owner.create_key(&json!({ "name": "read", "scopes": ["read"] })).await?;
        let revoked = owner.create_key(&json!({ "name": "revoked" })).await?;
        owner.delete(&format!("/api-keys/{}", text(&revoked.issued["key"], "id"))).send().await?.ok(200);
        let [ada, eve] = [Person::sign_up(&world.client, "Ada").await?, Person::sign_up(&world.client, "Eve").await?];
        let fields = json!({ "profile_id": owner.profile_id, "operator_id": ada.profile_id });
        let proof = world.client.proof(&owner.wallet, "claim_agent", &fields).await?;
        ada.post(&format!("/agents/{}/claim", owner.profile_id)).json(&proof).send().await?.ok(200);
        let passkeys = ada.get("/auth/passkey/credentials").send().await?;
        Ok(Self {
            world,
            read_only,
            revoked: revoked.api_key,
            // Well-formed down to its checksum, and of another deployment.
            unknown: crochet_domain::api_key::ApiKey::generate().reveal().to_owned(),
            other: world.agent().await?,
            passkey: text(&passkeys.ok(200)["passkeys"][0], "id").to_owned(),
            wallet: text(&owner.issued["wallets"][0], "id").to_owned(),
            ada,
            eve,
            logged_in: Instant::now(),
            call,
            market,
        })
    }

    /// Logs both people in again once their sessions are `SESSION_AGE` old.
    async fn keep_sessions_recent(&mut self) -> Outcome {
        if self.logged_in.elapsed() > SESSION_AGE {
            self.logged_in = Instant::now();
            self.ada = self.ada.log_in().await?;
            self.eve = self.eve.log_in().await?;
        }
        Ok(())
    }

    /// The owner of every requested resource.
    fn owner(&self) -> &Agent {
        &self.market.buyer
    }

    /// An unchanged listing of the owner.
    async fn listing(&self, status: &str) -> Result<String, Failure> {
        let mut fields = self.world.free_fields(&self.world.echo_path());
        fields["status"] = status.into();
        Ok(self.owner().create_listing(&fields).await?.id)
    }

    /// The request of a row: a path of the owner's resources, with a body that is valid for the owner, or empty.
    async fn request(&self, row: &Row, caller: Caller) -> Result<Request, Failure> {
        let id = match row.path.trim_start_matches("/api/v1").split('?').next().unwrap_or_default() {
            "/me/wallets/{id}" => self.wallet.clone(),
            path if path.starts_with("/agents/{id}") => self.owner().profile_id.clone(),
            "/auth/passkey/credentials/{id}" => self.passkey.clone(),
            // Another session of the same person, so that the next row has one.
            "/sessions/{id}" => {
                let sessions = self.ada.log_in().await?.get("/sessions").send().await?;
                let own = list(sessions.ok(200), "sessions").iter().find(|session| session["current"] == true);
                text(own.unwrap_or(&Value::Null), "id").to_owned()
            }
            path if path.starts_with("/gateway-requests/{id}") => self.call.clone(),
            "/gateway/{listing_id}" | "/reviews/{listing_id}" | "/reviews/{listing_id}/{review_id}/answer" => {
                self.market.listing.id.clone()
            }
            "/api-keys/{id}" => {
                let key = self.owner().create_key(&json!({ "name": format!("key {}", unique_name()) })).await?;
                text(&key.issued["key"], "id").to_owned()
            }
            path if path.starts_with("/listings/{id}") => self.listing("active").await?,
            path if path.starts_with("/listings/{draft}") => self.listing("draft").await?,
            _ => String::new(),
        };
        let mut path = row.path.replace("{agent}", &self.owner().profile_id);
        path = path.replace("{provider}", "relay").replace("{review_id}", &self.owner().profile_id);
        for name in ["{id}", "{draft}", "{listing_id}"] {
            path = path.replace(name, &id);
        }
        let body = match row.route().as_str() {
            "PATCH /api/v1/me" => json!({ "description": "Described." }),
            "POST /api/v1/api-keys" => json!({ "name": format!("key {}", unique_name()) }),
            "PATCH /api/v1/listings/{id}" => json!({ "description": "Described." }),
            "PUT /api/v1/listings/{id}/endpoint" => json!({ "timeout_ms": 2_000 }),
            "POST /api/v1/gateway/{listing_id}" => json!({ "n": unique_name() }),
            _ => json!({}),
        };
        let has_body = !matches!(row.method, Method::GET | Method::DELETE);
        let request = self.signed(self.world.client.site(row.method.clone(), &path), row, caller).await?;
        Ok(if has_body { request.json(&body) } else { request })
    }

    async fn signed(&self, request: Request, row: &Row, caller: Caller) -> Result<Request, Failure> {
        let by_cookie = async |person: &Person, request: Request| {
            // Who logs out must not leave the next row without a session.
            let fresh = if row.route() == "DELETE /api/v1/session" { &person.log_in().await? } else { person };
            Ok(request.header("cookie", &fresh.cookie).header("sec-fetch-site", "same-origin"))
        };
        match caller {
            Caller::Nobody => Ok(request),
            Caller::BadKey => Ok(request.key(&self.unknown)),
            Caller::RevokedKey => Ok(request.key(&self.revoked)),
            Caller::ReadOnlyKey => Ok(request.key(&self.read_only.api_key)),
            Caller::OtherAgent => Ok(request.key(&self.other.api_key)),
            Caller::Owner => Ok(request.key(&self.owner().api_key)),
            Caller::Session => by_cookie(&self.ada, request).await,
            Caller::OtherSession => by_cookie(&self.eve, request).await,
        }
    }
}

/// The table's mark for a reply, or the reply itself if there is no mark for it.
fn mark(reply: &Reply) -> String {
    let mark = match (reply.status, reply.code()) {
        (200..300, _) => "ok",
        (400, "INVALID_REQUEST") => "request",
        (401, "UNAUTHORIZED") => "key",
        (401, "INVALID_API_KEY") => "bad",
        (401, "SESSION_REQUIRED") => "login",
        (401, "WEBHOOK_REFUSED") => "sign",
        (402, "PAYMENT_REQUIRED") => "pay",
        (403, "INSUFFICIENT_SCOPE") => "scope",
        (403, "NOT_LISTING_OWNER") => "owner",
        (403, "NOT_OPERATOR") => "operator",
        (403, "CALL_ROLE_REQUIRED") => "party",
        (404, code) if code != "NOT_FOUND" => "none",
        (409, "LAST_PASSKEY") => "last",
        (409, "CALL_NOT_CLOSABLE") => "final",
        (status, code) => return format!("{status} {code}"),
    };
    mark.to_owned()
}

async fn documented(client: &Client) -> Result<BTreeSet<String>, Failure> {
    let document = client.get("/openapi.json").send().await?.json;
    let paths = document["paths"].as_object().ok_or_else(|| Failure::new("the document has no paths"))?;
    let methods = |operations: &Value| operations.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    Ok(paths
        .iter()
        .flat_map(|(path, operations)| methods(operations).into_iter().map(move |m| format!("{} {path}", m.to_uppercase())))
        .collect())
}

#[test]
fn every_route_answers_every_kind_of_caller_as_the_table_says() -> Outcome {
    shared(async |world| {
        let rows = rows();
        let routes: BTreeSet<String> = rows.iter().map(Row::route).collect();
        assert_eq!(documented(&world.client).await?, routes, "the table and the OpenAPI document have different routes");

        let mut stage = Stage::set(world).await?;
        let mut wrong = Vec::new();
        let mut asked = 0;
        for row in &rows {
            stage.keep_sessions_recent().await?;
            assert_eq!(row.marks.len(), CALLERS.len(), "{} has a mark for each caller", row.path);
            for (caller, expected) in CALLERS.into_iter().zip(&row.marks) {
                let reply = stage.request(row, caller).await?.send().await?;
                asked += 1;
                let answered = mark(&reply);
                if answered != *expected {
                    wrong.push(format!("{} {} as {caller:?}: {answered}, not {expected}", row.method, row.path));
                }
            }
        }
        println!("{} routes in {} rows, {asked} requests", routes.len(), rows.len());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    })
}
