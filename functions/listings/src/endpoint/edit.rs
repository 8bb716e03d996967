//! One way to change an endpoint, for every route that does: what is wrong is told first, then the secret is written, then the
//! listing with the new version pinned, in one conditional write.

use crochet::http::{Code, Result};
use crochet_domain::listing::{Listing, ListingStatus};
use crochet_domain::timestamp::unix_ms;

use super::address;
use super::rewrite::Rewrite;
use super::turn::{self, Turn};
use crate::seller::{Editor, selling};

/// Times that a change is tried, where the listing has changed under it.
pub(crate) const ATTEMPTS: usize = 4;

/// A listing that was changed.
pub(crate) struct Edited {
    /// As it is now.
    pub(crate) listing: Listing,
    /// A signing secret that is new, to be shown once.
    pub(crate) shown: Option<String>,
}

/// Changes `before`: its endpoint's secret by `rewrite`, everything else by `remake`, which is handed the
/// listing as it stands and gives it as it is to be. Without a change of the secret this is one conditional write; for a listing
/// that goes on offer it is a transaction with its owner's profile, which must still be one that sells.
///
/// # Errors
/// `remake`'s own; those of [`turn::take`] and [`address::check`]; `ROLE_REQUIRED`; `EDIT_CONFLICT` where others are faster time after time.
pub(crate) async fn edit(
    state: &crate::State,
    editor: Editor,
    mut before: Listing,
    rewrite: Option<&Rewrite>,
    remake: impl Fn(&Listing) -> Result<Listing>,
) -> Result<Edited> {
    // Whatever is wrong with the change itself is told before anything is looked up, counted or written.
    remake(&before)?;
    let mut turn = None;
    if let Some(rewrite) = rewrite {
        if rewrite.url().is_some() {
            address::check(rewrite.url(), &state.outbound).await?;
            // The look-up takes as long as the caller's name server likes: the listing may have changed, or be gone.
            before = editor.again(&state.app, before.id).await?;
            remake(&before)?;
        }
        turn = turn::take(state, editor, before.clone(), rewrite).await?;
    }
    // A turn that was taken has changed the listing, in a way that it knows.
    let present = turn.as_ref().and_then(Turn::claimed).cloned().unwrap_or(before);
    let id = present.id;
    match save(state, editor, present, turn.as_ref(), remake).await {
        Ok(listing) => Ok(Edited { listing, shown: turn.and_then(|turn| turn.shown) }),
        Err(error) => {
            if let Some(turn) = turn {
                turn.give_back(state, id).await;
            }
            Err(error)
        }
    }
}

/// Writes `after` over `before`, the listing as it was read. `false` where it, or for a listing that goes on offer its owner's
/// profile, was changed meanwhile.
async fn write(state: &crate::State, editor: Editor, before: &Listing, after: &Listing) -> Result<bool> {
    let store = &state.app.store;
    if after.status != ListingStatus::Active || before.status == ListingStatus::Active {
        return Ok(store.update_listing(after).await?);
    }
    let owner = editor.profile(&state.app).await?;
    selling(&owner)?;
    Ok(store.activate_listing(after, owner.version).await?)
}

/// Writes the change over `before`, the listing as it was read; where another write came between, over what that has left.
async fn save(
    state: &crate::State,
    editor: Editor,
    mut before: Listing,
    turn: Option<&Turn>,
    remake: impl Fn(&Listing) -> Result<Listing>,
) -> Result<Listing> {
    for _ in 0..ATTEMPTS {
        let mut pinned = before.clone();
        if let Some(turn) = turn {
            pinned.endpoint = Some(turn.pin(&before)?);
            pinned.removing_secret_until_ms = None;
        }
        let mut after = remake(&pinned)?;
        if after == before {
            return Ok(after);
        }
        after.touch(unix_ms(state.app.clock.now()));
        if write(state, editor, &before, &after).await? {
            return Ok(after);
        }
        before = editor.again(&state.app, before.id).await?;
    }
    Err(Code::EditConflict.into())
}
