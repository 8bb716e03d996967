//! Endpoint secrets, changed behind the service's back: what a call finds may have been stored by other rules.

use http::Method;
use serde_json::{Value, json};

use crate::expect::text;
use crate::failure::Failure;
use crate::market::Market;
use crate::world::World;

impl World {
    /// What Secrets Manager answers; null where there is no such secret.
    async fn vault(&self, operation: &str, body: &Value) -> Result<Value, Failure> {
        let url = self.secrets_url().ok_or_else(|| Failure::new("the secrets of this stack cannot be reached"))?;
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
            return Err(Failure::new(format!("Secrets Manager did not do {operation}: {}", reply.text())));
        }
        Ok(reply.json)
    }

    /// Whether Secrets Manager holds a secret of this listing.
    ///
    /// # Errors
    /// Where secrets cannot be reached.
    pub async fn keeps_secret_of(&self, listing: &str) -> Result<bool, Failure> {
        let told = self.vault("DescribeSecret", &json!({ "SecretId": format!("crochet/listing/{listing}") })).await?;
        Ok(!told.is_null())
    }

    /// Deletes a listing's secret behind the service's back.
    ///
    /// # Errors
    /// Where secrets cannot be reached.
    pub async fn lose_secret_of(&self, listing: &str) -> Result<(), Failure> {
        let order = json!({ "SecretId": format!("crochet/listing/{listing}"), "ForceDeleteWithoutRecovery": true });
        self.vault("DeleteSecret", &order).await.map(drop)
    }
}

impl Market<'_> {
    /// Puts a URL into the endpoint's stored secret as it is, unread by any rule, and pins that version.
    ///
    /// # Errors
    /// Where secrets or table cannot be reached.
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
