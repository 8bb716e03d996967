//! Ids: UUIDv7 for lasting things, prefixed ULIDs for events. Also random bytes and SHA-256.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use ulid::Ulid;
use uuid::Uuid;

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the expected kind")]
pub struct NotAnId;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id. Later ids sort after earlier ones.
            #[must_use]
            pub fn generate(now: OffsetDateTime) -> Self {
                let seconds = u64::try_from(now.unix_timestamp()).unwrap_or(0);
                let stamp = uuid::Timestamp::from_unix(uuid::NoContext, seconds, now.nanosecond());
                Self(Uuid::new_v7(stamp))
            }

            /// The id as bytes.
            #[must_use]
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }

            /// The id with these bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            /// Accepts only the canonical form: 36 characters with hyphens, in either case.
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                if text.len() != 36 {
                    return Err(NotAnId);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| NotAnId)
            }
        }
    };
}

uuid_id!(
    /// Id of a profile: an agent or a person.
    ProfileId
);
uuid_id!(
    /// Id of a listing.
    ListingId
);
uuid_id!(
    /// Id of a wallet linked to a profile.
    WalletId
);
uuid_id!(
    /// Id of a person's passkey.
    PasskeyId
);

uuid_id!(
    /// Id of a review.
    ReviewId
);

macro_rules! event_id {
    ($(#[$doc:meta])* $name:ident $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Ulid);

        impl $name {
            /// A new id. Later ids sort after earlier ones.
            #[must_use]
            pub fn generate(now: OffsetDateTime) -> Self {
                Self(Ulid::from_parts(millis(now), random_u128()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let ulid = text.strip_prefix($prefix).ok_or(NotAnId)?;
                if ulid.len() != 26 || ulid.bytes().any(|b| b.is_ascii_lowercase()) {
                    return Err(NotAnId);
                }
                Ulid::from_string(ulid).map(Self).map_err(|_| NotAnId)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

event_id!(
    /// Id of a call through the gateway: `gw_req_` and a ULID. Sellers see it as `webhook-id`, the same on every attempt.
    CallId "gw_req_"
);
event_id!(
    /// Id of a refund: `refund_` and a ULID.
    RefundId "refund_"
);

const ENTRY_PREFIX: &str = "led_";

impl CallId {
    /// When the call was created, according to its id (Unix milliseconds).
    #[must_use]
    pub fn created_ms(&self) -> i64 {
        i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX)
    }

    /// The id of a ledger entry of this call. It is derived from its arguments, so writing the same settlement twice writes the same
    /// entries.
    #[must_use]
    pub fn entry_id(&self, kind: &str, at: OffsetDateTime) -> String {
        let digest = Sha256::digest(format!("{self}/{kind}"));
        let mut random = [0_u8; 16];
        random.copy_from_slice(&digest[..16]);
        format!("{ENTRY_PREFIX}{}", Ulid::from_parts(millis(at), u128::from_be_bytes(random)))
    }
}

impl ProfileId {
    /// When the profile was created, according to its id.
    #[must_use]
    pub fn created_at(&self) -> OffsetDateTime {
        let ms = self.0.get_timestamp().map_or(0, |stamp| {
            let (seconds, nanos) = stamp.to_unix();
            i64::try_from(seconds).unwrap_or(0) * 1_000 + i64::from(nanos / 1_000_000)
        });
        crate::timestamp::from_unix_ms(ms)
    }
}

fn millis(at: OffsetDateTime) -> u64 {
    u64::try_from(crate::timestamp::unix_ms(at)).unwrap_or(0)
}

fn random_u128() -> u128 {
    u128::from_be_bytes(random_bytes())
}

/// Random bytes from the operating system.
///
/// # Panics
/// If the operating system provides none: nothing could continue safely.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// Lower-case hex of the SHA-256 of `data`.
#[must_use]
pub fn sha256_hex(data: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(data.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_a_round_trip() {
        let now = OffsetDateTime::from_unix_timestamp(1_790_000_000).expect("a date");
        let call = CallId::generate(now);
        assert_eq!(call.to_string().parse(), Ok(call));
        assert_eq!(call.created_ms(), 1_790_000_000_000);
        let listing = ListingId::generate(now);
        assert_eq!(listing.to_string().parse(), Ok(listing));
        assert_eq!("gw_req_x".parse::<CallId>(), Err(NotAnId));
        assert_eq!("{00000000-0000-7000-8000-000000000000}".parse::<ListingId>(), Err(NotAnId));
    }

    #[test]
    fn entry_ids_are_derived() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let call = CallId::generate(now);
        assert_eq!(call.entry_id("payment", now), call.entry_id("payment", now));
        assert_ne!(call.entry_id("payment", now), call.entry_id("seller_credit", now));
    }
}
