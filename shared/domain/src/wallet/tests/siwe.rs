//! The signed texts of spruceid/siwe: each case as `vectors/README.md` says, none taken that should not be.

use time::format_description::well_known::Rfc3339;

use super::super::proof::verify;
use super::*;
use crate::challenge::{Binding, Challenge, ChallengeError};

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    address: WalletAddress,
    message: String,
    signature: String,
    expected: String,
    /// What refuses it: `signature`, `expiry` or `text`.
    by: Option<String>,
    /// The text that a verifier of this case asked to be signed.
    kept: Option<String>,
    expires_at: Option<String>,
    now: Option<String>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str::<Cases>(include_str!("../vectors/siwe.json")).expect("the cases are well-formed").cases
}

fn moment(text: Option<&String>) -> time::OffsetDateTime {
    let text = text.expect("a case about time names times");
    time::OffsetDateTime::parse(text, &Rfc3339).expect("RFC 3339")
}

#[test]
fn every_positive_is_accepted_and_every_negative_refused_by_what_should_refuse_it() {
    let mut counts = std::collections::BTreeMap::new();
    for case in cases() {
        let Case { name, address, message, signature, .. } = &case;
        let by = case.by.as_deref().unwrap_or("nothing");
        let over_its_own_text = verify(address, message, signature);
        match (case.expected.as_str(), by) {
            ("accepted", "nothing") => assert_eq!(over_its_own_text, Ok(()), "{name}"),
            ("refused", "signature") => assert!(over_its_own_text.is_err(), "{name}"),
            // The signature is good, the text is not the one that was asked for: a text is compared whole, by its hash.
            ("refused", "text") => {
                assert_eq!(over_its_own_text, Ok(()), "{name}");
                let kept = case.kept.as_deref().expect("the text that was asked for");
                assert_eq!(verify(address, kept, signature), Err(ProofError::WrongSigner), "{name}");
            }
            ("refused", "expiry") => {
                assert_eq!(over_its_own_text, Ok(()), "{name}");
                let challenge = Challenge {
                    wallet: address.clone(),
                    binding: Binding::Register,
                    nonce: String::new(),
                    message: message.clone(),
                    pow: None,
                    issued_at: moment(case.expires_at.as_ref()),
                    expires_at: moment(case.expires_at.as_ref()),
                };
                let judged = challenge.authorizes(address, &Binding::Register, moment(case.now.as_ref()));
                assert_eq!(judged, Err(ChallengeError::Expired), "{name}");
            }
            other => panic!("{name}: {other:?} is no expectation"),
        }
        *counts.entry(by.to_owned()).or_insert(0) += 1;
    }
    let counts: Vec<(&str, i32)> = counts.iter().map(|(by, n)| (by.as_str(), *n)).collect();
    assert_eq!(counts, [("expiry", 2), ("nothing", 4), ("signature", 5), ("text", 5)]);
}
