//! Requests and responses: extractors, errors, limits and the envelope.

pub mod accept;
pub mod caller;
pub mod codes;
mod compress;
mod cors;
pub mod cursor;
pub mod error;
pub mod error_list;
pub mod escaped;
pub mod etag;
pub mod fields;
pub mod gate;
pub mod limited;
mod limits;
mod masked;
pub mod near;
pub mod reply;
pub mod request;
mod route_table;
mod serve;
pub mod service;
pub mod session;
mod stray_query;
mod suggest;
pub mod suspension;
pub mod trace;

pub use codes::Code;
pub use error::ApiError;
pub use reply::Reply;
pub use serve::{Error, serve};

/// What a handler returns.
pub type Result<T = Reply, E = ApiError> = std::result::Result<T, E>;
