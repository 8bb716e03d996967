//! The operator's fee: the rate to ask for, and whether a quote keeps the promise.
//!
//! The fee is a rate of what the buyer pays, the provider's costs included, which only a quote tells. So the first quote is asked for
//! with the costs of the quotes before, and a second one with those of the first, if the first one's fee is not as promised.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use crochet_domain::money::{FeePromise, Micros};

use super::quote::CheckedQuote;
use crate::payments::provider::{ProviderQuote, QuoteFailure, QuoteRequest};

/// The costs to expect of a route that was not quoted yet: the provider's flat fee, as documented.
const EXPECTED_COSTS: i64 = 20_000;
/// How many quotes' costs are kept for each route and order of magnitude.
const KEPT: usize = 8;
/// The most that the provider takes as a rate of the payment, in basis points. It documents 15.
const GROWING_COSTS_BPS: i128 = 20;
/// A quote's two amounts are rounded, so that the costs may be less by two micro-dollars.
const ROUNDING: i64 = 2;

/// Requests a quote whose fee is as promised, by `ask`, which takes a rate in basis points. Asks once or twice.
///
/// If neither quote keeps the promise, the one with less of those that reach the fee is taken: the operator gets at least the fee.
///
/// # Errors
/// Those of `ask`, or if no quote reaches the fee.
pub(super) async fn quote<F>(
    costs: &SeenCosts,
    request: &QuoteRequest,
    ask: impl Fn(u16) -> F,
) -> Result<ProviderQuote, QuoteFailure>
where
    F: Future<Output = Result<CheckedQuote, QuoteFailure>>,
{
    let promise = FeePromise::of(request.fee);
    let output = i64::try_from(request.expected.output).map_err(|_| QuoteFailure::NoRoute)?;
    let bps = promise.bps(Micros(output.saturating_add(costs.least(request))));
    let first = ask(bps).await?;
    let net = costs.note(request, output, &first);
    let better = better_bps(promise, bps, first.payment, net);
    if promise.is_kept_by(first.fee) || better == bps {
        return shown(promise, [Some(first), None]);
    }
    let second = ask(better).await?;
    costs.note(request, output, &second);
    shown(promise, [Some(first), Some(second)])
}

/// The rate for a second quote, after one with the rate `bps`. A lower rate makes the payment less, and with it what grows with it.
fn better_bps(promise: FeePromise, bps: u16, payment: Micros, net: Micros) -> u16 {
    let fall = i128::from(bps.saturating_sub(promise.bps(net)));
    let less = i128::from(payment.0) * fall * GROWING_COSTS_BPS / 100_000_000;
    promise.bps(Micros(net.0.saturating_sub(i64::try_from(less).unwrap_or(i64::MAX))))
}

/// The quote to show: of those that reach the fee, the one with the smallest.
fn shown(promise: FeePromise, quotes: [Option<CheckedQuote>; 2]) -> Result<ProviderQuote, QuoteFailure> {
    let quotes: Vec<CheckedQuote> = quotes.into_iter().flatten().collect();
    let asked = u8::try_from(quotes.len()).unwrap_or(u8::MAX);
    let most = quotes.iter().map(|quote| quote.fee).max();
    let best = quotes.into_iter().filter(|quote| promise.is_reached_by(quote.fee)).min_by_key(|quote| quote.fee);
    match best {
        Some(CheckedQuote { id, requirements, payment: _, fee }) => Ok(ProviderQuote { id, requirements, fee_micros: fee, asked }),
        // The provider does not say so when it does not collect a fee.
        None if most == Some(Micros::ZERO) => Err(QuoteFailure::NotAsAsked("the quote has no fee for the operator".into())),
        None => Err(QuoteFailure::Unavailable("two quotes in a row had less than the fee".into())),
    }
}

/// A route and an order of magnitude: costs have a fixed part and one that grows with the amount.
type Route = (u64, &'static str, u64, u32);

/// The costs of recent quotes, in this process. They change a little from quote to quote.
#[derive(Debug, Default)]
pub(super) struct SeenCosts(Mutex<HashMap<Route, VecDeque<i64>>>);

impl SeenCosts {
    /// The least of the recent costs: a fee that is reached with these is reached with all of them.
    fn least(&self, request: &QuoteRequest) -> i64 {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&route(request)).and_then(|costs| costs.iter().min().copied()).unwrap_or(EXPECTED_COSTS)
    }

    /// Remembers a quote's costs. Returns what is paid without the fee.
    fn note(&self, request: &QuoteRequest, output: i64, quote: &CheckedQuote) -> Micros {
        let net = quote.payment.0 - quote.fee.0 - ROUNDING;
        if request.fee > Micros::ZERO {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let costs = seen.entry(route(request)).or_default();
            costs.push_back(net.saturating_sub(output));
            if costs.len() > KEPT {
                costs.pop_front();
            }
        }
        Micros(net)
    }
}

fn route(request: &QuoteRequest) -> Route {
    let magnitude = request.expected.output.checked_ilog2().unwrap_or_default();
    (request.origin.chain_id, request.origin.address, request.expected.chain_id, magnitude)
}
