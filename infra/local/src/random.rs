//! Random bytes from the system.

/// `N` random bytes.
///
/// # Panics
/// Where the system has no source of randomness; nothing here could go on without one.
#[must_use]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has a source of randomness");
    bytes
}
