//! `POST /listings/challenge`: a proof of work, to create one listing.

use axum::extract::State;
use crochet::app::App;
use crochet::http::{Reply, Result};
use crochet::store::challenge::ListingWork;
use crochet::wire::profile::Pow;
use crochet_domain::challenge::{CHALLENGE_TTL, ProofOfWork};
use crochet_domain::ids::random_bytes;
use crochet_domain::timestamp::{rfc3339, unix_ms};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::seller::Seller;

/// `data` of a challenge.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListingChallenge {
    /// What has to be solved.
    pow: Pow,
    /// Until when it counts.
    #[schema(format = DateTime)]
    expires_at: String,
    /// The same in seconds from now.
    expires_in: i64,
}

crochet::error_list!(CreateListingChallengeErrors: Seller;);

/// Ask for the proof of work that `POST /listings` needs. It counts once, for five minutes.
#[utoipa::path(post, path = "/api/v1/listings/challenge", operation_id = "create_listing_challenge", tag = "Listings", security(("api_key" = [])),
    responses((status = 200, body = ListingChallenge, description = "The proof of work."), CreateListingChallengeErrors))]
pub(crate) async fn create_listing_challenge(State(app): State<App>, Seller(profile): Seller) -> Result {
    let now = app.clock.now();
    let expires_at = now + CHALLENGE_TTL;
    let work = ListingWork { pow: riddle(app.config.pow_difficulty, now), expires_ms: unix_ms(expires_at) };
    app.store.save_listing_work(profile, &work).await?;
    Reply::ok(ListingChallenge {
        pow: Pow::from(&work.pow),
        expires_at: rfc3339(expires_at),
        expires_in: CHALLENGE_TTL.whole_seconds(),
    })
}

/// A riddle whose text begins with its time: the newest of several open ones sorts last.
fn riddle(difficulty: u8, now: OffsetDateTime) -> ProofOfWork {
    ProofOfWork { challenge: format!("{:015}-{}", unix_ms(now).max(0), hex::encode(random_bytes::<16>())), difficulty }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn later_riddles_sort_later() {
        let now = OffsetDateTime::from_unix_timestamp(1_790_000_000).expect("a date");
        let (first, second) = (riddle(4, now), riddle(4, now + Duration::milliseconds(1)));
        assert!(first.challenge < second.challenge);
        assert_eq!(first.challenge.len(), 48);
        assert!(first.accepts(&first.solve()));
    }
}
