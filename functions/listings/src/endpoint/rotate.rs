//! `POST /listings/{id}/endpoint/rotate-secret`: create a new signing secret.

use axum::extract::{Path, State};
use crochet::http::request::JsonOrNothing;
use crochet::http::{ApiError, Code, Reply, Result};
use serde::Deserialize;
use utoipa::ToSchema;

use super::reply::OneEndpoint;
use super::secret_change::SecretChange;
use super::write::update_endpoint_of;
use crate::seller::ListingWriter;

/// Default overlap in seconds: one day.
const DEFAULT_OVERLAP_SECONDS: u32 = 86_400;
/// Maximum overlap in seconds: seven days.
const MAX_OVERLAP_SECONDS: u32 = 604_800;

/// How to rotate. Every field is optional, and so is the body.
#[derive(Default, Deserialize, ToSchema)]
pub(crate) struct Rotation {
    /// How long earlier secrets keep signing beside the new one, in seconds (default 86,400; 0 equals `immediate`).
    #[schema(value_type = Option<u32>, maximum = 604800)]
    overlap_seconds: Option<u64>,
    /// Stops all earlier secrets at once. Cannot be combined with `overlap_seconds`.
    immediate: Option<bool>,
}

impl Rotation {
    fn parse(&self) -> Result<SecretChange> {
        let immediate = self.immediate == Some(true);
        let seconds = match (self.overlap_seconds, immediate) {
            (Some(_), true) => return Err(ApiError::unexpected("overlap_seconds", "if immediate is true")),
            (None, true) => 0,
            (None, false) => DEFAULT_OVERLAP_SECONDS,
            (Some(seconds), false) => match u32::try_from(seconds) {
                Ok(seconds) if seconds <= MAX_OVERLAP_SECONDS => seconds,
                _ => {
                    let problem = format!("must be a whole number from 0 to {MAX_OVERLAP_SECONDS}");
                    return Err(ApiError::field("overlap_seconds", &problem));
                }
            },
        };
        Ok(SecretChange::Rotate { overlap_ms: i64::from(seconds) * 1_000 })
    }
}

crochet::error_list!(
    RotateSecretErrors: ListingWriter, Path<String>, JsonOrNothing<Rotation>;
    ListingNotFound, NotListingOwner, EndpointNotFound, TooManyLiveSecrets, EditConflict, EditLimit
);

/// Create a new signing secret and show it once. It signs from the next call on.
///
/// Earlier secrets keep signing until the overlap ends, so that you can switch without a failed call. With `immediate` they stop
/// at once. An overlap never extends an earlier secret. At most five secrets sign at the same time.
#[utoipa::path(post, path = "/api/v1/listings/{id}/endpoint/rotate-secret", operation_id = "rotate_secret", tag = "Listings", security(("api_key" = ["write"])),
    params(("id" = String, Path, description = "UUID or slug of the listing")), request_body = Option<Rotation>,
    responses((status = 200, body = OneEndpoint, description = "The endpoint with its new signing_secret."), RotateSecretErrors))]
pub(crate) async fn rotate_secret(
    State(state): State<crate::state::State>,
    writer: ListingWriter,
    Path(id): Path<String>,
    JsonOrNothing(rotation): JsonOrNothing<Rotation>,
) -> Result {
    let change = rotation.parse()?;
    let listing = writer.listing(&state.app, &id).await?;
    let updated = update_endpoint_of(&state, writer, listing, Some(&change), |listing| Ok(listing.clone()))
        .await
        .map_err(may_have_rotated)?;
    Reply::ok(OneEndpoint::of(&updated.listing, updated.signing_secret, &state.app))
}

/// If only a reply was lost, the rotation has created a secret that nobody has seen. Advises to rotate again.
fn may_have_rotated(error: ApiError) -> ApiError {
    if error.code() != Code::ServiceUnavailable {
        return error;
    }
    error.message("Part of the service is unavailable; the signing secret may still have been rotated.").recovery(
        "summary",
        "Wait retry_after_seconds, then rotate again: a new secret that you were not shown cannot be read later. Until then keep \
         using the secret you have; it still signs, unless you requested immediate.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap_ms(overlap_seconds: Option<u64>, immediate: Option<bool>) -> Option<i64> {
        match (Rotation { overlap_seconds, immediate }).parse() {
            Ok(SecretChange::Rotate { overlap_ms }) => Some(overlap_ms),
            _ => None,
        }
    }

    #[test]
    fn a_rotation_with_unknown_outcome_advises_to_rotate_again() {
        let config = crochet::config::Config::from_lookup(|_| None).expect("defaults");
        let body = |code: Code| may_have_rotated(code.into()).body(&config).to_string();
        assert!(body(Code::ServiceUnavailable).contains("rotate again"));
        assert!(!body(Code::EditLimit).contains("rotate again"), "nothing was written");
    }

    #[test]
    fn the_overlap_is_a_day_by_default() {
        assert_eq!(overlap_ms(None, None), Some(86_400_000));
        assert_eq!(overlap_ms(Some(604_800), Some(false)), Some(604_800_000));
        assert_eq!(overlap_ms(Some(0), None), Some(0));
        assert_eq!(overlap_ms(None, Some(true)), Some(0));
        assert_eq!(overlap_ms(Some(604_801), None), None);
        assert_eq!(overlap_ms(Some(u64::MAX), None), None);
        assert_eq!(overlap_ms(Some(0), Some(true)), None, "both at once");
    }
}
