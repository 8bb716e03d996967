//! Who may sell, and who owns a listing.

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

/// An agent that sells, with a key that may write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seller(pub(crate) ProfileId);

crochet::error_list!(for Seller: Agent; InsufficientScope, RoleRequired);

impl<S: Send + Sync> FromRequestParts<S> for Seller
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

impl LimitedCaller for Seller {
    fn profile(&self) -> ProfileId {
        self.0
    }

    /// A seller may.
    fn may_write(&self) -> Result<(), ApiError> {
        Ok(())
    }
}

/// A seller about to change listings, counted against [`ListingWrites`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Editor(pub(crate) ProfileId);

crochet::error_list!(for Editor: Limited<Seller, ListingWrites>;);

impl<S: Send + Sync> FromRequestParts<S> for Editor
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let limited = Limited::<Seller, ListingWrites>::from_request_parts(parts, state).await?;
        Ok(Self(limited.caller.0))
    }
}

impl Editor {
    /// The editor's profile.
    pub(crate) async fn profile(self, app: &App) -> Result<Profile, ApiError> {
        app.store.profile(self.0).await?.ok_or_else(|| ApiError::internal("a good key has no profile").alarm())
    }

    /// The editor's own listing of this id or slug.
    ///
    /// # Errors
    /// As [`owned`].
    pub(crate) async fn listing(self, app: &App, id_or_slug: &str) -> Result<Listing, ApiError> {
        owned(app, self.0, id_or_slug).await
    }

    /// The editor's own listing as it is now: by its id, as a slug may have passed to another one.
    ///
    /// # Errors
    /// As [`owned`].
    pub(crate) async fn again(self, app: &App, id: ListingId) -> Result<Listing, ApiError> {
        of_owner(app.store.listing(id).await?, self.0)
    }
}

/// Fails where the profile does not sell any more: a key repeats its profile's role, and that may have changed since it was read.
///
/// # Errors
/// `ROLE_REQUIRED`.
pub(crate) fn selling(profile: &Profile) -> Result<(), ApiError> {
    if profile.role.sells() { Ok(()) } else { Err(ApiError::new(Code::RoleRequired).detail("required_role", "seller")) }
}

/// The listing of this id or slug, where `owner` owns it.
///
/// # Errors
/// `LISTING_NOT_FOUND`, also for another's draft: nobody else learns of it. `NOT_LISTING_OWNER`.
pub(crate) async fn owned(app: &App, owner: ProfileId, id_or_slug: &str) -> Result<Listing, ApiError> {
    of_owner(app.store.find_listing(id_or_slug).await?, owner)
}

fn of_owner(listing: Option<Listing>, owner: ProfileId) -> Result<Listing, ApiError> {
    let listing = listing.ok_or(Code::ListingNotFound)?;
    if listing.seller.id == owner {
        Ok(listing)
    } else if listing.status == ListingStatus::Draft {
        Err(Code::ListingNotFound.into())
    } else {
        Err(Code::NotListingOwner.into())
    }
}
