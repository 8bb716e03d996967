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

/// One line for each code. Its next action is in the reply, and on the code's page.
pub(super) fn short() -> String {
    let mut out = String::from(
        "\n## Error codes\n\nEach line: the code's anchor, its status, + if the request can succeed after what recovery says, and what the \
         code means. recovery.next_action and recovery.summary in the reply say what to do; {PUBLIC_URL}/docs/errors/CODE does, too.\n\n",
    );
    for code in Code::ALL {
        let retryable = if code.recovery().retryable { " +" } else { "" };
        let _ = writeln!(out, "#error-{} {}{retryable} {}", code.as_str(), code.status().as_u16(), meaning(code.message()));
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
    fn every_code_has_an_anchor_in_both_forms_and_every_action_in_the_long_one() {
        let (short, long) = (short(), long());
        for code in Code::ALL {
            for form in [&short, &long] {
                assert!(form.contains(&format!("#error-{}", code.as_str())), "{}", code.as_str());
            }
            assert!(long.contains(&format!("#action-{}", code.recovery().next_action)), "{}", code.as_str());
        }
        assert!(FURTHER_ACTIONS.iter().all(|further| long.contains(&format!("#action-{}", further.next_action))));
        assert_eq!(meaning("The seller failed; send the call again."), "The seller failed.");
    }
}
