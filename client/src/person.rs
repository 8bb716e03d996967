//! What a person does: sign up, log in, add a passkey. The browser keeps one cookie.

use std::fmt;

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::error::UnexpectedReply;
use crate::passkey::{Passkey, Tampering};
use crate::reply::Reply;
use crate::request::Request;

/// A logged-in person.
#[derive(Clone)]
pub struct Person {
    /// The client that they speak through.
    pub client: Client,
    /// The passkey from signing up.
    pub passkey: Passkey,
    /// The profile's id.
    pub profile_id: String,
    /// The session's cookie, `name=value`.
    pub cookie: String,
    /// The recovery codes from signing up.
    pub recovery_codes: Vec<String>,
    /// The origin of the site.
    pub origin: String,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("profile_id", &self.profile_id).finish_non_exhaustive()
    }
}

/// A started WebAuthn ceremony.
#[derive(Debug, Clone)]
pub struct Ceremony {
    /// Its id, sent back to finish it.
    pub id: String,
    /// The options for the browser.
    pub public_key: Value,
}

impl Ceremony {
    /// Reads the ceremony from the reply of a start route.
    ///
    /// # Errors
    /// If it did not reply 200.
    pub fn of(reply: &Reply) -> Result<Self, UnexpectedReply> {
        let data = reply.expect(200)?;
        Ok(Self { id: reply.text_at("/data/ceremony_id")?, public_key: data["public_key"].clone() })
    }

    /// The body that finishes the ceremony with this credential.
    #[must_use]
    pub fn finish(&self, credential: &Value) -> Value {
        json!({ "ceremony_id": self.id, "credential": credential })
    }
}

impl Client {
    /// The origin of the site: scheme, host and port. It is read from the links in an error.
    pub async fn origin(&self) -> Result<String, UnexpectedReply> {
        let reply = self.get("/session").send().await?;
        let url = reply.text_at("/error/recovery/docs_url")?;
        Ok(url.split_once("/docs/").map_or(url.as_str(), |(origin, _)| origin).to_owned())
    }

    /// A request as sent by a page of the site.
    #[must_use]
    pub fn from_page(&self, method: Method, path: &str) -> Request {
        self.request(method, path).header("sec-fetch-site", "same-origin")
    }

    /// Starts signing up.
    ///
    /// # Errors
    /// If the service does not reply 200.
    pub async fn begin_sign_up(&self, display_name: &str) -> Result<Ceremony, UnexpectedReply> {
        let body = json!({ "display_name": display_name });
        Ceremony::of(&self.from_page(Method::POST, "/auth/passkey/register/start").json(&body).send().await?)
    }

    /// Starts logging in.
    ///
    /// # Errors
    /// If the service does not reply 200.
    pub async fn begin_log_in(&self) -> Result<Ceremony, UnexpectedReply> {
        Ceremony::of(&self.from_page(Method::POST, "/auth/passkey/login/start").json(&json!({})).send().await?)
    }

    /// Logs in with a passkey. Returns any reply.
    pub async fn try_log_in(&self, passkey: &Passkey, origin: &str, tampering: &Tampering) -> Result<Reply, UnexpectedReply> {
        let ceremony = self.begin_log_in().await?;
        let body = ceremony.finish(&passkey.get(&ceremony.public_key, origin, tampering)?);
        self.from_page(Method::POST, "/auth/passkey/login/finish").json(&body).send().await
    }
}

impl Person {
    /// Signs up under a name with a new passkey.
    ///
    /// # Errors
    /// If the service replies otherwise.
    pub async fn sign_up(client: &Client, display_name: &str) -> Result<Self, UnexpectedReply> {
        let origin = client.origin().await?;
        let ceremony = client.begin_sign_up(display_name).await?;
        let (passkey, credential) = Passkey::create(&ceremony.public_key, &origin, &Tampering::default())?;
        let finish = client.from_page(Method::POST, "/auth/passkey/register/finish").json(&ceremony.finish(&credential));
        Self::signed_up(client, passkey, origin, &finish.send().await?)
    }

