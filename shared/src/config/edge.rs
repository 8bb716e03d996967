//! The deployment's own edge: a content network in front of the API, which says from which address a request came.

use std::net::IpAddr;

use http::HeaderMap;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The header with the secret, which the edge adds to each request.
const SECRET: &str = "x-crochet-edge-secret";
/// The header with the caller's address, which the edge sets whatever the caller has sent.
const ADDRESS: &str = "x-crochet-edge-address";
/// The headers that the edge adds. No caller means anything by them.
pub const EDGE_HEADERS: [&str; 2] = [SECRET, ADDRESS];
/// Secrets that count at the same time: the current one, and the next or the last while it is changed.
const MOST: usize = 2;

/// The SHA-256 of the secrets that the edge may send. The functions do not know the secrets themselves.
#[derive(Debug, Clone, Default)]
pub struct Edge(Vec<[u8; 32]>);

impl Edge {
    /// The hashes in this text, in hex, separated by a comma; `None` if it is anything else.
    #[must_use]
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hashes = text.split(',').map(str::trim).filter(|hash| !hash.is_empty());
        let hashes: Vec<_> = hashes.map(|hash| <[u8; 32]>::try_from(hex::decode(hash).ok()?).ok()).collect::<Option<_>>()?;
        (hashes.len() <= MOST).then_some(Self(hashes))
    }

    /// The caller's address, if the request came through the edge. The comparison takes constant time.
    #[must_use]
    pub fn address(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let secret = only(headers, SECRET)?;
        let sent: [u8; 32] = Sha256::digest(secret).into();
        let is_known = self.0.iter().fold(Choice::from(0), |known, hash| known | hash.ct_eq(&sent));
        if !bool::from(is_known) {
            return None;
        }
        std::str::from_utf8(only(headers, ADDRESS)?).ok()?.parse().ok()
    }
}

/// The value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none()).map(http::HeaderValue::as_bytes)
}
