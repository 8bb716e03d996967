//! Which host names can be public DNS names, judged by their text.

/// Top-level names that are never public, whatever a resolver says.
///
/// `alt`, `arpa`, `example`, `invalid`, `local`, `localhost`, `onion` and `test` are special-use names (RFC 6761 and its
/// registry). ICANN reserves `internal` for private use, and clouds use it for their metadata services. Home routers, company
/// networks, containers and Lambda's own sandbox use the rest, which are unlikely to become public zones.
const NON_PUBLIC: &[&str] = &[
    "alt",
    "arpa",
    "consul",
    "corp",
    "example",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
    "svc",
    "test",
    "workgroup",
];

/// Whether `name` (lower case, without a trailing dot) can be a public DNS name: at least two labels of letters, digits, `-` and
/// `_`, within the lengths of RFC 1035, whose last label is neither a number nor in [`NON_PUBLIC`].
pub(super) fn is_public(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let is_number = |label: &&str| label.bytes().all(|b| b.is_ascii_digit());
    name.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(is_label)
        && !labels.last().is_some_and(|label| is_number(label) || NON_PUBLIC.contains(label))
}

/// Whether `name` is `zone` or a subdomain of it.
pub(super) fn is_within(name: &str, zone: &str) -> bool {
    !zone.is_empty() && (name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.')))
}
