//! The command line.

mod command;
mod operator;
mod words;

pub(crate) use command::{Arguments, Command};
use crochet::config::EndpointStore;
use words::{call_id, listing_id, moment, profile_id};

use crate::rotate::Secret;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
The operator's commands. They use the environment of a deployed function (CROCHET_TABLE, AWS_REGION …), CROCHET_AUDIT_LOG and your
AWS credentials. Each command is written to the audit trail before it is carried out.

Usage: crochet-admin COMMAND [--json]

Commands:
  fees [--from TIME] [--to TIME]   what the marketplace earned: the fees, what the provider collected, and the difference
  adjustments [--all]              what is owed for calls that were never delivered; --all adds what was paid back or waived
  adjustments settle CALL          record that you have paid the fee of this call (gw_req_…) back to its buyer
  adjustments waive CALL           record that the buyer has given up the fee of this call
  mismatch show PAYMENT            what a payment pays, a call or a refund, and what the provider's record must say
  mismatch accept PAYMENT          let a payment that differs from its quote count: its call is settled, or its refund paid, as quoted
  mismatch void PAYMENT            let it not count: the buyer of the call, or the seller that refunds, is offered another.
                                   accept undoes it for a call
  reviews hide LISTING AUTHOR REASON…   hide the review of a listing by this author (profile ids), for a reason that everybody can read
  reviews show LISTING AUTHOR           show it again
  listings suspend LISTING REASON       take a listing off offer; lift ends that. REASON is public: FRAUD, HARMFUL, UNLAWFUL
  listings lift LISTING                 or OTHER
  profiles suspend PROFILE REASON       the same for a profile with all its listings: it gets no quotes either
  profiles lift PROFILE
  profiles export PROFILE               what is stored about a person or an agent, as JSON
  profiles erase PROFILE                erase a person or an agent: names, texts, wallets, passkeys, keys. The ledger stays
  keys PROFILE                          the API keys of a profile
  keys revoke PROFILE [KEY]             revoke one, or all of them and every session
  calls stuck [--minutes N]             calls that do not move: due for five minutes, or paid N minutes ago (60) and not delivered
  calls redrive CALL                    let the next sweep look at a call
  switches                              what is closed, and how much has passed today
  switches close NAME, open NAME        registrations, listings, quotes, endpoint-secrets. What is paid is delivered all the same
  reconcile DAY                         compare the provider's records of a day (2026-01-31, UTC) with the ledger
  score recompute                       compare 91 days of every seller with its calls, replace what differs, and count its score
  rotate-keys provider, node            the payment provider's new key, or the node's new URL, from standard input
  rotate-keys cursors, receipts         a new key that signs cursors from in ten minutes, or receipts from in an hour; what was signed
                                        with the one before stays valid
  rotate-keys endpoints                 a new key that seals endpoints from in ten minutes; `endpoints move sealed` then seals all with it
  endpoints move STORE                  move the secrets of all endpoints to per-listing or sealed, while calls go on

Options:
  --json   print JSON instead of a table
  --help   print this help

Amounts in JSON are micro-dollars (1 USD is 1,000,000). TIME is a date (2026-01-31) or a time (2026-01-31T12:00:00Z), in UTC. --from is included, --to is not.
The commands that list read the whole table once.
";

