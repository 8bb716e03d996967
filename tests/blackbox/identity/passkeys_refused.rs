//! Rejected passkey responses: replays, other sites, other relying parties, unverified users, cloned counters.

use crochet_tests::{
    Ceremony, Failure, Outcome, Passkey, Person, Replies, Reply, Setup, Tampering, World, at, isolated, list, shared, text,
    with_setup,
};
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};

const START: &str = "/auth/passkey/register/start";
const FINISH: &str = "/auth/passkey/register/finish";
const LOGIN: &str = "/auth/passkey/login/finish";

async fn finish(world: &World, path: &str, ceremony: &Ceremony, credential: &Value) -> Result<Reply, Failure> {
    Ok(world.client.from_page(Method::POST, path).json(&ceremony.finish(credential)).send().await?)
}

/// Signs up with tampering. Returns the reply and the passkey.
async fn sign_up(world: &World, tampering: &Tampering) -> Result<(Reply, Passkey), Failure> {
    let ceremony = world.client.begin_sign_up("Mallory").await?;
    let (passkey, credential) = Passkey::create(&ceremony.public_key, &world.client.origin().await?, tampering)?;
    Ok((finish(world, FINISH, &ceremony, &credential).await?, passkey))
}

/// Tampering that applies to both ceremonies.
fn tamperings() -> Vec<(&'static str, Tampering)> {
    let honest = Tampering::default;
    vec![
        ("another origin", Tampering { origin: Some("http://evil.example".into()), ..honest() }),
        ("another port", Tampering { origin: Some("http://localhost:1".into()), ..honest() }),
        ("another scheme", Tampering { origin: Some("https://localhost".into()), ..honest() }),
        ("a subdomain", Tampering { origin: Some("http://a.localhost:9000".into()), ..honest() }),
        ("another party", Tampering { rp_id: Some("evil.example".into()), ..honest() }),
        ("another challenge", Tampering { challenge: Some("A".repeat(43)), ..honest() }),
        ("a framed page", Tampering { cross_origin: true, ..honest() }),
        ("nobody present", Tampering { no_user_presence: true, ..honest() }),
        ("nobody verified", Tampering { no_user_verification: true, ..honest() }),
    ]
}

#[test]
fn a_log_in_that_proves_nothing_is_refused_and_nobody_is_told_why() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let other = Person::sign_up(&world.client, "Bob").await?;
        let person = person.log_in().await?;
        let mut wrong = tamperings();
        wrong.extend([
            ("another kind", Tampering { kind: Some("webauthn.create"), ..Tampering::default() }),
            ("a bogus signature", Tampering { bogus_signature: true, ..Tampering::default() }),
            ("a counter that stands still", Tampering { counter: Some(person.passkey.counter()), ..Tampering::default() }),
            ("a counter that goes back", Tampering { counter: Some(0), ..Tampering::default() }),
            ("another person's credential", Tampering { id: Some(other.passkey.id().to_vec()), ..Tampering::default() }),
            ("an unknown credential", Tampering { id: Some(vec![7; 16]), ..Tampering::default() }),
            (
                "another person's handle",
                Tampering { user_handle: Some(other.passkey.user_handle().to_vec()), ..Tampering::default() },
            ),
            ("nobody's handle", Tampering { user_handle: Some(vec![7; 16]), ..Tampering::default() }),
        ]);
        let mut told = Vec::new();
        for (what, tampering) in wrong {
            let reply = world.client.try_log_in(&person.passkey, &person.origin, &tampering).await?;
            assert_eq!((reply.status, reply.code()), (401, "PASSKEY_REFUSED"), "{what}: {}", reply.text());
            assert!(reply.headers.get("set-cookie").is_none(), "{what}");
            told.push(reply.refused(401, "PASSKEY_REFUSED").clone());
        }
        assert!(told.iter().all(|error| *error == told[0]), "{told:?}");
        // None of it has locked anybody out.
        person.log_in().await?;
        Ok(())
    })
}

#[test]
fn a_registration_that_proves_nothing_is_refused() -> Outcome {
    shared(async |world| {
        let mut wrong = tamperings();
        wrong.push(("another kind", Tampering { kind: Some("webauthn.get"), ..Tampering::default() }));
        for (what, tampering) in wrong {
            let (reply, passkey) = sign_up(world, &tampering).await?;
            assert_eq!((reply.status, reply.code()), (401, "PASSKEY_REFUSED"), "{what}: {}", reply.text());
            reply.refused(401, "PASSKEY_REFUSED");
            let login = world.client.try_log_in(&passkey, &world.client.origin().await?, &Tampering::default()).await?;
            login.refused(401, "PASSKEY_REFUSED");
        }
        Ok(())
    })
}

