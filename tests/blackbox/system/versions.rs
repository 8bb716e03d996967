//! Two versions at one table: items of the next version are read and kept whole, and those of the one before are read.

use crochet_tests::{Agent, Market, Outcome, Person, Quote, Replies, Wallet, World, isolated, list, opinion, text};
use serde_json::json;

/// Kinds of items that the routes below must have written over those of the next version.
const WRITTEN: &[&str] = &[
    "GATE",
    "RATE",
    "TRAFFIC",
    "api_key",
    "call",
    "debt",
    "idempotency_record",
    "listing",
    "open_quotes",
    "passkeys",
    "profile",
    "rating",
    "refund",
    "review",
    "score",
    "session",
    "stats_slice",
];

/// Everything that one can do with what exists.
struct Scene<'a> {
    world: &'a World,
    /// Its seller delivers; one call is delivered and reviewed, one is paid, and one is quoted.
    market: Market<'a>,
    paid: Quote,
    quoted: Quote,
    fourth: Quote,
    review: String,
    /// Its seller fails: it owes for a call, and has been offered to pay that back.
    owing: Market<'a>,
    undelivered: String,
    refund: Quote,
    person: Person,
    key: Agent,
}

impl<'a> Scene<'a> {
    async fn set(world: &'a World) -> Result<Self, crochet_tests::Failure> {
        let owing = world.market_at(&json!(1), "/fail/500").await?;
        let undelivered = owing.undelivered(&[json!({ "n": 1 })]).await?.remove(0);
        world.market_at(&json!(1), "/fail/503").await?.undelivered(&[json!({ "n": 1 })]).await?;
        // What is counted of ten minutes is one item.
        world.at_noon().await?;
        let market = world.market(1.0).await?;
        market.buy(&json!({ "n": 1 })).await?;
        let written = market.buyer.post(&format!("/reviews/{}", market.listing.id)).json(&opinion(5)).send().await?;
        let review = text(&written.ok(201)["review"], "id").to_owned();
        let paid = market.paid(&json!({ "n": 2 })).await?;
        let quoted = Quote::of(market.call(&json!({ "n": 3 })).idempotency_key("third").send().await?);
        market.buyer.link_wallet(&Wallet::evm()).await?;
        let fourth = market.quote(&json!({ "n": 4 })).await?;
        let person = Person::sign_up(&world.client, "Ada").await?;
        let key = market.seller.create_key(&json!({ "name": "second" })).await?;
        world.admin("switches close listings").await?;
        world.later(120).await?;
        world.sweep().await?;
        world.count_scores().await?;
        let refund = Quote::of(owing.refund(&undelivered).await?);
        Ok(Self { world, market, paid, quoted, fourth, review, owing, undelivered, refund, person, key })
    }

    /// Uses the routes that write over what exists.
    async fn play(&self) -> Outcome {
        let Self { world, market, owing, .. } = self;
        let (seller, listing) = (&market.seller, format!("/listings/{}", market.listing.id));
        // What is paid is delivered, what was quoted is the same quote, and what was bought is replayed.
        market.redeem(&self.paid, &json!({ "n": 2 })).await?.ok(200);
        let third = || market.call(&json!({ "n": 3 })).idempotency_key("third");
        assert_eq!(Quote::of(third().send().await?).id, self.quoted.id);
        world.sandbox.pay(&self.quoted.id).await?;
        third().send().await?.ok(200);
        // Another currency is another quote of the same body, in the same record.
        assert_ne!(Quote::of(market.call(&json!({ "n": 4 })).currency("ETH").send().await?).id, self.fourth.id);
        // Profiles, listings and endpoints.
        seller.patch("/me").json(&json!({ "description": "Changed.", "role": "seller" })).send().await?.ok(200);
        let wallet = text(&list(&seller.issued, "wallets")[0], "id").to_owned();
        seller.update_wallet(&wallet, &json!({ "default_for": ["payout"] })).await?;
        seller.patch(&listing).json(&json!({ "name": "Changed" })).send().await?.ok(200);
        seller.put(&format!("{listing}/endpoint")).json(&json!({ "timeout_ms": 9_000 })).send().await?.ok(200);
        seller.post(&format!("{listing}/endpoint/rotate-secret")).json(&json!({})).send().await?.ok(200);
        self.key.get("/me").send().await?.ok(200);
        // People.
        self.person.log_in().await?;
        self.person.reauthenticate().await?;
        self.person.add_passkey("Second").await?;
        // The books.
        world.look_at_debts().await?;
        world.sandbox.pay(&self.refund.id).await?;
        owing.refund(&self.undelivered).await?.ok(200);
        assert_eq!(owing.charge(&self.undelivered).await?, "refunded");
        let answer = format!("/reviews/{}/{}/answer", market.listing.id, self.review);
        seller.post(&answer).json(&json!({ "comment": "Thank you." })).send().await?.ok(201);
        world.admin(&format!("reviews hide {} {} Spam", market.listing.id, market.buyer.profile_id)).await?;
        world.later(120).await?;
        world.sweep().await?;
        world.count_scores().await?;
        // The operator.
        world.admin("switches open listings").await?;
        world.admin(&format!("listings suspend {} FRAUD", market.listing.id)).await?;
        world.admin(&format!("profiles suspend {} OTHER", market.buyer.profile_id)).await?;
        Ok(())
    }
}

#[test]
fn what_the_next_version_has_written_is_read_and_kept_whole() -> Outcome {
    isolated(async |world| {
        let scene = Scene::set(world).await?;
        let next = world.next_version().await?;
        scene.play().await?;
        let mut written = next.kept(world).await?;
        // A debt that nobody pays is overdue after a week. Slices are folded into days by then.
        world.later(8 * 86_400).await?;
        world.look_at_debts().await?;
        written.extend(next.kept(world).await?);
        let missing: Vec<_> = WRITTEN.iter().filter(|kind| !written.contains(**kind)).collect();
        assert!(missing.is_empty(), "nothing has written {missing:?}, only {written:?}");
        Ok(())
    })
}

#[test]
fn what_the_version_before_has_written_is_read() -> Outcome {
    isolated(async |world| {
        let scene = Scene::set(world).await?;
        world.version_before().await?;
        scene.play().await
    })
}

#[test]
fn a_value_that_only_the_next_version_knows_is_not_written_over_and_hides_nothing_else() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let other = market.seller.create_listing(&world.paid_fields(&json!(2), "/echo")).await?;
        world.set_in_listing(&market.listing.id, "status", "on_loan").await?;
        let seen =
            market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&json!({ "name": "Changed" })).send().await?;
        assert_eq!(seen.status, 500, "{}", seen.text());
        assert!(world.stored().await?.is_none_or(|all| all.contains("on_loan")));
        let (cold, _) = world.another_instance().await?;
        let found = cold.get("/listings").send().await?.ok(200).clone();
        assert_eq!(list(&found, "listings").iter().map(|one| text(one, "id")).collect::<Vec<_>>(), [other.id.as_str()]);
        Ok(())
    })
}
