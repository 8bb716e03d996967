//! The operator's commands: fees, what is owed, payments that differ from their quotes, and reviews to hide.

mod adjustments;
mod cli;
mod fees;
mod ledger;
mod mismatch;
mod receipts;
mod review;
mod scores;
mod table;

use cli::Command;
use crochet::app::App;

/// Carries out a command line, without the program's name. `app` connects to the deployment; it is not called for `--help`.
///
/// Returns what to print.
///
/// # Errors
/// One sentence that says what is wrong with the command line, or why the command was not carried out.
pub async fn run<F>(arguments: impl IntoIterator<Item = String>, app: impl FnOnce() -> F) -> Result<String, String>
where
    F: Future<Output = Result<App, String>>,
{
    let arguments = cli::parse(arguments)?;
    if arguments.command == Command::Help {
        return Ok(cli::USAGE.to_owned());
    }
    let app = app().await?;
    match arguments.command {
        Command::Help => Ok(cli::USAGE.to_owned()),
        Command::Fees { from_ms, to_ms } => {
            let records = ledger::read(&app.store, |_| true).await?;
            fees::report(&records, (from_ms, to_ms)).show(arguments.json)
        }
        Command::Adjustments { all } => {
            let records = ledger::read(&app.store, ledger::is_adjustment).await?;
            adjustments::show(&adjustments::list(&records, all), arguments.json)
        }
        Command::RecomputeScores => scores::recompute(&app, arguments.json).await,
        Command::Settle(call) => adjustments::end(&app, call, adjustments::End::Settle).await,
        Command::Waive(call) => adjustments::end(&app, call, adjustments::End::Waive).await,
        Command::RotateReceipts => receipts::rotate(&app).await,
        Command::Review { listing, author, hidden_reason } => review::hide(&app, listing, author, hidden_reason).await,
        Command::Accept(payment) => mismatch::decide(&app, &payment, mismatch::Verdict::Counts).await,
        Command::Void(payment) => mismatch::decide(&app, &payment, mismatch::Verdict::DoesNotCount).await,
    }
}