#[test]
fn a_passkey_that_the_authenticator_did_not_keep_is_refused() -> Outcome {
    shared(async |world| {
        let ceremony = world.client.begin_sign_up("Forgetful").await?;
        let (_, mut credential) = Passkey::create(&ceremony.public_key, &world.client.origin().await?, &Tampering::default())?;
        credential["clientExtensionResults"]["credProps"]["rk"] = false.into();
        finish(world, FINISH, &ceremony, &credential).await?.refused(401, "PASSKEY_REFUSED");
        Ok(())
    })
}

#[test]
fn a_ceremony_counts_once_whatever_it_came_to() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let ceremony = world.client.begin_log_in().await?;
        let answer = person.passkey.get(&ceremony.public_key, &person.origin, &Tampering::default())?;
        finish(world, LOGIN, &ceremony, &answer).await?.ok(200);
        let error = finish(world, LOGIN, &ceremony, &answer).await?.refused(400, "CEREMONY_INVALID").clone();
        assert_eq!(text(&error["recovery"], "next_action"), "start_new_ceremony");

        // A bad attempt uses it up as well.
        let ceremony = world.client.begin_log_in().await?;
        let bogus = Tampering { bogus_signature: true, ..Tampering::default() };
        let bad = person.passkey.get(&ceremony.public_key, &person.origin, &bogus)?;
        finish(world, LOGIN, &ceremony, &bad).await?.refused(401, "PASSKEY_REFUSED");
        let good = person.passkey.get(&ceremony.public_key, &person.origin, &Tampering::default())?;
        finish(world, LOGIN, &ceremony, &good).await?.refused(400, "CEREMONY_INVALID");

        // An old answer does not fit a new ceremony.
        let fresh = world.client.begin_log_in().await?;
        finish(world, LOGIN, &fresh, &good).await?.refused(401, "PASSKEY_REFUSED");

        let ceremony = world.client.begin_sign_up("Eve").await?;
        let (_, credential) = Passkey::create(&ceremony.public_key, &person.origin, &Tampering::default())?;
        finish(world, FINISH, &ceremony, &credential).await?.ok(201);
        finish(world, FINISH, &ceremony, &credential).await?.refused(400, "CEREMONY_INVALID");
        Ok(())
    })
}

#[test]
fn a_ceremony_is_good_for_what_it_was_begun_for() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let (_, credential) =
            Passkey::create(&world.client.begin_sign_up("Eve").await?.public_key, &person.origin, &Tampering::default())?;
        let login = world.client.begin_log_in().await?;
        finish(world, FINISH, &login, &credential).await?.refused(400, "CEREMONY_INVALID");

        let sign_up = world.client.begin_sign_up("Eve").await?;
        let asked = json!({ "challenge": sign_up.public_key["challenge"], "rpId": "localhost" });
        let answer = person.passkey.get(&asked, &person.origin, &Tampering::default())?;
        finish(world, LOGIN, &sign_up, &answer).await?.refused(400, "CEREMONY_INVALID");

        let unknown = Ceremony { id: "0".repeat(32), public_key: Value::Null };
        finish(world, LOGIN, &unknown, &answer).await?.refused(400, "CEREMONY_INVALID");
        for bad in ["", "x", &"A".repeat(32)] {
            let malformed = Ceremony { id: bad.to_owned(), public_key: Value::Null };
            finish(world, LOGIN, &malformed, &answer).await?.refused(400, "INVALID_REQUEST");
        }
        Ok(())
    })
}

#[test]
fn a_ceremony_is_over_after_five_minutes() -> Outcome {
    isolated(async |world| {
        let person = Person::sign_up(&world.client, "Slow").await?;
        let (login, late_login) = (world.client.begin_log_in().await?, world.client.begin_log_in().await?);
        let sign_up = world.client.begin_sign_up("Slow Too").await?;
        world.later(290).await?;
        let answer = person.passkey.get(&login.public_key, &person.origin, &Tampering::default())?;
        finish(world, LOGIN, &login, &answer).await?.ok(200);
        world.later(10).await?;
        let answer = person.passkey.get(&late_login.public_key, &person.origin, &Tampering::default())?;
        finish(world, LOGIN, &late_login, &answer).await?.refused(400, "CEREMONY_INVALID");
        let (_, credential) = Passkey::create(&sign_up.public_key, &person.origin, &Tampering::default())?;
        finish(world, FINISH, &sign_up, &credential).await?.refused(400, "CEREMONY_INVALID");
        Ok(())
    })
}

