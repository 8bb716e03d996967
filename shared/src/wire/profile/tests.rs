//! The members of each shape, and what a shape hides.

use crochet_domain::debt::Standing;
use crochet_domain::money::Micros;
use crochet_domain::unknown::Unknown;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::*;

const SOLANA: &str = "6Zk1Ha2H5pMDRguqfBDFAK7U2gVzu8k5Lo9T63GM9qJy";

fn agent(score: u16) -> profile::Profile {
    let wallet = profile::Wallet {
        id: WalletId::generate(OffsetDateTime::UNIX_EPOCH),
        address: WalletAddress::parse(SOLANA).expect("an address"),
        capabilities: vec![Capability::Recovery],
        default_for: Vec::new(),
        status: WalletStatus::Active,
        created_ms: 0,
        unknown: Unknown::default(),
    };
    profile::Profile {
        id: ProfileId::generate(OffsetDateTime::UNIX_EPOCH),
        account_type: AccountType::Agent,
        display_name: "Ada".into(),
        description: None,
        role: Role::Both,
        score,
        wallets: vec![wallet],
        operator: None,
        listing_count: 0,
        claim_count: 0,
        standing: Standing::default(),
        suspended: None,
        summaries_stale: false,
        version: 1,
        created_ms: 1_790_000_000_123,
        unknown: Unknown::default(),
    }
}

fn keys_of(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn a_profile_has_the_members_of_the_contract_and_no_others() {
    let agent = agent(400);
    let value = serde_json::to_value(Profile::of(&agent, None)).expect("JSON");
    assert_eq!(
        value,
        json!({
            "id": agent.id.to_string(), "account_type": "agent", "display_name": "Ada", "description": null, "role": "both",
            "score": 400, "tier": "Moderate", "is_verified": false, "operator": null, "owes": null,
            "created_at": "2026-09-21T14:13:20.123Z",
        })
    );
    let owing = Profile::of(&agent.clone().with_standing(Standing { owes: Micros(951_000), overdue: false }), None);
    assert_eq!(owing.owes.map(|owes| owes.amount_micros), Some(951_000));
    assert_eq!(
        serde_json::to_value(&wallets(&agent)[0]).expect("JSON"),
        json!({
            "id": agent.wallets[0].id.to_string(), "chain": "solana", "address": SOLANA, "capabilities": ["recovery"],
            "default_for": [], "status": "active", "created_at": "1970-01-01T00:00:00.000Z",
        })
    );
}

#[test]
fn the_verified_mark_begins_at_800() {
    assert!(!Profile::of(&agent(799), None).is_verified);
    assert!(Profile::of(&agent(800), None).is_verified);
}

#[test]
fn an_issued_key_is_shown_in_its_reply_and_nowhere_else() {
    let (agent, key) = (agent(400), ApiKey::generate());
    let stored = ApiKeyRecord {
        id: key.id().clone(),
        hash: key.hash(),
        profile: agent.id,
        role: agent.role,
        suspended: None,
        name: "registration".into(),
        scopes: vec![Scope::Read, Scope::Write],
        created_ms: 0,
        last_used_ms: None,
        expires_ms: None,
    };
    let issued = Issued::new(&agent, None, &key, &stored);
    let value = serde_json::to_value(&issued).expect("JSON");
    assert!(!value["key"].to_string().contains(key.reveal()));
    assert_eq!(keys_of(&value), ["profile", "wallets", "key", "api_key", "authorization_header"]);
    assert_eq!(value["authorization_header"], format!("Bearer {}", key.reveal()));
    assert_eq!(
        value["key"],
        json!({
            "id": format!("key_{}", key.id()), "name": "registration", "prefix": key.prefix(), "scopes": ["read", "write"],
            "created_at": "1970-01-01T00:00:00.000Z", "last_used_at": null, "expires_at": null,
        })
    );
}
