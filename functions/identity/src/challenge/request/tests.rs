//! Which fields belong to which purpose.

use crochet::http::Code;
use crochet::http::request::parse_json;
use serde_json::{Value, json};

use super::*;

const WALLET: &str = "0x52908400098527886E0F7030069857D2E4169EE7";
const OTHER: &str = "0x8617E340B3D01FA5F11F306F4090FD50E238070D";
const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn read(body: &Value) -> Result<(WalletAddress, Binding), ApiError> {
    parse_json::<NewChallenge>(body.to_string().as_bytes())?.read()
}

/// Per purpose the fields that it needs.
fn complete(purpose: &str) -> Value {
    match purpose {
        "link_wallet" => json!({ "profile_id": ID, "new_wallet_address": OTHER }),
        "update_wallet" => json!({ "profile_id": ID, "wallet_id": ID, "change": { "status": "disabled" } }),
        "claim_agent" => json!({ "profile_id": ID, "operator_id": ID }),
        _ => json!({}),
    }
}

fn asked(purpose: &str, fields: &Value) -> Value {
    let mut body = fields.clone();
    body["wallet_address"] = WALLET.into();
    body["purpose"] = purpose.into();
    body
}

const PURPOSES: [&str; 5] = ["register", "recover", "link_wallet", "update_wallet", "claim_agent"];

#[test]
fn every_purpose_takes_its_own_fields() {
    for purpose in PURPOSES {
        let (wallet, binding) = read(&asked(purpose, &complete(purpose))).expect(purpose);
        assert_eq!((wallet.as_str(), binding.purpose().as_str()), (WALLET, purpose));
    }
    let (_, binding) = read(&json!({ "wallet_address": WALLET.to_lowercase() })).expect("the default");
    assert_eq!(binding, Binding::Register);
    let (_, binding) = read(&asked("update_wallet", &complete("update_wallet"))).expect("a challenge");
    assert!(matches!(binding, Binding::UpdateWallet { change, .. } if change == r#"{"status":"disabled"}"#));
}

#[test]
fn a_missing_field_is_named() {
    for purpose in PURPOSES {
        let fields = complete(purpose);
        for name in fields.as_object().expect("an object").keys() {
            let mut fields = fields.clone();
            fields.as_object_mut().expect("an object").remove(name);
            let error = read(&asked(purpose, &fields)).expect_err(name);
            assert_eq!(error.code(), Code::InvalidRequest);
            assert!(named(&error, name), "{purpose} without {name}");
        }
    }
}

#[test]
fn a_field_of_another_purpose_is_refused_by_name() {
    let all = json!({
        "profile_id": ID, "new_wallet_address": OTHER, "wallet_id": ID, "change": { "status": "disabled" }, "operator_id": ID,
    });
    for purpose in PURPOSES {
        let own = complete(purpose);
        for (name, value) in all.as_object().expect("an object") {
            if own.get(name).is_some() {
                continue;
            }
            let mut fields = own.clone();
            fields[name] = value.clone();
            let error = read(&asked(purpose, &fields)).expect_err(name);
            assert_eq!(error.code(), Code::InvalidRequest);
            assert!(named(&error, name), "{purpose} with {name}");
        }
    }
}

#[test]
fn a_wrong_field_has_its_own_code() {
    for (field, value, code) in [
        ("wallet_address", json!("0x1"), Code::InvalidWalletAddress),
        ("new_wallet_address", json!("0x1"), Code::InvalidWalletAddress),
        ("profile_id", json!("me"), Code::InvalidRequest),
        ("profile_id", json!(ID.replace('-', "")), Code::InvalidRequest),
        ("purpose", json!("link"), Code::InvalidRequest),
        ("wallet_address", json!(7), Code::InvalidRequest),
    ] {
        let mut body = asked("link_wallet", &complete("link_wallet"));
        body[field] = value;
        let error = read(&body).expect_err(field);
        assert_eq!(error.code(), code, "{field}");
        assert!(named(&error, field), "{field}");
    }
    let body = asked("update_wallet", &json!({ "profile_id": ID, "wallet_id": ID, "change": { "name": "x" } }));
    let error = read(&body).expect_err("no such field");
    assert_eq!(error.code(), Code::UnknownField, "inside the change, too");
}

/// Whether `details.field` is this.
fn named(error: &ApiError, field: &str) -> bool {
    let config = crochet::config::Config::from_lookup(|_| None).expect("the defaults");
    error.body(&config)["error"]["details"]["field"] == field
}
