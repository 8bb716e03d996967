//! Statistics of a listing and of the whole deployment.

pub(crate) mod listing;
pub(crate) mod total;
mod view;
