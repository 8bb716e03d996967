//! The passkey and session routes, used by Chromium with a virtual authenticator.

use crochet_tests::{Failure, Outcome, Program, Setup, with_setup};
use serde_json::{Value, json};

fn answered(status: u16, code: Option<&str>) -> Value {
    json!({ "status": status, "code": code })
}

#[test]
fn a_browser_registers_logs_in_and_out_and_comes_back_and_tricks_are_refused() -> Outcome {
    let Some((program, chromium)) = Program::browser("passkeys.mjs") else { return Ok(()) };
    with_setup(Setup::default(), async |world| {
        let input = json!({ "base": world.client.base(), "chromium": chromium });
        let seen =
            tokio::task::spawn_blocking(move || program.run(&input)).await.map_err(|error| Failure::new(error.to_string()))??;

        assert_eq!(seen["registered"], json!({ "status": 201, "code": null, "codes": 10 }), "{seen:#}");
        let cookie =
            json!({ "domain": "localhost", "path": "/", "httpOnly": true, "secure": true, "sameSite": "Lax", "readable": "" });
        assert_eq!(seen["cookie"], cookie);
        assert_eq!(seen["session"], json!({ "status": 200, "code": null, "name": "Ada" }));
        for (scenario, status, code) in [
            ("logged_out", 200, None),
            ("session_after", 401, Some("SESSION_REQUIRED")),
            ("logged_in", 200, None),
            ("replayed", 400, Some("CEREMONY_INVALID")),
            ("moved", 401, Some("PASSKEY_REFUSED")),
            ("bogus_signature", 401, Some("PASSKEY_REFUSED")),
            ("no_user_verification", 401, Some("PASSKEY_REFUSED")),
            ("no_user_presence", 401, Some("PASSKEY_REFUSED")),
            ("wrong_origin", 401, Some("PASSKEY_REFUSED")),
            ("logged_in_again", 200, None),
            ("second_passkey", 201, None),
            ("logged_in_with_second", 200, None),
            ("recovered", 200, None),
            ("recovered_twice", 401, Some("RECOVERY_CODE_INVALID")),
            ("everywhere", 200, None),
            ("session_after_everywhere", 401, Some("SESSION_REQUIRED")),
        ] {
            assert_eq!(seen[scenario], answered(status, code), "{scenario}: {seen:#}");
        }
        assert_eq!(seen["passkeys"], 2);
        assert_eq!(seen["recovered_session"], json!({ "status": 200, "code": null, "codes_left": 9 }));
        // The stranger's page read nothing, and what it sent changed nothing.
        assert_eq!(seen["stranger_reads"], "hidden");
        assert_eq!(seen["session_after_stranger"], json!({ "status": 200, "code": null, "codes_left": 10 }));
        Ok(())
    })
}
