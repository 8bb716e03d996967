//! The black-box suite: one binary, whose modules mirror the routes.
//!
//! The name of each test states what the service guarantees.

mod catalog;
mod gateway;
mod identity;
mod listings;
mod reviews;
mod score;
mod site;
mod system;
