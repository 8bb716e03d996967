//! The currencies that buyers pay in, and the token that sellers are paid in.

use crate::money::Micros;
use crate::wallet::Chain;
use crate::wire_enum::wire_enum;

wire_enum! {
    /// A currency that buyers can pay in. [`OriginCurrency::ALL`] lists them in the order in which they are recommended.
    #[derive(PartialOrd, Ord)]
    pub enum OriginCurrency {
        /// SOL on Solana.
        Sol = "SOL",
        /// USDC on Solana.
        UsdcSol = "USDC_SOL",
        /// Ether on Base.
        Eth = "ETH",
        /// USDC on Base.
        Usdc = "USDC",
    }
}

/// A token, as the payment provider identifies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The provider's chain id.
    pub chain_id: u64,
    /// Address of the contract or mint, or the provider's placeholder for the native coin.
    pub address: &'static str,
    /// Number of decimals.
    pub decimals: u8,
}

/// Relay's chain id for Solana mainnet.
pub const SOLANA_CHAIN_ID: u64 = 792_703_809;
/// Chain id of Base.
pub const BASE_CHAIN_ID: u64 = 8_453;

const SOL: Token = Token { chain_id: SOLANA_CHAIN_ID, address: "11111111111111111111111111111111", decimals: 9 };
const USDC_ON_SOLANA: Token =
    Token { chain_id: SOLANA_CHAIN_ID, address: "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", decimals: 6 };
const ETH_ON_BASE: Token = Token { chain_id: BASE_CHAIN_ID, address: "0x0000000000000000000000000000000000000000", decimals: 18 };
const USDC_ON_BASE: Token = Token { chain_id: BASE_CHAIN_ID, address: "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", decimals: 6 };

/// Minimum price for EVM routes (the provider's small-amount floor, 0.05 USD). Only warnings and `payable_with` use it; for a
/// call, the provider's own answer decides.
pub const EVM_ROUTE_FLOOR: Micros = Micros(50_000);

impl OriginCurrency {
    /// The chain family of the wallets that pay in it.
    #[must_use]
    pub fn chain(self) -> Chain {
        match self {
            Self::Sol | Self::UsdcSol => Chain::Solana,
            Self::Eth | Self::Usdc => Chain::Evm,
        }
    }

    /// The token that the buyer spends.
    #[must_use]
    pub fn token(self) -> Token {
        match self {
            Self::Sol => SOL,
            Self::UsdcSol => USDC_ON_SOLANA,
            Self::Eth => ETH_ON_BASE,
            Self::Usdc => USDC_ON_BASE,
        }
    }

    /// The default currency of a wallet of this chain family.
    #[must_use]
    pub fn default_of(chain: Chain) -> Self {
        match chain {
            Chain::Solana => Self::Sol,
            Chain::Evm => Self::Eth,
        }
    }
}

/// USDC, as a payout wallet of this chain family receives it.
#[must_use]
pub fn payout_token(chain: Chain) -> Token {
    match chain {
        Chain::Solana => USDC_ON_SOLANA,
        Chain::Evm => USDC_ON_BASE,
    }
}

/// The payout chain for a payment in `origin`: Solana first, but never the same token on the same chain, because the provider
/// collects no fee on plain transfers. `None` if no route is left.
#[must_use]
pub fn payout_chain(origin: OriginCurrency, payout_chains: &[Chain]) -> Option<Chain> {
    [Chain::Solana, Chain::Evm].into_iter().find(|chain| payout_chains.contains(chain) && payout_token(*chain) != origin.token())
}

/// The currencies that can pay this price to a seller with these payout chains, recommended first.
#[must_use]
pub fn payable_with(price: Micros, payout_chains: &[Chain]) -> Vec<OriginCurrency> {
    OriginCurrency::ALL
        .into_iter()
        .filter(|currency| payout_chain(*currency, payout_chains).is_some())
        .filter(|currency| currency.chain() == Chain::Solana || price >= EVM_ROUTE_FLOOR)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seller_is_paid_on_solana_unless_that_is_a_plain_transfer() {
        let both = [Chain::Evm, Chain::Solana];
        assert_eq!(payout_chain(OriginCurrency::Sol, &both), Some(Chain::Solana));
        assert_eq!(payout_chain(OriginCurrency::Usdc, &both), Some(Chain::Solana));
        assert_eq!(payout_chain(OriginCurrency::UsdcSol, &both), Some(Chain::Evm));
        assert_eq!(payout_chain(OriginCurrency::UsdcSol, &[Chain::Solana]), None);
        assert_eq!(payout_chain(OriginCurrency::Usdc, &[Chain::Evm]), None);
        assert_eq!(payout_chain(OriginCurrency::Eth, &[]), None);
    }

    #[test]
    fn small_prices_are_payable_on_solana_only() {
        assert_eq!(payable_with(Micros(10_000), &[Chain::Evm]), [OriginCurrency::Sol, OriginCurrency::UsdcSol]);
        assert_eq!(
            payable_with(Micros(1_000_000), &[Chain::Solana]),
            [OriginCurrency::Sol, OriginCurrency::Eth, OriginCurrency::Usdc]
        );
    }

    #[test]
    fn names_are_exact() {
        for currency in OriginCurrency::ALL {
            assert_eq!(OriginCurrency::parse(currency.as_str()), Some(currency));
        }
        assert_eq!(OriginCurrency::parse("sol"), None);
    }
}
