//! Scores: the formula in other languages, and the scores that calls lead to.

mod compared;
mod counted;
mod formula;
mod people;
