//! `GET` and `DELETE /session`: lifetime of sessions, and cross-site requests.

use crochet_tests::{Failure, Outcome, Passkey, Person, Replies, Reply, Tampering, World, isolated, shared, text};
use futures::future::join_all;
use http::Method;
use serde_json::json;

const HOUR: i64 = 3_600;

async fn session(person: &Person) -> Result<Reply, Failure> {
    Ok(person.get("/session").send().await?)
}

#[test]
fn a_session_that_is_idle_for_12_hours_is_over() -> Outcome {
    isolated(async |world| {
        let person = Person::sign_up(&world.client, "Idle").await?;
        world.later(12 * HOUR - 10).await?;
        // The use counts as the last one, and the cookie stays the same.
        session(&person).await?.ok(200);
        world.later(12 * HOUR - 10).await?;
        let reply = session(&person).await?;
        let seen = &reply.ok(200)["session"];
        assert!(text(seen, "last_seen_at") > text(seen, "created_at"), "{seen}");
        world.later(12 * HOUR).await?;
        session(&person).await?.refused(401, "SESSION_REQUIRED");
        // It does not come back.
        session(&person).await?.refused(401, "SESSION_REQUIRED");
        person.log_in().await?;
        Ok(())
    })
}

#[test]
fn a_session_lasts_7_days_at_most_however_busy() -> Outcome {
    isolated(async |world| {
        let person = Person::sign_up(&world.client, "Busy").await?;
        for _ in 0..15 {
            world.later(11 * HOUR).await?;
            session(&person).await?.ok(200);
        }
        // 165 of 168 hours are over: the end is nearer than 12 hours.
        let reply = session(&person).await?;
        let seen = &reply.ok(200)["session"];
        let day = |time: &str| time.get(8..10).and_then(|day| day.parse::<u8>().ok());
        assert_ne!(day(text(seen, "created_at")), day(text(seen, "expires_at")));
        assert_eq!(text(seen, "created_at").get(10..), text(seen, "expires_at").get(10..), "seven days to the millisecond");
        world.later(3 * HOUR).await?;
        session(&person).await?.refused(401, "SESSION_REQUIRED");
        Ok(())
    })
}

#[test]
fn logging_out_ends_this_session_only_and_takes_the_cookie_back() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let other = person.log_in().await?;
        let reply = person.delete("/session").send().await?;
        assert_eq!(*reply.ok(200), json!({ "logged_out": true }));
        assert_eq!(reply.header("set-cookie"), "__Host-crochet=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
        session(&person).await?.refused(401, "SESSION_REQUIRED");
        session(&other).await?.ok(200);
        other.delete("/session").query("everywhere", "maybe").send().await?.refused(400, "INVALID_REQUEST");
        other.delete("/session").query("nowhere", "true").send().await?.refused(400, "UNKNOWN_FIELD");
        other.delete("/session").query("everywhere", false).send().await?.ok(200);
        session(&other).await?.refused(401, "SESSION_REQUIRED");
        Ok(())
    })
}

#[test]
fn logging_out_everywhere_ends_all_sessions_of_this_person() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let stranger = Person::sign_up(&world.client, "Bob").await?;
        let others = [person.log_in().await?, person.log_in().await?];
        person.delete("/session").query("everywhere", true).send().await?.ok(200);
        for ended in others.iter().chain([&person]) {
            session(ended).await?.refused(401, "SESSION_REQUIRED");
        }
        session(&stranger).await?.ok(200);
        session(&person.log_in().await?).await?.ok(200);
        Ok(())
    })
}

/// A log-in during a log-out everywhere is either ended with the other sessions, or completed after the log-out had begun. The
/// log-out must not miss a session that was open before.
#[test]
fn logging_out_everywhere_misses_no_session_that_is_opened_in_parallel() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Hurried").await?;
        for _ in 0..5 {
            let browser = person.log_in().await?;
            let (out, parallel) = tokio::join!(
                browser.delete("/session").query("everywhere", true).send(),
                join_all((0..3).map(|_| person.log_in())),
            );
            out?.ok(200);
            session(&browser).await?.refused(401, "SESSION_REQUIRED");
            // Each that is still open is known: the next log-out everywhere ends it.
            let last = person.log_in().await?;
            last.delete("/session").query("everywhere", true).send().await?.ok(200);
            for opened in parallel.into_iter().flatten() {
                session(&opened).await?.refused(401, "SESSION_REQUIRED");
            }
        }
        Ok(())
    })
}