    /// Reads the new person from the reply that finishes signing up.
    ///
    /// # Errors
    /// If it did not reply 201 with a cookie.
    pub fn signed_up(client: &Client, passkey: Passkey, origin: String, reply: &Reply) -> Result<Self, UnexpectedReply> {
        let data = reply.expect(201)?;
        let codes = data["recovery_codes"].as_array().cloned().unwrap_or_default();
        Ok(Self {
            client: client.clone(),
            passkey,
            profile_id: reply.text_at("/data/profile/id")?,
            cookie: cookie(reply)?,
            recovery_codes: codes.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            origin,
        })
    }

    /// The same person in another browser: logs in again and gets a separate session.
    ///
    /// # Errors
    /// If the service does not reply 200.
    pub async fn log_in(&self) -> Result<Self, UnexpectedReply> {
        self.log_in_with(&self.passkey).await
    }

    /// Same as [`Person::log_in`], with another passkey of the same person.
    ///
    /// # Errors
    /// If the service does not reply 200.
    pub async fn log_in_with(&self, passkey: &Passkey) -> Result<Self, UnexpectedReply> {
        let reply = self.client.try_log_in(passkey, &self.origin, &Tampering::default()).await?;
        reply.expect(200)?;
        Ok(Self { cookie: cookie(&reply)?, ..self.clone() })
    }

    /// Uses the passkey again in this session.
    ///
    /// # Errors
    /// If the service does not reply 200.
    pub async fn reauthenticate(&self) -> Result<(), UnexpectedReply> {
        self.try_reauthenticate(&self.passkey).await?.expect(200)?;
        Ok(())
    }

    /// As [`Person::reauthenticate`], with any passkey. Returns any reply.
    ///
    /// # Errors
    /// If the ceremony does not start.
    pub async fn try_reauthenticate(&self, passkey: &Passkey) -> Result<Reply, UnexpectedReply> {
        let ceremony = Ceremony::of(&self.post("/auth/passkey/reauthenticate/start").json(&json!({})).send().await?)?;
        let body = ceremony.finish(&passkey.get(&ceremony.public_key, &self.origin, &Tampering::default())?);
        self.post("/auth/passkey/reauthenticate/finish").json(&body).send().await
    }

    /// Adds a passkey. Also returns its id in the list of passkeys.
    ///
    /// # Errors
    /// If the service replies otherwise.
    pub async fn add_passkey(&self, name: &str) -> Result<(Passkey, String), UnexpectedReply> {
        let ceremony = Ceremony::of(&self.post("/auth/passkey/register/start").json(&json!({})).send().await?)?;
        let (passkey, credential) = Passkey::create(&ceremony.public_key, &self.origin, &Tampering::default())?;
        let mut body = ceremony.finish(&credential);
        body["name"] = name.into();
        let reply = self.post("/auth/passkey/register/finish").json(&body).send().await?;
        reply.expect(201)?;
        Ok((passkey, reply.text_at("/data/passkey/id")?))
    }

    /// A request from a page of the site, with the session's cookie; paths as in [`Client::request`].
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> Request {
        self.client.from_page(method, path).header("cookie", &self.cookie)
    }

    /// `GET` with the session's cookie.
    #[must_use]
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// `POST` with the session's cookie.
    #[must_use]
    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// `PUT` with the session's cookie.
    #[must_use]
    pub fn put(&self, path: &str) -> Request {
        self.request(Method::PUT, path)
    }

    /// `PATCH` with the session's cookie.
    #[must_use]
    pub fn patch(&self, path: &str) -> Request {
        self.request(Method::PATCH, path)
    }

    /// `DELETE` with the session's cookie.
    #[must_use]
    pub fn delete(&self, path: &str) -> Request {
        self.request(Method::DELETE, path)
    }
}

/// The cookie that a reply sets, as `name=value`.
fn cookie(reply: &Reply) -> Result<String, UnexpectedReply> {
    let set = reply.header("set-cookie");
    match set.split(';').next() {
        Some(pair) if pair.contains('=') => Ok(pair.to_owned()),
        _ => Err(UnexpectedReply("a reply that logs in sets no cookie".into())),
    }
}
