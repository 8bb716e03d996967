//! The operator's commands, and their audit trail.

use crochet::telemetry::actions;
use crochet_admin::{AuditTrail, Deployment, Input};
use crochet_domain::timestamp::unix_ms;
use crochet_local::audit_log::AUDIT_LOG;
use serde_json::Value;

use crate::failure::Failure;
use crate::world::World;

impl World {
    /// Carries out a command of `crochet-admin`. Returns what it prints.
    ///
    /// # Errors
    /// The sentence with which the command fails.
    pub async fn admin(&self, line: &str) -> Result<String, Failure> {
        self.admin_with(line, Input::Text("".into())).await
    }

    /// As [`World::admin`], with a secret handed in.
    ///
    /// # Errors
    /// As [`World::admin`].
    pub async fn admin_with(&self, line: &str, input: Input) -> Result<String, Failure> {
        let stack = self.stack()?;
        let connect = async || {
            let app = stack.app().await?;
            let audit = AuditTrail::connect(AUDIT_LOG, Some(stack.secrets_url()), unix_ms(app.clock.now())).await?;
            Ok(Deployment { app, audit, input })
        };
        // Boxed: it is large, and a test's thread has a small stack.
        let work = Box::pin(crochet_admin::run(line.split_whitespace().map(str::to_owned), connect));
        let policy = if line.starts_with("endpoints move") { "SecretMoverPolicy" } else { "OperatorPolicy" };
        actions::of(policy, work).await.map_err(Failure::new)
    }

    /// The same with `--json`.
    ///
    /// # Errors
    /// As [`World::admin`], or if it prints no JSON.
    pub async fn admin_json(&self, line: &str) -> Result<Value, Failure> {
        Ok(serde_json::from_str(&self.admin(&format!("{line} --json")).await?)?)
    }

    /// The stack's day, such as 2026-01-31.
    ///
    /// # Errors
    /// If the stack is not in this process.
    pub fn day(&self) -> Result<String, Failure> {
        Ok(self.stack()?.clock().now().date().to_string())
    }

    /// The lines of the audit trail.
    ///
    /// # Errors
    /// If the stack is not in this process.
    pub fn audited(&self) -> Result<Vec<Value>, Failure> {
        self.stack()?.audit().lines().iter().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }
}
