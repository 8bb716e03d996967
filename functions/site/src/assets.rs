//! Files that pages need: the stylesheet, the script and the icon. Their names hold a hash of their content, so that they are cached
//! for a year and replaced at once.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use crochet::http::{ApiError, Code};
use crochet_domain::ids::sha256_hex;

/// The path of all files, with the name as its last part.
pub(crate) const ROUTE: &str = "/assets/{file}";

/// Name, extension, media type and content of each file. A page names one by [`url`].
const FILES: &[(&str, &str, &str, &[u8])] = &[
    ("site", "css", "text/css; charset=utf-8", include_bytes!("../assets/site.css")),
    ("site", "js", "text/javascript; charset=utf-8", include_bytes!("../assets/site.js")),
    ("passkey", "js", "text/javascript; charset=utf-8", include_bytes!("../assets/passkey.js")),
    ("wallet", "js", "text/javascript; charset=utf-8", include_bytes!("../assets/wallet.js")),
    ("favicon", "svg", "image/svg+xml", include_bytes!("../assets/favicon.svg")),
];

/// Content that a name with its hash stands for never changes.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// A name with another hash is that of an older or newer version: a page from a cache may ask for it while a deployment goes on.
const BRIEFLY: HeaderValue = HeaderValue::from_static("public, max-age=60");

struct File {
    /// `site.css`.
    plain: String,
    /// `site.0123456789ab.css`.
    hashed: String,
    url: String,
    content_type: HeaderValue,
    body: &'static [u8],
}

static BY_NAME: LazyLock<Vec<File>> = LazyLock::new(|| {
    let file = |(name, extension, content_type, body): &(&str, &str, &'static str, &'static [u8])| {
        let hashed = format!("{name}.{}.{extension}", &sha256_hex(body)[..12]);
        File {
            plain: format!("{name}.{extension}"),
            url: format!("/assets/{hashed}"),
            hashed,
            content_type: HeaderValue::from_static(content_type),
            body,
        }
    };
    FILES.iter().map(file).collect()
});

/// The path of a file, such as `site.css`, with the hash of its content.
///
/// # Panics
/// If there is no such file, which a test of every page rules out.
pub(crate) fn url(name: &str) -> &'static str {
    BY_NAME.iter().find(|file| file.plain == name).map(|file| file.url.as_str()).expect("a file in FILES")
}

/// `GET /assets/{file}`.
pub(crate) async fn get_asset(Path(name): Path<String>) -> Response {
    let current = BY_NAME.iter().find(|file| file.hashed == name);
    let known = current.or_else(|| BY_NAME.iter().find(|file| is_version_of(&name, &file.plain)));
    let Some(file) = known else { return ApiError::from(Code::NotFound).into_response() };
    let mut response = Response::new(Body::from(file.body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, file.content_type.clone());
    headers.insert(header::CACHE_CONTROL, if current.is_some() { FOREVER } else { BRIEFLY });
    response
}

/// Whether `name` is `plain` with a hash before its extension.
fn is_version_of(name: &str, plain: &str) -> bool {
    let Some((stem, extension)) = plain.rsplit_once('.') else { return false };
    let hash = name.strip_prefix(stem).and_then(|rest| rest.strip_suffix(extension)).and_then(|rest| rest.strip_prefix('.'));
    hash.and_then(|rest| rest.strip_suffix('.')).is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_current_name_is_cached_forever_and_an_old_one_briefly() {
        let name = |url: &str| url.trim_start_matches("/assets/").to_owned();
        let css = get_asset(Path(name(url("site.css")))).await;
        assert_eq!(css.headers()[header::CACHE_CONTROL], FOREVER);
        assert_eq!(css.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
        let old = get_asset(Path("site.0123456789ab.css".into())).await;
        assert_eq!(old.headers()[header::CACHE_CONTROL], BRIEFLY);
        for none in ["site.css", "site.x.css", "other.0123456789ab.css", ""] {
            assert!(get_asset(Path(none.into())).await.extensions().get::<ApiError>().is_some(), "{none}");
        }
    }
}
