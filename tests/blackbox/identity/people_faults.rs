//! Lost replies, conflicts and crashes at each DynamoDB request of signing up, logging in and recovery.
//!
//! In every case, the passkey logs in or signing up again works, and no recovery code is used without a session.

use crochet_tests::{Failure, Fault, Outcome, Passkey, Person, Proxy, Replies, Reply, Setup, Tampering, World, with_setup};
use http::Method;
use serde_json::json;

/// More requests than any step makes.
const TOO_MANY: usize = 30;

/// Whether a step ended acceptably: done, or a correct error if the database is unreachable. A lost reply and a conflict are
/// retried, except in the first `counted` writes, which count visitors and sessions. Nothing is lost there, and no real
/// transaction conflicts.
fn is_honest(reply: &Reply, fault: Fault, k: usize, counted: usize) -> bool {
    let may_fail = matches!(fault, Fault::CrashAfter | Fault::CrashBefore) || (fault == Fault::Conflict && k <= counted);
    matches!(reply.status, 200 | 201) || (may_fail && reply.code() == "SERVICE_UNAVAILABLE")
}

fn every_request_in_turn(step: impl AsyncFn(&World, &Proxy, Fault, usize) -> Result<bool, Failure>) -> Outcome {
    let proxy = &Proxy::start()?;
    let setup = Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() };
    with_setup(setup, async |world| {
        for fault in [Fault::Conflict, Fault::LostReply, Fault::CrashAfter, Fault::CrashBefore] {
            let mut k = 1;
            while step(world, proxy, fault, k).await? {
                k += 1;
                assert!(k < TOO_MANY, "{fault:?}: the step never ends");
            }
            assert!(k > 1, "{fault:?}: the step makes more requests than {k}");
        }
        Ok(())
    })
}

/// The person in a reply that signs up.
fn signed_up(world: &World, passkey: &Passkey, origin: &str, reply: &Reply) -> Result<Person, Failure> {
    Ok(Person::signed_up(&world.client, passkey.clone(), origin.to_owned(), reply)?)
}

#[test]
fn nobody_is_stranded_by_signing_up() -> Outcome {
    every_request_in_turn(async |world, proxy, fault, k| {
        let origin = world.client.origin().await?;
        let ceremony = world.client.begin_sign_up("Unlucky").await?;
        let (passkey, credential) = Passkey::create(&ceremony.public_key, &origin, &Tampering::default())?;
        proxy.plan(fault, k);
        let reply = world
            .client
            .from_page(Method::POST, "/auth/passkey/register/finish")
            .json(&ceremony.finish(&credential))
            .send()
            .await?;
        let struck = proxy.end();
        let login = world.client.try_log_in(&passkey, &origin, &Tampering::default()).await?;
        if reply.status == 201 {
            signed_up(world, &passkey, &origin, &reply)?.get("/session").send().await?.ok(200);
            login.ok(200);
            return Ok(struck);
        }
        assert!(is_honest(&reply, fault, k, 1), "{fault:?} at {k}: {}", reply.text());
        match login.status {
            // All of it was written: new codes are there for the asking.
            200 => {
                let cookie = login.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
                let codes = world.client.from_page(Method::POST, "/auth/passkey/recovery-codes").header("cookie", &cookie);
                codes.send().await?.ok(200);
            }
            // Nothing of it was: the same name and the same authenticator sign up afresh.
            _ => {
                login.refused(401, "PASSKEY_REFUSED");
                Person::sign_up(&world.client, "Unlucky").await?.log_in().await?;
            }
        }
        Ok(struck)
    })
}

#[test]
fn nobody_is_stranded_by_logging_in() -> Outcome {
    every_request_in_turn(async |world, proxy, fault, k| {
        let person = Person::sign_up(&world.client, "Unlucky").await?;
        let ceremony = world.client.begin_log_in().await?;
        let answer = person.passkey.get(&ceremony.public_key, &person.origin, &Tampering::default())?;
        proxy.plan(fault, k);
        let reply =
            world.client.from_page(Method::POST, "/auth/passkey/login/finish").json(&ceremony.finish(&answer)).send().await?;
        let struck = proxy.end();
        assert!(is_honest(&reply, fault, k, 1), "{fault:?} at {k}: {}", reply.text());
        person.log_in().await?.get("/session").send().await?.ok(200);
        Ok(struck)
    })
}

