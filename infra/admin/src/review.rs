//! `crochet-admin reviews`: reviews that are hidden, for a reason that everybody can read.

use crochet::app::App;
use crochet::store::retry::Attempts;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::timestamp::unix_ms;

/// Hides a review, or shows it again without a reason. Returns what was done, as text.
///
/// # Errors
/// One sentence that says why it was not done.
pub(crate) async fn hide(
    app: &App,
    listing: ListingId,
    author: ProfileId,
    hidden_reason: Option<String>,
) -> Result<String, String> {
    let mut attempts = Attempts::default();
    loop {
        let before = app.store.review(listing, author).await.map_err(|error| error.to_string())?;
        let before = before.ok_or_else(|| format!("The profile {author} has not reviewed the listing {listing}."))?;
        let now_ms = unix_ms(app.clock.now());
        let after = before.clone().hidden(hidden_reason.clone(), now_ms);
        if app.store.update_review(&before, &after, now_ms).await.map_err(|error| error.to_string())? {
            return Ok(match hidden_reason {
                Some(reason) => format!("The review {} is hidden: {reason}\n", after.id),
                None => format!("The review {} is shown.\n", after.id),
            });
        }
        attempts.next_or("The review is being changed. Try again.".to_owned()).await?;
    }
}
