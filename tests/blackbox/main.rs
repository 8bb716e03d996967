//! The black-box suite: one binary, whose modules mirror the routes.
//!
//! Each test bears the words of the promise that it holds the service to.

mod catalog;
mod gateway;
mod identity;
mod listings;
mod system;
