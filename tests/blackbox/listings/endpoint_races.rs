//! Races between an endpoint's first secret and other changes of the listing: no orphaned secret stays.

use crochet_tests::ssrf::with_deployment_rules;
use crochet_tests::{Agent, Failure, Outcome, Proxy, Replies, Setup, shared, text, with_setup};
use serde_json::{Value, json};

/// Creates a free listing without an endpoint. Returns its id.
async fn bare(seller: &Agent, status: &str) -> Result<String, Failure> {
    let fields = json!({ "name": "Bare", "description": "x", "pricing_model": "free", "status": status });
    Ok(seller.create_listing(&fields).await?.id)
}

#[test]
fn a_draft_that_is_deleted_while_its_url_is_looked_up_leaves_no_secret() -> Outcome {
    let internet = crochet_tests::internet()?;
    with_deployment_rules(8443, &internet, async |world| {
        let seller = world.agent().await?;
        for method in ["PUT", "PATCH"] {
            let id = bare(&seller, "draft").await?;
            let path = format!("/listings/{id}");
            let slow = internet.hold("slow.example.net");
            let url = json!({ "private_endpoint_url": "https://slow.example.net/hook" });
            let request = if method == "PUT" { seller.put(&format!("{path}/endpoint")) } else { seller.patch(&path) };
            let edit = async { Ok::<_, Failure>(request.json(&url).send().await?) };
            let meanwhile = async {
                slow.asked().await;
                seller.delete(&path).send().await?.ok(200);
                slow.let_go();
                Ok(())
            };
            let (edited, ()) = futures::future::try_join(edit, meanwhile).await?;
            edited.refused(404, "LISTING_NOT_FOUND");
            assert!(!world.keeps_secret_of(&id).await?, "{method}: nobody would ever delete it");
        }
        Ok(())
    })
}

#[test]
fn an_edit_that_is_done_while_a_url_is_looked_up_is_kept() -> Outcome {
    let internet = crochet_tests::internet()?;
    with_deployment_rules(8443, &internet, async |world| {
        let seller = world.agent().await?;
        let id = bare(&seller, "active").await?;
        let path = format!("/listings/{id}");
        let slow = internet.hold("slow.example.net");
        let url = json!({ "private_endpoint_url": "https://slow.example.net/hook" });
        let edit = async { Ok::<_, Failure>(seller.put(&format!("{path}/endpoint")).json(&url).send().await?) };
        let meanwhile = async {
            slow.asked().await;
            seller.patch(&path).json(&json!({ "name": "Renamed" })).send().await?.ok(200);
            slow.let_go();
            Ok(())
        };
        let (edited, ()) = futures::future::try_join(edit, meanwhile).await?;
        assert!(text(&edited.ok(200)["gateway_endpoint"], "signing_secret").starts_with("whsec_"));
        assert_eq!(seller.get(&path).send().await?.ok(200)["listing"]["name"], "Renamed");
        assert!(world.keeps_secret_of(&id).await?);
        Ok(())
    })
}

#[test]
fn a_first_endpoint_is_pinned_over_the_listing_it_was_made_for_or_its_secret_goes() -> Outcome {
    let proxy = &Proxy::start()?;
    let setup = Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() };
    with_setup(setup, async |world| {
        let seller = world.agent().await?;
        let echo = world.echo_path();
        // To go on offer takes a transaction, which can be held back when the secret is written.
        let offer = json!({ "status": "active", "private_endpoint_url": world.seller.url(&echo) });
        for is_deleted in [true, false] {
            let id = bare(&seller, "draft").await?;
            let path = format!("/listings/{id}");
            proxy.hold_next_transaction();
            let edit = async { Ok::<_, Failure>(seller.patch(&path).json(&offer).send().await?) };
            let meanwhile = async {
                proxy.holds_a_transaction().await?;
                if is_deleted {
                    seller.delete(&path).send().await?.ok(200);
                } else {
                    assert!(world.keeps_secret_of(&id).await?, "written before it is pinned");
                    seller.patch(&path).json(&json!({ "name": "Renamed" })).send().await?.ok(200);
                }
                proxy.let_go();
                Ok(())
            };
            let (edited, ()) = futures::future::try_join(edit, meanwhile).await?;
            assert!(!world.keeps_secret_of(&id).await?, "deleted: {is_deleted}");
            if is_deleted {
                edited.refused(404, "LISTING_NOT_FOUND");
                continue;
            }
            edited.refused(409, "EDIT_CONFLICT");
            // The way out is open at once.
            let again = seller.patch(&path).json(&offer).send().await?;
            let listing = again.ok(200).clone();
            let secret = text(&listing["gateway_endpoint"], "signing_secret").to_owned();
            world.seller.add_secret(&secret, &echo).await?;
            let called = seller.call(&id, &json!({ "n": 1 })).send().await?;
            assert_eq!(called.ok(200)["seller_response"]["verified"], true);
        }
        Ok(())
    })
}

