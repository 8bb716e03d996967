//! The names of the fields that a type has, as its `Deserialize` states them.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// The fields of the object in which the last of these segments would be. None are known for a type that reads any field.
pub(super) fn known_fields<T: DeserializeOwned>(path: &[&str]) -> &'static [&'static str] {
    let parents = &path[..path.len().saturating_sub(1)];
    match T::deserialize(Walker { parents }) {
        Err(Found(Some(fields))) => fields,
        _ => &[],
    }
}

/// Ends a walk: the fields that were found.
#[derive(Debug)]
struct Found(Option<&'static [&'static str]>);

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the walk has ended")
    }
}

impl std::error::Error for Found {}

impl Error for Found {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(None)
    }
}

/// Descends through the parents, and ends at the object that they lead to.
struct Walker<'p> {
    parents: &'p [&'p str],
}

impl<'de> Deserializer<'de> for Walker<'_> {
    type Error = Found;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Found> {
        Err(Found(None))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Found> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Found> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Found> {
        match self.parents.split_first() {
            None => Err(Found(Some(fields))),
            Some((next, rest)) => visitor.visit_map(OneMember { name: Some(next), rest }),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map enum identifier ignored_any
    }
}

/// An object whose only member is on the way.
struct OneMember<'p> {
    name: Option<&'p str>,
    rest: &'p [&'p str],
}

impl<'de> MapAccess<'de> for OneMember<'_> {
    type Error = Found;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Found> {
        match self.name.take() {
            Some(name) => seed.deserialize(StrDeserializer::new(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Found> {
        seed.deserialize(Walker { parents: self.rest })
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "read by serde only")]
    struct Outer {
        first: String,
        inner: Option<Inner>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "read by serde only")]
    struct Inner {
        #[serde(rename = "type", alias = "kind")]
        kind: u8,
        deep: Box<Outer>,
    }

    #[test]
    fn fields_are_known_at_every_depth() {
        assert_eq!(known_fields::<Outer>(&["x"]), ["first", "inner"]);
        assert_eq!(known_fields::<Outer>(&["inner", "x"]), ["kind", "type", "deep"]);
        assert_eq!(known_fields::<Outer>(&["inner", "deep", "x"]), ["first", "inner"]);
        for nowhere in [&["first", "x"][..], &["no", "x"], &["inner", "kind", "x"]] {
            assert!(known_fields::<Outer>(nowhere).is_empty(), "{nowhere:?}");
        }
        assert!(known_fields::<serde_json::Value>(&["x"]).is_empty());
    }
}
