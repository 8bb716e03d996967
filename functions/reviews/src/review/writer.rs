//! What a review that is written needs to know: who writes about what, and whether that is allowed.

use crochet::app::App;
use crochet::http::suspension::refuse_suspended;
use crochet::http::{ApiError, Code, Result};
use crochet_domain::call::Call;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::{Listing, ListingStatus};
use crochet_domain::profile::Profile;
use crochet_domain::review::{EvidenceState, NotEligible, Opinion, between};
use crochet_domain::timestamp::unix_ms;
use crochet_domain::unknown::Unknown;

use super::opinion::Said;
use crate::bought;

/// An author who may review a listing.
pub(super) struct Writer {
    pub(super) listing: Listing,
    pub(super) author: Profile,
    pub(super) now_ms: i64,
}

impl Writer {
    /// Reads listing, author and seller, and checks every rule that does not concern evidence.
    ///
    /// # Errors
    /// `LISTING_NOT_FOUND`, and a code of its own for each rule.
    pub(super) async fn admit(app: &App, author: ProfileId, listing: &str) -> Result<Self> {
        let (listing, author) = tokio::try_join!(app.store.find_listing(listing), app.store.profile(author))?;
        let listing = listing.filter(|listing| listing.status != ListingStatus::Draft).ok_or(Code::ListingNotFound)?;
        let author = author.ok_or_else(|| ApiError::internal("a key belongs to a profile that is missing"))?;
        let seller = app.store.profile(listing.seller.id).await?;
        let seller = seller.ok_or_else(|| ApiError::internal("a listing belongs to a profile that is missing"))?;
        let now_ms = unix_ms(app.clock.now());
        refuse_suspended(author.suspended)?;
        // Cheap rules first.
        between(&author, &seller, false).map_err(not_eligible)?;
        let is_circular = bought::has_bought(app, author.id, seller.id, now_ms).await?;
        between(&author, &seller, is_circular).map_err(not_eligible)?;
        if let Some(operator) = author.operator
            && let Some(other) = app.store.reviewed_for(listing.id, operator, author.id).await?
        {
            return Err(ApiError::new(Code::ReviewedByOperator).detail("agent_id", other.to_string()));
        }
        Ok(Self { listing, author, now_ms })
    }

    /// What is written down.
    pub(super) fn opinion(&self, said: Said, evidence: &Call, voice: i64) -> Opinion {
        Opinion {
            ratings: said.ratings,
            title: said.title,
            comment: said.comment,
            voice,
            evidence: evidence.id,
            evidence_key: evidence.key(),
            evidence_state: EvidenceState::Stands,
            written_ms: self.now_ms,
            unknown: Unknown::default(),
        }
    }

    pub(super) fn listing_id(&self) -> ListingId {
        self.listing.id
    }
}

fn not_eligible(why: NotEligible) -> ApiError {
    ApiError::new(match why {
        NotEligible::Seller => Code::ReviewBySeller,
        NotEligible::SameOperator => Code::ReviewBySameOperator,
        NotEligible::SharedWallet => Code::ReviewBySharedWallet,
        NotEligible::Circular => Code::ReviewCircularPayment,
    })
}
