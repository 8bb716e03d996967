//! `GET /agents/:id`: the public profile.

use crochet_tests::{Outcome, Person, Replies, Wallet, is_time, is_uuid, members, shared, text, unique_name};
use http::Method;
use serde_json::json;

#[test]
fn everybody_sees_an_agents_public_profile_and_no_more() -> Outcome {
    shared(async |world| {
        let fields = json!({ "display_name": "Ada", "role": "seller", "description": "Counts things." });
        let agent = world.client.register_with(&Wallet::evm(), &fields).await?;
        let reply = world.client.get(&format!("/agents/{}", agent.profile_id)).send().await?;
        let data = reply.ok(200);
        assert_eq!(members(data), ["profile"]);
        let profile = &data["profile"];
        let shown = [
            "account_type",
            "created_at",
            "description",
            "display_name",
            "id",
            "is_verified",
            "operator",
            "owes",
            "role",
            "score",
            "tier",
        ];
        assert_eq!(members(profile), shown);
        assert_eq!(profile, &agent.issued["profile"]);
        assert_eq!((text(profile, "account_type"), text(profile, "role")), ("agent", "seller"));
        assert_eq!((&profile["score"], &profile["tier"]), (&json!(400), &json!("Moderate")));
        assert!(is_uuid(&profile["id"]) && is_time(&profile["created_at"]) && profile["operator"].is_null());
        assert!(!reply.text().contains(agent.wallet.address()), "wallets are its own business");
        assert!(reply.header("ratelimit-policy").starts_with("\"reads\""));
        Ok(())
    })
}

#[test]
fn who_is_not_there_is_not_found() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let upper = format!("/agents/{}", agent.profile_id.to_uppercase());
        assert!(matches!(world.client.get(&upper).send().await?.status, 200 | 404));
        for id in ["01890a5d-ac96-774b-bcce-b302099a8057", "me", "x", "%00", "agent-1", &agent.profile_id[1..], "..%2fme"] {
            let error = world.client.get(&format!("/agents/{id}")).send().await?;
            let error = error.refused(404, "PROFILE_NOT_FOUND");
            assert_eq!(text(&error["recovery"], "next_action"), "check_agent_id");
        }
        Ok(())
    })
}

#[test]
fn people_have_no_public_profile() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, &format!("Person {}", unique_name())).await?;
        let path = format!("/agents/{}", person.profile_id);
        world.client.get(&path).send().await?.refused(404, "PROFILE_NOT_FOUND");
        person.get(&path).send().await?.refused(404, "PROFILE_NOT_FOUND");
        Ok(())
    })
}

#[test]
fn a_profile_that_did_not_change_is_not_sent_again() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let path = format!("/agents/{}", agent.profile_id);
        let first = world.client.get(&path).send().await?;
        let etag = first.header("etag").to_owned();
        assert!(etag.starts_with('"'), "{etag}");
        let again = world.client.get(&path).header("if-none-match", &etag).send().await?;
        assert_eq!((again.status, again.body.len()), (304, 0));
        agent.patch("/me").json(&json!({ "description": "Other." })).send().await?.ok(200);
        let changed = world.client.get(&path).header("if-none-match", &etag).send().await?;
        assert_eq!(text(&changed.ok(200)["profile"], "description"), "Other.");
        let head = world.client.request(Method::HEAD, &path).send().await?;
        assert_eq!((head.status, head.body.len()), (200, 0));
        Ok(())
    })
}
