//! Replaces what differs from run to run by fixed values of the same form. Equal texts stay equal.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::world::World;

/// Numbers that are measured.
const MEASURED: &[(&str, u64)] = &[("latency_ms", 42), ("p50_latency_ms", 40), ("p95_latency_ms", 90)];
/// Texts that are found or chosen anew by each run.
const CHOSEN: &[(&str, &str)] = &[
    ("pow_nonce", "48213"),
    ("private_endpoint_url", "https://seller.example/summarize"),
    ("jws", "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJDcm9jaGV0In0.c2lnbmF0dXJl"),
    ("kid", "1"),
    ("x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
    ("y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
];
/// The earliest time of all examples.
const BEGINNING: &str = "2026-01-05T12:00:00Z";
/// Addresses of programs on Solana, which are the same everywhere.
const PROGRAMS: &[&str] = &[
    "11111111111111111111111111111111",
    "99vQwtBwYtrqqD9YSXbdum3KBdxPAVxYTaQ3cfnJSrN2",
    "7WGzTkSsDEtRysSVqTx4ztQ6ipDZvuTNVDcB2GLwwuQR",
    "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
];
/// The sandbox's hint, which no real provider gives.
const SANDBOX_HINT: &str = " In this sandbox";
/// Digits of recovery codes and ULIDs.
const CROCKFORD: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What was replaced so far.
pub(super) struct Normal {
    urls: Vec<(String, &'static str)>,
    known: HashMap<String, String>,
    counts: HashMap<&'static str, usize>,
    began: Option<OffsetDateTime>,
}

impl Normal {
    /// For what `world` replies.
    pub(super) fn of(world: &World) -> Self {
        let base = world.client.base();
        let host = |url: &str| url.split_once("://").map_or(url, |(_, host)| host).trim_end_matches('/').to_owned();
        let port = base.rsplit(':').next().unwrap_or_default().to_owned();
        let sandbox = world.sandbox.base().to_owned();
        let seller = world.seller.url("");
        let urls = vec![
            (base.to_owned(), "{PUBLIC_URL}"),
            (format!("http://localhost:{port}"), "{PUBLIC_URL}"),
            (format!("localhost:{port}"), "crochet.example"),
            (sandbox.clone(), "https://api.relay.link"),
            (host(&sandbox), "api.relay.link"),
            (seller.trim_end_matches('/').to_owned(), "https://seller.example"),
        ];
        Self { urls, known: HashMap::new(), counts: HashMap::new(), began: None }
    }

    /// A value with every text in it replaced.
    pub(super) fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                let member = |(name, value): (&String, &Value)| {
                    let measured = MEASURED.iter().find(|(known, _)| name == known).filter(|_| value.is_number());
                    let chosen = CHOSEN.iter().find(|(known, _)| name == known).filter(|_| value.is_string());
                    let fixed = measured.map(|(_, fixed)| (*fixed).into()).or(chosen.map(|(_, fixed)| (*fixed).into()));
                    (self.text(name), fixed.unwrap_or_else(|| self.value(value)))
                };
                Value::Object(members.iter().map(member).collect())
            }
            other => other.clone(),
        }
    }

    /// A text with everything replaced that is an id, a key, a time, an address or the like.
    pub(super) fn text(&mut self, text: &str) -> String {
        let mut text = text.split(SANDBOX_HINT).next().unwrap_or_default().to_owned();
        for (url, fixed) in &self.urls {
            text = text.replace(url, fixed);
        }
        if text == "localhost" {
            return "crochet.example".into();
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '.');
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(start) = rest.find(is_word) {
            let (before, from) = rest.split_at(start);
            out.push_str(before);
            let mut end = from.find(|c| !is_word(c)).unwrap_or(from.len());
            if from.starts_with("whsec_") {
                end = from.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '+' | '/' | '=')).unwrap_or(from.len());
            }
            out.push_str(&self.word(&from[..end]));
            rest = &from[end..];
        }
        out + rest
    }

    fn word(&mut self, word: &str) -> String {
        if let Ok(time) = OffsetDateTime::parse(word, &Rfc3339) {
            return self.time(time);
        }
        if let Some(position) = word.rfind([':', '.']) {
            let (before, after) = word.split_at(position);
            return format!("{}{}{}", self.word(before), &after[..1], self.word(&after[1..]));
        }
        if let Some(known) = self.known.get(word) {
            return known.clone();
        }
        // A listing's proof of work: when it was made, and random digits.
        if let Some((made, digits)) = word.split_once('-')
            && made.len() == 15
            && made.bytes().all(|b| b.is_ascii_digit())
        {
            return format!("001767614400000-{}", self.word(digits));
        }
        let Some(kind) = kind(word) else { return word.to_owned() };
        let fixed = match kind {
            Kind::Key => format!("am_k_{}{}", self.key_id(&word[5..15]), &"ShownOnlyOnce".repeat(3)[..38]),
            Kind::KeyPrefix => format!("am_k_{}", self.key_id(&word[5..])),
            kind => {
                let n = self.counts.entry(kind.name()).or_insert(0);
                *n += 1;
                kind.example(word, *n)
            }
        };
        self.known.insert(word.to_owned(), fixed.clone());
        fixed
    }

    /// The ten characters that stand for those of a key's id.
    fn key_id(&mut self, id: &str) -> String {
        self.word(&format!("key_{id}")).trim_start_matches("key_").to_owned()
    }

    /// The time, moved to the beginning of all examples and rounded to minutes.
    fn time(&mut self, time: OffsetDateTime) -> String {
        let began = *self.began.get_or_insert(time);
        let beginning = OffsetDateTime::parse(BEGINNING, &Rfc3339).expect("a time");
        let moved = beginning + Duration::minutes((time - began).whole_seconds().div_euclid(60));
        moved.format(&Rfc3339).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Uuid,
    Key,
    KeyPrefix,
    KeyId,
    Event,
    Secret,
    EvmAddress,
    Hex,
    Base58(usize),
    RecoveryCode,
    Blob,
}

