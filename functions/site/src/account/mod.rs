//! Pages of people: signing up, logging in, and the account.
//!
//! They ask the JSON API with the visitor's cookie, over HTTP. So this function has no right to sessions, keys or books, and a page
//! shows exactly what the API would show to the same person. Every form is a POST to this site, and works without scripts, except
//! where a browser has to use a passkey.

mod actions;
mod api;
mod books;
mod claim;
mod enter;
mod form;
mod overview;
mod refused;
mod statement;
mod view;
mod ways;

use axum::routing::{get, post};
use utoipa_axum::router::OpenApiRouter;

use crate::state::State;

/// The routes of people's pages.
pub(crate) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .route("/signup", get(enter::get_signup))
        .route("/login", get(enter::get_login).post(enter::post_login))
        .route("/account", get(overview::get_account))
        .route("/account/statement.csv", get(statement::get_statement))
        .route("/account/claim", get(claim::get_claim).post(claim::post_claim))
        .route("/account/claim/message", post(claim::post_message))
        .route("/account/release", get(claim::get_release).post(claim::post_release))
        .route("/account/passkeys/remove", post(actions::post_remove_passkey))
        .route("/account/codes", post(actions::post_codes))
        .route("/account/keys", post(actions::post_key))
        .route("/account/keys/end", post(actions::post_end_key))
        .route("/account/sessions/end", post(actions::post_end_session))
        .route("/account/logout", post(actions::post_logout))
        .route("/account/logout-everywhere", post(actions::post_logout_everywhere))
}
