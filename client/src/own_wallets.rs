//! The steps of agents that have, or want, several wallets.

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::error::UnexpectedReply;
use crate::reply::Reply;
use crate::wallet::Wallet;

impl Agent {
    /// What `POST /me/wallets` asks for: a proof by this agent's own wallet and one by the new wallet.
    ///
    /// # Errors
    /// Where a challenge is not given.
    pub async fn link_request(&self, new: &Wallet) -> Result<Value, UnexpectedReply> {
        self.link_request_by(&self.wallet, new).await
    }

    /// As [`Agent::link_request`], with the proof of the profile by another of its wallets.
    ///
    /// # Errors
    /// As there.
    pub async fn link_request_by(&self, existing: &Wallet, new: &Wallet) -> Result<Value, UnexpectedReply> {
        let fields = json!({ "profile_id": self.profile_id, "new_wallet_address": new.address() });
        Ok(json!({
            "existing_wallet": self.client.proof(existing, "link_wallet", &fields).await?,
            "new_wallet": self.client.proof(new, "link_wallet", &fields).await?,
        }))
    }

    /// Asks for another wallet to be linked to this agent's profile; the answer may be anything.
    ///
    /// # Errors
    /// Where a challenge is not given, or no answer comes.
    pub async fn try_link_wallet(&self, new: &Wallet) -> Result<Reply, UnexpectedReply> {
        self.post("/me/wallets").json(&self.link_request(new).await?).send().await
    }

    /// Links another wallet to this agent's profile; both sign. Gives `{wallet}`.
    ///
    /// # Errors
    /// Where the service does not answer 201.
    pub async fn link_wallet(&self, new: &Wallet) -> Result<Value, UnexpectedReply> {
        self.try_link_wallet(new).await?.expect(201)
    }

    /// As [`Agent::link_wallet`], with these capabilities only.
    ///
    /// # Errors
    /// As there.
    pub async fn link_wallet_for(&self, new: &Wallet, capabilities: &[&str]) -> Result<Value, UnexpectedReply> {
        let mut body = self.link_request(new).await?;
        body["capabilities"] = json!(capabilities);
        self.post("/me/wallets").json(&body).send().await?.expect(201)
    }

    /// What `PATCH /me/wallets/:id` asks for: the change (`{status?, capabilities?, default_for?}`) and `signer`'s proof.
    ///
    /// # Errors
    /// Where a challenge is not given.
    pub async fn change_request(&self, signer: &Wallet, wallet_id: &str, change: &Value) -> Result<Value, UnexpectedReply> {
        let fields = json!({ "profile_id": self.profile_id, "wallet_id": wallet_id, "change": change });
        let mut body = change.clone();
        body["proof"] = self.client.proof(signer, "update_wallet", &fields).await?;
        Ok(body)
    }

    /// Asks for a linked wallet to be changed, with `signer`'s proof; the answer may be anything.
    ///
    /// # Errors
    /// Where a challenge is not given, or no answer comes.
    pub async fn try_update_wallet(&self, signer: &Wallet, wallet_id: &str, change: &Value) -> Result<Reply, UnexpectedReply> {
        let body = self.change_request(signer, wallet_id, change).await?;
        self.patch(&format!("/me/wallets/{wallet_id}")).json(&body).send().await
    }

    /// Changes a linked wallet with a proof by this agent's own wallet. Gives `{wallet}`.
    ///
    /// # Errors
    /// Where the service does not answer 200.
    pub async fn update_wallet(&self, wallet_id: &str, change: &Value) -> Result<Value, UnexpectedReply> {
        self.try_update_wallet(&self.wallet, wallet_id, change).await?.expect(200)
    }

    /// This agent's wallets, oldest first.
    ///
    /// # Errors
    /// Where the service does not answer 200.
    pub async fn wallets(&self) -> Result<Vec<Value>, UnexpectedReply> {
        let data = self.get("/me/wallets").send().await?.expect(200)?;
        data["wallets"].as_array().cloned().ok_or_else(|| UnexpectedReply("GET /me/wallets answered without a list".into()))
    }

    /// This agent's wallet with that address.
    ///
    /// # Errors
    /// Where it has none.
    pub async fn wallet_at(&self, address: &str) -> Result<Value, UnexpectedReply> {
        let found = self.wallets().await?.into_iter().find(|wallet| wallet["address"] == address);
        found.ok_or_else(|| UnexpectedReply(format!("this agent has no wallet {address}")))
    }
}
