//! `DELETE /listings/{id}`: remove a draft, or take a listing off.

use axum::extract::{Path, State};
use crochet::http::{Code, Reply, Result};
use crochet::wire::listing::ListingView;
use crochet_domain::listing::{ListingStatus, SuspendedBy};
use crochet_domain::timestamp::unix_ms;
use serde::Serialize;
use utoipa::ToSchema;

use crate::endpoint::secret::discard;
use crate::seller::Editor;

/// Times that it is tried again, where the listing has changed meanwhile.
const ATTEMPTS: usize = 4;

/// `data` of a listing that was withdrawn.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Withdrawn {
    /// The listing as it is now; a removed draft as it was.
    listing: ListingView,
    /// Whether it is gone. A listing that was on offer is suspended instead: buyers may still have calls of it.
    deleted: bool,
}

crochet::error_list!(DeleteListingErrors: Editor, Path<String>; ListingNotFound, NotListingOwner, EditConflict);

/// Delete a draft, or suspend an active listing. A suspended one stays as it is.
#[utoipa::path(delete, path = "/api/v1/listings/{id}", operation_id = "delete_listing", tag = "Listings", security(("api_key" = [])),
    params(("id" = String, Path, description = "UUID or slug")),
    responses((status = 200, body = Withdrawn, description = "What became of it."), DeleteListingErrors))]
pub(crate) async fn delete_listing(State(state): State<crate::State>, editor: Editor, Path(id): Path<String>) -> Result {
    let (app, store) = (&state.app, &state.app.store);
    let reply = |listing, deleted| Reply::ok(Withdrawn { listing: ListingView::whole(listing, &app.config), deleted });
    let mut listing = editor.listing(app, &id).await?;
    for _ in 0..ATTEMPTS {
        match listing.status {
            ListingStatus::Suspended => return reply(&listing, false),
            ListingStatus::Active => {
                listing.status = ListingStatus::Suspended;
                listing.suspended_by = Some(SuspendedBy::Owner);
                listing.touch(unix_ms(app.clock.now()));
                if store.update_listing(&listing).await? {
                    return reply(&listing, false);
                }
            }
            ListingStatus::Draft => {
                let deleted = match store.delete_draft(&listing).await {
                    Ok(deleted) => deleted,
                    // The reply may be all that was lost.
                    Err(error) => match store.listing(listing.id).await {
                        Ok(None) => true,
                        _ => return Err(error.into()),
                    },
                };
                if deleted {
                    // An edit that came to nothing may have left a secret for a listing without an endpoint, too.
                    discard(&*state.secrets, listing.id).await;
                    return reply(&listing, true);
                }
            }
        }
        listing = editor.again(app, listing.id).await?;
    }
    Err(Code::EditConflict.into())
}
