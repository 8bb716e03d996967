//! A person's pages without a browser: who gets in, what other sites cannot send, and what is never kept.

use crochet_tests::{Failure, Outcome, Person, Replies, Reply, Request, World, isolated, list, shared, text};
use http::Method;
use serde_json::json;

use super::{HTML, page};

/// A page, as the browser of this person asks for it.
async fn visit(person: &Person, path: &str) -> Result<Reply, Failure> {
    Ok(person.client.site(Method::GET, path).header("accept", HTML).header("cookie", &person.cookie).send().await?)
}

/// A form, as a page of this site sends it.
fn form(world: &World, cookie: &str, path: &str, fields: &str) -> Request {
    let request = world.client.site(Method::POST, path).header("accept", HTML).header("cookie", cookie);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.header("sec-fetch-site", "same-origin").raw_body(fields.as_bytes().to_vec())
}

/// Every form of the account, with fields that could do something.
const FORMS: [(&str, &str); 12] = [
    ("/login", "recovery_code=x"),
    ("/account/claim/message", "agent_id=x&wallet_address=x"),
    ("/account/claim", "agent_id=x"),
    ("/account/release", "agent_id=x"),
    ("/account/passkeys/remove", "id=x"),
    ("/account/codes", ""),
    ("/account/keys", "name=x"),
    ("/account/keys/end", "id=x"),
    ("/account/sessions/end", "id=x"),
    ("/account/logout", ""),
    ("/account/logout-everywhere", "keys=true"),
    ("/account/logout-everywhere", ""),
];

#[test]
fn visitors_without_a_session_are_led_to_the_log_in() -> Outcome {
    shared(async |world| {
        for path in ["/account", "/account/claim", "/account/release?agent_id=x", "/account/statement.csv?agent_id=x&month=2026-01"]
        {
            let reply = page(&world.client, path).await?;
            assert_eq!((reply.status, reply.header("location")), (303, "/login"), "{path}");
            assert_eq!(reply.header("cache-control"), "private, no-store");
        }
        let stale = world.client.site(Method::GET, "/account").header("accept", HTML).header("cookie", "__Host-crochet=stale");
        let reply = stale.send().await?;
        assert_eq!((reply.status, reply.header("location")), (303, "/login"));
        assert!(reply.header("set-cookie").contains("Max-Age=0"), "the cookie is taken back");
        for (path, fields) in &FORMS[1..] {
            let reply = form(world, "a=b", path, fields).send().await?;
            assert_eq!((reply.status, reply.header("location")), (303, "/login"), "{path}");
        }
        Ok(())
    })
}

#[test]
fn forms_of_other_sites_change_nothing() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        for (path, fields) in FORMS {
            for (name, value) in [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
                ("origin", "https://evil.example"),
                ("origin", "null"),
            ] {
                let request = world.client.site(Method::POST, path).header("cookie", &person.cookie).header(name, value);
                let request = request.header("content-type", "application/x-www-form-urlencoded");
                let reply = request.raw_body(fields.as_bytes().to_vec()).send().await?;
                assert_eq!((reply.status, reply.code()), (403, "CROSS_SITE_REQUEST"), "{path} {name}: {value}");
            }
            // What no form can send is none.
            let json = world.client.site(Method::POST, path).header("cookie", &person.cookie).json(&json!({})).send().await?;
            assert_eq!((json.status, json.code()), (415, "UNSUPPORTED_MEDIA_TYPE"), "{path}");
            let long = form(world, &person.cookie, path, &format!("a={}", "x".repeat(70_000))).send().await?;
            assert_eq!((long.status, long.code()), (413, "PAYLOAD_TOO_LARGE"), "{path}");
        }
        let session = person.get("/session").send().await?;
        assert_eq!(session.ok(200)["session"]["recovery_codes_left"], 10);
        assert_eq!(list(person.get("/api-keys").send().await?.ok(200), "keys").len(), 0);
        Ok(())
    })
}

#[test]
fn private_pages_are_never_kept_and_public_ones_know_nobody() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Unmistakable Name").await?;
        for path in ["/account", "/account/claim"] {
            let reply = visit(&person, path).await?;
            assert_eq!(reply.status, 200, "{path}: {}", reply.text());
            assert_eq!((reply.header("cache-control"), reply.header("etag")), ("private, no-store", ""), "{path}");
            assert!(reply.header("content-security-policy").contains("require-trusted-types-for 'script'"));
            assert!(reply.text().contains("Log out"), "{path}");
        }
        assert!(visit(&person, "/account").await?.text().contains("Unmistakable Name"));
        for path in ["/", "/marketplace", "/signup", "/login"] {
            assert!(!visit(&person, path).await?.text().contains("Unmistakable Name"), "{path}");
        }
        Ok(())
    })
}

