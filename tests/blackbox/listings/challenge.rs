//! `POST /listings/challenge`, and the proof of work for a new listing.

use crochet_tests::{Agent, Failure, Outcome, Pow, Replies, is_time, list, members, number, shared};

/// The proof of work for a new listing.
async fn work(seller: &Agent) -> Result<Pow, Failure> {
    let reply = seller.post("/listings/challenge").send().await?;
    Ok(Pow::read(&reply.ok(200)["pow"])?)
}

#[test]
fn a_listing_challenge_is_work_with_an_expiry() -> Outcome {
    shared(async |world| {
        let reply = world.agent().await?.post("/listings/challenge").send().await?;
        let data = reply.ok(200);
        assert_eq!(members(data), ["expires_at", "expires_in", "pow"]);
        assert_eq!(members(&data["pow"]), ["algorithm", "challenge", "difficulty", "rule"]);
        assert!(is_time(&data["expires_at"]) && number(data, "expires_in") > 0);
        world.client.post("/listings/challenge").send().await?.refused(401, "UNAUTHORIZED");
        Ok(())
    })
}

#[test]
fn work_is_needed_and_counts_once() -> Outcome {
    shared(async |world| {
        let (seller, other) = (world.agent().await?, world.agent().await?);
        let fields = world.free_fields("/echo");
        let with_work = |pow: &Pow, nonce: &str| {
            let mut body = fields.clone();
            body["pow_challenge"] = pow.challenge.as_str().into();
            body["pow_nonce"] = nonce.into();
            body
        };
        assert_eq!(seller.post("/listings").json(&fields).send().await?.status, 400, "no work at all");
        let pow = work(&seller).await?;
        let body = with_work(&pow, &pow.solve());
        seller.post("/listings").json(&body).send().await?.ok(201);
        seller.post("/listings").json(&body).send().await?.refused(400, "CHALLENGE_INVALID");
        // Bad work uses the challenge up.
        let pow = work(&seller).await?;
        seller.post("/listings").json(&with_work(&pow, "wrong!")).send().await?.refused(400, "POW_INVALID");
        seller.post("/listings").json(&with_work(&pow, &pow.solve())).send().await?.refused(400, "CHALLENGE_INVALID");
        // Somebody else's work is none.
        let pow = work(&other).await?;
        seller.post("/listings").json(&with_work(&pow, &pow.solve())).send().await?.refused(400, "CHALLENGE_INVALID");
        Ok(())
    })
}

#[test]
fn pow_challenge_picks_among_several_else_the_newest_counts() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let (first, second, third) = (work(&seller).await?, work(&seller).await?, work(&seller).await?);
        let mut body = world.free_fields("/echo");
        body["pow_nonce"] = third.solve().into();
        seller.post("/listings").json(&body).send().await?.ok(201);
        body["pow_nonce"] = first.solve().into();
        body["pow_challenge"] = first.challenge.into();
        seller.post("/listings").json(&body).send().await?.ok(201);
        body["pow_nonce"] = second.solve().into();
        body["pow_challenge"] = second.challenge.into();
        seller.post("/listings").json(&body).send().await?.ok(201);
        Ok(())
    })
}

#[test]
fn one_work_in_parallel_makes_one_listing() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let pow = work(&seller).await?;
        let mut body = world.free_fields("/echo");
        body["pow_nonce"] = pow.solve().into();
        body["pow_challenge"] = pow.challenge.as_str().into();
        let replies = futures::future::try_join_all((0..8).map(|_| seller.post("/listings").json(&body).send())).await?;
        assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
        let reply = seller.get("/listings").query("seller", "me").send().await?;
        assert_eq!(list(reply.ok(200), "listings").len(), 1);
        Ok(())
    })
}

#[test]
fn a_challenge_takes_no_fields_and_garbage_is_refused() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        for (body, code) in [
            (r#"{"x":1}"#, "UNKNOWN_FIELD"),
            ("garbage", "INVALID_JSON"),
            ("\0", "INVALID_JSON"),
            ("[]", "INVALID_REQUEST"),
            ("null", "INVALID_REQUEST"),
        ] {
            seller.post("/listings/challenge").raw_body(body).send().await?.refused(400, code);
        }
        seller.post("/listings/challenge").json(&serde_json::json!({})).send().await?.ok(200);
        Ok(())
    })
}
