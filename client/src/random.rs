//! Random bytes from the operating system.

/// Returns `N` random bytes.
///
/// # Panics
/// If the operating system has no source of randomness.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has a source of randomness");
    bytes
}
