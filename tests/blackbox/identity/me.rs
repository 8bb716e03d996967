//! `GET /me`, and authentication.

use crochet_tests::{Outcome, Replies, list, members, shared, text};

#[test]
fn me_shows_profile_wallets_and_how_one_is_authenticated() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let reply = agent.get("/me").send().await?;
        let data = reply.ok(200);
        assert_eq!(members(data), ["auth", "claimed_agents", "profile", "wallets"]);
        assert_eq!(data["profile"], agent.issued["profile"]);
        assert_eq!(data["wallets"], agent.issued["wallets"]);
        assert_eq!(members(&data["auth"]), ["expires_at", "key_id", "scopes", "type"]);
        assert_eq!(data["auth"]["type"], "api_key");
        assert_eq!(data["auth"]["key_id"], agent.issued["key"]["id"]);
        assert_eq!(data["auth"]["scopes"], agent.issued["key"]["scopes"]);
        assert!(list(data, "claimed_agents").is_empty());
        assert!(!reply.text().contains(&agent.api_key), "a key is shown once");
        Ok(())
    })
}

#[test]
fn no_key_is_unauthorized() -> Outcome {
    shared(async |world| {
        for path in ["/me", "/ledger", "/gateway-requests", "/gateway-requests/gw_req_01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
            let reply = world.client.get(path).send().await?;
            reply.refused(401, "UNAUTHORIZED");
            assert!(reply.header("www-authenticate").starts_with("Bearer"), "{path}");
        }
        for header in ["", "Bearer", "Bearer ", "Basic YTpi", "am_k_x"] {
            let reply = world.client.get("/me").header("authorization", header).send().await?;
            assert_eq!(reply.status, 401, "{header:?}: {}", reply.text());
        }
        Ok(())
    })
}

#[test]
fn a_bad_key_is_unauthorized_whatever_is_wrong_with_it() -> Outcome {
    shared(async |world| {
        let (agent, other) = (world.agent().await?, world.agent().await?);
        let key = agent.api_key.as_str();
        let mut flipped = key.as_bytes().to_vec();
        flipped[20] = if flipped[20] == b'a' { b'b' } else { b'a' };
        let flipped = String::from_utf8(flipped)?;
        // Another key's id before this key's secret: the checksum is wrong as well.
        let grafted = format!("{}{}", &other.api_key[..15], &key[15..]);
        for bad in [&key[..key.len() - 1], &format!("{key}0"), &flipped, &grafted, &key.to_uppercase(), "am_k_", "sk_live_1"] {
            let reply = world.client.get("/me").key(bad).send().await?;
            let error = reply.refused(401, "INVALID_API_KEY");
            assert_eq!(text(&error["recovery"], "next_action"), "recover_api_key");
        }
        agent.get("/me").send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn the_scheme_is_spelt_in_any_case() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let request = world.client.get("/me").header("authorization", &format!("bearer {}", agent.api_key));
        request.send().await?.ok(200);
        Ok(())
    })
}
