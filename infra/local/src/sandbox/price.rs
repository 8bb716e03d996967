//! Prices: the requested output, the provider's fee and the app fees, in integers.

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::tokens::{Amount, Token};

/// The provider's flat fee on routes that it fills itself, in micro-dollars. A control changes it.
pub(super) const EXECUTION_FEE_MICROS: u32 = 20_000;
/// Minimum of output and app fees on routes from EVM chains, in micro-dollars.
const EVM_MINIMUM_MICROS: u128 = 50_000;
/// Maximum payment: a million dollars, in micro-dollars.
const MAXIMUM_MICROS: u128 = 1_000_000_000_000;
/// 100 %.
const WHOLE_BPS: u128 = 10_000;

/// One app's share.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AppFee {
    /// The EVM wallet that it is credited to.
    pub(super) recipient: String,
    /// Basis points of the input.
    pub(super) bps: u128,
    /// The fee in micro-dollars, rounded down.
    pub(super) micros: u128,
}

/// What was quoted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Terms {
    /// Who pays.
    pub(super) user: String,
    /// Who is paid.
    pub(super) recipient: String,
    /// The refund address.
    pub(super) refund_to: Option<String>,
    /// The caller's reference, echoed in webhooks and records.
    pub(super) referrer: Option<String>,
    /// Seconds until an unfilled payment would be refunded. Stored, but only controls change states.
    pub(super) ttl: Option<u64>,
    /// What the payer sends.
    pub(super) input: Amount,
    /// What the recipient gets.
    pub(super) output: Amount,
    /// The provider's own fee, in micro-dollars.
    pub(super) execution_micros: u128,
    /// The apps' shares.
    pub(super) app_fees: Vec<AppFee>,
}

impl Terms {
    /// All app fees together, in micro-dollars.
    pub(super) fn app_micros(&self) -> u128 {
        self.app_fees.iter().map(|fee| fee.micros).sum()
    }

    /// The provider's name of the operation: `send`, `swap` or `bridge`.
    pub(super) fn operation(&self) -> &'static str {
        match (self.input.token.symbol == self.output.token.symbol, self.same_chain()) {
            (true, true) => "send",
            (true, false) => "bridge",
            (false, _) => "swap",
        }
    }

    /// Whether both sides are on the same chain.
    pub(super) fn same_chain(&self) -> bool {
        self.input.token.chain_id == self.output.token.chain_id
    }
}

/// A trade with a fixed output.
pub(super) struct Wanted {
    /// What the payer sends.
    pub(super) origin: &'static Token,
    /// What must arrive.
    pub(super) output: Amount,
    /// Recipient and basis points of each app fee.
    pub(super) app_fees: Vec<(String, u128)>,
}

/// The input, the provider's fee and the app fees.
///
/// The input is the smallest for which `input - execution fee - app fees >= output`; `execution_micros` is the execution fee. Plain sends (same token, same chain) carry
/// neither fee: the real provider does not collect app fees on them.
///
/// # Errors
/// The provider's errors: an EVM route below the minimum, an amount above the maximum, fees of 100 % or more.
pub(super) fn price(wanted: &Wanted, execution_micros: u128) -> Result<(Amount, u128, Vec<AppFee>), Refusal> {
    let output_micros = wanted.output.micros();
    if output_micros > MAXIMUM_MICROS {
        return Err(Refusal::coded("INSUFFICIENT_LIQUIDITY", "There is not enough liquidity to complete the swap"));
    }
    let is_send = wanted.origin == wanted.output.token;
    let (execution, app_fees) = if is_send { (0, &[][..]) } else { (execution_micros, &wanted.app_fees[..]) };
    let total_bps = app_fees.iter().map(|(_, bps)| bps).sum::<u128>();
    if total_bps >= WHOLE_BPS {
        return Err(Refusal::malformed("body/appFees must come to less than 10000 basis points"));
    }
    let input_micros = ((output_micros + execution) * WHOLE_BPS).div_ceil(WHOLE_BPS - total_bps);
    let input = wanted.origin.worth(input_micros);
    let app_fees: Vec<AppFee> = app_fees
        .iter()
        .map(|(recipient, bps)| AppFee { recipient: recipient.clone(), bps: *bps, micros: input_micros * bps / WHOLE_BPS })
        .collect();
    let app_micros: u128 = app_fees.iter().map(|fee| fee.micros).sum();
    if wanted.origin.is_evm() && output_micros + app_micros < EVM_MINIMUM_MICROS {
        return Err(Refusal::coded("AMOUNT_TOO_LOW", "Swap output amount is too small to cover fees required to execute swap"));
    }
    Ok((input, execution, app_fees))
}

#[cfg(test)]
mod tests {
    use super::super::tokens::{BASE, SOLANA};
    use super::*;

    const FEE: u128 = EXECUTION_FEE_MICROS as u128;

    fn token(chain_id: u64, address: &str) -> &'static Token {
        Token::find(chain_id, address).expect("a known token")
    }

    fn usdc_on_solana() -> &'static Token {
        token(SOLANA, "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")
    }

    fn wanted(origin: &'static Token, output_micros: u128, bps: u128) -> Wanted {
        Wanted { origin, output: usdc_on_solana().worth(output_micros), app_fees: vec![("0xfee".into(), bps)] }
    }

    #[test]
    fn the_input_covers_output_and_fees_and_no_less_does() {
        let sol = token(SOLANA, "11111111111111111111111111111111");
        for output in [1, 95, 951_000, 9_999_999_999_u128] {
            for bps in [0, 1, 345, 490, 9_999] {
                let (input, execution, fees) = price(&wanted(sol, output, bps), FEE).expect("a quote");
                let app = fees[0].micros;
                let needed = output + execution + app;
                assert!((needed..=needed + 1).contains(&input.micros()), "{output} at {bps}: {} for {needed}", input.micros());
            }
        }
    }

    #[test]
    fn small_routes_from_evm_are_refused_and_from_solana_are_not() {
        let eth = token(BASE, "0x0000000000000000000000000000000000000000");
        let sol = token(SOLANA, "11111111111111111111111111111111");
        assert!(price(&wanted(eth, 47_000, 300), FEE).is_err());
        assert!(price(&wanted(eth, 50_000, 300), FEE).is_ok());
        assert!(price(&wanted(sol, 95, 300), FEE).is_ok());
    }

    #[test]
    fn a_send_pays_no_app_fee() {
        let (input, execution, fees) = price(&wanted(usdc_on_solana(), 951_000, 490), FEE).expect("a quote");
        assert_eq!((input.units, execution, fees.len()), (951_000, 0, 0));
    }
}
