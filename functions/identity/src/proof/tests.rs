//! Valid answers, and answers with exactly one thing wrong.

use crochet_domain::challenge::CHALLENGE_TTL;
use crochet_domain::wallet::proof::MAX_SIGNATURE_CHARS;
use ed25519_dalek::{Signer, SigningKey};
use time::Duration;

use super::*;

const NONCE: &str = "0123456789abcdef0123456789abcdef";
const EVM: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

struct Case {
    challenge: Challenge,
    answer: SignedAnswer,
}

fn issue(key: &SigningKey, binding: Binding) -> Challenge {
    let config = crochet::config::Config::from_lookup(|_| None).expect("the defaults");
    Challenge::issue(wallet(key), binding, &config.public_url, OffsetDateTime::UNIX_EPOCH, 2)
}

fn wallet(key: &SigningKey) -> WalletAddress {
    WalletAddress::of_solana_key(&key.verifying_key()).expect("an address")
}

fn answer(key: &SigningKey, challenge: &Challenge) -> SignedAnswer {
    let signature = bs58::encode(key.sign(challenge.message.as_bytes()).to_bytes()).into_string();
    let pow_nonce = challenge.pow.as_ref().map_or_else(|| "0".to_owned(), ProofOfWork::solve);
    read(wallet(key).as_str(), &signature, &challenge.nonce, &pow_nonce).expect("well-formed")
}

fn read(wallet_address: &str, signature: &str, nonce: &str, pow_nonce: &str) -> Result<SignedAnswer, ApiError> {
    let [wallet_address, signature, nonce, pow_nonce] = [wallet_address, signature, nonce, pow_nonce].map(str::to_owned);
    SignedAnswer::read(Proof { wallet_address, signature, nonce, pow_nonce: Some(pow_nonce) }, MAX_SIGNATURE_CHARS)
}

/// Signatures of keys need no chain node, so the future is ready at once.
fn verify(answer: &SignedAnswer, challenge: Option<&Challenge>, request: &Binding, now: OffsetDateTime) -> Result<(), ApiError> {
    let proofs = WalletProofs::of_keys();
    futures::FutureExt::now_or_never(answer.verify(&proofs, challenge, request, now)).expect("ready at once")
}

fn case(binding: Binding) -> Case {
    let key = SigningKey::from_bytes(&[7; 32]);
    let challenge = issue(&key, binding);
    Case { answer: answer(&key, &challenge), challenge }
}

impl Case {
    fn outcome(&self, request: &Binding, after: Duration) -> Result<(), Code> {
        let now = OffsetDateTime::UNIX_EPOCH + after;
        verify(&self.answer, Some(&self.challenge), request, now).map_err(|error| error.code())
    }
}

#[test]
fn a_right_answer_passes_until_the_challenge_expires() {
    let case = case(Binding::Recover);
    let last = CHALLENGE_TTL - Duration::milliseconds(1);
    assert_eq!(case.outcome(&Binding::Recover, Duration::ZERO), Ok(()));
    assert_eq!(case.outcome(&Binding::Recover, last), Ok(()));
    assert_eq!(case.outcome(&Binding::Recover, CHALLENGE_TTL), Err(Code::ChallengeInvalid));
}

#[test]
fn a_signature_for_one_thing_is_refused_for_another() {
    assert_eq!(case(Binding::Recover).outcome(&Binding::Register, Duration::ZERO), Err(Code::ChallengeInvalid));
    assert_eq!(case(Binding::Register).outcome(&Binding::Recover, Duration::ZERO), Err(Code::ChallengeInvalid));
}

#[test]
fn each_failure_has_its_code() {
    let now = OffsetDateTime::UNIX_EPOCH;
    let Case { challenge, mut answer } = case(Binding::Register);
    let code = |answer: &SignedAnswer| verify(answer, Some(&challenge), &Binding::Register, now).err().map(|e| e.code());
    assert_eq!(verify(&answer, None, &Binding::Register, now).expect_err("unknown").code(), Code::ChallengeInvalid);

    let signature = std::mem::replace(&mut answer.signature, "1".repeat(64));
    assert_eq!(code(&answer), Some(Code::SignatureInvalid));
    answer.signature = "no signature at all".into();
    assert_eq!(code(&answer), Some(Code::SignatureInvalid));

    // The proof of work is checked before the signature.
    let wrong_work = (0..).map(|n| n.to_string()).find(|n| challenge.pow.as_ref().is_some_and(|pow| !pow.accepts(n)));
    answer.pow_nonce = Some(PowNonce::parse(&wrong_work.expect("most numbers are wrong")).expect("well-formed"));
    assert_eq!(code(&answer), Some(Code::PowInvalid));
    answer.signature = signature;
    assert_eq!(code(&answer), Some(Code::PowInvalid));

    answer.wallet = wallet(&SigningKey::from_bytes(&[8; 32]));
    assert_eq!(code(&answer), Some(Code::ChallengeInvalid));
}

#[test]
fn malformed_answers_are_told_before_a_challenge_is_touched() {
    let long = "0".repeat(MAX_SIGNATURE_CHARS + 1);
    for (address, signature, nonce, pow_nonce, code) in [
        ("0x", "00", NONCE, "0", Code::InvalidWalletAddress),
        (EVM, "", NONCE, "0", Code::InvalidRequest),
        (EVM, &long, NONCE, "0", Code::InvalidRequest),
        (EVM, "00", &NONCE[1..], "0", Code::InvalidRequest),
        (EVM, "00", &NONCE.to_uppercase(), "0", Code::InvalidRequest),
        (EVM, "00", NONCE, "", Code::InvalidRequest),
        (EVM, "00", NONCE, &"0".repeat(65), Code::InvalidRequest),
    ] {
        let error = read(address, signature, nonce, pow_nonce).err().expect("malformed");
        assert_eq!(error.code(), code, "{address} {signature} {nonce} {pow_nonce}");
    }
    let well_formed = "00".repeat(65);
    for encoding in ["00", "nonsense", &long[1..], "AAAA/w==", &well_formed[2..]] {
        assert_eq!(read(EVM, encoding, NONCE, "0").err().expect("an encoding").code(), Code::InvalidRequest, "{encoding}");
    }
    assert!(read(EVM, &well_formed, NONCE, &"~".repeat(64)).is_ok());
}