#[test]
fn of_forty_parallel_finishes_of_one_ceremony_one_counts() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Busy").await?;
        let ceremony = world.client.begin_log_in().await?;
        let answer = person.passkey.get(&ceremony.public_key, &person.origin, &Tampering::default())?;
        let replies = join_all((0..40).map(|_| finish(world, LOGIN, &ceremony, &answer))).await;
        let mut good = 0;
        for reply in replies {
            let reply = reply?;
            match reply.status {
                200 => good += 1,
                // Where the table is too busy with the forty.
                503 => drop(reply.refused(503, "SERVICE_UNAVAILABLE").clone()),
                _ => drop(reply.refused(400, "CEREMONY_INVALID")),
            }
        }
        assert_eq!(good, 1);

        let ceremony = world.client.begin_sign_up("Forty").await?;
        let (passkey, credential) = Passkey::create(&ceremony.public_key, &person.origin, &Tampering::default())?;
        let replies = join_all((0..40).map(|_| finish(world, FINISH, &ceremony, &credential))).await;
        assert_eq!(replies.into_iter().flatten().filter(|reply| reply.status == 201).count(), 1);
        world.client.try_log_in(&passkey, &person.origin, &Tampering::default()).await?.ok(200);
        Ok(())
    })
}

#[test]
fn of_parallel_log_ins_with_one_counter_one_counts() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Cloned").await?;
        let tampering = Tampering { counter: Some(5), ..Tampering::default() };
        let replies = join_all((0..8).map(|_| world.client.try_log_in(&person.passkey, &person.origin, &tampering))).await;
        let mut good = 0;
        for reply in replies {
            let reply = reply?;
            good += usize::from(reply.status == 200);
            assert!(matches!((reply.status, reply.code()), (200, "") | (401, "PASSKEY_REFUSED")), "{}", reply.text());
        }
        assert_eq!(good, 1, "a clone got in");
        Ok(())
    })
}

#[test]
fn a_credential_may_be_registered_once() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "First").await?;
        let same = Tampering { id: Some(person.passkey.id().to_vec()), ..Tampering::default() };
        sign_up(world, &same).await?.0.refused(409, "PASSKEY_ALREADY_REGISTERED");
        let ceremony = Ceremony::of(&person.post(START).json(&json!({})).send().await?)?;
        let (_, credential) = Passkey::create(&ceremony.public_key, &person.origin, &same)?;
        let reply = person.post(FINISH).json(&ceremony.finish(&credential)).send().await?;
        reply.refused(409, "PASSKEY_ALREADY_REGISTERED");
        person.log_in().await?;

        let other = Tampering { id: Some(vec![9; 40]), ..Tampering::default() };
        let replies = join_all((0..8).map(|_| sign_up(world, &other))).await;
        let mut people = 0;
        for reply in replies {
            let (reply, _) = reply?;
            people += usize::from(reply.status == 201);
            assert!(matches!((reply.status, reply.code()), (201, "") | (409, "PASSKEY_ALREADY_REGISTERED")), "{}", reply.text());
        }
        assert_eq!(people, 1);
        Ok(())
    })
}

#[test]
fn a_further_passkey_needs_the_session_that_asked_for_it() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let other = Person::sign_up(&world.client, "Bob").await?;
        let error = world.client.from_page(Method::POST, START).json(&json!({})).send().await?;
        assert_eq!(at(error.refused(400, "INVALID_REQUEST"), "/details/field"), "display_name");
        let stale = world.client.from_page(Method::POST, START).header("cookie", "__Host-crochet=x").json(&json!({}));
        stale.send().await?.refused(401, "SESSION_REQUIRED");

        for (who, status, code) in [(None, 401, "SESSION_REQUIRED"), (Some(&other), 400, "CEREMONY_INVALID")] {
            let ceremony = Ceremony::of(&person.post(START).json(&json!({})).send().await?)?;
            let (_, credential) = Passkey::create(&ceremony.public_key, &person.origin, &Tampering::default())?;
            let request = world.client.from_page(Method::POST, FINISH).json(&ceremony.finish(&credential));
            request.header_if("cookie", who.map(|who| who.cookie.as_str())).send().await?.refused(status, code);
        }
        let reply = person.get("/auth/passkey/credentials").send().await?;
        assert_eq!(list(reply.ok(200), "passkeys").len(), 1);
        Ok(())
    })
}

