//! Who acts in the table of wrong moves, and what the right requests are.

use crochet_client::{Agent, Listing, Pow, Wallet};
use http::Method;
use serde_json::{Value, json};

use super::attempt::Attempt;
use crate::failure::Failure;
use crate::names::unique_name;
use crate::world::World;

/// Agents and listings that every move can use.
pub(super) struct Actors<'w> {
    pub(super) world: &'w World,
    /// Sells, and buys.
    pub(super) seller: Agent,
    pub(super) buyer: Agent,
    pub(super) paid: Listing,
    pub(super) free: Listing,
}

/// What is wanted: a right request, and whose it is.
pub(super) struct Wish {
    pub(super) right: Attempt,
    /// The agent whose key the request needs.
    pub(super) agent: Agent,
    /// The id in the path.
    pub(super) id: String,
}

const BODY: &str = "input";

impl<'w> Actors<'w> {
    pub(super) async fn gather(world: &'w World) -> Result<Self, Failure> {
        let path = world.echo_path();
        let schema = json!({ "type": "object", "properties": { BODY: { "type": "string" } }, "required": [BODY] });
        let mut fields = world.paid_fields(&json!(1), &path);
        fields["input_schema"] = schema;
        let market = world.market_with(&fields, &path).await?;
        let free_path = world.echo_path();
        let free = market.seller.create_listing(&world.free_fields(&free_path)).await?;
        world.seller.add_secret(&free.signing_secret, &free_path).await?;
        Ok(Self { world, seller: market.seller, buyer: market.buyer, paid: market.listing, free })
    }

