//! `crochet-admin listings` and `profiles`: suspensions for a reason that everybody can read.

use crochet::app::App;
use crochet::store::StoreError;
use crochet::store::retry::retry_on_conflict;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::suspension::SuspendedReason;
use crochet_domain::timestamp::unix_ms;

/// Suspends a listing, or lifts that without a reason. The change feed shows it, so catalogues follow within seconds.
///
/// # Errors
/// One sentence that says why it was not done.
pub(crate) async fn listing(app: &App, id: ListingId, reason: Option<SuspendedReason>) -> Result<String, String> {
    let changed = retry_on_conflict(|| async {
        let Some(mut listing) = app.store.listing(id).await? else { return Ok(None) };
        listing.set_held(reason);
        listing.touch(unix_ms(app.clock.now()));
        if app.store.update_listing(&listing).await? { Ok(Some(listing)) } else { Err(StoreError::Conflict) }
    });
    let listing = changed.await.map_err(|error| error.to_string())?.ok_or_else(|| format!("There is no listing {id}."))?;
    Ok(match (reason, listing.hold()) {
        (Some(reason), _) => format!("The listing {id} is suspended: {}. What is paid is still delivered.\n", reason.as_str()),
        (None, Some(other)) => {
            format!("Your suspension of the listing {id} is lifted, but it stays suspended: {}.\n", other.as_str())
        }
        (None, None) => format!("The listing {id} is not suspended by you any more. Its status is {}.\n", listing.status.as_str()),
    })
}

/// Suspends a profile with all its listings, or lifts that without a reason.
///
/// # Errors
/// One sentence that says why it was not done.
pub(crate) async fn profile(app: &App, id: ProfileId, reason: Option<SuspendedReason>) -> Result<String, String> {
    let changed = retry_on_conflict(|| async {
        let Some(profile) = app.store.profile(id).await? else { return Ok(None) };
        let profile = profile.with_suspension(reason);
        app.store.save_profile(&profile, true).await?;
        Ok::<_, StoreError>(Some(profile))
    });
    let profile = changed.await.map_err(|error| error.to_string())?.ok_or_else(|| format!("There is no profile {id}."))?;
    app.store
        .try_refresh_seller_summaries(&profile, unix_ms(app.clock.now()))
        .await
        .map_err(|error| not_at_all(id, reason, &error))?;
    let listings = profile.listing_count;
    Ok(match reason {
        Some(reason) => {
            format!(
                "The profile {id} is suspended with its {listings} listings: {}. What is paid is still delivered.\n",
                reason.as_str()
            )
        }
        None => format!("The profile {id} is not suspended any more. Its {listings} listings are as they were before.\n"),
    })
}

/// What to say if the profile has changed, and some of its listings have not.
fn not_at_all(id: ProfileId, reason: Option<SuspendedReason>, error: &StoreError) -> String {
    match reason {
        Some(_) => format!("The profile {id} is suspended, but not all its listings yet: {error}. Repeat this."),
        None => {
            format!("The profile {id} is not suspended any more, but not all its listings show that yet: {error}. Repeat this.")
        }
    }
}
