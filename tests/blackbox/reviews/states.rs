//! Which buyer may review: each state of a buyer, and the one right reply.

use crochet_tests::{Agent, Failure, Market, Outcome, Person, Replies, World, isolated, refund, text};
use serde_json::json;

use super::{listing_at, opinion, review, with_buyer};

async fn claimed(world: &World, person: &Person, agent: &Agent) -> Outcome {
    let fields = json!({ "profile_id": agent.profile_id, "operator_id": person.profile_id });
    let proof = world.client.proof(&agent.wallet, "claim_agent", &fields).await?;
    person.post(&format!("/agents/{}/claim", agent.profile_id)).json(&proof).send().await?.ok(200);
    Ok(())
}

/// A new buyer of the same listing who has bought once.
async fn served<'a>(world: &'a World, market: &Market<'a>) -> Result<Market<'a>, Failure> {
    let market = with_buyer(world, market, world.agent().await?);
    market.buy(&json!({ "n": 1 })).await?;
    Ok(market)
}

/// The status and the code of an attempt to review.
async fn outcome(agent: &Agent, listing: &str) -> Result<String, Failure> {
    let reply = review(agent, listing, 5).await?;
    Ok(format!("{} {}", reply.status, reply.code()))
}

#[test]
fn each_state_of_a_buyer_has_one_right_reply() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let listing = market.listing.id.clone();
        let failing = listing_at(&market, 1.0, "/fail/500").await?.id;
        let free = market.seller.create_listing(&world.free_fields("/status/200")).await?;
        world.seller.add_secret(&free.signing_secret, "/status/200").await?;
        let mut rows: Vec<(&str, String, &str)> = Vec::new();

        rows.push(("never called", outcome(&market.buyer, &listing).await?, "403 REVIEW_WITHOUT_PURCHASE"));
        market.quote(&json!({ "n": 0 })).await?;
        rows.push(("quoted", outcome(&market.buyer, &listing).await?, "403 REVIEW_WITHOUT_PURCHASE"));
        let paid = market.paid(&json!({ "n": 1 })).await?;
        world.sweep().await?;
        rows.push(("paid", outcome(&market.buyer, &listing).await?, "403 REVIEW_UNDELIVERED"));
        market.redeem(&paid, &json!({ "n": 1 })).await?.ok(200);
        let id = text(&market.row(&paid.id).await?, "id").to_owned();

        let unlucky = with_buyer(world, &market, world.agent().await?);
        let unlucky = Market { listing: crochet_tests::Listing { id: failing.clone(), ..unlucky.listing.clone() }, ..unlucky };
        let quote = unlucky.paid(&json!({ "n": 1 })).await?;
        unlucky.redeem(&quote, &json!({ "n": 1 })).await?.refused(502, "SELLER_ERROR");
        rows.push(("failed", outcome(&unlucky.buyer, &failing).await?, "403 REVIEW_UNDELIVERED"));

        let freeloader = world.agent().await?;
        freeloader.call(&free.id, &json!({ "n": 1 })).idempotency_key("k").send().await?.ok(200);
        rows.push(("free only", outcome(&freeloader, &free.id).await?, "403 REVIEW_FREE_CALL"));

        rows.push(("seller", outcome(&market.seller, &listing).await?, "403 REVIEW_BY_SELLER"));
        let person = Person::sign_up(&world.client, "Ada").await?;
        let sibling = served(world, &market).await?;
        claimed(world, &person, &market.seller).await?;
        claimed(world, &person, &sibling.buyer).await?;
        rows.push(("same operator", outcome(&sibling.buyer, &listing).await?, "403 REVIEW_BY_SAME_OPERATOR"));

        let sharing = served(world, &market).await?;
        world.share_wallet(&market.seller, &sharing.buyer).await?;
        rows.push(("same wallet", outcome(&sharing.buyer, &listing).await?, "403 REVIEW_BY_SHARED_WALLET"));

        let circular = served(world, &market).await?;
        let path = world.echo_path();
        let back = circular.buyer.create_listing(&world.paid_fields(&json!(1), &path)).await?;
        world.seller.add_secret(&back.signing_secret, &path).await?;
        let reverse = Market { world, buyer: market.seller.clone(), seller: circular.buyer.clone(), listing: back, path };
        reverse.buy(&json!({ "n": 1 })).await?;
        world.sweep().await?;
        rows.push(("circular", outcome(&circular.buyer, &listing).await?, "403 REVIEW_CIRCULAR_PAYMENT"));

        let refunded = served(world, &market).await?;
        let payment = refunded.buyer.get("/gateway-requests").send().await?;
        let call = text(&payment.ok(200)["gateway_requests"][0], "id").to_owned();
        let offer = crochet_tests::Quote::of(refund(&market.seller, &call).await?);
        world.sandbox.pay(&offer.id).await?;
        refund(&market.seller, &call).await?.ok(200);
        rows.push(("refunded", outcome(&refunded.buyer, &listing).await?, "403 REVIEW_REFUNDED"));

        let reversed = with_buyer(world, &market, world.agent().await?);
        let quote = reversed.paid(&json!({ "n": 1 })).await?;
        world.sweep().await?;
        world.sandbox.set(&quote.id, &json!({ "status": "refund" })).await?;
        world.later(11 * 60).await?;
        reversed.redeem(&quote, &json!({ "n": 1 })).await?;
        rows.push(("reversed", outcome(&reversed.buyer, &listing).await?, "403 REVIEW_REVERSED"));

        let late = served(world, &market).await?;
        rows.push(("delivered", outcome(&market.buyer, &listing).await?, "201 "));
        rows.push(("already reviewed", outcome(&market.buyer, &listing).await?, "409 ALREADY_REVIEWED"));
        let again = market.buyer.put(&format!("/reviews/{listing}")).json(&opinion(4)).send().await?;
        rows.push(("evidence used", format!("{} {}", again.status, again.code()), "403 REVIEW_EVIDENCE_USED"));
        let nothing = late.buyer.put(&format!("/reviews/{listing}")).json(&opinion(4)).send().await?;
        rows.push(("nothing to change", format!("{} {}", nothing.status, nothing.code()), "404 REVIEW_NOT_FOUND"));

        let eve = Person::sign_up(&world.client, "Eve").await?;
        let other = served(world, &market).await?;
        claimed(world, &eve, &market.buyer).await?;
        claimed(world, &eve, &other.buyer).await?;
        rows.push(("other agent of a reviewer", outcome(&other.buyer, &listing).await?, "403 REVIEWED_BY_OPERATOR"));

        let punctual = served(world, &market).await?;
        world.later(30 * 24 * 3_600 - 60).await?;
        rows.push(("30 days ago", outcome(&punctual.buyer, &listing).await?, "201 "));
        world.later(24 * 3_600).await?;
        rows.push(("31 days ago", outcome(&late.buyer, &listing).await?, "403 REVIEW_TOO_LATE"));
        rows.push(("undelivered for good", outcome(&unlucky.buyer, &failing).await?, "403 REVIEW_UNDELIVERED"));
        let unknown = review(&market.buyer, "no-such-listing", 5).await?;
        rows.push(("no listing", format!("{} {}", unknown.status, unknown.code()), "404 LISTING_NOT_FOUND"));

        for (state, replied, expected) in &rows {
            println!("{state:26} {replied}");
            assert_eq!(replied, expected, "{state}");
        }
        assert!(id.starts_with("gw_req_"));
        Ok(())
    })
}
