//! Commands that change what the deployment does: suspensions, keys, calls and switches.

use crochet::store::gate::Gate;
use crochet_domain::api_key::KeyId;
use crochet_domain::suspension::SuspendedReason;

use super::command::Command;
use super::words::{call_id, day, listing_id, profile_id};

/// Minutes after its payment from which an undelivered call counts as stuck.
const PAID_MINUTES: i64 = 60;

pub(super) fn listings(words: &[&str]) -> Result<Command, String> {
    match words {
        ["suspend", id, why] => Ok(Command::SuspendListing(listing_id(id)?, Some(reason(why)?))),
        ["lift", id] => Ok(Command::SuspendListing(listing_id(id)?, None)),
        _ => Err("Say: listings suspend LISTING REASON, or listings lift LISTING.".into()),
    }
}

pub(super) fn profiles(words: &[&str]) -> Result<Command, String> {
    match words {
        ["suspend", id, why] => Ok(Command::SuspendProfile(profile_id(id)?, Some(reason(why)?))),
        ["lift", id] => Ok(Command::SuspendProfile(profile_id(id)?, None)),
        ["export", id] => Ok(Command::Export(profile_id(id)?)),
        ["erase", id] => Ok(Command::Erase(profile_id(id)?)),
        _ => Err("Say: profiles suspend PROFILE REASON, or profiles lift, export or erase PROFILE.".into()),
    }
}

pub(super) fn keys(words: &[&str]) -> Result<Command, String> {
    match words {
        ["revoke", profile] => Ok(Command::RevokeKeys(profile_id(profile)?, None)),
        ["revoke", profile, key] => {
            let key = KeyId::parse(key).map_err(|_| format!("\"{key}\" is not the id of a key; keys PROFILE lists them."))?;
            Ok(Command::RevokeKeys(profile_id(profile)?, Some(key)))
        }
        [profile] => Ok(Command::Keys(profile_id(profile)?)),
        _ => Err("Say: keys PROFILE, or keys revoke PROFILE [KEY].".into()),
    }
}

pub(super) fn calls(words: &[&str]) -> Result<Command, String> {
    match words {
        ["stuck"] => Ok(Command::StuckCalls { paid_for_ms: PAID_MINUTES * 60_000 }),
        ["stuck", "--minutes", minutes] => {
            let minutes = minutes.parse::<u32>().map_err(|_| format!("\"{minutes}\" is not a number of minutes."))?;
            Ok(Command::StuckCalls { paid_for_ms: i64::from(minutes) * 60_000 })
        }
        ["redrive", call] => Ok(Command::Redrive(call_id(call)?)),
        _ => Err("Say: calls stuck [--minutes N], or calls redrive CALL.".into()),
    }
}

pub(super) fn switches(words: &[&str]) -> Result<Command, String> {
    match words {
        [] => Ok(Command::Switches),
        ["close", name] => Ok(Command::Switch(gate(name)?, true)),
        ["open", name] => Ok(Command::Switch(gate(name)?, false)),
        _ => Err("Say: switches, switches close NAME, or switches open NAME.".into()),
    }
}

pub(super) fn reconcile(text: &str) -> Result<Command, String> {
    day(text).map(Command::Reconcile)
}

fn gate(name: &str) -> Result<Gate, String> {
    let found = Gate::ALL.into_iter().find(|gate| gate.as_str() == name);
    found.ok_or_else(|| format!("\"{name}\" cannot be closed. Registrations, listings, quotes and endpoint-secrets can."))
}

/// A reason that an operator may give. Overdue refunds suspend by themselves.
fn reason(text: &str) -> Result<SuspendedReason, String> {
    let found = SuspendedReason::parse(text).filter(|reason| *reason != SuspendedReason::RefundOverdue);
    found.ok_or_else(|| format!("\"{text}\" is not a reason: FRAUD, HARMFUL, UNLAWFUL or OTHER."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert!(profiles(&["suspend", id, "FRAUD"]).is_ok());
        assert!(profiles(&["suspend", id, "REFUND_OVERDUE"]).is_err(), "it is never the operator's reason");
        assert!(listings(&["suspend", id]).is_err(), "a reason is required");
        assert!(switches(&["close", "deliveries"]).is_err_and(|sentence| sentence.contains("deliveries")));
        assert_eq!(calls(&["stuck", "--minutes", "5"]), Ok(Command::StuckCalls { paid_for_ms: 300_000 }));
        assert_eq!(reconcile("1970-01-02"), Ok(Command::Reconcile(86_400_000)));
        assert!(reconcile("yesterday").is_err());
    }
}
