//! Which schemas are accepted and refused, and that hostile schemas cost no time.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use super::error::MAX_PROBLEM_CHARS;
use super::*;

fn schema(value: &Value) -> InputSchema {
    InputSchema::parse(&value.to_string()).expect("a schema")
}

fn refusal(value: &Value) -> String {
    InputSchema::parse(&value.to_string()).expect_err("refused").to_string()
}

#[test]
fn mismatches_name_their_places_and_no_values() {
    let schema = schema(&json!({
        "$schema": DIALECT,
        "$id": "https://example.com/s.json",
        "type": "object",
        "properties": {"a/b": {"type": "string"}, "n": {"type": "integer", "maximum": 3}, "s": {"maxLength": 2}},
        "required": ["a/b"],
        "additionalProperties": false,
    }));
    assert_eq!(schema.check(&json!({"a/b": "x", "n": 1.0})), Ok(()));
    let secret = "hunter2-".repeat(100);
    let mismatches = schema.check(&json!({"a/b": 1, "n": 4, "s": secret})).expect_err("does not fit");
    let paths: Vec<_> = mismatches.iter().map(|mismatch| mismatch.path.as_str()).collect();
    assert_eq!(paths, ["/a~1b", "/n", "/s"]);
    assert!(mismatches.iter().all(|mismatch| !mismatch.problem.contains("hunter2")), "{mismatches:?}");
    assert_eq!(schema.check(&json!({})).expect_err("incomplete").len(), 1);
    let name = "long".repeat(200);
    let mismatches = schema.check(&json!({"a/b": "x", name: 1})).expect_err("one too many");
    assert!(mismatches[0].problem.chars().count() <= MAX_PROBLEM_CHARS + 1);
}

#[test]
fn at_most_twenty_mismatches_are_told() {
    let schema = schema(&json!({"items": {"type": "string"}}));
    assert_eq!(schema.check(&json!(vec![1; 50])).expect_err("fifty").len(), MAX_MISMATCHES);
}

#[test]
fn other_drafts_and_invalid_schemas_are_refused() {
    assert!(refusal(&json!({"$schema": "http://json-schema.org/draft-07/schema#"})).contains("$schema"));
    assert!(refusal(&json!({"$schema": 7})).contains("$schema"));
    for invalid in [
        json!({"type": "strnig"}),
        json!({"properties": []}),
        json!({"required": "a"}),
        json!({"minLength": -1}),
        json!({"pattern": "("}),
        json!({"pattern": "(?=look)ahead"}),
        json!({"pattern": "(a)\\1"}),
        json!({"pattern": "((a{1000}){1000}){1000}"}),
        json!({"allOf": []}),
        json!([]),
        json!("x"),
    ] {
        refusal(&invalid);
    }
    let long = format!("{{\"description\":\"{}\"}}", "x".repeat(MAX_SCHEMA_BYTES));
    assert!(InputSchema::parse(&long).is_err());
    assert!(InputSchema::parse("{").is_err());
    assert!(InputSchema::parse("true").expect("anything").check(&json!(1)).is_ok());
    assert_eq!(InputSchema::parse("false").expect("nothing").check(&json!(1)).expect_err("nothing fits").len(), 1);
}

#[test]
fn patterns_of_ordinary_length_are_matched() {
    for (pattern, good, bad) in [
        (r"^\w{1,2000}$", "w".repeat(2_000), "w".repeat(2_001)),
        ("^[0-9a-f]{64,8192}$", "0f".repeat(4_096), "0".repeat(63)),
        (r"^(\S+ ?){1,500}$", "word ".repeat(500), " word".into()),
        ("^.{1,5000}$", "é".repeat(5_000), "é".repeat(5_001)),
        ("^[(?=]$", "?".into(), "x".into()),
        (r"^\(?!$", "(!".into(), String::new()),
    ] {
        let schema = schema(&json!({"pattern": pattern}));
        assert!(schema.check(&json!(good)).is_ok(), "{pattern}");
        assert!(schema.check(&json!(bad)).is_err(), "{pattern}");
    }
}

#[test]
fn what_cannot_be_matched_is_named_with_what_to_use_instead() {
    for (pattern, construct, instead) in [
        ("^(?=.*a)b", "look-around", "allOf"),
        ("(?<=a)b", "look-around", "allOf"),
        ("^(?!admin)", "negative look-around", "not"),
        ("(?<!a)b", "negative look-around", "not"),
        (r"(a)\1", "back reference", "alternatives"),
        (r"(?<x>a)\k<x>", "back reference", "alternatives"),
        ("((a{1000}){1000}){1000}", "8 MiB", "maxLength"),
        ("(", "ECMA-262", ""),
    ] {
        for schema in [json!({"pattern": pattern}), json!({"properties": {"a": {"patternProperties": {pattern: true}}}})] {
            let told = refusal(&schema);
            assert!(told.contains(construct) && told.contains(instead) && told.contains("attern"), "{pattern}: {told}");
        }
    }
    let many: Vec<_> = (0..3).map(|n| json!({"pattern": format!("^.{{1,{}}}$", 5_000 - n)})).collect();
    assert!(refusal(&json!({"anyOf": many})).contains("16 MiB"));
}

#[test]
fn nothing_leads_out_of_the_document() {
    for out in [
        json!({"$ref": "https://example.com/other.json"}),
        json!({"$ref": "other.json#/$defs/a"}),
        json!({"$ref": DIALECT}),
        json!({"items": {"$dynamicRef": "file:///etc/passwd"}}),
        json!({"properties": {"a": {"$id": "https://example.com/inner", "type": "string"}}}),
        json!({"$defs": {"a": {"$schema": "http://json-schema.org/draft-07/schema#"}}}),
        json!({"$ref": "#/$defs/missing"}),
        json!({"$ref": "#missing"}),
        json!({"$ref": "#/properties", "properties": {"a": {"$ref": "http://example.com/"}}}),
    ] {
        refusal(&out);
    }
}

