//! Paying back: a seller refunds what it owes a buyer or, by good will, a call that was delivered.
//!
//! [`route`] is the request of the seller. [`run`] decides and acts until there is a reply, [`terms`] and [`quote`] make an offer.

mod errors;
mod quote;
pub(crate) mod reply;
pub(crate) mod route;
mod run;
mod terms;
