//! What a signature over a challenge is good for.

mod text;

use ed25519_dalek::{Signer, SigningKey as SolanaSecret};
use k256::ecdsa::SigningKey as EvmSecret;
use time::macros::datetime;

use super::*;
use crate::ids::{ProfileId, WalletId};
use crate::wallet::proof;

const NOW: OffsetDateTime = datetime!(2026-11-21 21:00:00.123 UTC);

enum TestWallet {
    Evm(EvmSecret),
    Solana(SolanaSecret),
}

impl TestWallet {
    fn evm(seed: u8) -> Self {
        Self::Evm(EvmSecret::from_slice(&[seed; 32]).expect("a key in range"))
    }

    fn solana(seed: u8) -> Self {
        Self::Solana(SolanaSecret::from_bytes(&[seed; 32]))
    }

    fn address(&self) -> WalletAddress {
        match self {
            Self::Evm(key) => WalletAddress::of_evm_key(key.verifying_key()),
            Self::Solana(key) => WalletAddress::of_solana_key(&key.verifying_key()).expect("a strong key"),
        }
    }

    fn sign(&self, message: &str) -> String {
        match self {
            Self::Evm(key) => {
                let (signature, v) = key.sign_prehash_recoverable(&proof::personal_sign_hash(message));
                format!("0x{}{:02x}", hex::encode(signature.to_bytes()), 27 + v.to_byte())
            }
            Self::Solana(key) => bs58::encode(key.sign(message.as_bytes()).to_bytes()).into_string(),
        }
    }
}

fn public_url() -> Url {
    Url::parse("http://localhost:9000").expect("a URL")
}

fn profile(n: u8) -> ProfileId {
    format!("01939f3c-0000-7000-8000-0000000000{n:02x}").parse().expect("an id")
}

fn wallet_id(n: u8) -> WalletId {
    format!("01939f3c-1111-7000-8000-0000000000{n:02x}").parse().expect("an id")
}

fn issue(wallet: &TestWallet, binding: Binding) -> Challenge {
    Challenge::issue(wallet.address(), binding, &public_url(), NOW, 1)
}

/// Whether `signature` is `signer`'s consent to `request`; `None` where it is the signature that is bad.
fn check(
    challenge: &Challenge,
    signer: &WalletAddress,
    request: &Binding,
    signature: &str,
    now: OffsetDateTime,
) -> Result<(), Option<ChallengeError>> {
    challenge.authorizes(signer, request, now).map_err(Some)?;
    proof::verify(signer, &challenge.message, signature).map_err(|_| None)
}

