//! Which host names are public DNS names, as far as their spelling tells.

/// Names that lead inside, or nowhere, whatever a resolver says of them. With each, everything below it.
///
/// Special-use names (RFC 6761 and the registry that it opened): `alt`, `arpa`, `example`, `invalid`, `local`, `localhost`,
/// `onion`, `test`. `internal` is reserved by ICANN for private use, and is what clouds call their metadata services; the
/// rest are what home routers, company networks, containers and Lambda's own sandbox use, and what no public zone will be.
const INSIDE: &[&str] = &[
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

/// Whether `name` (lower case, without the root's dot) could be registered by anybody: two labels or more of letters, digits,
/// `-` and `_`, the last one no number and not one that leads inside; RFC 1035's lengths.
pub(super) fn is_public(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let spelled = |label: &&str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let is_number = |label: &&str| label.bytes().all(|b| b.is_ascii_digit());
    name.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(spelled)
        && !labels.last().is_some_and(|label| is_number(label) || INSIDE.contains(label))
}

/// Whether `name` is `zone` or below it.
pub(super) fn is_within(name: &str, zone: &str) -> bool {
    !zone.is_empty() && (name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.')))
}
