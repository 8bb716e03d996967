//! The keys that receipts are signed with.

mod key;
mod ring;

pub(crate) use ring::KeyRing;
