//! Requests and responses: extractors, errors, limits and the envelope.

pub mod caller;
pub mod codes;
mod cors;
pub mod cursor;
pub mod error;
pub mod error_list;
pub mod etag;
pub mod limited;
mod limits;
pub mod reply;
pub mod request;
mod serve;
pub mod service;
pub mod session;
mod suggest;
pub mod trace;

pub use codes::Code;
pub use error::ApiError;
pub use reply::Reply;
pub use serve::{Error, serve};

/// What a handler returns.
pub type Result<T = Reply, E = ApiError> = std::result::Result<T, E>;