#[test]
fn references_inside_the_document_work() {
    let tree = schema(&json!({
        "$ref": "#/$defs/node",
        "$defs": {"node": {
            "type": "object",
            "properties": {"left": {"$ref": "#/$defs/node"}, "right": {"$ref": "#/$defs/node"}, "v": {"type": "number"}},
        }},
    }));
    assert!(tree.check(&json!({"left": {"left": {"v": 1}}, "right": {"v": 2}})).is_ok());
    let mismatches = tree.check(&json!({"left": {"right": {"v": "x"}}})).expect_err("no number");
    assert_eq!(mismatches[0].path, "/left/right/v");

    let anchored = schema(&json!({"items": {"$ref": "#item"}, "$defs": {"i": {"$anchor": "item", "type": "string"}}}));
    assert!(anchored.check(&json!(["a"])).is_ok() && anchored.check(&json!([1])).is_err());

    let escaped = schema(&json!({"$ref": "#/$defs/a%20b~1c", "$defs": {"a b/c": {"type": "null"}}}));
    assert!(escaped.check(&json!(null)).is_ok() && escaped.check(&json!(1)).is_err());

    // Data and names that look like keywords are neither.
    schema(&json!({
        "properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}, "$schema": {"type": "string"}},
        "const": {"$ref": "https://example.com/"}, "default": {"$id": "x"}, "examples": [{"$schema": "y"}],
    }));
}

#[test]
fn expression_trees_are_checked() {
    let operator = |kind: &str| {
        json!({
            "type": "object",
            "properties": {"kind": {"const": kind}, "left": {"$ref": "#/$defs/e"}, "right": {"$ref": "#/$defs/e"}},
            "required": ["kind", "left", "right"],
        })
    };
    let expression = schema(&json!({
        "$ref": "#/$defs/e",
        "$defs": {"e": {"oneOf": [{"type": "number"}, operator("add"), operator("sub"), operator("mul"), operator("div")]}},
    }));
    let deep = |leaf: Value| (0..50).fold(leaf, |inner, _| json!({"kind": "mul", "left": inner, "right": 1}));
    let began = Instant::now();
    assert!(expression.check(&deep(json!(1))).is_ok());
    assert_eq!(expression.check(&deep(json!("x"))).expect_err("no number").len(), 1);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn circles_in_place_are_refused() {
    for circle in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}}),
        json!({"$dynamicAnchor": "me", "$dynamicRef": "#me"}),
    ] {
        assert!(refusal(&circle).contains("circles"));
    }
    schema(&json!({"properties": {"again": {"$ref": "#"}}}));
}

/// `$defs` d0 … dn, each made of the next by `wrap`.
fn ladder(rungs: usize, wrap: impl Fn(&str) -> String) -> String {
    let mut text = String::from("{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
    for rung in 0..rungs {
        let next = format!("{{\"$ref\":\"#/$defs/d{}\"}}", rung + 1);
        write!(text, "\"d{rung}\":{},", wrap(&next)).expect("a string takes it");
    }
    write!(text, "\"d{rungs}\":{{\"type\":\"string\"}}}}}}").expect("a string takes it");
    text
}

#[test]
fn schemas_that_multiply_are_refused() {
    let doubling = ladder(30, |next| format!("{{\"allOf\":[{next},{next}]}}"));
    assert!(InputSchema::parse(&doubling).is_err());
    let short_but_wide = ladder(6, |next| format!("{{\"anyOf\":[{}]}}", [next; 8].join(",")));
    assert!(InputSchema::parse(&short_but_wide).is_err());
    let doubling_below = ladder(40, |next| format!("{{\"allOf\":[{{\"items\":{next}}},{{\"items\":{next}}}]}}"));
    assert!(InputSchema::parse(&doubling_below).is_err());
    let property = |next: &str| format!("{{\"properties\":{{\"/0\":{next}}},\"prefixItems\":[true]}}");
    let doubling_in_a_property_named_like_an_item = ladder(40, |next| format!("{{\"allOf\":[{0},{0}]}}", property(next)));
    assert!(InputSchema::parse(&doubling_in_a_property_named_like_an_item).is_err());
    let chain = ladder(1_000, str::to_owned);
    assert!(InputSchema::parse(&chain).is_err());
    let deep_but_plain = ladder(60, |next| format!("{{\"items\":{next}}}"));
    assert!(InputSchema::parse(&deep_but_plain).is_ok());
}

#[test]
fn a_circle_that_doubles_is_checked_in_time() {
    let twice = json!({"properties": {"a": {"$ref": "#/$defs/n"}}});
    let schema = schema(&json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "allOf": [twice, twice]}}}));
    let deep = |leaf: Value| (0..60).fold(leaf, |inner, _| json!({"a": inner}));
    let began = Instant::now();
    assert!(schema.check(&deep(json!({}))).is_ok());
    assert_eq!(schema.check(&deep(json!(1))).expect_err("no object").len(), 1);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn the_longest_paths_fit_a_small_stack() {
    let inner = (0..7).fold(json!({"items": {"$ref": "#/$defs/n"}}), |inner, _| json!({"anyOf": [inner]}));
    let schema = schema(&json!({"$ref": "#/$defs/n", "$defs": {"n": {"allOf": [inner]}}}));
    let body = (0..63).fold(json!([]), |inner, _| json!([inner]));
    let check = move || schema.check(&body).is_ok();
    let fine = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(check).expect("a thread").join();
    assert!(matches!(fine, Ok(true)));
}
