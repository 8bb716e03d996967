//! Recovery for people without a passkey: recovery codes, and the wallets of claimed agents.

use std::collections::BTreeSet;

use crochet_tests::{Agent, Failure, Outcome, Person, Replies, Reply, Setup, Wallet, World, list, shared, text, with_setup};
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};

const RECOVER: &str = "/auth/passkey/recover";

async fn recover(world: &World, body: &Value) -> Result<Reply, Failure> {
    Ok(world.client.from_page(Method::POST, RECOVER).json(body).send().await?)
}

async fn redeem(world: &World, code: &str) -> Result<Reply, Failure> {
    recover(world, &json!({ "recovery_code": code })).await
}

/// The same person in the browser that a reply logged in.
fn browser(person: &Person, reply: &Reply) -> Person {
    let cookie = reply.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    Person { cookie, ..person.clone() }
}

async fn codes_left(person: &Person) -> Result<Value, Failure> {
    Ok(person.get("/session").send().await?.ok(200)["session"]["recovery_codes_left"].clone())
}

#[test]
fn ten_recovery_codes_come_with_signing_up_and_none_is_stored() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let codes: BTreeSet<&String> = person.recovery_codes.iter().collect();
        assert_eq!(codes.len(), 10, "ten that differ");
        for code in &codes {
            let groups: Vec<&str> = code.split('-').collect();
            assert_eq!(groups.len(), 4, "{code}");
            let fair = |c: char| c.is_ascii_digit() || (c.is_ascii_uppercase() && !"ILOU".contains(c));
            assert!(groups.iter().all(|group| group.len() == 5 && group.chars().all(fair)), "{code}");
        }
        let Some(stored) = world.stored().await? else { return Ok(()) };
        for code in &person.recovery_codes {
            assert!(!stored.contains(code.as_str()) && !stored.contains(&code.replace('-', "")), "a code is stored");
        }
        Ok(())
    })
}

#[test]
fn a_recovery_code_lets_its_person_in_once() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let reply = redeem(world, &person.recovery_codes[0]).await?;
        let data = reply.ok(200);
        assert_eq!(text(&data["profile"], "id"), person.profile_id);
        assert_eq!(data["session"]["recovery_codes_left"], 9);
        assert_eq!(reply.header("cache-control"), "no-store");
        let back = browser(&person, &reply);
        assert_eq!(codes_left(&back).await?, 9);

        let error = redeem(world, &person.recovery_codes[0]).await?.refused(401, "RECOVERY_CODE_INVALID").clone();
        assert_eq!(text(&error["recovery"], "next_action"), "use_another_recovery_code");
        // As people type them.
        for (code, left) in [(person.recovery_codes[1].to_lowercase(), 8), (person.recovery_codes[2].replace('-', " "), 7)] {
            assert_eq!(redeem(world, &code).await?.ok(200)["session"]["recovery_codes_left"], left);
        }
        // Back in, a person adds a passkey, and logs in with it.
        let (passkey, _) = back.add_passkey("New phone").await?;
        back.log_in_with(&passkey).await?;
        Ok(())
    })
}

#[test]
fn what_is_no_recovery_code_lets_nobody_in() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let mistyped = person.recovery_codes[0].replace(|c: char| c.is_ascii_digit(), "A");
        let unknown = if mistyped == person.recovery_codes[0] { "A".repeat(20) } else { mistyped };
        for bad in ["", "x", &unknown, "00000-00000-00000-00000", &"9".repeat(5_000)] {
            redeem(world, bad).await?.refused(401, "RECOVERY_CODE_INVALID");
        }
        recover(world, &json!({})).await?.refused(400, "INVALID_REQUEST");
        recover(world, &json!({ "recovery_code": unknown, "nonce": "x" })).await?.refused(400, "INVALID_REQUEST");
        recover(world, &json!({ "code": unknown })).await?.refused(400, "UNKNOWN_FIELD");
        assert_eq!(codes_left(&person).await?, 10);
        Ok(())
    })
}

#[test]
fn of_forty_parallel_uses_of_one_recovery_code_one_counts() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let replies = join_all((0..40).map(|_| redeem(world, &person.recovery_codes[3]))).await;
        let mut good = 0;
        for reply in replies {
            let reply = reply?;
            good += usize::from(reply.status == 200);
            assert!(
                matches!((reply.status, reply.code()), (200, "") | (401, "RECOVERY_CODE_INVALID") | (503, "SERVICE_UNAVAILABLE")),
                "{}",
                reply.text()
            );
        }
        assert_eq!(good, 1);
        assert_eq!(codes_left(&person).await?, 9);
        Ok(())
    })
}

