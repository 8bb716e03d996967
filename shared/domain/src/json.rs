//! Strict JSON parsing, and a fingerprint that is equal for equal JSON.

use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::ids::sha256_hex;

/// Maximum nesting depth of arrays and objects.
pub const MAX_NESTING: usize = 64;

/// Why a text is refused, as a sentence for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidJson(pub String);

/// Parses JSON strictly: valid UTF-8, no duplicate keys, no number beyond a double, no lone surrogates, nested at most
/// [`MAX_NESTING`] deep.
///
/// Every number becomes a double, which is how RFC 8785 compares them: `1`, `1.0` and `1e0` are the same value.
///
/// # Errors
/// [`InvalidJson`] with the first problem and its location.
pub fn parse_strict(bytes: &[u8]) -> Result<Value, InvalidJson> {
    let text = std::str::from_utf8(bytes).map_err(|_| InvalidJson("the body is not valid UTF-8".into()))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).map_err(|e| InvalidJson(e.to_string()))?;
    deserializer.end().map_err(|e| InvalidJson(e.to_string()))?;
    Ok(value)
}

/// SHA-256 (lower-case hex) of the value's RFC 8785 form. Equal fingerprints mean equal JSON.
///
/// # Errors
/// [`InvalidJson`] if the value has no canonical form. A value from [`parse_strict`] always has one.
pub fn fingerprint(value: &Value) -> Result<String, InvalidJson> {
    let canonical = serde_json_canonicalizer::to_vec(value).map_err(|e| InvalidJson(e.to_string()))?;
    Ok(sha256_hex(canonical))
}

/// Checks that `bytes` is strict JSON, for requests that are then parsed into a type of their own.
///
/// # Errors
/// Those of [`parse_strict`].
pub fn check_strict(bytes: &[u8]) -> Result<(), InvalidJson> {
    parse_strict(bytes).map(drop)
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_NESTING {
            return Err(E::custom(format_args!("nested deeper than {MAX_NESTING} levels")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
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

    // Integers beyond 2^53 compare as doubles too, as RFC 8785 requires.
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
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
                return Err(de::Error::custom(format_args!("the key {key:?} appears twice in one object")));
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
        for text in [r#"{"a":1,"a":2}"#, "1e400", r#""\ud800""#, "{", "", "1 2", "NaN", &deep, "{\"a\":{\"b\":1,\"\\u0062\":2}}"] {
            assert!(parse_strict(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse_strict(b"\"\xff\"").is_err());
        let fine = format!("{}{}", "[".repeat(MAX_NESTING), "]".repeat(MAX_NESTING));
        assert!(parse_strict(fine.as_bytes()).is_ok());
    }
}