/// Bindings that all differ, several of them in one field only.
fn bindings() -> Vec<Binding> {
    let new_wallet = |seed| TestWallet::solana(seed).address();
    let change = |text: &str| text.to_owned();
    let (enable, disable) = (r#"{"status":"active"}"#, r#"{"status":"disabled"}"#);
    vec![
        Binding::Register,
        Binding::Recover,
        Binding::LinkWallet { profile_id: profile(1), new_wallet_address: new_wallet(8) },
        Binding::LinkWallet { profile_id: profile(2), new_wallet_address: new_wallet(8) },
        Binding::LinkWallet { profile_id: profile(1), new_wallet_address: new_wallet(9) },
        Binding::UpdateWallet { profile_id: profile(1), wallet_id: wallet_id(1), change: change(disable) },
        Binding::UpdateWallet { profile_id: profile(2), wallet_id: wallet_id(1), change: change(disable) },
        Binding::UpdateWallet { profile_id: profile(1), wallet_id: wallet_id(2), change: change(disable) },
        Binding::UpdateWallet { profile_id: profile(1), wallet_id: wallet_id(1), change: change(enable) },
        Binding::ClaimAgent { profile_id: profile(1), operator_id: profile(3) },
        Binding::ClaimAgent { profile_id: profile(2), operator_id: profile(3) },
        Binding::ClaimAgent { profile_id: profile(1), operator_id: profile(4) },
        Binding::OperatorLogin { profile_id: profile(1), operator_id: profile(3) },
        Binding::OperatorLogin { profile_id: profile(2), operator_id: profile(3) },
        Binding::OperatorLogin { profile_id: profile(1), operator_id: profile(4) },
    ]
}

#[test]
fn a_signature_fits_its_own_binding_and_no_other() {
    for wallet in [TestWallet::evm(1), TestWallet::solana(1)] {
        let bindings = bindings();
        for binding in &bindings {
            let challenge = issue(&wallet, binding.clone());
            let signature = wallet.sign(&challenge.message);
            for request in &bindings {
                let expected = if request == binding { Ok(()) } else { Err(Some(ChallengeError::OtherBinding)) };
                assert_eq!(check(&challenge, &wallet.address(), request, &signature, NOW), expected, "{binding:?} {request:?}");
            }
        }
    }
}

#[test]
fn a_signature_is_good_for_one_challenge() {
    let wallet = TestWallet::evm(1);
    let (one, other) = (issue(&wallet, Binding::Register), issue(&wallet, Binding::Register));
    assert_ne!(one.nonce, other.nonce);
    let bad = Err(None);
    assert_eq!(check(&other, &wallet.address(), &Binding::Register, &wallet.sign(&one.message), NOW), bad);
}

#[test]
fn another_wallet_cannot_answer() {
    let (wallet, thief) = (TestWallet::evm(1), TestWallet::evm(2));
    let challenge = issue(&wallet, Binding::Recover);
    let signature = thief.sign(&challenge.message);
    let as_itself = check(&challenge, &thief.address(), &Binding::Recover, &signature, NOW);
    assert_eq!(as_itself, Err(Some(ChallengeError::OtherWallet)));
    let as_the_wallet = check(&challenge, &wallet.address(), &Binding::Recover, &signature, NOW);
    assert_eq!(as_the_wallet, Err(None));
}

#[test]
fn a_linked_wallet_may_sign_the_text_that_names_it() {
    let (old, new, third) = (TestWallet::evm(1), TestWallet::solana(2), TestWallet::solana(3));
    let binding = Binding::LinkWallet { profile_id: profile(1), new_wallet_address: new.address() };
    let challenge = issue(&old, binding.clone());
    for wallet in [&old, &new] {
        assert!(challenge.message.contains(wallet.address().as_str()), "the text names both");
        assert_eq!(check(&challenge, &wallet.address(), &binding, &wallet.sign(&challenge.message), NOW), Ok(()));
    }
    let stranger = check(&challenge, &third.address(), &binding, &third.sign(&challenge.message), NOW);
    assert_eq!(stranger, Err(Some(ChallengeError::OtherWallet)));
}

#[test]
fn it_lives_for_five_minutes() {
    let wallet = TestWallet::solana(1);
    let challenge = issue(&wallet, Binding::Register);
    let signature = wallet.sign(&challenge.message);
    let at = |ms| check(&challenge, &wallet.address(), &Binding::Register, &signature, NOW + Duration::milliseconds(ms));
    assert_eq!(at(299_999), Ok(()));
    assert_eq!(at(300_000), Err(Some(ChallengeError::Expired)));
    assert_eq!(challenge.expires_at - challenge.issued_at, CHALLENGE_TTL);
}

#[test]
fn work_is_asked_for_where_there_is_no_key() {
    for binding in bindings() {
        let needs = matches!(binding, Binding::Register | Binding::Recover | Binding::OperatorLogin { .. });
        let pow = issue(&TestWallet::evm(1), binding).pow;
        assert_eq!(pow.map(|pow| pow.difficulty), needs.then_some(1));
    }
}

#[test]
fn it_survives_storage() {
    for binding in bindings() {
        let now = NOW + Duration::nanoseconds(456_789);
        let challenge = Challenge::issue(TestWallet::evm(1).address(), binding, &public_url(), now, 4);
        let stored = serde_json::to_value(&challenge).expect("JSON");
        assert_eq!(stored["issued_at"], 1_795_294_800_123_i64);
        assert_eq!(stored["binding"]["purpose"], challenge.purpose().as_str());
        assert_eq!(serde_json::to_value(challenge.purpose()).expect("JSON"), challenge.purpose().as_str());
        assert_eq!(serde_json::from_value::<Challenge>(stored).expect("as it was written"), challenge);
    }
}
