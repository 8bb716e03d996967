//! `POST /api-keys/report-leak`: whoever finds a key can revoke it.

use crochet_tests::{Failure, Outcome, Replies, Reply, World, list, members, shared, text};
use serde_json::{Value, json};

async fn report(world: &World, key: &str) -> Result<Reply, Failure> {
    Ok(world.client.post("/api-keys/report-leak").json(&json!({ "api_key": key })).send().await?)
}

#[test]
fn report_leak_ends_the_key_that_it_is_shown() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let leaked = agent.create_key(&json!({ "name": "leaked", "scopes": ["read"] })).await?;
        leaked.get("/me").send().await?.ok(200);
        let reply = report(world, &leaked.api_key).await?;
        assert_eq!(reply.ok(200), &json!({ "revoked": true }));
        assert!(reply.header("ratelimit-policy").starts_with("\"auth\""), "counted per address");
        leaked.get("/me").send().await?.refused(401, "INVALID_API_KEY");
        leaked.get("/ledger").send().await?.refused(401, "INVALID_API_KEY");
        let listed = agent.get("/api-keys").send().await?;
        assert_eq!(list(listed.ok(200), "keys").len(), 1, "the others stay");
        Ok(())
    })
}

#[test]
fn the_answer_tells_nobody_whether_the_key_was_one() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let leaked = agent.create_key(&json!({ "name": "leaked" })).await?;
        let first = report(world, &leaked.api_key).await?;
        let again = report(world, &leaked.api_key).await?;
        // Well-formed, and never issued: its checksum was computed with Python's zlib.crc32.
        let never = report(world, "am_k_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef4eS2DD").await?;
        assert_eq!((first.ok(200), first.ok(200)), (again.ok(200), never.ok(200)));
        agent.get("/me").send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn an_id_with_another_secret_ends_nothing() -> Outcome {
    shared(async |world| {
        let (agent, other) = (world.agent().await?, world.agent().await?);
        let forged = with_checksum(&format!("{}{}", &agent.api_key[..15], &other.api_key[15..47]));
        let reply = report(world, &forged).await?;
        assert_eq!(reply.ok(200), &json!({ "revoked": true }), "it does not work, and never did");
        agent.get("/me").send().await?.ok(200);
        world.client.get("/me").key(&forged).send().await?.refused(401, "INVALID_API_KEY");
        Ok(())
    })
}

#[test]
fn what_cannot_be_a_key_is_refused_and_never_repeated() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let key = agent.api_key.as_str();
        for bad in [&key[..52], &format!("{key}0"), &key.replace("am_k_", "am_x_"), &key[..15], "", "am_k_", "\u{0}"] {
            let error = report(world, bad).await?;
            assert_eq!(text(&error.refused(400, "INVALID_REQUEST")["details"], "field"), "api_key", "{bad:?}");
        }
        for body in
            [json!({ "key": key }), json!({ key: 1 }), json!({ "api_key": [key] }), json!({ "api_key": { key: key } }), json!(key)]
        {
            let reply = world.client.post("/api-keys/report-leak").json(&body).send().await?;
            assert_eq!(reply.status, 400, "{}", reply.text());
            assert!(!reply.text().contains(&key[5..]), "the key comes back: {}", reply.text());
        }
        agent.get("/me").send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn the_last_key_can_be_reported_too() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        report(world, &format!(" {}\n", agent.api_key)).await?.ok(200);
        agent.get("/me").send().await?.refused(401, "INVALID_API_KEY");
        let back = world.client.recover(&agent.wallet, false).await?;
        assert_eq!(members(&back.issued), ["api_key", "authorization_header", "key", "profile", "wallets"]);
        Ok(())
    })
}

#[test]
fn parallel_reports_and_uses_leave_no_key_behind() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let leaked = agent.create_key(&json!({ "name": "leaked" })).await?;
        let reports = futures::future::join_all((0..6).map(|_| report(world, &leaked.api_key)));
        let uses = futures::future::join_all((0..6).map(|_| leaked.get("/me").send()));
        let (reports, _) = futures::future::join(reports, uses).await;
        for reply in reports {
            let reply = reply?;
            assert!(matches!(reply.status, 200 | 503), "{}", reply.text());
        }
        report(world, &leaked.api_key).await?.ok(200);
        leaked.get("/me").send().await?.refused(401, "INVALID_API_KEY");
        Ok(())
    })
}

/// The documented checksum: CRC-32 in Base62, six digits.
fn with_checksum(text: &str) -> String {
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let (mut rest, mut digits) = (!crc, Vec::new());
    for _ in 0..6 {
        digits.push(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[(rest % 62) as usize]);
        rest /= 62;
    }
    digits.reverse();
    format!("{text}{}", String::from_utf8_lossy(&digits))
}

#[test]
fn every_key_carries_the_checksum_that_the_documents_tell() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        for n in 0..20 {
            let made = agent.create_key(&json!({ "name": format!("k{n}") })).await?;
            assert_eq!(with_checksum(&made.api_key[..47]), made.api_key);
        }
        assert_ne!(agent.issued["key"], Value::Null);
        Ok(())
    })
}