#[test]
fn all_ten_codes_count_and_then_none_is_left() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        for (used, code) in person.recovery_codes.iter().enumerate() {
            assert_eq!(redeem(world, code).await?.ok(200)["session"]["recovery_codes_left"], 9 - used);
        }
        assert_eq!(codes_left(&person).await?, 0);
        Ok(())
    })
}

#[test]
fn new_recovery_codes_end_the_old_ones() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        redeem(world, &person.recovery_codes[0]).await?.ok(200);
        let reply = person.post("/auth/passkey/recovery-codes").send().await?;
        let codes: Vec<String> =
            list(reply.ok(200), "recovery_codes").iter().filter_map(|code| Some(code.as_str()?.to_owned())).collect();
        assert_eq!(codes.len(), 10);
        assert_eq!(codes_left(&person).await?, 10);
        redeem(world, &person.recovery_codes[1]).await?.refused(401, "RECOVERY_CODE_INVALID");
        redeem(world, &codes[0]).await?.ok(200);
        world.client.post("/auth/passkey/recovery-codes").send().await?.refused(401, "SESSION_REQUIRED");
        Ok(())
    })
}

/// The solved challenge for `operator_login`, with its fields.
async fn operator_login(world: &World, wallet: &Wallet, agent: &str, person: &str) -> Result<Value, Failure> {
    let fields = json!({ "profile_id": agent, "operator_id": person });
    let mut body = world.client.proof(wallet, "operator_login", &fields).await?;
    body["profile_id"] = agent.into();
    body["operator_id"] = person.into();
    Ok(body)
}

async fn claim(world: &World, person: &Person, agent: &Agent) -> Outcome {
    let fields = json!({ "profile_id": agent.profile_id, "operator_id": person.profile_id });
    let proof = world.client.proof(&agent.wallet, "claim_agent", &fields).await?;
    person.post(&format!("/agents/{}/claim", agent.profile_id)).json(&proof).send().await?.ok(200);
    Ok(())
}

#[test]
fn a_claimed_agents_wallet_lets_its_operator_back_in() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Operator").await?;
        for agent in [world.agent().await?, world.evm_agent().await?] {
            claim(world, &person, &agent).await?;
            let body = operator_login(world, &agent.wallet, &agent.profile_id, &person.profile_id).await?;
            let reply = recover(world, &body).await?;
            assert_eq!(text(&reply.ok(200)["profile"], "id"), person.profile_id);
            assert_eq!(codes_left(&browser(&person, &reply)).await?, 10);
            recover(world, &body).await?.refused(400, "CHALLENGE_INVALID");
        }
        Ok(())
    })
}

#[test]
fn a_wallet_lets_nobody_in_but_the_operator_of_its_agent() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Operator").await?;
        let other = Person::sign_up(&world.client, "Somebody").await?;
        let (agent, unclaimed) = (world.agent().await?, world.agent().await?);
        claim(world, &person, &agent).await?;
        let nobody = "00000000-0000-7000-8000-000000000000";
        let mut told = Vec::new();
        for (what, wallet, agent_id, person_id) in [
            ("another person", &agent.wallet, agent.profile_id.as_str(), other.profile_id.as_str()),
            ("an agent that nobody has claimed", &unclaimed.wallet, &unclaimed.profile_id, &person.profile_id),
            ("another agent's wallet", &unclaimed.wallet, &agent.profile_id, &person.profile_id),
            ("nobody's wallet", &Wallet::evm(), &agent.profile_id, &person.profile_id),
            ("no agent", &agent.wallet, nobody, &person.profile_id),
            ("no person", &agent.wallet, &agent.profile_id, nobody),
            ("the person as agent", &agent.wallet, &person.profile_id, &person.profile_id),
            ("the agent as person", &agent.wallet, &agent.profile_id, &agent.profile_id),
        ] {
            let reply = recover(world, &operator_login(world, wallet, agent_id, person_id).await?).await?;
            assert_eq!((reply.status, reply.code()), (403, "NOT_OPERATOR"), "{what}: {}", reply.text());
            told.push(reply.refused(403, "NOT_OPERATOR").clone());
        }
        assert!(told.iter().all(|error| *error == told[0]), "{told:?}");

        // A signature for something else, or for somebody else, is none.
        let fields = json!({ "profile_id": agent.profile_id, "operator_id": person.profile_id });
        let mut claimed = world.client.proof(&agent.wallet, "claim_agent", &fields).await?;
        for (name, value) in fields.as_object().into_iter().flatten() {
            claimed[name] = value.clone();
        }
        claimed["pow_nonce"] = "0".into();
        recover(world, &claimed).await?.refused(400, "CHALLENGE_INVALID");
        let mut body = operator_login(world, &agent.wallet, &agent.profile_id, &person.profile_id).await?;
        body["operator_id"] = other.profile_id.as_str().into();
        recover(world, &body).await?.refused(400, "CHALLENGE_INVALID");
        let mut body = operator_login(world, &agent.wallet, &agent.profile_id, &person.profile_id).await?;
        body["signature"] = unclaimed.wallet.sign("anything").into();
        recover(world, &body).await?.refused(401, "SIGNATURE_INVALID");
        let mut body = operator_login(world, &agent.wallet, &agent.profile_id, &person.profile_id).await?;
        body["pow_nonce"] = "not this".into();
        recover(world, &body).await?.refused(400, "POW_INVALID");

        // Who has let the agent go gets in no more.
        person.delete(&format!("/agents/{}/claim", agent.profile_id)).send().await?.ok(200);
        let body = operator_login(world, &agent.wallet, &agent.profile_id, &person.profile_id).await?;
        recover(world, &body).await?.refused(403, "NOT_OPERATOR");
        Ok(())
    })
}