fn kind(word: &str) -> Option<Kind> {
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let has = |test: fn(&u8) -> bool| word.bytes().any(|b| test(&b));
    let bare = word.strip_prefix("0x").unwrap_or(word);
    let uuid: Vec<&str> = word.split('-').collect();
    if uuid.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && uuid.iter().all(|part| is_hex(part)) {
        Some(Kind::Uuid)
    } else if word.starts_with("am_k_") {
        Some(if word.len() == 53 { Kind::Key } else { Kind::KeyPrefix })
    } else if word.starts_with("key_") && word.len() == 14 {
        Some(Kind::KeyId)
    } else if word.rsplit_once('_').is_some_and(|(_, ulid)| ulid.len() == 26 && ulid.bytes().all(|b| CROCKFORD.contains(&b))) {
        Some(Kind::Event)
    } else if word.starts_with("whsec_") {
        Some(Kind::Secret)
    } else if word.starts_with("0x") && bare.len() == 40 && is_hex(bare) {
        Some(Kind::EvmAddress)
    } else if bare.len() >= 16 && is_hex(bare) && bare.bytes().any(|b| b.is_ascii_digit()) {
        Some(Kind::Hex)
    } else if PROGRAMS.contains(&word) || word.len() < 20 {
        None
    } else if let Some(length @ (32 | 64)) = bs58::decode(word).into_vec().ok().map(|bytes| bytes.len()) {
        Some(Kind::Base58(length))
    } else if has(u8::is_ascii_digit) && word.bytes().all(|b| b == b'-' || CROCKFORD.contains(&b)) {
        Some(Kind::RecoveryCode)
    } else {
        (has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)).then_some(Kind::Blob)
    }
}

