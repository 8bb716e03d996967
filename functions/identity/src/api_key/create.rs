//! `POST /api-keys`: make a key.

use axum::extract::State;
use crochet::app::App;
use crochet::http::caller::Caller;
use crochet::http::request::{Json, List, Text};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::StoreError;
use crochet::store::api_key::ApiKeyRecord;
use crochet::store::key_ring::{Added, Asker, MAX_KEYS};
use crochet::wire::api_key::IssuedKey;
use crochet_domain::api_key::{ApiKey, Scope};
use crochet_domain::timestamp::{rfc3339, unix_ms};
use serde::Deserialize;
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

use super::fresh::{Terms, on_terms};
use crate::profile::me::own_profile;
use crate::profile::writer::Writer;

/// The farthest end of a key: ten years, three leap days included.
const LONGEST: Duration = Duration::days(3_653);
/// Another writer of the profile is given way to this often.
const TRIES: usize = 8;

/// A key that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewKey {
    /// What it is called, in one line.
    #[schema(value_type = String, min_length = 1, max_length = 80)]
    name: Text<1, 80>,
    /// `read` (look at one's own things), `write` (buy, sell, change) or both; as much as the caller has, unless fewer are named.
    /// Each stands for itself: a key with `write` alone cannot read. With a session: `read` only.
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 2)]
    scopes: Option<List<Scope, 2>>,
    /// When it ends (RFC 3339): in the future, at most ten years ahead, and no later than the key that asks. It does not end
    /// unless this is given or that one ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<String>,
}

impl NewKey {
    /// What the key is to be like. No key gives more than it has.
    fn read(self, caller: &Caller, now: OffsetDateTime) -> Result<Terms> {
        let name = self.name.0;
        if name.chars().any(char::is_control) {
            return Err(ApiError::field("name", "must be one line"));
        }
        let (own_scopes, own_end) = match caller {
            Caller::Key(agent) => (agent.scopes.clone(), agent.expires_ms),
            // People look; they neither buy nor sell.
            Caller::Session(_) => (vec![Scope::Read], None),
        };
        let expires_ms = self.expires_at.map(|text| end(&text, own_end, now)).transpose()?.or(own_end);
        let scopes = match self.scopes {
            None => own_scopes,
            Some(List(asked)) => scopes(asked, &own_scopes).map_err(|error| match caller {
                Caller::Session(_) if error.code() == Code::InsufficientScope => people_read(error),
                _ => error,
            })?,
        };
        Ok(Terms { name, scopes, expires_ms })
    }
}

fn scopes(mut asked: Vec<Scope>, own: &[Scope]) -> Result<Vec<Scope>> {
    let count = asked.len();
    asked.sort();
    asked.dedup();
    if asked.is_empty() || asked.len() < count {
        return Err(ApiError::field("scopes", "must name read, write or both, each once"));
    }
    match asked.iter().find(|scope| !own.contains(scope)) {
        Some(beyond) => Err(ApiError::new(Code::InsufficientScope)
            .message(format!("You cannot give a key the scope {beyond}, which you do not have yourself."))
            .detail("required_scope", beyond.as_str())),
        None => Ok(asked),
    }
}

/// No other key would help a person.
fn people_read(error: ApiError) -> ApiError {
    error
        .message("A key that is made with a session may read, and no more: people neither buy nor sell.")
        .recovery("next_action", "ask_for_read_scope")
        .recovery("summary", "Leave scopes out, or send [\"read\"].")
        .recovery("preserve", json!([]))
        .recovery("discard", json!(["scopes"]))
}

/// Unix milliseconds.
fn end(text: &str, own_end: Option<i64>, now: OffsetDateTime) -> Result<i64> {
    let at = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| ApiError::field("expires_at", "must be a time like 2030-01-31T00:00:00Z (RFC 3339)"))?;
    let end_ms = unix_ms(at);
    if end_ms <= unix_ms(now) {
        return Err(ApiError::field("expires_at", "must be in the future"));
    }
    if at > now + LONGEST {
        return Err(ApiError::field("expires_at", &format!("must be at most ten years ahead: {}", rfc3339(now + LONGEST))));
    }
    match own_end {
        Some(own) if end_ms > own => Err(ApiError::field("expires_at", "must not be later than the end of the key that asks")),
        _ => Ok(end_ms),
    }
}

crochet::error_list!(CreateApiKeyErrors: Writer, Json<NewKey>; CrossSiteRequest, KeyLimit);

/// Make an API key.
///
/// The key is shown once. A profile has at most 45 that have not ended; those that have make room.
#[utoipa::path(post, path = "/api/v1/api-keys", operation_id = "create_api_key", tag = "Identity",
    security(("api_key" = ["write"]), ("session" = [])), request_body = NewKey,
    responses((status = 201, body = IssuedKey, description = "The key, shown once."), CreateApiKeyErrors))]
pub(crate) async fn create_api_key(State(app): State<App>, Writer { caller, .. }: Writer, Json(request): Json<NewKey>) -> Result {
    let now = app.clock.now();
    let terms = request.read(&caller, now)?;
    let (key, stored) = add(&app, &caller, &terms, now).await?;
    Reply::created(IssuedKey::new(&key, &stored))
}

/// Writes the key over the profile as it is now.
async fn add(app: &App, caller: &Caller, terms: &Terms, now: OffsetDateTime) -> Result<(ApiKey, ApiKeyRecord)> {
    for _ in 0..TRIES {
        let profile = own_profile(app, caller.profile()).await?;
        let (key, stored) = on_terms(&profile, terms.clone(), now);
        let asker = match caller {
            Caller::Key(agent) => Asker::Key(&agent.key),
            Caller::Session(person) => Asker::Session(&person.session),
        };
        match app.store.add_key(&stored, profile.version, asker).await {
            Ok(Added::Done) => return Ok((key, stored)),
            Ok(Added::LimitReached) => return Err(ApiError::new(Code::KeyLimit).detail("max_keys", MAX_KEYS)),
            Ok(Added::AskerRevoked) => return Err(Code::InvalidApiKey.into()),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}
