//! Strict JSON parsing, and a fingerprint that is equal for equal JSON.

mod integers;

use std::cell::Cell;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::ids::sha256_hex;
use super::wire_enum::wire_enum;

/// Maximum nesting depth of arrays and objects.
pub const MAX_NESTING: usize = 64;

/// U+FEFF in UTF-8, which some editors and libraries write before a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

wire_enum! {
    /// The rule that a text breaks.
    pub enum JsonFault {
        /// Not UTF-8.
        NotUtf8 = "not_utf8",
        /// Not one JSON value.
        Syntax = "syntax",
        /// Nested deeper than [`MAX_NESTING`].
        TooDeep = "too_deep",
        /// A number beyond a double.
        NumberOutOfRange = "number_out_of_range",
        /// Half of a surrogate pair in a string.
        LoneSurrogate = "lone_surrogate",
        /// A key twice in one object.
        DuplicateKey = "duplicate_key",
    }
}

impl JsonFault {
    /// A clause that says what is wrong. It quotes nothing of the text.
    #[must_use]
    pub fn clause(self) -> &'static str {
        match self {
            Self::NotUtf8 => "it is not UTF-8",
            Self::Syntax => "it is not exactly one JSON value",
            Self::TooDeep => "it is nested deeper than 64 levels",
            Self::NumberOutOfRange => "a number is too large for a double",
            Self::LoneSurrogate => "a string has a lone surrogate",
            Self::DuplicateKey => "a key appears twice in one object",
        }
    }

    /// The fault behind an error of the parser, which tells its own errors apart by their text only.
    fn of_parser(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        if text.starts_with("number out of range") {
            Self::NumberOutOfRange
        } else if text.starts_with("lone leading surrogate") || text.starts_with("unexpected end of hex escape") {
            Self::LoneSurrogate
        } else {
            Self::Syntax
        }
    }
}

/// Why a text is refused. The message is a sentence for the author of the text, and may quote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidJson {
    /// The rule that is broken.
    pub fault: JsonFault,
    message: String,
}

/// Parses JSON strictly: valid UTF-8, no duplicate keys, no number beyond a double, no lone surrogates, nested at most
/// [`MAX_NESTING`] deep.
///
/// Every number becomes a double, which is how RFC 8785 compares them: `1`, `1.0` and `1e0` are the same value.
///
/// # Errors
/// [`InvalidJson`] with the first problem and its location.
pub fn parse_strict(bytes: &[u8]) -> Result<Value, InvalidJson> {
    if bytes.starts_with(BYTE_ORDER_MARK) {
        let message = "it begins with a byte order mark (the bytes EF BB BF); send it without".into();
        return Err(InvalidJson { fault: JsonFault::Syntax, message });
    }
    let not_utf8 = |_| InvalidJson { fault: JsonFault::NotUtf8, message: "the body is not valid UTF-8".into() };
    let text = std::str::from_utf8(bytes).map_err(not_utf8)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let broken = Cell::new(None);
    let invalid = |e: serde_json::Error| InvalidJson {
        fault: broken.get().unwrap_or_else(|| JsonFault::of_parser(&e)),
        message: e.to_string(),
    };
    let value = Strict { depth: 0, broken: &broken }.deserialize(&mut deserializer).map_err(invalid)?;
    deserializer.end().map_err(invalid)?;
    Ok(value)
}

/// SHA-256 (lower-case hex) of the value's RFC 8785 form. Equal fingerprints mean equal JSON.
///
/// # Errors
/// [`InvalidJson`] if the value has no canonical form. A value from [`parse_strict`] always has one.
pub fn fingerprint(value: &Value) -> Result<String, InvalidJson> {
    // Only a number that is not finite has no canonical form.
    let invalid = |e: serde_json::Error| InvalidJson { fault: JsonFault::NumberOutOfRange, message: e.to_string() };
    let canonical = serde_json_canonicalizer::to_vec(value).map_err(invalid)?;
    Ok(sha256_hex(canonical))
}

/// The fingerprint of a strict JSON text. Bodies with the same fingerprint are the same: white space, order of keys and the spelling of
/// numbers do not matter. Integers beyond 2^53, which RFC 8785 cannot tell apart, are compared digit by digit.
///
/// # Errors
/// Those of [`parse_strict`].
pub fn body_fingerprint(bytes: &[u8], value: &Value) -> Result<String, InvalidJson> {
    let text = String::from_utf8_lossy(bytes);
    match integers::spelled_out(&text) {
        None => fingerprint(value),
        Some((spelled, count)) => {
            let canonical = fingerprint(&parse_strict(spelled.as_bytes())?)?;
            Ok(sha256_hex(format!("{canonical} {count}")))
        }
    }
}

