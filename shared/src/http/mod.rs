//! How requests come in and answers go out.

pub mod caller;
pub mod codes;
pub mod cursor;
pub mod error;
pub mod etag;
pub mod limits;
pub mod reply;
pub mod request;
pub mod service;
pub mod session;
mod suggest;

pub use codes::Code;
pub use error::ApiError;
pub use reply::Reply;

/// What a handler returns.
pub type Result<T = Reply> = std::result::Result<T, ApiError>;