impl Kind {
    /// What is counted together.
    fn name(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Key | Self::KeyPrefix | Self::KeyId => "key",
            Self::Event => "event",
            Self::Secret => "secret",
            Self::EvmAddress => "address",
            Self::Hex => "hex",
            Self::Base58(_) => "base58",
            Self::RecoveryCode => "code",
            Self::Blob => "blob",
        }
    }

    /// The `n`th value of this kind, of the form of `word`.
    fn example(self, word: &str, n: usize) -> String {
        let bytes = stretched(self.name(), n, word.len());
        match self {
            Self::Uuid => format!("019b8e80-4000-7000-8000-{n:012}"),
            Self::KeyId | Self::Key | Self::KeyPrefix => format!("key_Example{n:03}"),
            Self::Event => format!("{}_01KE6Y0000{n:016}", word.rsplit_once('_').map_or("", |(name, _)| name)),
            Self::Secret => format!("whsec_{}", BASE64.encode(Sha256::digest(n.to_string()))),
            // Without letters, the checksum holds.
            Self::EvmAddress => format!("0x{}", bytes.iter().take(40).map(|b| char::from(b'0' + b % 10)).collect::<String>()),
            Self::Hex => {
                let (prefix, length) = if word.starts_with("0x") { ("0x", word.len() - 2) } else { ("", word.len()) };
                format!("{prefix}{}", &hex::encode(&bytes)[..length])
            }
            Self::Base58(length) => bs58::encode(&bytes[..length.min(bytes.len())]).into_string(),
            Self::RecoveryCode => alike(word, &bytes, CROCKFORD),
            Self::Blob => alike(&"A".repeat(word.len()), &bytes, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
        }
    }
}

/// Other digits in the places of a text's digits and letters.
fn alike(word: &str, bytes: &[u8], digits: &[u8]) -> String {
    let other =
        |(c, b): (char, &u8)| if c.is_ascii_alphanumeric() { char::from(digits[usize::from(*b) % digits.len()]) } else { c };
    word.chars().zip(bytes).map(other).collect()
}

/// At least `length` bytes, the same in each run.
fn stretched(name: &str, n: usize, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < length.max(64) {
        bytes.extend(Sha256::digest(format!("{name} {n} {}", bytes.len())));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal() -> Normal {
        Normal {
            urls: vec![("http://127.0.0.1:9".into(), "{PUBLIC_URL}")],
            known: HashMap::new(),
            counts: HashMap::new(),
            began: None,
        }
    }

    #[test]
    fn what_is_equal_stays_equal_and_keeps_its_form() {
        let mut normal = normal();
        let id = normal.text("019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b");
        assert_eq!(id, "019b8e80-4000-7000-8000-000000000001");
        let link = normal.text("http://127.0.0.1:9/api/v1/gateway/019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b");
        assert_eq!(link, format!("{{PUBLIC_URL}}/api/v1/gateway/{id}"));
        assert_eq!(normal.text("gw_req_01KB2M3N4P5Q6R7S8T9V0W1X2Y"), "gw_req_01KE6Y00000000000000000001");
        let address = normal.text("0xAbCdEf0123456789aBcDeF0123456789abcdef01");
        assert!(address.len() == 42 && address[2..].bytes().all(|b| b.is_ascii_digit()), "{address}");
        assert_eq!(normal.text("Summarizes a text in per_call mode."), "Summarizes a text in per_call mode.");
    }

    #[test]
    fn times_keep_their_distance_in_minutes() {
        let mut normal = normal();
        assert_eq!(normal.text("2026-11-28T09:00:30.5Z"), BEGINNING);
        assert_eq!(normal.text("Issued At: 2026-11-28T09:05:31Z"), "Issued At: 2026-01-05T12:05:00Z");
    }

    #[test]
    fn a_key_shows_its_id_and_nothing_else() {
        let mut normal = normal();
        let (id, key) = ("0123456789", "am_k_0123456789abcdefghijABCDEFGHIJabcdefghijABCDEFGH");
        let shown = normal.text(&key[..53]);
        assert!(shown.starts_with("am_k_Example001ShownOnlyOnce") && shown.len() == 53, "{shown}");
        assert_eq!(normal.text(&format!("key_{id}")), "key_Example001");
    }
}