#[test]
fn what_is_no_credential_is_refused_before_the_ceremony_is_used_up() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let ceremony = world.client.begin_log_in().await?;
        let good = person.passkey.get(&ceremony.public_key, &person.origin, &Tampering::default())?;
        let mut no_handle = good.clone();
        no_handle["response"]["userHandle"] = Value::Null;
        for bad in [json!(null), json!([]), json!({}), json!({ "type": "public-key" }), no_handle] {
            finish(world, LOGIN, &ceremony, &bad).await?.refused(400, "INVALID_REQUEST");
            finish(world, FINISH, &ceremony, &bad).await?.refused(400, "INVALID_REQUEST");
        }
        let mut body = ceremony.finish(&good);
        body["colour"] = "red".into();
        world.client.from_page(Method::POST, LOGIN).json(&body).send().await?.refused(400, "UNKNOWN_FIELD");
        let mut more = good.clone();
        more["clientExtensionResults"]["somethingNew"] = json!({ "enabled": true });
        more["response"]["somethingNew"] = true.into();
        finish(world, LOGIN, &ceremony, &more).await?.ok(200);
        for name in ["", "two\nlines", &"x".repeat(81)] {
            let reply = world.client.from_page(Method::POST, START).json(&json!({ "display_name": name })).send().await?;
            reply.refused(400, "INVALID_REQUEST");
        }
        Ok(())
    })
}

#[test]
fn the_party_comes_from_the_public_url_and_never_from_a_header() -> Outcome {
    shared(async |world| {
        for (name, value) in [("host", "evil.example"), ("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")] {
            let start = world.client.post("/auth/passkey/login/start").header(name, value).json(&json!({})).send().await?;
            assert_eq!(start.ok(200)["public_key"]["rpId"], "localhost", "{name}");
        }
        Ok(())
    })
}

#[test]
fn a_deployment_at_an_ip_address_says_that_it_can_have_no_passkeys() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_PUBLIC_URL", "http://127.0.0.1:9")]), async |world| {
        // The setting is the API's own; the stack's client still goes to the port that answers.
        let Some(client) = world.site_client() else { return Ok(()) };
        client.get("/health").send().await?.ok(200);
        let body = json!({ "display_name": "Ada" });
        client.post(START).json(&body).send().await?.refused(409, "PASSKEYS_UNAVAILABLE");
        client.post("/auth/passkey/login/start").json(&json!({})).send().await?.refused(409, "PASSKEYS_UNAVAILABLE");
        Ok(())
    })
}

/// The passkey can be backed up.
const ELIGIBLE: u8 = 8;
/// The passkey is backed up.
const BACKED_UP: u8 = 16;

#[test]
fn an_authenticator_may_begin_to_back_up_a_passkey_and_no_refusal_hides_the_way_back() -> Outcome {
    shared(async |world| {
        let with = |flags| Tampering { flags, ..Tampering::default() };
        let origin = world.client.origin().await?;
        for before in [0, ELIGIBLE] {
            let (signed_up, passkey) = sign_up(world, &with(before)).await?;
            signed_up.ok(201);
            let log_in = async |tampering: &Tampering| world.client.try_log_in(&passkey, &origin, tampering).await;
            // A signature that is none changes nothing.
            let bogus = Tampering { bogus_signature: true, ..with(ELIGIBLE | BACKED_UP) };
            log_in(&bogus).await?.refused(401, "PASSKEY_REFUSED");
            log_in(&with(before)).await?.ok(200);
            log_in(&with(ELIGIBLE | BACKED_UP)).await?.ok(200);
            log_in(&with(ELIGIBLE)).await?.ok(200);
            log_in(&with(ELIGIBLE | BACKED_UP)).await?.ok(200);
            // What was said to be possible cannot become impossible, and nothing is backed up that cannot be.
            for flags in [0, BACKED_UP] {
                let reply = log_in(&with(flags)).await?;
                let error = reply.refused(401, "PASSKEY_REFUSED");
                assert!(text(&error["recovery"], "summary").contains("recovery code"), "{error}");
            }
        }
        Ok(())
    })
}