#[test]
fn an_agents_wallet_must_be_an_active_recovery_wallet() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Operator").await?;
        let agent = world.agent().await?;
        claim(world, &person, &agent).await?;
        let second = Wallet::evm();
        let linked = agent.link_wallet(&second).await?;
        let id = text(&linked["wallet"], "id").to_owned();
        let login = async || recover(world, &operator_login(world, &second, &agent.profile_id, &person.profile_id).await?).await;
        login().await?.ok(200);
        agent.update_wallet(&id, &json!({ "capabilities": ["auth", "payment", "payout"] })).await?;
        login().await?.refused(403, "NOT_OPERATOR");
        agent.update_wallet(&id, &json!({ "capabilities": ["recovery"] })).await?;
        login().await?.ok(200);
        agent.update_wallet(&id, &json!({ "status": "disabled" })).await?;
        login().await?.refused(403, "NOT_OPERATOR");
        Ok(())
    })
}

#[test]
fn failed_log_ins_and_recoveries_count_as_failed_authentication() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_RATE_LIMITS", "exact")]), async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        at_a_windows_start(world).await?;
        let bogus = crochet_tests::Tampering { bogus_signature: true, ..crochet_tests::Tampering::default() };
        // A log-in asks twice.
        world.client.try_log_in(&person.passkey, &person.origin, &bogus).await?.refused(401, "PASSKEY_REFUSED");
        for _ in 0..28 {
            redeem(world, "nothing").await?.refused(401, "RECOVERY_CODE_INVALID");
        }
        redeem(world, &person.recovery_codes[0]).await?.refused(429, "RATE_LIMITED");
        // 29 failures so far: one more is told, the next is not.
        let bad_key = async || world.client.get("/me").key("am_k_nothing").send().await;
        bad_key().await?.refused(401, "INVALID_API_KEY");
        bad_key().await?.refused(429, "RATE_LIMITED");
        // Who is logged in goes on.
        assert_eq!(codes_left(&person).await?, 10);
        Ok(())
    })
}

#[test]
fn whoever_sends_no_credentials_has_not_failed() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_RATE_LIMITS", "exact")]), async |world| {
        at_a_windows_start(world).await?;
        for _ in 0..11 {
            for path in ["/me", "/session", "/me/wallets"] {
                assert_eq!(world.client.get(path).send().await?.status, 401, "{path}");
            }
            world.client.post("/gateway/nothing").json(&json!({})).send().await?.refused(401, "UNAUTHORIZED");
        }
        // Thirty failures are told, the next is not; what is no key, and a cookie that opens nothing, count alike.
        let wrong = async |name: &str, value: &str| world.client.get("/me").header(name, value).send().await;
        for _ in 0..10 {
            wrong("authorization", "Bearer am_k_nothing").await?.refused(401, "INVALID_API_KEY");
            wrong("authorization", "Basic x").await?.refused(401, "UNAUTHORIZED");
            wrong("cookie", &format!("__Host-crochet={}", "A".repeat(43))).await?.refused(401, "SESSION_REQUIRED");
        }
        wrong("authorization", "Bearer am_k_nothing").await?.refused(429, "RATE_LIMITED");
        world.client.get("/me").send().await?.refused(401, "UNAUTHORIZED");
        Ok(())
    })
}

/// Moves the clock to the start of a window of five minutes.
async fn at_a_windows_start(world: &World) -> Outcome {
    let health = world.client.get("/health").send().await?;
    let time = text(health.ok(200), "time").to_owned();
    let part = |range: std::ops::Range<usize>| time.get(range).and_then(|digits| digits.parse::<i64>().ok()).unwrap_or(0);
    world.later(301 - (part(14..16) * 60 + part(17..19)) % 300).await
}
