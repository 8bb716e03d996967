//! Scores: counting them on a schedule, and showing them with everything that they are made of.

mod compare;
mod count;
pub(crate) mod history;
pub(crate) mod inputs;
pub(crate) mod read;
mod rows;
pub mod run;