#[test]
fn the_21st_session_ends_the_oldest() -> Outcome {
    isolated(async |world| {
        let mut browsers = vec![Person::sign_up(&world.client, "Everywhere").await?];
        for _ in 1..20 {
            world.later(1).await?;
            browsers.push(browsers[0].log_in().await?);
        }
        session(&browsers[0]).await?.ok(200);
        world.later(1).await?;
        browsers.push(browsers[0].log_in().await?);
        session(&browsers[0]).await?.refused(401, "SESSION_REQUIRED");
        for browser in &browsers[1..] {
            session(browser).await?.ok(200);
        }
        Ok(())
    })
}

/// Every request that another site could make the browser send.
fn unsafe_routes() -> [(Method, &'static str); 13] {
    [
        (Method::POST, "/auth/passkey/register/start"),
        (Method::POST, "/auth/passkey/register/finish"),
        (Method::POST, "/auth/passkey/login/start"),
        (Method::POST, "/auth/passkey/login/finish"),
        (Method::POST, "/auth/passkey/reauthenticate/start"),
        (Method::POST, "/auth/passkey/reauthenticate/finish"),
        (Method::POST, "/auth/passkey/recover"),
        (Method::POST, "/auth/passkey/recovery-codes"),
        (Method::DELETE, "/auth/passkey/credentials/00000000-0000-7000-8000-000000000000"),
        (Method::DELETE, "/session"),
        (Method::DELETE, "/session?everywhere=true"),
        (Method::DELETE, "/session?everywhere=true&keys=true"),
        (Method::DELETE, "/sessions/ses_00000000000000000000"),
    ]
}

#[test]
fn requests_from_other_sites_are_refused() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let foreign = [
            vec![("sec-fetch-site", "cross-site")],
            vec![("sec-fetch-site", "same-site")],
            vec![("sec-fetch-site", "cross-site"), ("origin", person.origin.as_str())],
            vec![("origin", "http://evil.example")],
            vec![("origin", "null")],
            vec![("origin", "http://evil.example"), ("host", "evil.example")],
        ];
        for (method, path) in unsafe_routes() {
            for headers in &foreign {
                let mut request = world.client.request(method.clone(), path).header("cookie", &person.cookie).json(&json!({}));
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                let reply = request.send().await?;
                assert_eq!((reply.status, reply.code()), (403, "CROSS_SITE_REQUEST"), "{method} {path} {headers:?}");
                reply.refused(403, "CROSS_SITE_REQUEST");
            }
        }
        // Reads pass: no other site can see their answers.
        world.client.get("/session").header("cookie", &person.cookie).header("sec-fetch-site", "cross-site").send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn requests_from_this_site_and_from_no_browser_pass() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let own = [
            vec![("sec-fetch-site", "same-origin")],
            vec![("sec-fetch-site", "none")],
            vec![("origin", person.origin.as_str())],
            vec![],
        ];
        for headers in own {
            let browser = person.log_in().await?;
            let mut request = world.client.request(Method::DELETE, "/session").header("cookie", &browser.cookie);
            for (name, value) in &headers {
                request = request.header(name, value);
            }
            let reply = request.send().await?;
            assert_eq!(reply.status, 200, "{headers:?}: {}", reply.text());
            session(&browser).await?.refused(401, "SESSION_REQUIRED");
        }
        Ok(())
    })
}

#[test]
fn neither_tokens_nor_private_keys_are_in_the_table() -> Outcome {
    shared(async |world| {
        let person: Person = log_in_afresh(world).await?;
        let Some(stored) = world.stored().await? else { return Ok(()) };
        let token = person.cookie.split_once('=').map(|(_, token)| token).unwrap_or_default();
        assert!(stored.contains(&person.profile_id), "this is not the table");
        assert!(token.len() == 43 && !stored.contains(token), "a session's token is stored");
        Ok(())
    })
}

async fn log_in_afresh(world: &World) -> Result<Person, Failure> {
    let ceremony = world.client.begin_sign_up("Ada").await?;
    let origin = world.client.origin().await?;
    let (passkey, credential) = Passkey::create(&ceremony.public_key, &origin, &Tampering::default())?;
    let finish = world.client.from_page(Method::POST, "/auth/passkey/register/finish").json(&ceremony.finish(&credential));
    Ok(Person::signed_up(&world.client, passkey, origin, &finish.send().await?)?.log_in().await?)
}
