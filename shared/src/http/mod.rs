//! How requests come in and answers go out.

pub mod caller;
pub mod catalogue;
pub mod conditional;
pub mod cursor;
pub mod error;
pub mod limits;
pub mod request;
pub mod respond;
pub mod service;
pub mod session;
mod shortened;

pub use catalogue::Code;
pub use error::ApiError;
pub use respond::Reply;

/// What a handler returns.
pub type Result<T = Reply> = std::result::Result<T, ApiError>;
