//! Lost replies, conflicts and crashes at every DynamoDB request of signing up, logging in and getting back in, in turn.
//!
//! Whatever happens, nobody is stranded: the passkey logs in, or signing up again works; no code is lost without a session.

use crochet_tests::{Failure, Fault, Outcome, Passkey, Person, Proxy, Replies, Reply, Setup, Twist, World, with};
use http::Method;
use serde_json::json;

/// More requests than any of these steps makes.
const TOO_MANY: usize = 30;

/// What may be said while the database is gone, or of a ceremony that was used up then. A 500 would be a defect.
fn is_honest(reply: &Reply) -> bool {
    reply.status == 503 || matches!(reply.code(), "CEREMONY_INVALID")
}

fn every_request_in_turn(step: impl AsyncFn(&World, &Proxy, Fault, usize) -> Result<bool, Failure>) -> Outcome {
    let proxy = &Proxy::start()?;
    let setup = Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() };
    with(setup, async |world| {
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

/// The person whom an answer that signs up has made.
fn signed_up(world: &World, passkey: &Passkey, origin: &str, reply: &Reply) -> Result<Person, Failure> {
    Ok(Person::signed_up(&world.client, passkey.clone(), origin.to_owned(), reply)?)
}

#[test]
fn nobody_is_stranded_by_signing_up() -> Outcome {
    every_request_in_turn(async |world, proxy, fault, k| {
        let origin = world.client.origin().await?;
        let ceremony = world.client.begin_sign_up("Unlucky").await?;
        let (passkey, credential) = Passkey::create(&ceremony.public_key, &origin, &Twist::default())?;
        proxy.plan(fault, k);
        let reply = world
            .client
            .from_page(Method::POST, "/auth/passkey/register/finish")
            .json(&ceremony.finish(&credential))
            .send()
            .await?;
        let struck = proxy.end();
        let login = world.client.try_log_in(&passkey, &origin, &Twist::default()).await?;
        if reply.status == 201 {
            signed_up(world, &passkey, &origin, &reply)?.get("/session").send().await?.ok(200);
            login.ok(200);
            return Ok(struck);
        }
        assert!(is_honest(&reply), "{fault:?} at {k}: {}", reply.text());
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
        let answer = person.passkey.get(&ceremony.public_key, &person.origin, &Twist::default())?;
        proxy.plan(fault, k);
        let reply =
            world.client.from_page(Method::POST, "/auth/passkey/login/finish").json(&ceremony.finish(&answer)).send().await?;
        let struck = proxy.end();
        assert!(reply.status == 200 || is_honest(&reply), "{fault:?} at {k}: {}", reply.text());
        // The first two writes count the visitor and take the ceremony; the third is the one that has rivals.
        assert!(fault != Fault::Conflict || k < 3 || reply.status == 200, "a conflict is not given way to: {}", reply.text());
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
        assert!(first.status == 200 || is_honest(&first), "{fault:?} at {k}: {}", first.text());
        // The first write counts the visitor; the second is the one that has rivals.
        assert!(fault != Fault::Conflict || k < 2 || first.status == 200, "a conflict is not given way to: {}", first.text());
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
        let (second, credential) = Passkey::create(&ceremony.public_key, &person.origin, &Twist::default())?;
        proxy.plan(fault, k);
        let reply = person.post("/auth/passkey/register/finish").json(&ceremony.finish(&credential)).send().await?;
        let struck = proxy.end();
        assert!(reply.status == 201 || is_honest(&reply), "{fault:?} at {k}: {}", reply.text());
        let login = world.client.try_log_in(&second, &person.origin, &Twist::default()).await?;
        assert!(reply.status != 201 || login.status == 200, "{fault:?} at {k}: it was said to be there: {}", login.text());
        person.log_in().await?.add_passkey("Another").await?;
        Ok(struck)
    })
}
