//! The Crochet Score: what is counted of calls, and the formula.
//!
//! Everybody starts at 400. A call counts by the fee that the operator received for it, and fades over 13 weeks. What was counted
//! is kept as sums of integers, so that no order of events can change a score. [`event`] says what a call counts as, [`facts`] adds
//! it up by day, [`window`] fades the days and joins payers, and [`formula`] turns that into a number.
//!
//! Weights are integers in thousandths of a counted call, called *milli*.

mod call_facts;
pub mod event;
pub mod facts;
pub mod fade;
pub mod formula;
pub mod review;
pub mod window;

pub use call_facts::Facts;
pub use event::Event;
pub use formula::{Payer, Said, Score, Sums, ceiling, score};

use crate::money::Micros;

/// Version of the formula, shown with every score. It changes when the same history would score differently.
pub const FORMULA_VERSION: u32 = 1;
/// The fee for which a call counts in full, unless the deployment says otherwise: that of 10 cents at 4.9 %.
pub const UNIT_FEE: Micros = Micros(4_900);

/// What one delivered call counts, in milli, by the fee received for it: 1000 at most. `unit_fee` is the fee of a whole call.
#[must_use]
pub fn milli(fee: Micros, unit_fee: Micros) -> i64 {
    (fee.0.max(0).saturating_mul(1_000) / unit_fee.0.max(1)).min(1_000)
}

#[cfg(test)]
mod tests;