/// Checks that `bytes` is strict JSON, for requests that are then parsed into a type of their own.
///
/// # Errors
/// Those of [`parse_strict`].
pub fn check_strict(bytes: &[u8]) -> Result<(), InvalidJson> {
    parse_strict(bytes).map(drop)
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    /// The rule that was found broken here. The parser's error carries a text only.
    broken: &'a Cell<Option<JsonFault>>,
}

impl Strict<'_> {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_NESTING {
            return Err(self.breaks(JsonFault::TooDeep, format_args!("nested deeper than {MAX_NESTING} levels")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn breaks<E: de::Error>(self, rule: JsonFault, message: fmt::Arguments<'_>) -> E {
        self.broken.set(Some(rule));
        E::custom(message)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    // Integers beyond 2^53 become doubles too. `body_fingerprint` tells them apart.
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).map(Value::Number);
        number.ok_or_else(|| self.breaks(JsonFault::NumberOutOfRange, format_args!("number out of range")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            if object.contains_key(&key) {
                return Err(self.breaks(JsonFault::DuplicateKey, format_args!("the key {key:?} appears twice in one object")));
            }
            let value = entries.next_value_seed(inner)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        String::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(text: &str) -> String {
        fingerprint(&parse_strict(text.as_bytes()).expect("JSON")).expect("a canonical form")
    }

    #[test]
    fn whitespace_order_and_number_format_do_not_matter() {
        for (a, b) in [
            (r#"{"a":1,"b":[1,2]}"#, "{ \"b\" : [1.0, 2e0],\n\"a\":10e-1 }"),
            (r#""\u00e9""#, "\"é\""),
            ("9007199254740993", "9007199254740992"),
            ("-0", "0"),
            ("0.1", "1e-1"),
            ("18446744073709551616", "1.8446744073709551616e19"),
        ] {
            assert_eq!(print(a), print(b), "{a} and {b}");
        }
        assert_ne!(print("1"), print("\"1\""));
        assert_ne!(print("[1,2]"), print("[2,1]"));
    }

    #[test]
    fn canonical_form_is_rfc_8785() {
        // The number and sorting examples of RFC 8785, sections 3.2.2 and 3.2.3.
        let value = parse_strict(
            r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"literals":[null,true,false]}"#
                .as_bytes(),
        )
        .expect("JSON");
        assert_eq!(
            serde_json_canonicalizer::to_string(&value).expect("canonical"),
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}"#
        );
        let value =
            parse_strict("{\"\u{20ac}\":1,\"\\r\":2,\"\u{fb33}\":3,\"1\":4,\"\u{1f600}\":5,\"\u{80}\":6,\"\u{f6}\":7}".as_bytes())
                .expect("JSON");
        assert_eq!(
            serde_json_canonicalizer::to_string(&value).expect("canonical"),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn bad_json_is_refused() {
        let deep = format!("{}{}", "[".repeat(MAX_NESTING + 1), "]".repeat(MAX_NESTING + 1));
        for (text, fault) in [
            (r#"{"a":1,"a":2}"#, JsonFault::DuplicateKey),
            (r#"{"a":{"b":1,"\u0062":2}}"#, JsonFault::DuplicateKey),
            (r#"{"number out of range":1,"number out of range":2}"#, JsonFault::DuplicateKey),
            ("1e400", JsonFault::NumberOutOfRange),
            ("[-1e400]", JsonFault::NumberOutOfRange),
            (r#""\ud800""#, JsonFault::LoneSurrogate),
            (r#""\udc00""#, JsonFault::LoneSurrogate),
            (r#""\ud800\n""#, JsonFault::LoneSurrogate),
            (r#"{"\ud800\u0041":1}"#, JsonFault::LoneSurrogate),
            ("{", JsonFault::Syntax),
            ("", JsonFault::Syntax),
            ("1 2", JsonFault::Syntax),
            ("NaN", JsonFault::Syntax),
            (r#""\u12""#, JsonFault::Syntax),
            (&deep, JsonFault::TooDeep),
        ] {
            assert_eq!(parse_strict(text.as_bytes()).expect_err(text).fault, fault, "{text}");
        }
        assert_eq!(parse_strict(b"\"\xff\"").expect_err("not UTF-8").fault, JsonFault::NotUtf8);
        assert!(JsonFault::TooDeep.clause().contains(&MAX_NESTING.to_string()));
        let fine = format!("{}{}", "[".repeat(MAX_NESTING), "]".repeat(MAX_NESTING));
        assert!(parse_strict(fine.as_bytes()).is_ok());
    }
}
