//! `DELETE /listings/{id}`: delete a draft, or suspend an active listing.

use axum::extract::{Path, State};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::retry::Attempts;
use crochet::wire::listing::ListingView;
use crochet_domain::listing::ListingStatus;
use crochet_domain::timestamp::unix_ms;
use serde::Serialize;
use utoipa::ToSchema;

use super::change::suspend;
use crate::endpoint::secret::delete_secret;
use crate::seller::ListingWriter;

/// `data` of a deleted or suspended listing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Withdrawn {
    /// The listing after the change; a deleted draft as it was.
    listing: ListingView,
    /// Whether the listing was deleted. A listing that was ever active is suspended instead, because buyers may have calls to it.
    deleted: bool,
}

crochet::error_list!(DeleteListingErrors: ListingWriter, Path<String>; ListingNotFound, NotListingOwner, EditConflict);

/// Delete a draft, or suspend an active listing. A suspended listing stays as it is.
///
/// The endpoint of a listing that you have suspended, and that has not changed for 30 days, may be removed. To offer it again, send a
/// `private_endpoint_url` if it is gone.
#[utoipa::path(delete, path = "/api/v1/listings/{id}", operation_id = "delete_listing", tag = "Listings", security(("api_key" = ["write"])),
    params(("id" = String, Path, description = "UUID or slug")),
    responses((status = 200, body = Withdrawn, description = "The listing, and whether it was deleted."), DeleteListingErrors))]
pub(crate) async fn delete_listing(
    State(state): State<crate::state::State>,
    writer: ListingWriter,
    Path(id): Path<String>,
) -> Result {
    let (app, store) = (&state.app, &state.app.store);
    let reply = |listing, deleted| Reply::ok(Withdrawn { listing: ListingView::whole(listing, &app.config), deleted });
    let mut listing = writer.listing(app, &id).await?;
    let mut attempts = Attempts::default();
    loop {
        match listing.status {
            ListingStatus::Suspended if !listing.comes_back() => return reply(&listing, false),
            // One that the operator has suspended stays suspended when that ends.
            ListingStatus::Active | ListingStatus::Suspended => {
                suspend(&mut listing);
                listing.touch(unix_ms(app.clock.now()));
                if store.update_listing(&listing).await? {
                    return reply(&listing, false);
                }
            }
            ListingStatus::Draft => {
                let deleted = match store.delete_draft(&listing).await {
                    Ok(deleted) => deleted,
                    // Perhaps only the reply was lost.
                    Err(error) => match store.listing(listing.id).await {
                        Ok(None) => true,
                        _ => return Err(error.into()),
                    },
                };
                if deleted {
                    // Even a listing without an endpoint may have a secret, left behind by a failed change.
                    delete_secret(&*state.secrets, listing.id).await;
                    return reply(&listing, true);
                }
            }
        }
        attempts.next_or(ApiError::from(Code::EditConflict)).await?;
        listing = writer.reload(app, listing.id).await?;
    }
}
