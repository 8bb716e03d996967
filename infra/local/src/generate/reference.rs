//! The API reference as text, generated from the OpenAPI document and the error codes: a short form, which fits into a reader's
//! window, and a long one. Both are Markdown that reads as plain text.

mod brief;
mod codes;
mod example;
mod long;
mod notation;
mod operation;

use std::fmt::Write;

use serde_json::Value;

use notation::Notation;
use operation::groups;

const OPENING: &str = include_str!("opening.txt");

/// The short form. A test holds it to 48 KiB.
pub(super) fn short(document: &Value) -> String {
    let mut notation = Notation::new(document);
    let mut routes = String::new();
    for (group, operations) in groups(document) {
        let _ = write!(routes, "\n## {group}\n");
        for operation in &operations {
            brief::write(&mut routes, operation, &mut notation);
        }
    }
    let mut out = OPENING.replace("{FORM}", SHORT_FORM);
    out.push_str(&codes::limits());
    out.push_str(brief::LEGEND);
    out.push_str(&routes);
    out.push_str("\n## Types\n\n");
    out.push_str(&notation.types());
    out.push_str(&codes::short());
    out
}

/// The long form.
pub(super) fn long(document: &Value) -> String {
    let mut out = OPENING.replace("{FORM}", LONG_FORM);
    out.push_str(&codes::limits());
    let mut page = long::Page::new(document);
    for (group, operations) in groups(document) {
        let _ = write!(out, "\n\n## {group}\n");
        for operation in &operations {
            page.write(&mut out, operation);
        }
    }
    out.push_str(&codes::long());
    out
}

const SHORT_FORM: &str = "With every field of every reply described: {PUBLIC_URL}/docs/api-reference-full.txt.";
const LONG_FORM: &str = "This is the long form. Types instead of descriptions, in 48 KB: {PUBLIC_URL}/docs/api-reference.txt.";