/// Parses the arguments after the program's name.
///
/// # Errors
/// One sentence that names what is wrong.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Arguments, String> {
    let (mut words, mut json) = (Vec::new(), false);
    for argument in arguments {
        match argument.as_str() {
            "--json" => json = true,
            "--help" | "-h" | "help" => return Ok(Arguments { command: Command::Help, json }),
            _ => words.push(argument),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let command = match words.as_slice() {
        ["fees", options @ ..] => fees(options)?,
        ["adjustments"] => Command::Adjustments { all: false },
        ["adjustments", "--all"] => Command::Adjustments { all: true },
        ["adjustments", "settle", call] => Command::Settle(call_id(call)?),
        ["adjustments", "waive", call] => Command::Waive(call_id(call)?),
        ["mismatch", "show", payment] => Command::ShowPayment((*payment).to_owned()),
        ["mismatch", "accept", payment] => Command::Accept((*payment).to_owned()),
        ["mismatch", "void", payment] => Command::Void((*payment).to_owned()),
        ["reviews", "hide", listing, author, reason @ ..] if !reason.is_empty() => review(listing, author, Some(reason.join(" ")))?,
        ["reviews", "show", listing, author] => review(listing, author, None)?,
        ["listings", rest @ ..] => operator::listings(rest)?,
        ["profiles", rest @ ..] => operator::profiles(rest)?,
        ["keys", rest @ ..] => operator::keys(rest)?,
        ["calls", rest @ ..] => operator::calls(rest)?,
        ["switches", rest @ ..] => operator::switches(rest)?,
        ["reconcile", day] => operator::reconcile(day)?,
        ["score", "recompute"] => Command::RecomputeScores,
        ["endpoints", "move", store] => {
            let found = EndpointStore::parse(store);
            Command::MoveEndpoints(found.ok_or_else(|| format!("\"{store}\" is not a store: per-listing or sealed."))?)
        }
        ["rotate-keys", secret] => Command::Rotate(Secret::parse(secret)?),
        [] => return Err("A command is missing. See --help.".into()),
        other => return Err(format!("\"{}\" is not a known command. See --help.", other.join(" "))),
    };
    Ok(Arguments { command, json })
}

fn fees(mut options: &[&str]) -> Result<Command, String> {
    let (mut from_ms, mut to_ms) = (None, None);
    while let [name, value, rest @ ..] = options {
        match *name {
            "--from" => from_ms = Some(moment(value)?),
            "--to" => to_ms = Some(moment(value)?),
            other => return Err(format!("\"{other}\" is not an option of fees. See --help.")),
        }
        options = rest;
    }
    match options {
        [] => Ok(Command::Fees { from_ms, to_ms }),
        [name, ..] => Err(format!("{name} requires a time.")),
    }
}

/// Maximum length of a reason for hiding a review, in characters.
const MAX_REASON: usize = 500;

fn review(listing: &str, author: &str, hidden_reason: Option<String>) -> Result<Command, String> {
    let (listing, author) = (listing_id(listing)?, profile_id(author)?);
    if hidden_reason.as_ref().is_some_and(|reason| reason.chars().count() > MAX_REASON) {
        return Err(format!("A reason has at most {MAX_REASON} characters."));
    }
    Ok(Command::Review { listing, author, hidden_reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn commands_and_options() {
        let command = |line: &str| parsed(line).map(|arguments| arguments.command);
        assert_eq!(command("fees"), Ok(Command::Fees { from_ms: None, to_ms: None }));
        let day = Command::Fees { from_ms: Some(86_400_000), to_ms: Some(2 * 86_400_000 + 1_000) };
        assert_eq!(command("fees --to 1970-01-03T00:00:01Z --from 1970-01-02"), Ok(day));
        assert_eq!(command("adjustments --all"), Ok(Command::Adjustments { all: true }));
        let id = "gw_req_01ARZ3NDEKTSV4RRFFQ69G5FAV";
        assert_eq!(command(&format!("adjustments settle {id}")), Ok(Command::Settle(id.parse().expect("an id"))));
        assert_eq!(parsed("adjustments --json"), Ok(Arguments { command: Command::Adjustments { all: false }, json: true }));
        assert_eq!(command("score recompute"), Ok(Command::RecomputeScores));
        assert_eq!(command("mismatch void 0x1"), Ok(Command::Void("0x1".into())));
        assert_eq!(command("mismatch show 0x1"), Ok(Command::ShowPayment("0x1".into())));
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let hidden = |hidden_reason: Option<&str>| Command::Review {
            listing: id.parse().expect("an id"),
            author: id.parse().expect("an id"),
            hidden_reason: hidden_reason.map(str::to_owned),
        };
        assert_eq!(command(&format!("reviews hide {id} {id} names a person")), Ok(hidden(Some("names a person"))));
        assert_eq!(command(&format!("reviews show {id} {id}")), Ok(hidden(None)));
        assert!(command(&format!("reviews hide {id} {id}")).is_err(), "a reason is required");
        assert_eq!(command("adjustments --help"), Ok(Command::Help));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, named) in [
            ("", "command"),
            ("fee", "fee"),
            ("fees --from yesterday", "yesterday"),
            ("fees --from", "--from"),
            ("adjustments settle x", "\"x\""),
            ("rotate-keys doors", "doors"),
            ("endpoints move home", "home"),
        ] {
            assert!(parsed(line).is_err_and(|sentence| sentence.contains(named)), "{line}");
        }
    }
}
