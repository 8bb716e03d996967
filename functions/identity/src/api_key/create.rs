//! `POST /api-keys`: create an API key.

use axum::extract::State;
use crochet::app::App;
use crochet::http::caller::Caller;
use crochet::http::request::{Json, List, Text};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::api_key::ApiKeyRecord;
use crochet::store::api_keys::{AddKeyError, IssuedBy, MAX_KEYS};
use crochet::store::retry::retry_on_conflict;
use crochet::wire::api_key::IssuedKey;
use crochet::wire::schema;
use crochet_domain::api_key::{ApiKey, Scope};
use crochet_domain::timestamp::{rfc3339, unix_ms};
use serde::Deserialize;
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

use super::issue::{KeySpec, new_key};
use crate::attempt::AttemptError;
use crate::caller::{ProfileWriter, own_profile};
use crate::field;

/// Maximum lifetime of a key: ten years, including three leap days.
const MAX_LIFETIME: Duration = Duration::days(3_653);

/// The API key to create.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = KeyRequest)]
pub(crate) struct NewKey {
    /// The key's name, in one line.
    #[schema(value_type = String, min_length = 1, max_length = 80)]
    name: Text<1, 80>,
    /// `read` (read your own data), `write` (buy, sell and change things), or both. The default is every scope that the caller has.
    /// The scopes are independent: a key with `write` alone cannot read. With a session only `read` is allowed.
    #[schema(value_type = Option<Vec<schema::Scope>>, min_items = 1, max_items = 2)]
    scopes: Option<List<Scope, 2>>,
    /// When the key expires (RFC 3339): in the future, at most ten years ahead, and no later than the key that creates it. By
    /// default it expires with that key, or never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<String>,
}

impl NewKey {
    /// The validated request. A key cannot create one with more permissions than its own.
    fn read(self, caller: &Caller, now: OffsetDateTime) -> Result<KeySpec> {
        let name = field::one_line("name", self.name)?;
        let (own_scopes, own_expiry) = match caller {
            Caller::Key(agent) => (agent.scopes.clone(), agent.expires_ms),
            // People do not buy or sell.
            Caller::Session(_) => (vec![Scope::Read], None),
        };
        let expires_ms = self.expires_at.map(|text| expiry(&text, own_expiry, now)).transpose()?.or(own_expiry);
        let scopes = match self.scopes {
            None => own_scopes,
            Some(List(asked)) => scopes(asked, &own_scopes).map_err(|error| match caller {
                Caller::Session(_) if error.code() == Code::InsufficientScope => read_only_for_people(error),
                _ => error,
            })?,
        };
        Ok(KeySpec { name, scopes, expires_ms })
    }
}

fn scopes(mut asked: Vec<Scope>, own: &[Scope]) -> Result<Vec<Scope>> {
    let count = asked.len();
    asked.sort();
    asked.dedup();
    if asked.is_empty() || asked.len() < count {
        return Err(ApiError::field("scopes", "must be read, write or both, each at most once"));
    }
    match asked.iter().find(|scope| !own.contains(scope)) {
        Some(beyond) => Err(ApiError::new(Code::InsufficientScope)
            .message(format!("You cannot give a key the scope {beyond}, because you do not have it yourself."))
            .detail("required_scope", beyond.as_str())),
        None => Ok(asked),
    }
}

/// The advice for people: no other credential would help.
fn read_only_for_people(error: ApiError) -> ApiError {
    error
        .message("A key that is created with a session may only read, because people do not buy or sell.")
        .recovery("next_action", "ask_for_read_scope")
        .recovery("summary", "Omit scopes, or send [\"read\"].")
        .recovery("preserve", json!([]))
        .recovery("discard", json!(["scopes"]))
}

/// The expiry in Unix milliseconds.
fn expiry(text: &str, own_expiry: Option<i64>, now: OffsetDateTime) -> Result<i64> {
    let at = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| ApiError::field("expires_at", "must be a time like 2030-01-31T00:00:00Z (RFC 3339)"))?;
    let expires_ms = unix_ms(at);
    if expires_ms <= unix_ms(now) {
        return Err(ApiError::field("expires_at", "must be in the future"));
    }
    if at > now + MAX_LIFETIME {
        return Err(ApiError::field("expires_at", &format!("must be at most ten years ahead: {}", rfc3339(now + MAX_LIFETIME))));
    }
    match own_expiry {
        Some(own) if expires_ms > own => {
            Err(ApiError::field("expires_at", "must not be later than the expiry of the key that creates it"))
        }
        _ => Ok(expires_ms),
    }
}

crochet::error_list!(CreateApiKeyErrors: ProfileWriter, Json<NewKey>; CrossSiteRequest, ReauthenticationRequired, KeyLimit);

/// Create an API key.
///
/// The key is shown only once. A profile can have at most 45 keys. Expired keys do not count.
#[utoipa::path(post, path = "/api/v1/api-keys", operation_id = "create_api_key", tag = "Identity",
    security(("api_key" = ["write"]), ("session" = [])), request_body = NewKey,
    responses((status = 201, body = IssuedKey, description = "The key, shown only once."), CreateApiKeyErrors))]
pub(crate) async fn create_api_key(
    State(app): State<App>,
    ProfileWriter { caller, .. }: ProfileWriter,
    Json(request): Json<NewKey>,
) -> Result {
    caller.may_change_ways_in(&app)?;
    let now = app.clock.now();
    let spec = request.read(&caller, now)?;
    let (key, stored) = add(&app, &caller, &spec, now).await?;
    Reply::created(IssuedKey::new(&key, &stored))
}

/// Generates a key and adds it to the caller's profile.
async fn add(app: &App, caller: &Caller, spec: &KeySpec, now: OffsetDateTime) -> Result<(ApiKey, ApiKeyRecord)> {
    let issued_by = match caller {
        Caller::Key(agent) => IssuedBy::Key(&agent.key),
        Caller::Session(person) => IssuedBy::Session(&person.session),
    };
    let added = retry_on_conflict(|| async {
        let profile = own_profile(app, caller.profile()).await?;
        let (key, stored) = new_key(&profile, spec.clone(), now);
        app.store.add_key(&stored, profile.version, issued_by).await?;
        Ok::<_, AttemptError>((key, stored))
    });
    Ok(added.await?)
}

impl From<AddKeyError> for AttemptError {
    fn from(error: AddKeyError) -> Self {
        match error {
            AddKeyError::LimitReached => ApiError::new(Code::KeyLimit).detail("max_keys", MAX_KEYS).into(),
            AddKeyError::IssuerRevoked => Code::InvalidApiKey.into(),
            AddKeyError::Store(error) => error.into(),
        }
    }
}
