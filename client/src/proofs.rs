//! Proving that a wallet is one's own: challenge, signature, proof of work.

use serde_json::{Value, json};

use crate::client::Client;
use crate::error::UnexpectedReply;
use crate::pow::Pow;
use crate::wallet::Wallet;

/// What a wallet is asked to sign.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// To be signed as it is.
    pub message: String,
    /// Names the challenge when it is answered.
    pub nonce: String,
    /// The work to be done as well; none for purposes that need none.
    pub pow: Option<Pow>,
    /// The whole reply's `data`.
    pub data: Value,
}

impl Challenge {
    /// The answer to it: `{wallet_address, signature, nonce, pow_nonce?}`.
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
    /// `POST /auth/challenge`. `fields` are those that the purpose needs beside the address, for example
    /// `{"profile_id": …, "new_wallet_address": …}`; `null` for none.
    ///
    /// # Errors
    /// Where the service answers anything but a challenge.
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

    /// A challenge and the answer to it in one: a `proof` object.
    ///
    /// # Errors
    /// As [`Client::challenge`].
    pub async fn proof(&self, wallet: &Wallet, purpose: &str, fields: &Value) -> Result<Value, UnexpectedReply> {
        Ok(self.challenge(wallet.address(), purpose, fields).await?.answer(wallet))
    }
}