#[test]
fn no_recovery_code_is_lost_without_a_session() -> Outcome {
    every_request_in_turn(async |world, proxy, fault, k| {
        let person = Person::sign_up(&world.client, "Unlucky").await?;
        let redeem = async |code: &str| {
            let body = json!({ "recovery_code": code });
            world.client.from_page(Method::POST, "/auth/passkey/recover").json(&body).send().await
        };
        proxy.plan(fault, k);
        let first = redeem(&person.recovery_codes[0]).await?;
        let struck = proxy.end();
        assert!(is_honest(&first, fault, k, 1), "{fault:?} at {k}: {}", first.text());
        let again = redeem(&person.recovery_codes[0]).await?;
        // A crash after the one write leaves a session that nobody got: only that can use a code up.
        let used_up = first.status == 200 || fault == Fault::CrashAfter;
        assert!(again.status == 200 || (used_up && again.code() == "RECOVERY_CODE_INVALID"), "{fault:?} at {k}: {}", again.text());
        assert!(first.status != 200 || again.status == 401, "{fault:?} at {k}: a code counts twice");
        let next = redeem(&person.recovery_codes[1]).await?;
        assert_eq!(next.ok(200)["session"]["recovery_codes_left"], 8, "{fault:?} at {k}: codes were lost");
        Ok(struck)
    })
}

#[test]
fn a_passkey_is_added_whole_or_not_at_all() -> Outcome {
    every_request_in_turn(async |world, proxy, fault, k| {
        let person = Person::sign_up(&world.client, "Unlucky").await?;
        let start = person.post("/auth/passkey/register/start").json(&json!({})).send().await?;
        let ceremony = crochet_tests::Ceremony::of(&start)?;
        let (second, credential) = Passkey::create(&ceremony.public_key, &person.origin, &Tampering::default())?;
        proxy.plan(fault, k);
        let reply = person.post("/auth/passkey/register/finish").json(&ceremony.finish(&credential)).send().await?;
        let struck = proxy.end();
        assert!(is_honest(&reply, fault, k, 3), "{fault:?} at {k}: {}", reply.text());
        let login = world.client.try_log_in(&second, &person.origin, &Tampering::default()).await?;
        assert!(reply.status != 201 || login.status == 200, "{fault:?} at {k}: it was said to be there: {}", login.text());
        person.log_in().await?.add_passkey("Another").await?;
        Ok(struck)
    })
}

#[test]
fn new_recovery_codes_come_whole_or_not_at_all() -> Outcome {
    every_request_in_turn(async |world, proxy, fault, k| {
        let person = Person::sign_up(&world.client, "Unlucky").await?;
        let redeem = async |code: &str| {
            let body = json!({ "recovery_code": code });
            world.client.from_page(Method::POST, "/auth/passkey/recover").json(&body).send().await
        };
        let new = async || person.post("/auth/passkey/recovery-codes").send().await;
        let first = |reply: &Reply| reply.data()["recovery_codes"][0].as_str().unwrap_or_default().to_owned();
        proxy.plan(fault, k);
        let reply = new().await?;
        let struck = proxy.end();
        assert!(is_honest(&reply, fault, k, 1), "{fault:?} at {k}: {}", reply.text());
        let old = redeem(&person.recovery_codes[0]).await?;
        if reply.status == 200 {
            old.refused(401, "RECOVERY_CODE_INVALID");
            redeem(&first(&reply)).await?.ok(200);
        } else if old.status != 200 {
            // Only a crash after the one write leaves codes that nobody got; who is logged in asks again.
            assert_eq!(fault, Fault::CrashAfter, "at {k}: {}", old.text());
        }
        let again = new().await?;
        again.ok(200);
        redeem(&first(&again)).await?.ok(200);
        Ok(struck)
    })
}

#[test]
fn a_session_goes_on_where_its_use_cannot_be_noted() -> Outcome {
    let proxy = &Proxy::start()?;
    with_setup(Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() }, async |world| {
        let person = Person::sign_up(&world.client, "Unlucky").await?;
        for fault in [Fault::Conflict, Fault::LostReply] {
            world.later(301).await?;
            // The first write counts the request, the second is the note.
            proxy.plan(fault, 2);
            let reply = person.get("/api-keys").send().await?;
            assert!(proxy.end(), "{fault:?}: nothing was noted");
            reply.ok(200);
        }
        Ok(())
    })
}

#[test]
fn logging_out_is_never_said_and_not_done() -> Outcome {
    every_request_in_turn(async |world, proxy, fault, k| {
        let person = Person::sign_up(&world.client, "Unlucky").await?;
        let other = person.log_in().await?;
        proxy.plan(fault, k);
        let reply = person.delete("/session").query("everywhere", true).send().await?;
        let struck = proxy.end();
        // The cookie is refused where the sessions were ended and the answer was lost.
        assert!(is_honest(&reply, fault, k, 1), "{fault:?} at {k}: {}", reply.text());
        for session in [&person, &other] {
            let seen = session.get("/session").send().await?;
            assert!(seen.status == 401 || reply.status != 200, "{fault:?} at {k}: {}", seen.text());
        }
        let last = person.log_in().await?;
        last.delete("/session").query("everywhere", true).send().await?.ok(200);
        other.get("/session").send().await?.refused(401, "SESSION_REQUIRED");
        Ok(struck)
    })
}
