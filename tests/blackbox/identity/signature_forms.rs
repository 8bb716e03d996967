//! Forms of signatures: Solana's off-chain envelope, and encodings that are none.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use crochet_tests::{Failure, Outcome, Replies, Wallet, World, shared, text};
use serde_json::Value;

/// Solana's off-chain message envelope, version 0: format UTF-8, one signer.
fn envelope(signer: &Wallet, application_domain: [u8; 32], message: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = b"\xffsolana offchain\0".to_vec();
    bytes.extend(application_domain);
    bytes.extend([1, 1]);
    bytes.extend(bs58::decode(signer.address()).into_vec()?);
    bytes.extend(u16::try_from(message.len())?.to_le_bytes());
    bytes.extend(message.as_bytes());
    Ok(bytes)
}

/// The envelope as the `solana` command writes it: without application domain and signers.
fn short_envelope(message: &str) -> Result<Vec<u8>, Failure> {
    let length = u16::try_from(message.len())?.to_le_bytes();
    Ok([b"\xffsolana offchain\0\x01".as_slice(), &length, message.as_bytes()].concat())
}

/// A registration, solved and signed, and the message that was to be signed.
async fn registration(world: &World, wallet: &Wallet) -> Result<(Value, String), Failure> {
    let challenge = world.client.challenge(wallet.address(), "register", &Value::Null).await?;
    let mut body = challenge.answer(wallet);
    body["display_name"] = "Hardware".into();
    Ok((body, challenge.message))
}

#[test]
fn a_signature_over_the_off_chain_envelope_counts() -> Outcome {
    shared(async |world| {
        for form in 0..3 {
            let wallet = Wallet::solana();
            let (mut body, message) = registration(world, &wallet).await?;
            let mut domain = [0; 32];
            if form == 1 {
                let name = message.split(' ').next().unwrap_or_default();
                domain.iter_mut().zip(name.bytes()).for_each(|(to, byte)| *to = byte);
            }
            let signed = if form == 2 { short_envelope(&message)? } else { envelope(&wallet, domain, &message)? };
            body["signature"] = wallet.sign_bytes(&signed).into();
            world.client.post("/register").json(&body).send().await?.ok(201);
        }
        Ok(())
    })
}

#[test]
fn an_envelope_of_another_message_or_signer_is_refused() -> Outcome {
    shared(async |world| {
        let (wallet, other) = (Wallet::solana(), Wallet::solana());
        for case in 0..3 {
            let (mut body, message) = registration(world, &wallet).await?;
            let signature = match case {
                0 => wallet.sign_bytes(&envelope(&wallet, [0; 32], &format!("{message}!"))?),
                1 => wallet.sign_bytes(&envelope(&other, [0; 32], &message)?),
                _ => other.sign_bytes(&envelope(&wallet, [0; 32], &message)?),
            };
            body["signature"] = signature.into();
            world.client.post("/register").json(&body).send().await?.refused(401, "SIGNATURE_INVALID");
        }
        Ok(())
    })
}

#[test]
fn a_signature_in_a_wrong_encoding_is_400_and_uses_nothing_up() -> Outcome {
    shared(async |world| {
        for wallet in [Wallet::evm(), Wallet::solana()] {
            let (good, _) = registration(world, &wallet).await?;
            let right = text(&good, "signature");
            let bytes = match right.strip_prefix("0x") {
                Some(digits) => hex::decode(digits)?,
                None => bs58::decode(right).into_vec()?,
            };
            for wrong in
                [BASE64_STANDARD.encode(&bytes), "nonsense!".to_owned(), right[..right.len() - 4].to_owned(), format!(" {right}")]
            {
                let mut body = good.clone();
                body["signature"] = wrong.clone().into();
                let reply = world.client.post("/register").json(&body).send().await?;
                let error = reply.refused(400, "INVALID_REQUEST");
                assert_eq!(error["details"]["field"], "signature", "{wrong}");
            }
            world.client.post("/register").json(&good).send().await?.ok(201);
        }
        Ok(())
    })
}
