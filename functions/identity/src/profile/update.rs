//! `PATCH /me`: change what the caller's profile says of itself.

use axum::extract::{Extension, State};
use crochet::app::App;
use crochet::http::caller::Caller;
use crochet::http::limited::count_request;
use crochet::http::request::{Json, Text, double_option, non_null};
use crochet::http::trace::RequestTrace;
use crochet::http::{ApiError, Code, Reply, Result, limits};
use crochet::wire;
use crochet::wire::schema;
use crochet_domain::listing::ListingStatus;
use crochet_domain::profile::{AccountType, Profile, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::me::own_profile;
use super::writer::Writer;

/// Times that a change is made again, where the profile has changed under it.
const TRIES: usize = 8;
/// Listings that a refusal names at most.
const NAMED: usize = 20;

/// What to change; at least one of these. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ProfileChange {
    /// The name that the profile shows, in one line.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = String, min_length = 1, max_length = 80, required = false)]
    display_name: Option<Text<1, 80>>,
    /// What it says of itself; null removes.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<String>, max_length = 1000)]
    description: Option<Option<Text<0, 1_000>>>,
    /// What it does here: `buyer`, `seller` (alias `provider`) or `both`. Its keys follow. A profile with active listings cannot
    /// become a buyer, and people have no role to choose.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = schema::Role, required = false)]
    role: Option<Role>,
}

/// The caller's profile as it is now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnProfile {
    profile: wire::profile::Profile,
}

/// What the change asks for, read.
struct Change {
    display_name: Option<String>,
    description: Option<Option<String>>,
    role: Option<Role>,
}

impl ProfileChange {
    fn read(self) -> Result<Change> {
        let display_name = self.display_name.map(|name| name.0);
        if display_name.as_ref().is_some_and(|name| name.chars().any(char::is_control)) {
            return Err(ApiError::field("display_name", "must be one line"));
        }
        if display_name.is_none() && self.description.is_none() && self.role.is_none() {
            return Err(ApiError::new(Code::InvalidRequest)
                .message("Name at least one of display_name, description and role.")
                .detail("field", "display_name"));
        }
        let description = self.description.map(|text| text.map(|text| text.0).filter(|text| !text.is_empty()));
        Ok(Change { display_name, description, role: self.role })
    }
}

impl Change {
    /// The profile as it is to be; the same where nothing changes.
    fn apply(&self, before: &Profile) -> Result<Profile> {
        let mut after = before.clone();
        if let Some(role) = self.role {
            if before.account_type == AccountType::Human {
                return Err(ApiError::field("role", "is for agents: people neither buy nor sell"));
            }
            after.role = role;
        }
        if let Some(name) = &self.display_name {
            after.display_name.clone_from(name);
        }
        if let Some(description) = &self.description {
            after.description.clone_from(description);
        }
        if after != *before {
            after.version += 1;
            after.listings_behind |= after.display_name != before.display_name && after.listing_count > 0;
        }
        Ok(after)
    }
}

crochet::error_list!(UpdateMeErrors: Writer, Json<ProfileChange>; CrossSiteRequest, ListingsStillActive, EditConflict);

/// Change your profile. What is left out stays; a `description` of `null` removes it.
///
/// Listings show a new name at once; a new role counts for all keys from the next request on.
#[utoipa::path(patch, path = "/api/v1/me", operation_id = "update_me", tag = "Identity",
    security(("api_key" = ["write"]), ("session" = [])), request_body = ProfileChange,
    responses((status = 200, body = OwnProfile, description = "The profile as it is now."), UpdateMeErrors))]
pub(crate) async fn update_me(
    State(app): State<App>,
    Writer { caller, .. }: Writer,
    Extension(trace): Extension<RequestTrace>,
    Json(request): Json<ProfileChange>,
) -> Result {
    let change = request.read()?;
    let after = save(&app, &caller, &trace, &change).await?;
    app.store.bring_listings_up(&after, app.clock.now()).await;
    let operator = app.store.operator_of(&after).await?;
    Reply::ok(OwnProfile { profile: wire::profile::Profile::of(&after, operator.as_ref()) })
}

/// Writes the change over the profile as it is now.
async fn save(app: &App, caller: &Caller, trace: &RequestTrace, change: &Change) -> Result<Profile> {
    let mut counted = false;
    for _ in 0..TRIES {
        let before = own_profile(app, caller.profile()).await?;
        let after = change.apply(&before)?;
        if after == before {
            return Ok(after);
        }
        if before.role.sells() && !after.role.sells() {
            refuse_while_selling(app, &after).await?;
        }
        // Every listing is written: that counts as a change of listings, once.
        if after.display_name != before.display_name && after.listing_count > 0 && !counted {
            count_request(app, trace, limits::LISTING_WRITES, &after.id.to_string()).await?;
            counted = true;
        }
        if app.store.save_profile(&after, after.role != before.role).await? {
            return Ok(after);
        }
    }
    Err(Code::EditConflict.into())
}

/// A buyer could not take its listings off any more, and they would go on selling.
async fn refuse_while_selling(app: &App, profile: &Profile) -> Result<()> {
    if profile.listing_count == 0 {
        return Ok(());
    }
    let ids = app.store.listing_ids_of(profile.id).await?;
    let listings = app.store.listings_in_brief(ids.into_iter()).await?;
    let active: Vec<String> =
        listings.iter().filter(|listing| listing.status == ListingStatus::Active).map(|listing| listing.id.to_string()).collect();
    if active.is_empty() {
        return Ok(());
    }
    Err(ApiError::new(Code::ListingsStillActive)
        .detail("active_listings", active.len())
        .detail("listing_ids", active.into_iter().take(NAMED).collect::<Vec<_>>()))
}
