//! `crochet-admin`: the operator's commands. It reads the environment of a deployed function, and the operator's AWS credentials.

use std::process::ExitCode;

use crochet::app::App;
use crochet::config::Config;
use crochet_admin::{AuditTrail, Deployment, Input};
use crochet_domain::timestamp::unix_ms;

#[tokio::main]
async fn main() -> ExitCode {
    match crochet_admin::run(std::env::args().skip(1), connect).await {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

async fn connect() -> Result<Deployment, String> {
    let config = Config::from_env().map_err(|problem| problem.to_string())?;
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let group =
        set("CROCHET_AUDIT_LOG").ok_or("CROCHET_AUDIT_LOG must name the log group of the audit trail: the output AuditLogName.")?;
    let app = App::unconnected(config).await;
    app.follow_clock().await;
    let audit = AuditTrail::connect(&group, set("CROCHET_LOGS_ENDPOINT").as_deref(), unix_ms(app.clock.now())).await?;
    Ok(Deployment { app, audit, input: Input::Standard })
}
