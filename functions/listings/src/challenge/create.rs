//! `POST /listings/challenge`: request the proof of work for one listing.

use axum::extract::State;
use crochet::app::App;
use crochet::http::request::JsonOrNothing;
use crochet::http::{Reply, Result};
use crochet::store::challenge::ListingPow;
use crochet::wire::profile::Pow;
use crochet::wire::refund::NoFields;
use crochet_domain::challenge::{CHALLENGE_TTL, ProofOfWork};
use crochet_domain::ids::random_bytes;
use crochet_domain::timestamp::{rfc3339, unix_ms};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::seller::SellerAgent;

/// `data` of a new challenge.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListingChallenge {
    /// The proof of work to solve.
    pow: Pow,
    /// When the challenge expires.
    #[schema(format = DateTime)]
    expires_at: String,
    /// Seconds until the challenge expires.
    expires_in: i64,
}

crochet::error_list!(CreateListingChallengeErrors: SellerAgent, JsonOrNothing<NoFields>;);

/// Request the proof of work that `POST /listings` requires. It is valid once, for five minutes.
#[utoipa::path(post, path = "/api/v1/listings/challenge", operation_id = "create_listing_challenge", tag = "Listings", security(("api_key" = ["write"])),
    request_body(content = Option<NoFields>, description = "An empty object, or nothing."),
    responses((status = 200, body = ListingChallenge, description = "The proof of work."), CreateListingChallengeErrors))]
pub(crate) async fn create_listing_challenge(
    State(app): State<App>,
    SellerAgent(profile): SellerAgent,
    JsonOrNothing(NoFields {}): JsonOrNothing<NoFields>,
) -> Result {
    let now = app.clock.now();
    let expires_at = now + CHALLENGE_TTL;
    let work = ListingPow { pow: new_pow(app.config.pow_difficulty, now), expires_ms: unix_ms(expires_at) };
    app.store.save_listing_pow(profile, &work).await?;
    Reply::ok(ListingChallenge {
        pow: Pow::from(&work.pow),
        expires_at: rfc3339(expires_at),
        expires_in: CHALLENGE_TTL.whole_seconds(),
    })
}

/// A new proof of work. Its challenge begins with the time, so that the newest open challenge sorts last.
fn new_pow(difficulty: u8, now: OffsetDateTime) -> ProofOfWork {
    ProofOfWork { challenge: format!("{:015}-{}", unix_ms(now).max(0), hex::encode(random_bytes::<16>())), difficulty }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn later_challenges_sort_later() {
        let now = OffsetDateTime::from_unix_timestamp(1_790_000_000).expect("a date");
        let (first, second) = (new_pow(4, now), new_pow(4, now + Duration::milliseconds(1)));
        assert!(first.challenge < second.challenge);
        assert_eq!(first.challenge.len(), 48);
        assert!(first.accepts(&first.solve()));
    }
}
