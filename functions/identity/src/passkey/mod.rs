//! How people sign up, log in and recover their account.

mod ceremony;
pub(crate) mod credentials;
pub(crate) mod login;
mod possibly_person;
pub(crate) mod reauthenticate;
pub(crate) mod recover;
pub(crate) mod recovery_codes;
pub(crate) mod register;
mod session;
