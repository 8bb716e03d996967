//! `POST /listings/{id}/endpoint/rotate-secret`: a new signing secret.

use axum::extract::{Path, State};
use crochet::http::request::JsonOrNothing;
use crochet::http::{ApiError, Code, Reply, Result};
use serde::Deserialize;
use utoipa::ToSchema;

use super::edit::edit;
use super::reply::OneEndpoint;
use super::rewrite::Rewrite;
use crate::seller::Editor;

/// How long earlier secrets sign beside a new one, when nothing is said (seconds).
const OVERLAP_SECONDS: u32 = 86_400;
/// The longest overlap (seconds): seven days.
const MAX_OVERLAP_SECONDS: u32 = 604_800;

/// How to rotate. Everything may be left out, and so may the body.
#[derive(Default, Deserialize, ToSchema)]
pub(crate) struct Rotation {
    /// How long earlier secrets sign beside the new one (default 86,400; 0 is the same as `immediate`).
    #[schema(value_type = Option<u32>, maximum = 604800)]
    overlap_seconds: Option<u64>,
    /// Ends all earlier secrets at once. Not together with `overlap_seconds`.
    immediate: Option<bool>,
}

impl Rotation {
    fn read(&self) -> Result<Rewrite> {
        let immediate = self.immediate == Some(true);
        let seconds = match (self.overlap_seconds, immediate) {
            (Some(_), true) => return Err(ApiError::field("overlap_seconds", "must be left out where immediate is true")),
            (None, true) => 0,
            (None, false) => OVERLAP_SECONDS,
            (Some(seconds), false) => match u32::try_from(seconds) {
                Ok(seconds) if seconds <= MAX_OVERLAP_SECONDS => seconds,
                _ => {
                    let problem = format!("must be a whole number from 0 to {MAX_OVERLAP_SECONDS}");
                    return Err(ApiError::field("overlap_seconds", &problem));
                }
            },
        };
        Ok(Rewrite::Rotate { overlap_ms: i64::from(seconds) * 1_000 })
    }
}

crochet::error_list!(
    RotateSecretErrors: Editor, Path<String>, JsonOrNothing<Rotation>;
    ListingNotFound, NotListingOwner, EndpointNotFound, TooManyLiveSecrets, EditConflict, EditLimit
);

/// Make a new signing secret and show it once. It counts from the next call.
///
/// Earlier secrets sign too until the overlap is over, so that you can change over without a failed call; with `immediate` they
/// end at once. An overlap never makes an earlier secret last longer. At most five secrets sign at a time.
#[utoipa::path(post, path = "/api/v1/listings/{id}/endpoint/rotate-secret", operation_id = "rotate_secret", tag = "Listings", security(("api_key" = [])),
    params(("id" = String, Path, description = "UUID or slug of the listing")), request_body = Option<Rotation>,
    responses((status = 200, body = OneEndpoint, description = "The endpoint with its new signing_secret."), RotateSecretErrors))]
pub(crate) async fn rotate_secret(
    State(state): State<crate::State>,
    editor: Editor,
    Path(id): Path<String>,
    JsonOrNothing(rotation): JsonOrNothing<Rotation>,
) -> Result {
    let rewrite = rotation.read()?;
    let before = editor.listing(&state.app, &id).await?;
    let rotated = edit(&state, editor, before, Some(&rewrite), |listing| Ok(listing.clone())).await.map_err(perhaps_rotated)?;
    Reply::ok(OneEndpoint::of(&rotated.listing, rotated.shown, &state.app))
}

/// A rotation of which only the reply was lost has made a secret that nobody has seen.
fn perhaps_rotated(error: ApiError) -> ApiError {
    if error.code() != Code::ServiceUnavailable {
        return error;
    }
    error.message("A part of the service does not answer; the signing secret may have been rotated all the same.").recovery(
        "summary",
        "Wait retry_after_seconds, then rotate again: a new secret that you have not been shown cannot be read any more. Until \
         then go on with the secret that you have; it still signs, unless you asked for immediate.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap_ms(overlap_seconds: Option<u64>, immediate: Option<bool>) -> Option<i64> {
        match (Rotation { overlap_seconds, immediate }).read() {
            Ok(Rewrite::Rotate { overlap_ms }) => Some(overlap_ms),
            _ => None,
        }
    }

    #[test]
    fn a_rotation_of_unknown_end_is_repeated_by_rotating_again() {
        let config = crochet::config::Config::from_lookup(|_| None).expect("defaults");
        let told = |code: Code| perhaps_rotated(code.into()).body(&config).to_string();
        assert!(told(Code::ServiceUnavailable).contains("rotate again"));
        assert!(!told(Code::EditLimit).contains("rotate again"), "nothing was written");
    }

    #[test]
    fn the_overlap_is_a_day_or_what_is_asked_for() {
        assert_eq!(overlap_ms(None, None), Some(86_400_000));
        assert_eq!(overlap_ms(Some(604_800), Some(false)), Some(604_800_000));
        assert_eq!(overlap_ms(Some(0), None), Some(0));
        assert_eq!(overlap_ms(None, Some(true)), Some(0));
        assert_eq!(overlap_ms(Some(604_801), None), None);
        assert_eq!(overlap_ms(Some(u64::MAX), None), None);
        assert_eq!(overlap_ms(Some(0), Some(true)), None, "both at once");
    }
}
