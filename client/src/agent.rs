//! What an agent does: register, recover, list and call.

use std::fmt;

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::error::UnexpectedReply;
use crate::pow::Pow;
use crate::reply::Reply;
use crate::request::Request;
use crate::wallet::Wallet;

/// A newly issued key and its profile.
struct Issued {
    api_key: String,
    profile_id: String,
    data: Value,
}

/// An agent: a client with an API key.
#[derive(Clone)]
pub struct Agent {
    /// The client that sends its requests.
    pub client: Client,
    /// Its wallet, which signs proofs.
    pub wallet: Wallet,
    /// `am_k_…`
    pub api_key: String,
    /// The profile's id.
    pub profile_id: String,
    /// The reply that issued the key: `{profile, wallets, key, …}`.
    pub issued: Value,
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("profile_id", &self.profile_id).field("wallet", &self.wallet).finish_non_exhaustive()
    }
}

/// A listing and the secret that signs its calls.
#[derive(Clone)]
pub struct Listing {
    /// UUID.
    pub id: String,
    /// Its name in URLs.
    pub slug: String,
    /// `whsec_…`, shown once. Empty if the listing has no endpoint.
    pub signing_secret: String,
    /// The whole reply's `data`: `{listing, gateway_endpoint, warnings}`.
    pub data: Value,
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing").field("id", &self.id).field("slug", &self.slug).finish_non_exhaustive()
    }
}

impl Client {
    /// Registers a wallet under a name, as buyer and seller.
    ///
    /// # Errors
    /// If the service replies with anything but 201.
    pub async fn register(&self, wallet: &Wallet, display_name: &str) -> Result<Agent, UnexpectedReply> {
        self.register_with(wallet, &json!({ "display_name": display_name })).await
    }

    /// Registers a wallet with the given fields (`display_name`, `role`, `description`, `capabilities`).
    ///
    /// # Errors
    /// If the service replies with anything but 201.
    pub async fn register_with(&self, wallet: &Wallet, fields: &Value) -> Result<Agent, UnexpectedReply> {
        let mut body = self.proof(wallet, "register", &Value::Null).await?;
        for (name, value) in fields.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let reply = self.post("/register").json(&body).send().await?;
        reply.expect(201)?;
        Ok(self.agent(wallet, issued(&reply)?))
    }

    /// Gets a new key for a registered wallet. Existing keys stay valid unless `revoke_existing_keys` is set.
    ///
    /// # Errors
    /// If the service replies with anything but 200.
    pub async fn recover(&self, wallet: &Wallet, revoke_existing_keys: bool) -> Result<Agent, UnexpectedReply> {
        let mut body = self.proof(wallet, "recover", &Value::Null).await?;
        if revoke_existing_keys {
            body["revoke_existing_keys"] = true.into();
        }
        let reply = self.post("/auth/recover").json(&body).send().await?;
        reply.expect(200)?;
        Ok(self.agent(wallet, issued(&reply)?))
    }

    fn agent(&self, wallet: &Wallet, issued: Issued) -> Agent {
        Agent {
            client: self.clone(),
            wallet: wallet.clone(),
            api_key: issued.api_key,
            profile_id: issued.profile_id,
            issued: issued.data,
        }
    }
}

/// Reads the key from a reply that issues one.
fn issued(reply: &Reply) -> Result<Issued, UnexpectedReply> {
    let api_key = reply.text_at("/data/api_key")?;
    let header = reply.text_at("/data/authorization_header")?;
    if header != format!("Bearer {api_key}") {
        return Err(UnexpectedReply("the authorization_header of a new key is not \"Bearer\" and that key".into()));
    }
    Ok(Issued { api_key, profile_id: reply.text_at("/data/profile/id")?, data: reply.data().clone() })
}

impl Agent {
    /// A request with this agent's key; paths as in [`Client::request`].
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> Request {
        self.client.request(method, path).key(&self.api_key)
    }

    /// `GET` with this agent's key.
    #[must_use]
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// `POST` with this agent's key.
    #[must_use]
    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// `PUT` with this agent's key.
    #[must_use]
    pub fn put(&self, path: &str) -> Request {
        self.request(Method::PUT, path)
    }

    /// `PATCH` with this agent's key.
    #[must_use]
    pub fn patch(&self, path: &str) -> Request {
        self.request(Method::PATCH, path)
    }

    /// `DELETE` with this agent's key.
    #[must_use]
    pub fn delete(&self, path: &str) -> Request {
        self.request(Method::DELETE, path)
    }

    /// Creates a key of this profile (`{name, scopes?, expires_at?}`) and returns an agent that uses it.
    ///
    /// # Errors
    /// If the service does not reply 201.
    pub async fn create_key(&self, fields: &Value) -> Result<Self, UnexpectedReply> {
        let reply = self.post("/api-keys").json(fields).send().await?;
        let data = reply.expect(201)?;
        Ok(Self { api_key: reply.text_at("/data/api_key")?, issued: data, ..self.clone() })
    }

    /// Does the proof of work for a new listing and sends `fields` with it. Returns any reply.
    ///
    /// # Errors
    /// If the service issues no challenge or does not reply.
    pub async fn try_create_listing(&self, fields: &Value) -> Result<Reply, UnexpectedReply> {
        let challenge = self.post("/listings/challenge").send().await?;
        let pow = Pow::read(&challenge.expect(200)?["pow"])?;
        let mut body = fields.clone();
        body["pow_challenge"] = pow.challenge.as_str().into();
        body["pow_nonce"] = pow.solve().into();
        self.post("/listings").json(&body).send().await
    }

    /// Creates a listing.
    ///
    /// # Errors
    /// If the service does not reply 201.
    pub async fn create_listing(&self, fields: &Value) -> Result<Listing, UnexpectedReply> {
        let reply = self.try_create_listing(fields).await?;
        let data = reply.expect(201)?;
        Ok(Listing {
            id: reply.text_at("/data/listing/id")?,
            slug: reply.text_at("/data/listing/slug")?,
            signing_secret: data["gateway_endpoint"]["signing_secret"].as_str().unwrap_or_default().to_owned(),
            data,
        })
    }

    /// A call of a listing by id or slug. Add to it with [`Request::currency`], [`Request::paid_with`] and so on.
    #[must_use]
    pub fn call(&self, listing: &str, body: &Value) -> Request {
        self.post(&format!("/gateway/{listing}")).json(body)
    }
}
