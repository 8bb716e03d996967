//! The call to copy: curl, Python and JavaScript, with nothing but HTTP.

use std::fmt::Write;

use crochet::wire::payment::{PAYMENT_ID, PAYMENT_ID_HEADER};
use crochet_domain::listing::Listing;
use maud::{Markup, html};
use serde_json::Value;

use super::part::{code, tabs as tabs_of, with_placeholders};
use super::schema::example;

/// What the reader puts the key for.
const KEY: &str = "am_k_YOUR_API_KEY";
/// Longest example that is put into a call, in bytes of JSON. A longer one is read from a file.
const MAX_EXAMPLE: usize = 3_000;

/// The tabs with the call of a listing, whose gateway URL this is.
pub(crate) fn tabs(listing: &Listing, url: &str) -> Markup {
    let body = example(listing);
    let paid = listing.is_paid();
    let two = if paid { "Two requests, and a payment between them" } else { "One request" };
    let shown =
        |id: &str, about: &str, text: &str| code(id, &html! { (about) }, &with_placeholders(text, &[KEY, "the id of the 402"]));
    html! {
        div.flow {
            (tabs_of("call", "How to call it", &[
                ("curl", shown("call-curl", two, &curl(url, &body, paid))),
                ("Python", shown("call-python", if paid { "Run it, pay, put the id in, run it again" } else { "The standard library is enough" }, &python(url, &body, paid))),
                ("JavaScript", shown("call-javascript", if paid { "Run it, pay, put the id in, run it again" } else { "Node.js, Deno, Bun or a browser" }, &javascript(url, &body, paid))),
            ]))
            @if paid { p.small { "How to pay: carry out " code { "data.payment.requirements.steps" } " with your wallet, as " a href="/docs/paying" { "whole programs" } " do. A key is free: " a href="/docs/quick-start" { "Quick Start" } "." } }
            @else { p.small { "A key is free: " a href="/docs/quick-start" { "Quick Start" } "." } }
        }
    }
}

/// JSON of others in one line, safe to paste: what is not printed as it is, is escaped.
pub(crate) fn plain_json(value: &Value) -> String {
    let text = value.to_string();
    let text = if text.len() > MAX_EXAMPLE { "{}".to_owned() } else { text };
    escaped(&text)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if crate::foreign::cleaned(&c.to_string()).is_empty() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}') {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn curl(url: &str, body: &Value, paid: bool) -> String {
    // In single quotes, a shell reads nothing but the quote itself.
    let json = plain_json(body).replace('\'', r"'\''");
    let request = |extra: &str| {
        format!(
            "curl -sS {url} \\\n  -H \"Authorization: Bearer {KEY}\" \\\n{extra}  -H \"Content-Type: application/json\" \\\n  -d '{json}'"
        )
    };
    if !paid {
        return request("");
    }
    format!(
        "# 1  Ask. The answer is a 402 with the price and a {PAYMENT_ID}.\n{}\n\n# 2  Pay: carry out data.payment.requirements.steps with your wallet.\n\n# 3  Ask again, the same JSON, with the id.\n{}",
        request(""),
        request(&format!("  -H \"{PAYMENT_ID_HEADER}: the id of the 402\" \\\n"))
    )
}

fn python(url: &str, body: &Value, paid: bool) -> String {
    let (first, header, last) = if paid {
        (
            "PAYMENT_ID = \"\"  # after you have paid: the id of the 402\n",
            format!("if PAYMENT_ID:\n    headers[\"{PAYMENT_ID_HEADER}\"] = PAYMENT_ID\n"),
            format!(
                "if reply[\"success\"]:\n    print(json.dumps(reply[\"data\"][\"seller_response\"]))\nelse:\n    print(reply[\"error\"][\"code\"], reply.get(\"data\", {{}}).get(\"payment\", {{}}).get(\"{PAYMENT_ID}\"))"
            ),
        )
    } else {
        (
            "",
            String::new(),
            "print(json.dumps(reply[\"data\"][\"seller_response\"] if reply[\"success\"] else reply[\"error\"]))".to_owned(),
        )
    };
    format!(
        "import json\nimport urllib.error\nimport urllib.request\n\n{first}BODY = {}\n\nheaders = {{\"Authorization\": \"Bearer {KEY}\", \"Content-Type\": \"application/json\"}}\n{header}request = urllib.request.Request(\"{url}\", json.dumps(BODY).encode(), headers)\ntry:\n    reply = json.load(urllib.request.urlopen(request))\nexcept urllib.error.HTTPError as error:\n    reply = json.load(error)\n{last}",
        python_literal(body),
    )
}

/// A value as Python writes it: `True`, `None`, and text with JSON's escapes, which Python shares.
fn python_literal(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Array(items) => format!("[{}]", items.iter().map(python_literal).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{}: {}", python_text(name), python_literal(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => python_text(text),
        Value::Number(number) => number.to_string(),
    }
}

/// JSON writes what is beyond U+FFFF as it is, or as two escapes, of which Python would make two characters: so it is written out.
fn python_text(text: &str) -> String {
    let mut out = String::new();
    for c in Value::from(text).to_string().chars() {
        if u32::from(c) > 0xffff && crate::foreign::cleaned(&c.to_string()).is_empty() {
            let _ = write!(out, "\\U{:08x}", u32::from(c));
        } else {
            out.push_str(&escaped(&c.to_string()));
        }
    }
    out
}

fn javascript(url: &str, body: &Value, paid: bool) -> String {
    let json = plain_json(body);
    // In a literal, this name would set the prototype.
    let literal =
        if json.contains("__proto__") { format!("JSON.parse({})", escaped(&Value::from(json).to_string())) } else { json };
    let (first, header, last) = if paid {
        (
            "const PAYMENT_ID = \"\"; // after you have paid: the id of the 402\n",
            format!("if (PAYMENT_ID) headers[\"{PAYMENT_ID_HEADER}\"] = PAYMENT_ID;\n"),
            format!(
                "if (reply.success) console.log(JSON.stringify(reply.data.seller_response));\nelse console.log(reply.error.code, reply.data?.payment?.{PAYMENT_ID});"
            ),
        )
    } else {
        ("", String::new(), "console.log(JSON.stringify(reply.success ? reply.data.seller_response : reply.error));".to_owned())
    };
    format!(
        "{first}const BODY = {literal};\n\nconst headers = {{ \"Authorization\": \"Bearer {KEY}\", \"Content-Type\": \"application/json\" }};\n{header}const response = await fetch(\"{url}\", {{ method: \"POST\", headers, body: JSON.stringify(BODY) }});\nconst reply = await response.json();\n{last}"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_others_wrote_stays_within_its_quotes() {
        let body = json!({ "a'; rm -rf ~ #": "$(x) `y` \"z\" \u{202e} \u{1b}[2J", "n": null, "t": true, "😀": [1.5, "\u{e0041}"] });
        let shell = curl("https://h.example/x", &body, true);
        assert!(shell.contains(r#"-d '{"a'\''; rm -rf ~ #":"$(x) `y` \"z\" \u202e \u001b[2J""#), "{shell}");
        let program = python("https://h.example/x", &body, false);
        assert!(program.contains(r#""n": None, "t": True, "😀": [1.5, "\U000e0041"]"#), "{program}");
        assert!(
            javascript("https://h.example/x", &json!({ "__proto__": 1 }), false).contains(r#"JSON.parse("{\"__proto__\":1}")"#)
        );
        assert!(plain_json(&json!({ "a": "x".repeat(9_000) })) == "{}");
    }
}
