//! Agents with several wallets.

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::error::UnexpectedReply;
use crate::reply::Reply;
use crate::wallet::Wallet;

impl Agent {
    /// The body of `POST /me/wallets`: a proof by this agent's wallet and one by the new wallet.
    ///
    /// # Errors
    /// If the service issues no challenge.
    pub async fn link_request(&self, new: &Wallet) -> Result<Value, UnexpectedReply> {
        self.link_request_by(&self.wallet, new).await
    }

    /// Same as [`Agent::link_request`], but another wallet of the profile signs.
    pub async fn link_request_by(&self, existing: &Wallet, new: &Wallet) -> Result<Value, UnexpectedReply> {
        let fields = json!({ "profile_id": self.profile_id, "new_wallet_address": new.address() });
        Ok(json!({
            "existing_wallet": self.client.proof(existing, "link_wallet", &fields).await?,
            "new_wallet": self.client.proof(new, "link_wallet", &fields).await?,
        }))
    }

    /// Requests that another wallet is linked to this agent's profile. Returns any reply.
    ///
    /// # Errors
    /// If the service issues no challenge or does not reply.
    pub async fn try_link_wallet(&self, new: &Wallet) -> Result<Reply, UnexpectedReply> {
        self.post("/me/wallets").json(&self.link_request(new).await?).send().await
    }

    /// Links another wallet to this agent's profile. Both wallets sign. Returns `{wallet}`.
    ///
    /// # Errors
    /// If the service does not reply 201.
    pub async fn link_wallet(&self, new: &Wallet) -> Result<Value, UnexpectedReply> {
        self.try_link_wallet(new).await?.expect(201)
    }

    /// Same as [`Agent::link_wallet`], with these capabilities only.
    pub async fn link_wallet_for(&self, new: &Wallet, capabilities: &[&str]) -> Result<Value, UnexpectedReply> {
        let mut body = self.link_request(new).await?;
        body["capabilities"] = json!(capabilities);
        self.post("/me/wallets").json(&body).send().await?.expect(201)
    }

    /// The body of `PATCH /me/wallets/:id`: the change (`{status?, capabilities?, default_for?}`) and `signer`'s proof.
    ///
    /// # Errors
    /// If the service issues no challenge.
    pub async fn change_request(&self, signer: &Wallet, wallet_id: &str, change: &Value) -> Result<Value, UnexpectedReply> {
        let fields = json!({ "profile_id": self.profile_id, "wallet_id": wallet_id, "change": change });
        let mut body = change.clone();
        body["proof"] = self.client.proof(signer, "update_wallet", &fields).await?;
        Ok(body)
    }

    /// Requests a change of a linked wallet with `signer`'s proof. Returns any reply.
    ///
    /// # Errors
    /// If the service issues no challenge or does not reply.
    pub async fn try_update_wallet(&self, signer: &Wallet, wallet_id: &str, change: &Value) -> Result<Reply, UnexpectedReply> {
        let body = self.change_request(signer, wallet_id, change).await?;
        self.patch(&format!("/me/wallets/{wallet_id}")).json(&body).send().await
    }

    /// Changes a linked wallet. This agent's wallet signs. Returns `{wallet}`.
    ///
    /// # Errors
    /// If the service does not reply 200.
    pub async fn update_wallet(&self, wallet_id: &str, change: &Value) -> Result<Value, UnexpectedReply> {
        self.try_update_wallet(&self.wallet, wallet_id, change).await?.expect(200)
    }

    /// This agent's wallets, oldest first.
    ///
    /// # Errors
    /// If the service does not reply 200.
    pub async fn wallets(&self) -> Result<Vec<Value>, UnexpectedReply> {
        let data = self.get("/me/wallets").send().await?.expect(200)?;
        data["wallets"].as_array().cloned().ok_or_else(|| UnexpectedReply("GET /me/wallets returned no list".into()))
    }

    /// This agent's wallet with that address.
    ///
    /// # Errors
    /// If it has none.
    pub async fn wallet_at(&self, address: &str) -> Result<Value, UnexpectedReply> {
        let found = self.wallets().await?.into_iter().find(|wallet| wallet["address"] == address);
        found.ok_or_else(|| UnexpectedReply(format!("this agent has no wallet {address}")))
    }
}
