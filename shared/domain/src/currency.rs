//! What buyers pay in, and what sellers are paid in.

use serde::{Deserialize, Serialize};

use super::money::Micros;
use super::wallet::Chain;

/// What a buyer may pay in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OriginCurrency {
    /// SOL on Solana.
    Sol,
    /// USDC on Solana.
    UsdcSol,
    /// Ether on Base.
    Eth,
    /// USDC on Base.
    Usdc,
}

/// A token where the payment provider finds it: its chain number and its address there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The provider's number of the chain.
    pub chain_id: u64,
    /// Contract, mint, or the chain's spelling of its native coin.
    pub address: &'static str,
    /// Digits after the point.
    pub decimals: u8,
}

/// Relay's number for Solana mainnet.
pub const SOLANA_CHAIN_ID: u64 = 792_703_809;
/// Base.
pub const BASE_CHAIN_ID: u64 = 8_453;

const SOL: Token = Token { chain_id: SOLANA_CHAIN_ID, address: "11111111111111111111111111111111", decimals: 9 };
const USDC_ON_SOLANA: Token =
    Token { chain_id: SOLANA_CHAIN_ID, address: "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", decimals: 6 };
const ETH_ON_BASE: Token = Token { chain_id: BASE_CHAIN_ID, address: "0x0000000000000000000000000000000000000000", decimals: 18 };
const USDC_ON_BASE: Token = Token { chain_id: BASE_CHAIN_ID, address: "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", decimals: 6 };

/// Below this price the provider turns EVM routes down (its small-amount floor, 0.05 USD); used for warnings and
/// `payable_with` only. The provider's own answer decides a call.
pub const EVM_ROUTE_FLOOR: Micros = Micros(50_000);

impl OriginCurrency {
    /// All, in the order in which they are recommended.
    pub const ALL: [Self; 4] = [Self::Sol, Self::UsdcSol, Self::Eth, Self::Usdc];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sol => "SOL",
            Self::UsdcSol => "USDC_SOL",
            Self::Eth => "ETH",
            Self::Usdc => "USDC",
        }
    }

    /// Reads the name on the wire; exact, as documented.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.as_str() == text)
    }

    /// The wallet family that pays in it.
    #[must_use]
    pub fn chain(self) -> Chain {
        match self {
            Self::Sol | Self::UsdcSol => Chain::Solana,
            Self::Eth | Self::Usdc => Chain::Evm,
        }
    }

    /// The token that is spent.
    #[must_use]
    pub fn token(self) -> Token {
        match self {
            Self::Sol => SOL,
            Self::UsdcSol => USDC_ON_SOLANA,
            Self::Eth => ETH_ON_BASE,
            Self::Usdc => USDC_ON_BASE,
        }
    }

    /// What a wallet of `chain` pays in when nothing is said.
    #[must_use]
    pub fn default_of(chain: Chain) -> Self {
        match chain {
            Chain::Solana => Self::Sol,
            Chain::Evm => Self::Eth,
        }
    }
}

/// USDC where a payout wallet of `chain` receives it.
#[must_use]
pub fn payout_token(chain: Chain) -> Token {
    match chain {
        Chain::Solana => USDC_ON_SOLANA,
        Chain::Evm => USDC_ON_BASE,
    }
}

/// Which of the seller's payout chains a payment in `origin` goes to: Solana first, but never the same token on the
/// same chain, because the provider takes no fee on plain sends. `None` where no route is left.
#[must_use]
pub fn payout_chain(origin: OriginCurrency, payout_chains: &[Chain]) -> Option<Chain> {
    [Chain::Solana, Chain::Evm].into_iter().find(|chain| payout_chains.contains(chain) && payout_token(*chain) != origin.token())
}

/// The currencies that reach a seller with these payout chains at this price, recommended first.
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
    fn a_seller_is_paid_on_solana_unless_that_is_a_plain_send() {
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
