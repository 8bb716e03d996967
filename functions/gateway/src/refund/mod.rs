//! Paying back: a seller refunds what it owes a buyer or, by good will, a call that was delivered.
//!
//! [`route`] is the request of the seller; [`due`] is what the sweeper does without one. [`run`] decides and acts until there is a
//! reply, [`terms`] and [`quote`] make an offer.

pub(crate) mod due;
mod errors;
mod quote;
pub(crate) mod reply;
pub(crate) mod route;
pub(crate) mod run;
mod terms;
