//! Limits, error codes and next actions.

use std::fmt::Write;

use crochet::http::Code;
use crochet::http::codes::further_actions::FURTHER_ACTIONS;
use crochet::limits;

pub(super) fn limits() -> String {
    let mut out = String::from(
        "\n## Limits\n\nExact counts per window. Limited routes return RateLimit and RateLimit-Policy; a 429 has Retry-After. A local \
         stack allows a hundred times as many.\n\n",
    );
    let all: Vec<String> =
        limits::ALL.iter().map(|limit| format!("{} {} in {} s", limit.name, limit.quota, limit.window_seconds)).collect();
    let _ = writeln!(out, "{}.", all.join("; "));
    out
}

/// One line for each code, and one for each action that is no code's usual one.
pub(super) fn short() -> String {
    let mut out = String::from(
        "\n## Error codes\n\nEach line: the code's anchor, its status, the anchor of its next_action, + if the request can succeed after \
         that, and what it means. recovery.summary in the reply says what to do. {PUBLIC_URL}/docs/errors/CODE is a page of its own.\n\n",
    );
    for code in Code::ALL {
        let recovery = code.recovery();
        let retryable = if recovery.retryable { " +" } else { "" };
        let message = meaning(code.message());
        let _ = writeln!(
            out,
            "#error-{} {} #action-{}{retryable} {message}",
            code.as_str(),
            code.status().as_u16(),
            recovery.next_action
        );
    }
    out.push_str("\nInstead of these, recovery.next_action may be:\n\n");
    for further in FURTHER_ACTIONS {
        let codes: Vec<&str> = further.codes.iter().map(|code| code.as_str()).collect();
        let _ = writeln!(out, "#action-{} ({})", further.next_action, codes.join(", "));
    }
    out
}

/// A message without its advice, which follows a semicolon: the next action says it.
fn meaning(message: &str) -> String {
    message.split_once("; ").map_or_else(|| message.to_owned(), |(meaning, _)| format!("{meaning}."))
}

/// Codes and actions with all that a reply says of them.
pub(super) fn long() -> String {
    let mut out = String::from("\n\n## Error codes\n\n{PUBLIC_URL}/docs/errors/CODE is a page of its own.\n");
    for code in Code::ALL {
        let recovery = code.recovery();
        let _ = write!(out, "\n#error-{}\n    {} {}\n", code.as_str(), code.status().as_u16(), code.message());
        let _ = writeln!(out, "    next_action: {} (retryable: {})", recovery.next_action, recovery.retryable);
        let _ = writeln!(out, "    {}", recovery.summary);
        for (name, values) in [("preserve", recovery.preserve), ("discard", recovery.discard)] {
            if !values.is_empty() {
                let _ = writeln!(out, "    {name}: {}", values.join(", "));
            }
        }
    }
    out.push_str("\n\n## Next actions\n");
    let mut names: Vec<&str> = Code::ALL.iter().map(|code| code.recovery().next_action).collect();
    names.extend(FURTHER_ACTIONS.iter().map(|further| further.next_action));
    names.sort_unstable();
    names.dedup();
    for name in names {
        let _ = write!(out, "\n#action-{name}\n");
        for code in Code::ALL.iter().filter(|code| code.recovery().next_action == name) {
            let _ = writeln!(out, "    {}: {}", code.as_str(), code.recovery().summary);
        }
        for further in FURTHER_ACTIONS.iter().filter(|further| further.next_action == name) {
            let codes: Vec<&str> = further.codes.iter().map(|code| code.as_str()).collect();
            let _ = writeln!(out, "    {}: {}", codes.join(", "), further.summary);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_and_action_has_an_anchor_in_both_forms() {
        for form in [short(), long()] {
            for code in Code::ALL {
                assert!(form.contains(&format!("#error-{}", code.as_str())), "{}", code.as_str());
                assert!(form.contains(&format!("#action-{}", code.recovery().next_action)), "{}", code.as_str());
            }
            assert!(FURTHER_ACTIONS.iter().all(|further| form.contains(&format!("#action-{}", further.next_action))));
        }
        assert_eq!(meaning("The seller failed; send the call again."), "The seller failed.");
    }
}
