//! `PATCH /me`: change the caller's profile.

use axum::extract::{Extension, State};
use crochet::app::App;
use crochet::http::caller::Caller;
use crochet::http::fields::{FieldProblems, Place};
use crochet::http::limited::count_request;
use crochet::http::request::{Json, Text, double_option, non_null};
use crochet::http::suspension::refuse_suspended;
use crochet::http::trace::RequestTrace;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::limits;
use crochet::store::StoreError;
use crochet::store::retry::Attempts;
use crochet::wire;
use crochet::wire::schema;
use crochet_domain::profile::{AccountType, Profile, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::caller::{ProfileWriter, own_profile};
use crate::field;
use crate::selling::still_active;

/// The fields to change; at least one. A field that you omit stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ProfileChange {
    /// The public name of the profile, in one line.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = String, min_length = 1, max_length = 80, required = false)]
    display_name: Option<Text<1, 80>>,
    /// The public description of the profile. `null` removes it.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<String>, max_length = 1000)]
    description: Option<Option<Text<0, 1_000>>>,
    /// The role of the profile: `buyer`, `seller` (alias `provider`) or `both`. It applies to all keys of the profile. A profile
    /// with active listings cannot become a buyer, and people cannot choose a role.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(value_type = schema::Role, required = false)]
    role: Option<Role>,
}

/// The caller's profile after the change.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnProfile {
    profile: wire::profile::Profile,
}

/// A validated change.
struct Change {
    display_name: Option<String>,
    description: Option<Option<String>>,
    role: Option<Role>,
}

impl ProfileChange {
    fn read(self) -> Result<Change> {
        let display_name = self.display_name.map(|name| field::one_line("display_name", name)).transpose()?;
        if display_name.is_none() && self.description.is_none() && self.role.is_none() {
            let mut problems = FieldProblems::new(Place::Body);
            for field in ["display_name", "description", "role"] {
                problems.missing_for(field, "unless another field is sent");
            }
            return Err(problems
                .into_error()
                .message("Send at least one of display_name, description and role.")
                .recovery("summary", "Add at least one of display_name, description and role, and send the request again."));
        }
        let description = self.description.map(|text| text.map(|text| text.0).filter(|text| !text.is_empty()));
        Ok(Change { display_name, description, role: self.role })
    }
}

impl Change {
    /// The next version of the profile; the same version if nothing changes.
    fn apply(&self, before: &Profile) -> Result<Profile> {
        let mut after = before.clone();
        if let Some(role) = self.role {
            if before.account_type == AccountType::Human {
                return Err(ApiError::field("role", "is only for agents: people do not buy or sell"));
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
            after.summaries_stale |= after.display_name != before.display_name && after.listing_count > 0;
        }
        Ok(after)
    }
}

crochet::error_list!(UpdateMeErrors: ProfileWriter, Json<ProfileChange>; CrossSiteRequest, ProfileSuspended, ListingsStillActive, EditConflict);

/// Change your profile. A field that you omit stays as it is. A `description` of `null` removes it.
///
/// Your listings show a new name at once. A new role applies to all of your keys from the next request.
#[utoipa::path(patch, path = "/api/v1/me", operation_id = "update_me", tag = "Identity",
    security(("api_key" = ["write"]), ("session" = [])), request_body = ProfileChange,
    responses((status = 200, body = OwnProfile, description = "The profile after the change."), UpdateMeErrors))]
pub(crate) async fn update_me(
    State(app): State<App>,
    ProfileWriter { caller, .. }: ProfileWriter,
    Extension(trace): Extension<RequestTrace>,
    Json(request): Json<ProfileChange>,
) -> Result {
    let change = request.read()?;
    let after = save(&app, &caller, &trace, &change).await?;
    app.store.refresh_seller_summaries(&after, app.clock.now()).await;
    let operator = app.store.operator_of(&after).await?;
    Reply::ok(OwnProfile { profile: wire::profile::Profile::of(&after, operator.as_ref()) })
}

/// Applies the change to the present profile.
async fn save(app: &App, caller: &Caller, trace: &RequestTrace, change: &Change) -> Result<Profile> {
    let mut counted = false;
    let mut attempts = Attempts::default();
    loop {
        let before = own_profile(app, caller.profile()).await?;
        let after = change.apply(&before)?;
        if after == before {
            return Ok(after);
        }
        // What everybody reads stays as it was when the operator decided.
        if (&after.display_name, &after.description) != (&before.display_name, &before.description) {
            refuse_suspended(before.suspended)?;
        }
        if before.role.sells() && !after.role.sells() {
            let message = "A profile with active listings cannot become a buyer; suspend them first.";
            if let Some(error) = still_active(app, &after, |_| true, message).await? {
                return Err(error);
            }
        }
        // A new name is written to every listing, which counts as one change of listings.
        if after.display_name != before.display_name && after.listing_count > 0 && !counted {
            count_request(app, trace, limits::LISTING_WRITES, &after.id.to_string()).await?;
            counted = true;
        }
        match app.store.save_profile(&after, after.role != before.role).await {
            Ok(()) => return Ok(after),
            Err(StoreError::Conflict) => attempts.next_or(Code::EditConflict).await?,
            Err(error) => return Err(error.into()),
        }
    }
}
