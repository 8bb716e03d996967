//! Proofs of wallet ownership: challenge, signature, proof of work.

use serde_json::{Value, json};

use crate::client::Client;
use crate::error::UnexpectedReply;
use crate::pow::Pow;
use crate::wallet::Wallet;

/// A challenge for a wallet to sign.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// The exact text to sign.
    pub message: String,
    /// Identifies the challenge.
    pub nonce: String,
    /// The proof of work, for purposes that require one.
    pub pow: Option<Pow>,
    /// The whole reply's `data`.
    pub data: Value,
}

impl Challenge {
    /// Solves the challenge: `{wallet_address, signature, nonce, pow_nonce?}`.
    #[must_use]
    pub fn answer(&self, wallet: &Wallet) -> Value {
        let mut proof = json!({
            "wallet_address": wallet.address(),
            "signature": wallet.sign(&self.message),
            "nonce": self.nonce,
        });
        if let Some(pow) = &self.pow {
            proof["pow_nonce"] = pow.solve().into();
        }
        proof
    }
}

impl Client {
    /// `POST /auth/challenge`. `fields` are what the purpose requires besides the address, for example
    /// `{"profile_id": …, "new_wallet_address": …}`, or `null`.
    ///
    /// # Errors
    /// If the service issues no challenge.
    pub async fn challenge(&self, address: &str, purpose: &str, fields: &Value) -> Result<Challenge, UnexpectedReply> {
        let mut body = json!({ "wallet_address": address, "purpose": purpose });
        for (name, value) in fields.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let reply = self.post("/auth/challenge").json(&body).send().await?;
        let data = reply.expect(200)?;
        let pow = if data["pow"].is_null() { None } else { Some(Pow::read(&data["pow"])?) };
        Ok(Challenge { message: reply.text_at("/data/message")?, nonce: reply.text_at("/data/nonce")?, pow, data })
    }

    /// Requests a challenge and solves it. Returns a `proof` object.
    pub async fn proof(&self, wallet: &Wallet, purpose: &str, fields: &Value) -> Result<Value, UnexpectedReply> {
        Ok(self.challenge(wallet.address(), purpose, fields).await?.answer(wallet))
    }
}
