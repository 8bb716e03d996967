//! The operator's commands: money, suspensions, keys, switches and calls. Each is written to the audit trail.

mod access;
mod adjustments;
mod audit;
mod calls;
mod cli;
mod endpoints;
mod erase;
mod export;
mod fees;
mod input;
mod ledger;
mod mismatch;
mod person;
mod reconcile;
mod review;
mod rotate;
mod scores;
mod suspend;
mod switches;
mod table;

pub use audit::AuditTrail;
use cli::{Arguments, Command};
use crochet::app::App;
use crochet_domain::timestamp::unix_ms;
pub use input::Input;

/// What the commands work on.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The table, the clock and the settings.
    pub app: App,
    /// Where every command is written down.
    pub audit: AuditTrail,
    /// Where secrets are handed in.
    pub input: Input,
}

/// Carries out a command line, without the program's name. `connect` connects to the deployment; it is not called for `--help`.
///
/// Returns what to print.
///
/// # Errors
/// One sentence that says what is wrong with the command line, or why the command was not carried out.
pub async fn run<F>(arguments: impl IntoIterator<Item = String>, connect: impl FnOnce() -> F) -> Result<String, String>
where
    F: Future<Output = Result<Deployment, String>>,
{
    let words: Vec<String> = arguments.into_iter().collect();
    let arguments = cli::parse(words.iter().cloned())?;
    if arguments.command == Command::Help {
        return Ok(cli::USAGE.to_owned());
    }
    let Deployment { app, audit, input } = connect().await?;
    let now_ms = || unix_ms(app.clock.now());
    audit.begin(&words, now_ms()).await?;
    let outcome = Box::pin(carry_out(&app, &input, arguments)).await;
    audit.end(&words, outcome.as_ref().err().map(String::as_str), now_ms()).await?;
    outcome
}

async fn carry_out(app: &App, input: &Input, arguments: Arguments) -> Result<String, String> {
    let as_json = arguments.json;
    match arguments.command {
        Command::Help => Ok(cli::USAGE.to_owned()),
        Command::Fees { from_ms, to_ms } => {
            let records = ledger::read(&app.store, |_| true).await?;
            fees::report(&records, (from_ms, to_ms)).show(as_json)
        }
        Command::Adjustments { all } => {
            let records = ledger::read(&app.store, ledger::is_adjustment).await?;
            adjustments::show(&adjustments::list(&records, all), as_json)
        }
        Command::RecomputeScores => scores::recompute(app, as_json).await,
        Command::Settle(call) => adjustments::end(app, call, adjustments::End::Settle).await,
        Command::Waive(call) => adjustments::end(app, call, adjustments::End::Waive).await,
        Command::MoveEndpoints(store) => endpoints::move_all(app, store).await,
        Command::Rotate(secret) => rotate::rotate(app, secret, input).await,
        Command::Review { listing, author, hidden_reason } => review::hide(app, listing, author, hidden_reason).await,
        Command::ShowPayment(payment) => mismatch::show(app, &payment, as_json).await,
        Command::Accept(payment) => mismatch::decide(app, &payment, mismatch::Verdict::Counts).await,
        Command::Void(payment) => mismatch::decide(app, &payment, mismatch::Verdict::DoesNotCount).await,
        Command::SuspendListing(listing, reason) => suspend::listing(app, listing, reason).await,
        Command::SuspendProfile(profile, reason) => suspend::profile(app, profile, reason).await,
        Command::Export(profile) => export::profile(app, profile).await,
        Command::Erase(profile) => erase::profile(app, profile).await,
        Command::Keys(profile) => access::show(app, profile, as_json).await,
        Command::RevokeKeys(profile, only) => access::revoke(app, profile, only).await,
        Command::StuckCalls { paid_for_ms } => calls::stuck(app, paid_for_ms, as_json).await,
        Command::Redrive(call) => calls::redrive(app, call).await,
        Command::Switches => switches::show(app, as_json).await,
        Command::Switch(gate, is_closed) => switches::set(app, gate, is_closed).await,
        Command::Reconcile(from_ms) => reconcile::day(app, from_ms, as_json).await,
    }
}
