//! The only place that builds keys of the table.

mod call;
mod catalogue;
mod debt;
mod history;
mod key;
mod listing;
mod person;
mod profile;
mod rate;
mod review;
mod score;
mod stats;

pub use call::*;
pub use catalogue::*;
pub use debt::*;
pub use history::*;
pub use key::*;
pub use listing::*;
pub use person::*;
pub use profile::*;
pub use rate::*;
pub use review::*;
pub use score::*;
pub use stats::*;
