//! The wallets of a profile.

pub(crate) mod change;
