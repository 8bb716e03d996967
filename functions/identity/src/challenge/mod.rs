//! Challenges: asking for one, and answering it.

pub(crate) mod answer;
pub(crate) mod create;
mod request;
