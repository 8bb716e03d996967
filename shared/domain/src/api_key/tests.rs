//! Keys as they are made, read and stored, and whether the rules for secret scanners find them.

use super::*;

// The checksum was computed with Python: zlib.crc32 and divmod by 62.
const KNOWN: &str = "am_k_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef4eS2DD";

#[test]
fn a_known_key() {
    let key = ApiKey::parse(KNOWN).expect("a good key");
    assert_eq!(key.id().as_str(), "0123456789");
    assert_eq!(key.prefix(), "am_k_0123456789");
    assert_eq!(key.reveal(), KNOWN);
    let hash = serde_json::to_string(&key.hash()).expect("hex");
    assert_eq!(hash, "\"278aa3cd35c6044d3e6442336de8b6dbd886dd4290f47cb32a1d0786a0f5565f\"");
    assert_eq!(checksum("crochet 149"), "00EhsF", "padded with zeros");
}

#[test]
fn a_fresh_key_reads_as_itself() {
    for _ in 0..200 {
        let key = ApiKey::generate();
        let again = ApiKey::parse(key.reveal()).expect("a good key");
        assert_eq!(key.reveal().len(), API_KEY_CHARS);
        assert_eq!((again.id(), again.reveal()), (key.id(), key.reveal()));
        assert!(again.hash().matches(&key));
        assert!(!again.hash().matches(&ApiKey::generate()));
    }
}

#[test]
fn every_single_change_is_noticed() {
    for at in 0..KNOWN.len() {
        for other in BASE62.iter().copied().chain(*b"_-. \n\0") {
            let mut bytes = KNOWN.as_bytes().to_vec();
            if bytes[at] == other {
                continue;
            }
            bytes[at] = other;
            let text = String::from_utf8(bytes).expect("ASCII");
            assert_eq!(ApiKey::parse(&text).err(), Some(ApiKeyError), "{text:?}");
        }
        assert!(ApiKey::parse(&KNOWN[..at]).is_err(), "cut off at {at}");
    }
    for bad in [format!("{KNOWN}0"), format!(" {KNOWN}"), format!("{KNOWN}\n"), KNOWN.replace('A', "é"), KNOWN.to_lowercase()] {
        assert_eq!(ApiKey::parse(&bad).err(), Some(ApiKeyError), "{bad:?}");
    }
}

#[test]
fn secrets_do_not_print() {
    let key = ApiKey::generate();
    assert!(!format!("{key:?}").contains(&key.reveal()[API_KEY_PREFIX.len() + ID_CHARS..]));
    assert_eq!(format!("{:?}", key.hash()), "KeyHash(…)");
}

#[test]
fn hashes_and_ids_survive_storage() {
    let key = ApiKey::generate();
    let stored = serde_json::to_string(&(key.hash(), key.id(), [Scope::Read, Scope::Write])).expect("JSON");
    assert!(stored.ends_with(r#"["read","write"]]"#));
    let (hash, id, _): (KeyHash, KeyId, Vec<Scope>) = serde_json::from_str(&stored).expect("as it was written");
    assert!(hash.matches(&key));
    assert_eq!(&id, key.id());
    for bad in ["\"\"", "\"00\"", "7", &format!("\"{}\"", "0".repeat(66))] {
        assert!(serde_json::from_str::<KeyHash>(bad).is_err(), "{bad}");
        assert!(serde_json::from_str::<KeyId>(bad).is_err(), "{bad}");
    }
}

#[test]
fn digits_come_up_equally_often() {
    let mut counts = [0_u32; 62];
    for digit in random_base62(62_000).bytes() {
        counts[BASE62.iter().position(|b| *b == digit).expect("a Base62 digit")] += 1;
    }
    // The standard deviation is 32. Bytes modulo 62 without rejection would give eight digits 1,211 each.
    assert!(counts.iter().all(|n| (800..=1200).contains(n)), "{counts:?}");
}

/// The page for secret scanners.
const SCANNING: &str = include_str!("../../../../docs/secret-scanning.md");

/// The patterns of the page, compiled as JSON Schema's `pattern` is.
fn patterns() -> Vec<jsonschema::Validator> {
    let quoted = |line: &str, quote: &str| line.split(quote).nth(1).map(str::to_owned);
    let written = SCANNING.lines().filter_map(|line| match line.trim() {
        line if line.starts_with("regex = ") => quoted(line, "'''"),
        line if line.starts_with("api_key: ") => quoted(line, "'"),
        _ => None,
    });
    written.map(|it| jsonschema::validator_for(&serde_json::json!({ "pattern": it })).expect("a pattern")).collect()
}

#[test]
fn scanners_find_every_key_and_no_near_miss() {
    let patterns = patterns();
    assert_eq!(patterns.len(), 2, "gitleaks and trufflehog");
    let found = |text: &str| {
        let found: Vec<bool> = patterns.iter().map(|pattern| pattern.is_valid(&text.into())).collect();
        assert_eq!(found[0], found[1], "the two disagree about {text:?}");
        found[0]
    };
    for _ in 0..1_000 {
        let key = ApiKey::generate();
        let key = key.reveal();
        for around in
            [key.to_owned(), format!("Bearer {key}"), format!("KEY=\"{key}\";"), format!("a\n{key}\nb"), format!("({key})")]
        {
            assert!(found(&around));
        }
        let (head, tail) = key.split_at(30);
        for miss in [
            format!("{head}{}", &tail[1..]),
            format!("{key}0"),
            format!("x{key}"),
            format!("0_{key}"),
            format!("{key}_"),
            format!("{head}-{}", &tail[1..]),
            format!("{head} {}", &tail[1..]),
            format!("{head}é{}", &tail[1..]),
            key.replace("am_k_", "am_x_"),
            key.replace("am_k_", "AM_K_"),
            key.replace("am_k_", "am-k-"),
            key[..15].to_owned(),
        ] {
            assert!(!found(&miss), "{miss:?}");
        }
    }
}

#[test]
fn the_page_for_scanners_says_what_is_so() {
    assert!(SCANNING.contains(KNOWN), "the example is a good key");
    assert!(ApiKey::parse(KNOWN).is_ok());
    assert!(SCANNING.contains(std::str::from_utf8(BASE62).expect("ASCII")), "the digits in their order");
    for number in [format!("{API_KEY_CHARS} characters"), format!("{} characters before", API_KEY_CHARS - CHECKSUM_CHARS)] {
        assert!(SCANNING.contains(&number), "{number}");
    }
}
