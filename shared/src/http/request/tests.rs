//! What bodies and queries say, and what is told of wrong ones.

use super::*;
use crate::http::masked::without_value;

#[derive(Debug, Deserialize)]
struct Order {
    #[serde(default, deserialize_with = "double_option")]
    note: Option<Option<Text<1, 5>>>,
    price: Option<Box<serde_json::value::RawValue>>,
    inner: Option<Inner>,
}

#[derive(Debug, Deserialize)]
struct Inner {
    #[expect(dead_code, reason = "read by serde only")]
    n: u8,
}

#[test]
fn fields_are_named() {
    let error = parse_json::<Order>(br#"{"nope":1}"#).expect_err("unknown");
    assert_eq!(error.code(), Code::UnknownField);
    let error = parse_json::<Order>(br#"{"inner":{"n":1,"m":2}}"#).expect_err("unknown");
    assert_eq!(error.code(), Code::UnknownField);
    let error = parse_json::<Order>(br#"{"inner":{"n":300}}"#).expect_err("wrong");
    assert_eq!(error.code(), Code::InvalidRequest);
    assert_eq!(parse_json::<Order>(br#"{"note":"123456"}"#).expect_err("long").code(), Code::InvalidRequest);
    assert_eq!(parse_json::<Order>(br#"{"note":null,"note":null}"#).expect_err("twice").code(), Code::InvalidJson);
    assert_eq!(parse_json::<Order>(b"[]").expect_err("no object").code(), Code::InvalidRequest);
}

#[test]
fn a_key_in_the_wrong_place_is_not_repeated() {
    assert_eq!(masked("x am_k_0aZ9, \"am_k_1\" y"), "x am_k_…, \"am_k_…\" y");
    for body in [r#""am_k_SECRET""#, r#"{"inner":"am_k_SECRET"}"#, r#"{"am_k_SECRET":1}"#, r#"{"note":["am_k_SECRET"]}"#] {
        let error = parse_json::<Order>(body.as_bytes()).expect_err("refused");
        let told = error.body(&crate::config::Config::from_lookup(|_| None).expect("the defaults")).to_string();
        assert!(!told.contains("SECRET"), "{told}");
    }
}

#[test]
fn a_value_in_the_wrong_place_is_not_repeated() {
    for body in [
        &br#"{"inner":"hush, expected hush"}"#[..],
        br#"{"inner":{"n":"hush"}}"#,
        br#"{"note":77777}"#,
        br#"{"inner":{"n":77777}}"#,
        br#"{"note":[{"a":"hush"}]}"#,
    ] {
        let error = parse_json::<Order>(body).expect_err("wrong");
        let config = crate::config::Config::from_lookup(|_| None).expect("defaults");
        let told = error.body(&config)["error"]["message"].to_string();
        assert!(!told.contains("hush") && !told.contains("77777"), "{told}");
    }
    assert_eq!(without_value("invalid type: string \"x\", expected u8"), "expected u8, found string");
}

#[test]
fn left_out_null_and_exact_numbers() {
    let order: Order = parse_json(br#"{"price": 0.10000000000000000001}"#).expect("an order");
    assert_eq!((order.note, order.price.expect("a price").get()), (None, "0.10000000000000000001"));
    assert!(order.inner.is_none());
    assert_eq!(parse_json::<Order>(br#"{"note":null}"#).expect("an order").note, Some(None));
    assert_eq!(parse_json::<Order>(br#"{"note":" a "}"#).expect("an order").note, Some(Some(Text("a".into()))));
}

#[test]
fn numbers_in_queries_are_bounded() {
    assert_eq!(int_param("limit", Some("20"), 1, 100, 5).expect("a number"), 20);
    assert_eq!(int_param("limit", None, 1, 100, 5).expect("a number"), 5);
    for bad in ["0", "101", "-1", "+5", "x", "", "1e1"] {
        assert!(int_param("limit", Some(bad), 1, 100, 5).is_err(), "{bad}");
    }
}