#[test]
fn an_endpoint_whose_secret_is_lost_says_so_and_a_url_makes_it_anew() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let route = format!("/listings/{}/endpoint", market.listing.id);
        let put = |change: Value| market.seller.put(&route).json(&change).send();
        let url = json!({ "private_endpoint_url": world.seller.url(&market.path) });
        put(json!({ "timeout_ms": 4_000 })).await?.ok(200);
        assert!(put(url.clone()).await?.ok(200)["gateway_endpoint"].get("signing_secret").is_none(), "no change");
        world.lose_secret_of(&market.listing.id).await?;
        let refused = put(json!({ "auth_header": { "name": "X-Key", "value": "v" } })).await?;
        let summary = text(&refused.refused(503, "SERVICE_UNAVAILABLE")["recovery"], "summary");
        assert!(summary.contains("private_endpoint_url"), "{summary}");
        // What an instance remembers is not what is there: the same URL is a change.
        let endpoint = put(url).await?.ok(200)["gateway_endpoint"].clone();
        assert_eq!(endpoint["timeout_ms"], 4_000, "what is no secret stays");
        world.seller.add_secret(text(&endpoint, "signing_secret"), &market.path).await?;
        assert_eq!(market.call(&json!({ "n": 1 })).send().await?.ok(200)["seller_response"]["verified"], true);
        Ok(())
    })
}

#[test]
fn a_draft_has_no_secret_of_its_own_until_it_goes_on_offer() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let path = world.echo_path();
        let mut fields = world.free_fields(&path);
        fields["status"] = "draft".into();
        let draft = seller.create_listing(&fields).await?;
        let route = format!("/listings/{}", draft.id);
        world.seller.add_secret(&draft.signing_secret, &path).await?;
        assert_eq!(seller.post(&format!("{route}/endpoint/test")).send().await?.ok(200)["test"]["ok"], true);
        assert!(!world.keeps_secret_of(&draft.id).await?, "it is sealed in its item");
        let on_offer = seller.patch(&route).json(&json!({ "status": "active" })).send().await?;
        assert_eq!(on_offer.ok(200)["listing"]["status"], "active");
        assert!(world.keeps_secret_of(&draft.id).await?);
        let tested = seller.get(&format!("{route}/endpoint")).send().await?;
        assert!(!tested.ok(200)["gateway_endpoint"]["last_test"].is_null(), "the test still counts");
        let reply = seller.call(&draft.id, &json!({ "n": 1 })).send().await?;
        assert_eq!(reply.ok(200)["seller_response"]["verified"], true, "with the secret that was shown first");
        // Another one goes as a draft, and leaves nothing.
        let other = seller.create_listing(&fields).await?.id;
        seller.delete(&format!("/listings/{other}")).send().await?.ok(200);
        assert!(!world.keeps_secret_of(&other).await?);
        Ok(())
    })
}

#[test]
fn a_draft_that_goes_on_offer_with_the_url_that_it_has_gets_its_secret_too() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let path = world.echo_path();
        let mut fields = world.free_fields(&path);
        fields["status"] = "draft".into();
        let draft = seller.create_listing(&fields).await?;
        world.seller.add_secret(&draft.signing_secret, &path).await?;
        let offer = json!({ "status": "active", "private_endpoint_url": world.seller.url(&path) });
        let on_offer = seller.patch(&format!("/listings/{}", draft.id)).json(&offer).send().await?;
        let endpoint = &on_offer.ok(200)["gateway_endpoint"];
        assert!(endpoint.get("signing_secret").is_none(), "the same URL keeps its secret: {endpoint}");
        assert!(world.keeps_secret_of(&draft.id).await?, "what sells is counted, and kept where the operator says");
        let reply = seller.call(&draft.id, &json!({ "n": 1 })).send().await?;
        assert_eq!(reply.ok(200)["seller_response"]["verified"], true, "with the secret that was shown first");
        Ok(())
    })
}

#[test]
fn a_draft_that_gets_its_endpoint_while_it_goes_on_offer_is_offered_with_a_secret_or_not_at_all() -> Outcome {
    let proxy = &Proxy::start()?;
    let setup = Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() };
    with_setup(setup, async |world| {
        let seller = world.agent().await?;
        let id = bare(&seller, "draft").await?;
        let (route, path) = (format!("/listings/{id}"), world.echo_path());
        let offer = || async { Ok::<_, Failure>(seller.patch(&route).json(&json!({ "status": "active" })).send().await?) };
        proxy.hold_next_transaction();
        let meanwhile = async {
            proxy.holds_a_transaction().await?;
            let url = json!({ "private_endpoint_url": world.seller.url(&path) });
            seller.put(&format!("{route}/endpoint")).json(&url).send().await?.ok(200);
            proxy.let_go();
            Ok(())
        };
        let (offered, ()) = futures::future::try_join(offer(), meanwhile).await?;
        offered.refused(409, "EDIT_CONFLICT");
        assert!(!world.keeps_secret_of(&id).await?, "it is a draft, and sealed");
        offer().await?.ok(200);
        assert!(world.keeps_secret_of(&id).await?);
        Ok(())
    })
}
