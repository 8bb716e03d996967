//! Attacks on the score, played against the product's own formula.
//!
//! [`attacks`] plays them, and [`figures`] is what they cost; the documentation shows it as tables and plots. [`promises`] are what the formula keeps whatever a
//! cheat does, each with the number that was measured. [`ranking`] measures how well the score orders honest sellers.

pub mod attacks;
pub mod figures;
pub mod page;
pub mod plot;
pub mod promises;
pub mod ranking;

mod exit;
mod honest;
mod inflation;
mod plan;
mod random;
mod sabotage;
mod seller;
