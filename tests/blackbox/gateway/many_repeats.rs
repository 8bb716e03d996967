//! `POST /gateway/:listingId`: very many repeats of one call.

use crochet_tests::{Outcome, Replies, Setup, alone, runs_from_env, text};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::json;

/// The number of repeats with one key. `CROCHET_FAULTS_REPEATS` sets another.
const REPEATS: u64 = 1_000;
/// Parallel retries of one paid call.
const RETRIES: usize = 1_000;
/// Requests on their way at the same time.
const AT_ONCE: usize = 100;

#[test]
fn a_thousand_parallel_retries_of_one_call_are_one_forward_and_one_charge() -> Outcome {
    alone(Setup::default(), async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let retries = (0..RETRIES).map(|_| market.call(&body).paid_with(&quote.id).send());
        let replies: Vec<_> = stream::iter(retries).buffer_unordered(AT_ONCE).try_collect().await?;
        let mut bodies = Vec::new();
        for reply in replies {
            match reply.status {
                200 => bodies.push(reply.body),
                // In progress; or a busy machine took longer than the store may.
                409 | 503 => {}
                other => panic!("{other}: {}", reply.text()),
            }
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "one answer for all");
        let replay = market.redeem(&quote, &body).await?;
        assert!(replay.is_replay() && replay.body == bodies[0]);
        let id = text(replay.data(), "request_id").to_owned();
        assert_eq!((market.all_received().await?.len(), market.entries(&market.buyer, &id).await?.len()), (1, 1));
        Ok(())
    })
}

#[test]
fn the_same_key_and_body_again_and_again_is_answered_byte_for_byte() -> Outcome {
    alone(Setup::default(), async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let call = || market.call(&body).idempotency_key("again");
        let quote = crochet_tests::Quote::of(call().send().await?);
        world.sandbox.pay(&quote.id).await?;
        let first = call().send().await?;
        first.ok(200);
        let repeats = runs_from_env("CROCHET_FAULTS_REPEATS").unwrap_or(REPEATS);
        let replies = stream::iter((0..repeats).map(|_| call().send())).buffer_unordered(16);
        let same = replies.try_fold(0_u64, async |same, reply| Ok(if reply.body == first.body { same + 1 } else { same })).await?;
        println!("{same} of {repeats} repeats had the same bytes");
        assert_eq!(same, repeats);
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}
