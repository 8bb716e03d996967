//! People with sessions, and protection against cross-site requests.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};

use super::codes::Code;
use super::error::ApiError;
use super::limited::count_failed_auth;
use super::trace::RequestTrace;
use crate::app::App;
use crate::config::Config;
use crate::limits;
use crochet_domain::ids::ProfileId;
use crochet_domain::session::{COOKIE, LIFETIME_MS, Session, SessionToken};
use crochet_domain::timestamp::unix_ms;

/// A person who has logged in.
#[derive(Debug, Clone)]
pub struct Person {
    /// The session.
    pub session: Session,
}

impl Person {
    /// The person's profile.
    #[must_use]
    pub fn profile(&self) -> ProfileId {
        self.session.profile
    }

    /// Fails if the person last proved over five minutes ago who they are. What adds or ends a way in asks for this.
    ///
    /// # Errors
    /// `REAUTHENTICATION_REQUIRED`.
    pub fn may_change_ways_in(&self, app: &App) -> Result<(), ApiError> {
        if self.session.is_recent(unix_ms(app.clock.now())) { Ok(()) } else { Err(Code::ReauthenticationRequired.into()) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Person
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let app = App::from_ref(state);
        check_same_origin(&parts.method, &parts.headers, &app.config)?;
        if !has_cookie(&parts.headers) {
            return Err(Code::SessionRequired.into());
        }
        let Some(token) = token(&parts.headers) else {
            return Err(stale(&app, parts).await);
        };
        let (now, hash) = (app.clock.now(), token.sha256());
        let subject = format!("session:{}", &hash[..20]);
        // The request is counted while the session is read.
        let (session, status) = tokio::join!(app.store.session(&hash), app.limiter.count(limits::PER_KEY, &subject, now));
        let Some(mut session) = session?.filter(|session| session.is_open(unix_ms(now))) else {
            return Err(stale(&app, parts).await);
        };
        if session.is_last_use_outdated(unix_ms(now)) {
            app.store.record_session_use(&session, unix_ms(now)).await;
            session.seen_ms = unix_ms(now);
        }
        let trace = RequestTrace::of(parts);
        trace.caller(session.profile);
        trace.limit(status?)?;
        Ok(Self { session })
    }
}

/// The error for a cookie that opens no session. It clears the cookie, so that the browser stops sending it.
async fn stale(app: &App, parts: &Parts) -> ApiError {
    count_failed_auth(app, parts, Code::SessionRequired.into()).await.set_cookie(&clear_cookie())
}

/// Rejects writes that another site makes a person's browser send. Browsers state the origin of a request in `Sec-Fetch-Site`,
/// older ones in `Origin`, and no page can change either. A client that sends neither is not a browser. Reads pass: other sites
/// cannot see the responses.
///
/// # Errors
/// `CROSS_SITE_REQUEST`.
pub fn check_same_origin(method: &Method, headers: &HeaderMap, config: &Config) -> Result<(), ApiError> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let same = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin == config.public_url.origin().ascii_serialization(),
        (None, None) => true,
    };
    if same { Ok(()) } else { Err(Code::CrossSiteRequest.into()) }
}

/// Whether the request has a session cookie, valid or not.
#[must_use]
pub fn has_cookie(headers: &HeaderMap) -> bool {
    cookies(headers).next().is_some()
}

/// Whether the request has exactly one session cookie.
#[must_use]
pub fn has_one_cookie(headers: &HeaderMap) -> bool {
    cookies(headers).count() == 1
}

/// The `Set-Cookie` that starts a session.
#[must_use]
pub fn set_cookie(token: &SessionToken) -> String {
    cookie(token.reveal(), LIFETIME_MS / 1_000)
}

/// The `Set-Cookie` that removes the session cookie.
#[must_use]
pub fn clear_cookie() -> String {
    cookie("", 0)
}

fn cookie(value: &str, max_age_seconds: i64) -> String {
    format!("{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={max_age_seconds}")
}

/// The token. A request with two session cookies has none: either could be meant.
fn token(headers: &HeaderMap) -> Option<SessionToken> {
    let mut values = cookies(headers);
    let token = SessionToken::parse(values.next()?)?;
    values.next().is_none().then_some(token)
}

/// The values of the session cookie. A value that is not UTF-8 counts as an empty one; other cookies may hold any bytes.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| pair.trim_ascii().strip_prefix(COOKIE.as_bytes())?.strip_prefix(b"="))
        .map(|value| std::str::from_utf8(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect()
    }

    #[test]
    fn other_sites_are_refused() {
        let config = Config::from_lookup(|_| None).expect("the defaults");
        let passes = |method: Method, pairs: &[(&'static str, &str)]| check_same_origin(&method, &headers(pairs), &config).is_ok();
        for good in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://localhost:9000")],
            // `Sec-Fetch-Site` counts more than `Origin`, which some browsers send as null.
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[],
        ] {
            assert!(passes(Method::POST, good), "{good:?}");
        }
        for bad in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:9000")],
            &[("origin", "http://localhost:9001")],
            &[("origin", "https://localhost:9000")],
            &[("origin", "http://evil.example")],
            &[("origin", "null")],
            // `Host` plays no part.
            &[("origin", "http://evil.example"), ("host", "evil.example")],
        ] {
            assert!(!passes(Method::POST, bad), "{bad:?}");
            assert!(!passes(Method::DELETE, bad), "{bad:?}");
            assert!(passes(Method::GET, bad), "{bad:?}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others_and_only_once() {
        let sent = SessionToken::generate();
        let good = format!("a=b; {COOKIE}={}; c", sent.reveal());
        assert_eq!(token(&headers(&[("cookie", &good)])).expect("a token").sha256(), sent.sha256());
        for bad in [format!("{good}; {COOKIE}=x"), "a=b".to_owned(), format!("x{good}").replace("a=b; ", ""), format!("{COOKIE}=")]
        {
            assert!(token(&headers(&[("cookie", &bad)])).is_none(), "{bad}");
        }
        // Invalid bytes in another cookie hide nothing. Invalid bytes in this one make its token invalid.
        assert!(token(&headers(&[("cookie", &format!("a=\u{fc};{good}"))])).is_some());
        let foreign = headers(&[("cookie", &format!("{COOKIE}=\u{fc}"))]);
        assert!(token(&foreign).is_none() && has_one_cookie(&foreign));
    }

    #[test]
    fn the_cookie_is_for_this_host_alone() {
        let token = SessionToken::generate();
        let expected = format!("{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=604800", token.reveal());
        assert_eq!(set_cookie(&token), expected);
        assert!(clear_cookie().ends_with("Max-Age=0"));
    }
}
