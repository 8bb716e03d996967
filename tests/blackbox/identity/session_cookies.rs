//! The session cookie: which cookies are accepted, and that an invalid one is cleared.

use crochet_tests::{Failure, Outcome, Person, Replies, Reply, shared};
use http::Method;
use serde_json::json;

/// The header that clears the cookie.
const TAKEN_BACK: &str = "__Host-crochet=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0";

async fn session(person: &Person) -> Result<Reply, Failure> {
    Ok(person.get("/session").send().await?)
}

#[test]
fn without_a_good_cookie_there_is_no_session() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let agent = world.agent().await?;
        world.client.get("/session").send().await?.refused(401, "SESSION_REQUIRED");
        agent.get("/session").send().await?.refused(401, "SESSION_REQUIRED");
        let token = person.cookie.split_once('=').map(|(_, token)| token).unwrap_or_default();
        let other_case = token.to_lowercase();
        for bad in ["", "x", &token[1..], &other_case, &format!("{token}A"), "__Host-crochet"] {
            let reply = world.client.get("/session").header("cookie", &format!("__Host-crochet={bad}")).send().await?;
            reply.refused(401, "SESSION_REQUIRED");
        }
        // Which one would be meant?
        let twice = format!("{}; {}", person.cookie, person.cookie);
        world.client.get("/session").header("cookie", &twice).send().await?.refused(401, "SESSION_REQUIRED");
        // The cookie of another name, as a subdomain might set it.
        world.client.get("/session").header("cookie", &format!("crochet={token}")).send().await?.refused(401, "SESSION_REQUIRED");
        let among_others = format!("a=b; {}; c=d", person.cookie);
        world.client.get("/session").header("cookie", &among_others).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_cookie_that_opens_nothing_is_taken_back() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        person.delete("/session").send().await?.ok(200);
        for path in ["/session", "/me", "/auth/passkey/credentials"] {
            let reply = person.get(path).send().await?;
            reply.refused(401, "SESSION_REQUIRED");
            assert_eq!(reply.header("set-cookie"), TAKEN_BACK, "{path}");
        }
        for never in ["__Host-crochet=x", "__Host-crochet=", "__Host-crochet=\u{e4}"] {
            let reply = world.client.get("/session").header("cookie", never).send().await?;
            reply.refused(401, "SESSION_REQUIRED");
            assert_eq!(reply.header("set-cookie"), TAKEN_BACK, "{never}");
        }
        // Without a cookie there is nothing to take back.
        let reply = world.client.get("/session").send().await?;
        reply.refused(401, "SESSION_REQUIRED");
        assert!(reply.headers.get("set-cookie").is_none());
        Ok(())
    })
}

#[test]
fn whoever_is_logged_out_may_log_out_again() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        person.delete("/session").send().await?.ok(200);
        for _ in 0..2 {
            let again = person.delete("/session").send().await?;
            assert_eq!(*again.ok(200), json!({ "logged_out": true }));
            assert_eq!(again.header("set-cookie"), TAKEN_BACK);
        }
        // This would end sessions that go on.
        let everywhere = person.delete("/session").query("everywhere", true).send().await?;
        everywhere.refused(401, "SESSION_REQUIRED");
        assert_eq!(everywhere.header("set-cookie"), TAKEN_BACK);
        world.client.request(Method::DELETE, "/session").send().await?.refused(401, "SESSION_REQUIRED");
        // Which one would be meant? It is not said that a session has ended which goes on.
        let other = person.log_in().await?;
        let twice = format!("{}; {}", person.cookie, other.cookie);
        let reply = world.client.request(Method::DELETE, "/session").header("cookie", &twice).send().await?;
        reply.refused(401, "SESSION_REQUIRED");
        session(&other).await?.ok(200);
        Ok(())
    })
}

#[test]
fn other_cookies_may_hold_any_bytes() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        for cookies in [format!("town=K\u{f6}ln; {}", person.cookie), format!("{};town=K\u{f6}ln", person.cookie)] {
            world.client.get("/session").header("cookie", &cookies).send().await?.ok(200);
        }
        Ok(())
    })
}
