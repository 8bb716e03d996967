//! Access to listings: the seller that calls, and ownership.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use crochet::app::App;
use crochet::http::caller::Agent;
use crochet::http::limited::{Limited, LimitedCaller, ListingWrites};
use crochet::http::{ApiError, Code};
use crochet_domain::api_key::Scope;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::{Listing, ListingStatus};
use crochet_domain::profile::Profile;
use crochet_domain::suspension::SuspendedReason;

/// An agent that is a seller, with an API key that has the `write` scope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SellerAgent(pub(crate) ProfileId);

impl<S: Send + Sync> FromRequestParts<S> for SellerAgent
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let agent = Agent::from_request_parts(parts, state).await?;
        agent.may(Scope::Write)?;
        agent.sells()?;
        Ok(Self(agent.profile))
    }
}

crochet::error_list!(for SellerAgent: Agent; InsufficientScope, RoleRequired);

impl LimitedCaller for SellerAgent {
    fn profile(&self) -> ProfileId {
        self.0
    }

    /// Every seller agent may: its key has the `write` scope.
    fn may_write(&self) -> Result<(), ApiError> {
        Ok(())
    }
}

/// A seller that changes listings. The request counts against [`ListingWrites`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListingWriter(pub(crate) ProfileId);

impl<S: Send + Sync> FromRequestParts<S> for ListingWriter
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let limited = Limited::<SellerAgent, ListingWrites>::from_request_parts(parts, state).await?;
        Ok(Self(limited.caller.0))
    }
}

crochet::error_list!(for ListingWriter: Limited<SellerAgent, ListingWrites>;);

impl ListingWriter {
    /// The seller's profile.
    pub(crate) async fn profile(self, app: &App) -> Result<Profile, ApiError> {
        app.store.profile(self.0).await?.ok_or_else(|| ApiError::internal("a valid key has no profile").alarm())
    }

    /// The seller's listing with this id or slug.
    ///
    /// # Errors
    /// As [`owned`].
    pub(crate) async fn listing(self, app: &App, id_or_slug: &str) -> Result<Listing, ApiError> {
        owned(app, self.0, id_or_slug).await
    }

    /// Reads the seller's listing again, by id: a draft's slug may belong to another listing by now.
    ///
    /// # Errors
    /// As [`owned`].
    pub(crate) async fn reload(self, app: &App, id: ListingId) -> Result<Listing, ApiError> {
        require_owner(app.store.listing(id).await?, self.0)
    }
}

/// Checks that the profile is still a seller. An API key holds a copy of its profile's role, which may be out of date.
///
/// # Errors
/// `ROLE_REQUIRED`.
pub(crate) fn require_seller(profile: &Profile) -> Result<(), ApiError> {
    if profile.role.sells() { Ok(()) } else { Err(ApiError::new(Code::RoleRequired).detail("required_role", "seller")) }
}

/// The listing with this id or slug, if `owner` owns it.
///
/// # Errors
/// `NOT_LISTING_OWNER`; `LISTING_NOT_FOUND`, also for another seller's draft, so that its existence stays private.
pub(crate) async fn owned(app: &App, owner: ProfileId, id_or_slug: &str) -> Result<Listing, ApiError> {
    require_owner(app.store.find_listing(id_or_slug).await?, owner)
}

fn require_owner(listing: Option<Listing>, owner: ProfileId) -> Result<Listing, ApiError> {
    let listing = listing.ok_or(Code::ListingNotFound)?;
    if listing.seller.id == owner {
        Ok(listing)
    } else if listing.status == ListingStatus::Draft {
        Err(Code::ListingNotFound.into())
    } else {
        Err(Code::NotListingOwner.into())
    }
}

/// The error for what cannot go on offer for this reason, whatever its owner wants.
pub(crate) fn held_back(reason: SuspendedReason) -> ApiError {
    match reason {
        SuspendedReason::RefundOverdue => Code::RefundOverdue.into(),
        reason => ApiError::new(Code::ListingSuspended).detail("suspended_reason", reason.as_str()),
    }
}
