//! Endpoint secrets, changed directly in Secrets Manager.

use std::collections::BTreeSet;

use crochet_local::SecretsSwept;
use http::Method;
use serde_json::{Value, json};

use crate::expect::{list, text};
use crate::failure::Failure;
use crate::market::Market;
use crate::world::World;

impl World {
    /// Sends an operation to Secrets Manager. Returns null if there is no such secret.
    async fn vault(&self, operation: &str, body: &Value) -> Result<Value, Failure> {
        let url = self.secrets_url().ok_or_else(|| Failure::new("this stack's Secrets Manager is unreachable"))?;
        let request = self.client.request(Method::POST, &format!("{}/", url.trim_end_matches('/')));
        let reply = request
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", &format!("secretsmanager.{operation}"))
            .raw_body(body.to_string())
            .send()
            .await?;
        if reply.text().contains("ResourceNotFoundException") {
            return Ok(Value::Null);
        }
        if reply.status != 200 {
            return Err(Failure::new(format!("Secrets Manager refused {operation}: {}", reply.text())));
        }
        Ok(reply.json)
    }

    /// Puts the URL of an EVM node into the operator's secret.
    pub async fn set_node(&self, url: &str) -> Result<(), Failure> {
        let value = json!({ "evm_rpc_url": url }).to_string();
        let put = json!({ "SecretId": "crochet/node", "ClientRequestToken": hex::encode([7; 16]), "SecretString": value });
        self.vault("PutSecretValue", &put).await.map(drop)
    }

    /// Replaces the keyring by another one, which lacks every key of before.
    pub async fn lose_keyring(&self) -> Result<(), Failure> {
        let seed = json!({ "seed": hex::encode([8; 32]) }).to_string();
        let put = json!({ "SecretId": "crochet/keyring", "ClientRequestToken": hex::encode([8; 16]), "SecretString": seed });
        self.vault("PutSecretValue", &put).await.map(drop)
    }

    /// Makes the keyring unreadable, or readable again with the same key.
    pub async fn spoil_keyring(&self, is_spoilt: bool) -> Result<(), Failure> {
        let id = "crochet/keyring";
        let kept = self.vault("GetSecretValue", &json!({ "SecretId": id })).await?;
        let text = text(&kept, "SecretString");
        let text = if is_spoilt { format!("spoilt {text}") } else { text.trim_start_matches("spoilt ").to_owned() };
        let put = json!({ "SecretId": id, "ClientRequestToken": hex::encode([9 + u8::from(is_spoilt); 16]), "SecretString": text });
        self.vault("PutSecretValue", &put).await.map(drop)
    }

    /// Whether Secrets Manager holds a secret of this listing.
    pub async fn keeps_secret_of(&self, listing: &str) -> Result<bool, Failure> {
        let told = self.vault("DescribeSecret", &json!({ "SecretId": format!("crochet/listing/{listing}") })).await?;
        Ok(!told.is_null())
    }

    /// Deletes a listing's secret.
    pub async fn lose_secret_of(&self, listing: &str) -> Result<(), Failure> {
        let order = json!({ "SecretId": format!("crochet/listing/{listing}"), "ForceDeleteWithoutRecovery": true });
        self.vault("DeleteSecret", &order).await.map(drop)
    }
}

/// Secrets that nobody names.
impl World {
    /// Sweeps the endpoint secrets once. Only on a stack in this process.
    pub async fn sweep_secrets(&self) -> Result<SecretsSwept, Failure> {
        self.stack()?.sweep_secrets().await.map_err(Failure::new)
    }

    /// Creates a secret under this name, as this stack describes those of its endpoints.
    pub async fn leave_secret(&self, name: &str) -> Result<(), Failure> {
        let env = self.stack()?.env();
        let table = env.iter().find(|(name, _)| name == "CROCHET_TABLE").map(|(_, table)| table.as_str()).unwrap_or_default();
        self.leave_secret_described(name, &format!("Endpoint of a listing in the table {table}")).await
    }

    /// Creates a secret under this name, with this description.
    pub async fn leave_secret_described(&self, name: &str, description: &str) -> Result<(), Failure> {
        let create = json!({ "Name": name, "Description": description, "SecretString": "{}" });
        self.vault("CreateSecret", &create).await.map(drop)
    }

    /// The names of all secrets but the stack's own.
    pub async fn secrets(&self) -> Result<BTreeSet<String>, Failure> {
        let mut names = BTreeSet::new();
        let mut request = json!({ "MaxResults": 100 });
        loop {
            let page = self.vault("ListSecrets", &request).await?;
            names.extend(list(&page, "SecretList").iter().map(|secret| text(secret, "Name").to_owned()));
            if page["NextToken"].is_null() {
                names.retain(|name| {
                    !["provider", "keys", "keyring", "node", "receipts"].contains(&name.trim_start_matches("crochet/"))
                });
                return Ok(names);
            }
            request["NextToken"] = page["NextToken"].clone();
        }
    }
}

impl Market<'_> {
    /// Gives this listing's endpoint the sealed secret of another's, in the table.
    pub async fn steal_sealed(&self, other: &Market<'_>) -> Result<(), Failure> {
        let key = json!({ "PK": { "S": format!("LISTING#{}", other.listing.id) }, "SK": { "S": "LISTING" } });
        let item = self.world.table_of_books()?.item(&key).await?.ok_or_else(|| Failure::new("no such listing"))?;
        let endpoint = &item["endpoint"]["M"];
        let stolen = ["sealed", "secret_version"].map(|name| (name, endpoint[name].clone()));
        self.set_endpoint(&stolen).await
    }

    /// Stores a URL in the endpoint's secret without any check, and pins that version.
    pub async fn store_url(&self, url: &str) -> Result<(), Failure> {
        let name = format!("crochet/listing/{}", self.listing.id);
        let kept = self.world.vault("GetSecretValue", &json!({ "SecretId": name })).await?;
        let mut secret: Value = serde_json::from_str(text(&kept, "SecretString"))?;
        secret["url"] = url.into();
        let mut token = [0; 16];
        getrandom::fill(&mut token).map_err(|e| Failure::new(e.to_string()))?;
        let version = hex::encode(token);
        let put = json!({ "SecretId": name, "ClientRequestToken": version, "SecretString": secret.to_string() });
        self.world.vault("PutSecretValue", &put).await?;
        self.set_endpoint(&[("secret_version", json!({ "S": version }))]).await
    }
}