#[test]
fn a_recovery_code_logs_in_without_scripts() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let wrong = form(world, "", "/login", "recovery_code=AAAA-BBBB-CCCC").send().await?;
        assert_eq!((wrong.status, wrong.header("set-cookie")), (401, ""));
        assert!(wrong.text().contains("aria-invalid=\"true\"") && wrong.text().contains("unknown or already used"));
        let fields = format!("recovery_code={}", person.recovery_codes[0].to_lowercase());
        let reply = form(world, "", "/login", &fields).send().await?;
        assert_eq!((reply.status, reply.header("location")), (303, "/account"));
        let cookie = reply.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        let back = Person { cookie, ..person };
        assert!(visit(&back, "/account").await?.text().contains("9 of 10"));
        let out = form(world, &back.cookie, "/account/logout", "").send().await?;
        assert_eq!((out.status, out.header("location")), (303, "/"));
        assert!(out.header("set-cookie").contains("Max-Age=0"));
        back.get("/session").send().await?.refused(401, "SESSION_REQUIRED");
        Ok(())
    })
}

#[test]
fn what_changes_ways_in_asks_for_the_passkey_and_keeps_the_form() -> Outcome {
    isolated(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let made = form(world, &person.cookie, "/account/keys", "name=Sheet&days=90").send().await?;
        assert!(made.status == 200 && made.text().contains("am_k_"), "{}", made.text());
        world.later(301).await?;
        let asked = form(world, &person.cookie, "/account/keys", "name=%22%3E%3Cscript%3E&days=90").send().await?;
        let html = asked.text();
        assert_eq!(asked.status, 403);
        assert!(html.contains("action=\"/account/keys\"") && html.contains("value=\"&quot;&gt;&lt;script&gt;\""), "{html}");
        let keys = person.get("/api-keys").send().await?;
        assert_eq!(list(keys.ok(200), "keys").len(), 1, "nothing was made");
        // What a session may always do is not held up.
        let sessions = person.log_in().await?.get("/sessions").send().await?;
        let other = list(sessions.ok(200), "sessions").iter().find(|session| session["current"] == true);
        let id = text(other.ok_or_else(|| Failure::new("a session"))?, "id");
        let ended = form(world, &person.cookie, "/account/sessions/end", &format!("id={id}")).send().await?;
        assert_eq!((ended.status, ended.header("location")), (303, "/account#sessions"));
        person.reauthenticate().await?;
        let all = form(world, &person.cookie, "/account/logout-everywhere", "keys=true").send().await?;
        assert_eq!((all.status, all.header("location")), (303, "/"));
        let back = person.log_in().await?;
        assert_eq!(list(back.get("/api-keys").send().await?.ok(200), "keys").len(), 0);
        Ok(())
    })
}

#[test]
fn statements_and_books_are_for_the_operator_alone() -> Outcome {
    isolated(async |world| {
        world.at_noon().await?;
        let market = world.market(0.25).await?;
        market.buy(&json!({ "n": 1 })).await?;
        let [ada, eve] = [Person::sign_up(&world.client, "Ada").await?, Person::sign_up(&world.client, "Eve").await?];
        let agent = &market.buyer;
        let proof_fields = json!({ "profile_id": agent.profile_id, "operator_id": ada.profile_id });
        let proof = world.client.proof(&agent.wallet, "claim_agent", &proof_fields).await?;
        ada.post(&format!("/agents/{}/claim", agent.profile_id)).json(&proof).send().await?.ok(200);
        let account = visit(&ada, "/account").await?.text();
        let month = account.split("&amp;month=").nth(1).and_then(|rest| rest.get(..7)).unwrap_or_default().to_owned();
        let path = format!("/account/statement.csv?agent_id={}&month={month}", agent.profile_id);
        let csv = visit(&ada, &path).await?;
        assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8"));
        assert_eq!(csv.header("cache-control"), "private, no-store");
        let csv = csv.text();
        let lines: Vec<&str> = csv.lines().collect();
        assert!(lines[0].starts_with("time_utc,entry,type,amount_usd") && lines.len() == 2, "{csv}");
        assert!(lines[1].contains(",payment,-0.25,"), "{csv}");
        assert_eq!(visit(&eve, &path).await?.status, 403);
        assert!(!visit(&eve, &format!("/account?agent_id={}", agent.profile_id)).await?.text().contains("gw_req_"));
        for bad in ["2026", "2026-13", "x", "2026-01%26agent_id"] {
            let refused = visit(&ada, &format!("/account/statement.csv?agent_id={}&month={bad}", agent.profile_id)).await?;
            assert_eq!(refused.status, 400, "{bad}");
        }
        Ok(())
    })
}
