//! Slugs: the names of listings in URLs.

use crochet_domain::ids::{ListingId, random_bytes};
use crochet_domain::listing::slug_base;

/// Slugs that would hide a route under `/listings`.
const RESERVED: &[&str] = &["challenge"];

/// The preferred slug for a name. A slug that would be empty, a route or a listing id gets a random suffix.
pub(crate) fn first(name: &str) -> String {
    let base = base(name);
    if base == FALLBACK || RESERVED.contains(&base.as_str()) || base.parse::<ListingId>().is_ok() { suffixed(&base) } else { base }
}

/// Another slug for the same name, for when the preferred one is taken.
pub(crate) fn next(name: &str) -> String {
    suffixed(&base(name))
}

const FALLBACK: &str = "listing";

fn base(name: &str) -> String {
    let base = slug_base(name);
    if base.is_empty() { FALLBACK.to_owned() } else { base }
}

fn suffixed(base: &str) -> String {
    format!("{base}-{}", hex::encode(random_bytes::<4>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_the_name_if_possible() {
        assert_eq!(first("Weather & More"), "weather-more");
        assert_ne!(next("Weather & More"), next("Weather & More"));
        for name in ["日本語", "Challenge", "00000000-0000-7000-8000-000000000000"] {
            let slug = first(name);
            assert!(!RESERVED.contains(&slug.as_str()) && slug.parse::<ListingId>().is_err() && slug.len() > 8, "{slug}");
        }
    }
}