    /// A new right request for an operation. Challenges are new, and their work is done.
    pub(super) async fn wish(&self, operation: &str) -> Result<Wish, Failure> {
        let (get, post) = (Method::GET, Method::POST);
        let (buyer, seller) = (&self.buyer, &self.seller);
        let paid = self.paid.id.as_str();
        let of = |agent: &Agent, right: Attempt, id: &str| Wish {
            right: right.key(&agent.api_key),
            agent: agent.clone(),
            id: id.to_owned(),
        };
        let public = |right: Attempt, id: &str| Wish { right, agent: buyer.clone(), id: id.to_owned() };
        Ok(match operation {
            "health" => public(Attempt::new(get, "/health"), ""),
            "index" => public(Attempt::new(get, ""), ""),
            "openapi" => public(Attempt::new(get, "/openapi.json"), ""),
            "reference" => {
                let mut right = Attempt::new(get, "");
                right.path = "/docs/api-reference.txt".into();
                public(right, "")
            }
            "categories" => public(Attempt::new(get, "/categories"), ""),
            "browse" => public(Attempt::new(get, "/listings").query("q", "service").query("limit", "5"), ""),
            "own" => of(buyer, Attempt::new(get, "/listings").query("seller", "me"), ""),
            "read" => public(Attempt::new(get, &format!("/listings/{paid}")), paid),
            "agent" => public(Attempt::new(get, &format!("/agents/{}", seller.profile_id)), &seller.profile_id),
            "challenge" => {
                let wallet = Wallet::solana();
                public(Attempt::new(post, "/auth/challenge").json(json!({ "wallet_address": wallet.address() })), "")
            }
            "challenge_link" => {
                let fields = json!({
                    "wallet_address": buyer.wallet.address(), "purpose": "link_wallet", "profile_id": buyer.profile_id,
                    "new_wallet_address": Wallet::evm().address(),
                });
                public(Attempt::new(post, "/auth/challenge").json(fields), "")
            }
            "register" => self.register(&Wallet::solana()).await?,
            "register_evm" => self.register(&Wallet::evm()).await?,
            "recover" => {
                let proof = self.world.client.proof(&buyer.wallet, "recover", &Value::Null).await?;
                public(Attempt::new(post, "/auth/recover").json(proof), "")
            }
            "me" => of(buyer, Attempt::new(get, "/me"), ""),
            "change_me" => of(buyer, Attempt::new(Method::PATCH, "/me").json(json!({ "description": unique_name() })), ""),
            "create_key" => {
                let agent = self.world.agent().await?;
                let fields = json!({ "name": "second", "scopes": ["read"], "expires_at": "2027-11-01T00:00:00Z" });
                of(&agent, Attempt::new(post, "/api-keys").json(fields), "")
            }
            "keys" => of(buyer, Attempt::new(get, "/api-keys"), ""),
            "revoke_key" => {
                let agent = self.world.agent().await?;
                let made = agent.create_key(&json!({ "name": "revoked" })).await?;
                let id = made.issued["key"]["id"].as_str().unwrap_or_default().to_owned();
                of(&agent, Attempt::new(Method::DELETE, &format!("/api-keys/{id}")), &id)
            }
            "report_leak" => {
                let leaked = self.world.agent().await?.api_key;
                public(Attempt::new(post, "/api-keys/report-leak").json(json!({ "api_key": leaked })), "")
            }
            "wallets" => of(buyer, Attempt::new(get, "/me/wallets"), ""),
            "wallet" => {
                let id = wallet_id(buyer);
                of(buyer, Attempt::new(get, &format!("/me/wallets/{id}")), &id)
            }
            "link" => {
                let agent = self.world.agent().await?;
                let body = agent.link_request(&Wallet::evm()).await?;
                of(&agent, Attempt::new(post, "/me/wallets").json(body), "")
            }
            "change_wallet" => {
                let id = wallet_id(buyer);
                let body = buyer.change_request(&buyer.wallet, &id, &json!({ "default_for": ["payment", "payout"] })).await?;
                of(buyer, Attempt::new(Method::PATCH, &format!("/me/wallets/{id}")).json(body), &id)
            }
            "listing_challenge" => of(seller, Attempt::new(post, "/listings/challenge"), ""),
            "create" => self.create(seller.clone()).await?,
            "create_as_other" => self.create(self.world.agent().await?).await?,
            "change" => {
                let fields = json!({ "description": "Does what it is told, well.", "tags": ["a", "b"] });
                of(seller, Attempt::new(Method::PATCH, &format!("/listings/{paid}")).json(fields), paid)
            }
            "change_own" => {
                let id = seller.create_listing(&self.world.free_fields("/echo")).await?.id;
                of(seller, Attempt::new(Method::PATCH, &format!("/listings/{id}")).json(json!({ "tags": ["a"] })), &id)
            }
            "delete" => {
                let id = seller.create_listing(&self.world.free_fields("/echo")).await?.id;
                of(seller, Attempt::new(Method::DELETE, &format!("/listings/{id}")), &id)
            }
            "endpoint" => of(seller, Attempt::new(get, &format!("/listings/{paid}/endpoint")), paid),
            "change_endpoint" => {
                let fields = json!({ "timeout_ms": 12_000, "max_response_bytes": 200_000 });
                of(seller, Attempt::new(Method::PUT, &format!("/listings/{paid}/endpoint")).json(fields), paid)
            }
            "test_endpoint" => of(seller, Attempt::new(post, &format!("/listings/{paid}/endpoint/test")), paid),
            "rotate" => {
                let id = seller.create_listing(&self.world.free_fields("/echo")).await?.id;
                let fields = json!({ "overlap_seconds": 60 });
                of(seller, Attempt::new(post, &format!("/listings/{id}/endpoint/rotate-secret")).json(fields), &id)
            }
            "call" => of(buyer, Attempt::new(post, &format!("/gateway/{paid}")).json(json!({ BODY: unique_name() })), paid),
            "call_free" => {
                let id = self.free.id.as_str();
                of(buyer, Attempt::new(post, &format!("/gateway/{id}")).json(json!({ BODY: unique_name() })), id)
            }
            "requests" => of(buyer, Attempt::new(get, "/gateway-requests").query("limit", "5"), ""),
            "ledger" => of(
                buyer,
                Attempt::new(get, "/ledger").query("from", "2026-01-01T00:00:00Z").query("to", "2026-12-01T00:00:00Z"),
                "",
            ),
            other => return Err(Failure::new(format!("there is no operation {other}"))),
        })
    }

    async fn register(&self, wallet: &Wallet) -> Result<Wish, Failure> {
        let mut body = self.world.client.proof(wallet, "register", &Value::Null).await?;
        body["display_name"] = format!("Agent {}", unique_name()).into();
        body["role"] = "both".into();
        let right = Attempt::new(Method::POST, "/register").json(body);
        Ok(Wish { right, agent: self.buyer.clone(), id: String::new() })
    }

    pub(super) async fn create(&self, agent: Agent) -> Result<Wish, Failure> {
        let challenge = agent.post("/listings/challenge").send().await?.expect(200)?;
        let pow = Pow::read(&challenge["pow"])?;
        let mut body = self.world.paid_fields(&json!(0.25), "/echo");
        body["category"] = "other".into();
        body["tags"] = json!(["test"]);
        body["pow_challenge"] = pow.challenge.as_str().into();
        body["pow_nonce"] = pow.solve().into();
        let right = Attempt::new(Method::POST, "/listings").json(body).key(&agent.api_key);
        Ok(Wish { right, agent, id: String::new() })
    }
}

fn wallet_id(agent: &Agent) -> String {
    agent.issued["wallets"][0]["id"].as_str().unwrap_or_default().to_owned()
}
