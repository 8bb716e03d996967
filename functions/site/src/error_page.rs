//! A page for each error code: what it means, what to do, and how it looks.

use std::fmt::Write;

use crochet::config::Config;
use crochet::http::codes::further_actions::FURTHER_ACTIONS;
use crochet::http::{ApiError, Code};

/// The list of all codes, to be put after the page about errors.
pub(crate) fn list(public_url: &str) -> String {
    let mut out = String::from("\n## All codes\n\n");
    for code in Code::ALL {
        let (name, status, message) = (code.as_str(), code.status().as_u16(), code.message());
        let _ = writeln!(out, "- [{name}]({public_url}/docs/errors/{name}), {status}: {message}");
    }
    out
}

/// The code with this name.
pub(crate) fn code(name: &str) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| code.as_str() == name)
}

/// The page of a code, in Markdown.
pub(crate) fn page(code: Code, config: &Config) -> String {
    let (name, recovery) = (code.as_str(), code.recovery());
    let mut out = format!("# {name}\n\n{}\n\nHTTP status {}.\n\n", code.message(), code.status().as_u16());
    let _ = write!(out, "## What to do\n\n`{}`: {}\n\n", recovery.next_action, recovery.summary);
    let _ = writeln!(
        out,
        "{}",
        if recovery.retryable {
            "The same request can succeed after that."
        } else {
            "The same request, sent again as it is, fails again."
        }
    );
    for (values, what) in [(recovery.preserve, "Keep and send again"), (recovery.discard, "Do not send again")] {
        if !values.is_empty() {
            let _ = writeln!(out, "{what}: `{}`.", values.join("`, `"));
        }
    }
    let further = FURTHER_ACTIONS.iter().filter(|further| further.codes.contains(&code));
    for (n, further) in further.enumerate() {
        if n == 0 {
            let _ = write!(out, "\nThe reply's own `recovery` decides. It may say instead:\n\n");
        }
        let _ = writeln!(out, "- `{}`: {}", further.next_action, further.summary);
    }
    let body = ApiError::new(code).body(config);
    let _ = write!(
        out,
        "\n## Example\n\n```json\n{body:#}\n```\n\nA reply may add `details`, and a more exact message.{}\n\n",
        if code == Code::PaymentRequired { " A 402 also has `data.payment`." } else { "" }
    );
    let _ = writeln!(
        out,
        "All errors: {}. Routes that return it: {}.",
        config.absolute("/docs/errors"),
        config.absolute("/docs/api-reference.txt")
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_with_its_meaning_its_advice_and_an_example() {
        let config = Config::from_lookup(|_| None).expect("the defaults");
        for code in Code::ALL {
            let page = page(*code, &config);
            for text in [code.as_str(), code.message(), code.recovery().next_action, code.recovery().summary, "```json\n{"] {
                assert!(page.contains(text), "{text} on {page}");
            }
            assert_eq!(super::code(code.as_str()), Some(*code));
        }
        assert!(page(Code::PaymentRequired, &config).contains("- `fetch_stored_answer`"));
        assert!(code("NO_SUCH_CODE").is_none());
    }
}
