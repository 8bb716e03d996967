//! Records what each function asks of AWS, on a local stack: actions, leading keys and attributes. The roles in `template.yaml` are
//! compared with it. A deployed function records nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Serialize;

tokio::task_local! {
    static FUNCTION: &'static str;
}

/// An action on a resource, as IAM sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Action {
    /// Logical id of the function in `template.yaml`.
    pub function: &'static str,
    /// Such as `dynamodb:GetItem`.
    pub action: String,
    /// `table`, `index/gsi1`, or a secret's name with `*` for the id of a listing.
    pub resource: String,
    /// The kind of the partition key, such as `CALL#`. Empty for secrets.
    pub leading_key: String,
}

/// The actions so far, each with the attributes that it named.
#[derive(Clone, Debug, Default)]
pub struct ActionLog(Arc<Mutex<BTreeMap<Action, BTreeSet<String>>>>);

static RECORDED: OnceLock<ActionLog> = OnceLock::new();

/// Starts to record in this process. Clients that are made from now on report their actions.
pub fn start() -> ActionLog {
    RECORDED.get_or_init(ActionLog::default).clone()
}

/// Whether this process records.
pub(crate) fn is_recording() -> bool {
    RECORDED.get().is_some()
}

/// Attributes the work's actions to a function.
pub async fn of<F: Future>(function: &'static str, work: F) -> F::Output {
    // On the heap: the futures of a whole function are large, and stacks of tests are not.
    FUNCTION.scope(function, Box::pin(work)).await
}

/// Records an action of the current function, if there is one.
pub(crate) fn record(action: &str, resource: String, leading_key: &str, attributes: impl IntoIterator<Item = String>) {
    let (Some(log), Ok(function)) = (RECORDED.get(), FUNCTION.try_with(|function| *function)) else { return };
    let leading_key = kind_of(leading_key);
    let action = Action { function, action: action.to_owned(), resource, leading_key };
    // Some attributes are named after who holds a slot or a share: `s:<buyer>:<slot>`.
    let attributes = attributes.into_iter().map(|name| name.find(':').map_or(name.clone(), |end| format!("{}*", &name[..=end])));
    log.0.lock().unwrap_or_else(PoisonError::into_inner).entry(action).or_default().extend(attributes);
}

/// What a policy can say of a partition key: its beginning, up to and including the first `#`, and the word at its end if it has one, as
/// in `SELLER#*#REVIEWS`.
fn kind_of(key: &str) -> String {
    let Some((kind, rest)) = key.split_once('#') else { return key.to_owned() };
    // Where no item is ever stored: read to open a connection.
    if rest == "!" {
        return key.to_owned();
    }
    match rest.rsplit_once('#') {
        Some((_, word)) if word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase()) => format!("{kind}#*#{word}"),
        _ => format!("{kind}#"),
    }
}

impl ActionLog {
    /// The actions so far, each with the attributes that it named.
    #[must_use]
    pub fn so_far(&self) -> BTreeMap<Action, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The actions so far as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Line {
            #[serde(flatten)]
            action: Action,
            attributes: BTreeSet<String>,
        }
        let lines: Vec<Line> = self.so_far().into_iter().map(|(action, attributes)| Line { action, attributes }).collect();
        serde_json::to_string_pretty(&lines).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_beginning_and_the_word_at_its_end() {
        let kinds = ["CALL#7f", "CATALOGUE", "RATE#key:AB#60", "SELLER#7f#REVIEWS", "SELLER#7f#2026-01-31", "KEY#!"].map(kind_of);
        assert_eq!(kinds, ["CALL#", "CATALOGUE", "RATE#", "SELLER#*#REVIEWS", "SELLER#", "KEY#!"]);
    }
}
