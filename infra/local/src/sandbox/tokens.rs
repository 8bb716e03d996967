//! The tokens that the sandbox quotes, at fixed prices, and integer amounts of them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The provider's number for Solana mainnet.
pub(super) const SOLANA: u64 = 792_703_809;
/// Base.
pub(super) const BASE: u64 = 8_453;

/// A token the sandbox knows. A token is one entry of [`TOKENS`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// The provider's number of the chain.
    pub(super) chain_id: u64,
    /// Contract, mint, or the chain's spelling of its native coin.
    pub(super) address: &'static str,
    /// Ticker.
    pub(super) symbol: &'static str,
    name: &'static str,
    /// Digits after the point.
    pub(super) decimals: u32,
    /// Whether it is the chain's native coin.
    pub(super) native: bool,
    /// Fixed price of one whole unit, in micro-dollars.
    price_micros: u128,
}

const TOKENS: [Token; 4] = [
    Token {
        chain_id: SOLANA,
        address: "11111111111111111111111111111111",
        symbol: "SOL",
        name: "Solana",
        decimals: 9,
        native: true,
        price_micros: 150_000_000,
    },
    Token {
        chain_id: SOLANA,
        address: "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
        symbol: "USDC",
        name: "USD Coin",
        decimals: 6,
        native: false,
        price_micros: 1_000_000,
    },
    Token {
        chain_id: BASE,
        address: "0x0000000000000000000000000000000000000000",
        symbol: "ETH",
        name: "Ether",
        decimals: 18,
        native: true,
        price_micros: 3_000_000_000,
    },
    Token {
        chain_id: BASE,
        address: "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
        symbol: "USDC",
        name: "USD Coin",
        decimals: 6,
        native: false,
        price_micros: 1_000_000,
    },
];

impl Token {
    /// The token at `address` on a chain; EVM addresses in any case.
    pub(super) fn find(chain_id: u64, address: &str) -> Option<&'static Self> {
        static KNOWN: [Token; 4] = TOKENS;
        KNOWN.iter().find(|token| {
            token.chain_id == chain_id
                && (token.address == address || (chain_id == BASE && token.address.eq_ignore_ascii_case(address)))
        })
    }

    /// Whether addresses of this token's chain are EVM ones.
    pub(super) fn is_evm(&self) -> bool {
        is_evm(self.chain_id)
    }

    /// The smallest amount of this token worth at least `micros` micro-dollars.
    pub(super) fn worth(&'static self, micros: u128) -> Amount {
        Amount { token: self, units: (micros * 10_u128.pow(self.decimals)).div_ceil(self.price_micros) }
    }

    /// The `currency` object of the provider's replies.
    pub(super) fn json(&self) -> Value {
        json!({
            "chainId": self.chain_id,
            "address": self.address,
            "symbol": self.symbol,
            "name": self.name,
            "decimals": self.decimals,
            "metadata": {
                "logoURI": format!("https://assets.relay.link/icons/currencies/{}.png", self.symbol.to_lowercase()),
                "verified": true,
                "isNative": self.native,
            },
        })
    }
}

/// Whether a chain number is that of an EVM chain the sandbox serves.
pub(super) fn is_evm(chain_id: u64) -> bool {
    chain_id == BASE
}

/// An amount in a token's smallest unit. Stored with the token's address, and with the units as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredAmount", into = "StoredAmount")]
pub(super) struct Amount {
    /// Of what.
    pub(super) token: &'static Token,
    /// How much, in the smallest unit.
    pub(super) units: u128,
}

#[derive(Serialize, Deserialize)]
struct StoredAmount {
    chain_id: u64,
    address: String,
    units: String,
}

impl From<Amount> for StoredAmount {
    fn from(amount: Amount) -> Self {
        let Amount { token, units } = amount;
        Self { chain_id: token.chain_id, address: token.address.to_owned(), units: units.to_string() }
    }
}

impl TryFrom<StoredAmount> for Amount {
    type Error = String;

    fn try_from(stored: StoredAmount) -> Result<Self, String> {
        let StoredAmount { chain_id, address, units } = stored;
        let token = Token::find(chain_id, &address).ok_or_else(|| format!("no token {address} on chain {chain_id}"))?;
        Ok(Self { token, units: units.parse().map_err(|_| format!("{units} is not an amount"))? })
    }
}

impl Amount {
    /// What it is worth in micro-dollars, rounded down.
    pub(super) fn micros(&self) -> u128 {
        self.units * self.token.price_micros / 10_u128.pow(self.token.decimals)
    }

    /// In whole units, as the provider writes it: `10.0`, `9.738642`.
    pub(super) fn formatted(&self) -> String {
        decimal(self.units, self.token.decimals)
    }

    /// The provider's amount object.
    pub(super) fn json(&self) -> Value {
        let units = self.units.to_string();
        json!({
            "currency": self.token.json(),
            "amount": units,
            "amountFormatted": self.formatted(),
            "amountUsd": usd(self.micros()),
            "minimumAmount": units,
        })
    }
}

/// Micro-dollars as the provider writes dollars: always six decimals.
pub(super) fn usd(micros: u128) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

fn decimal(units: u128, decimals: u32) -> String {
    let one = 10_u128.pow(decimals);
    let fraction = format!("{:0width$}", units % one, width = decimals as usize);
    let fraction = fraction.trim_end_matches('0');
    format!("{}.{}", units / one, if fraction.is_empty() { "0" } else { fraction })
}

/// Whether `address` is one that can pay or be paid on `chain_id`.
pub(super) fn is_address(chain_id: u64, address: &str) -> bool {
    if is_evm(chain_id) {
        return is_evm_address(address);
    }
    bs58::decode(address).into_vec().is_ok_and(|bytes| bytes.len() == 32)
}

/// Whether `address` is `0x` and 40 hex digits.
pub(super) fn is_evm_address(address: &str) -> bool {
    address.strip_prefix("0x").is_some_and(|hex| hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_written_as_the_provider_does() {
        let sol = Token::find(SOLANA, "11111111111111111111111111111111").expect("SOL is known");
        let amount = sol.worth(1_500_000);
        assert_eq!((amount.units, amount.formatted().as_str()), (10_000_000, "0.01"));
        assert_eq!(usd(amount.micros()), "1.500000");
        // 1 micro-dollar is 6.67 lamports: rounded up, so that it is worth what was asked.
        assert_eq!(sol.worth(1).units, 7);

        let usdc = Token::find(BASE, "0x833589FCD6EDB6E08F4C7C32D4F71B54BDA02913").expect("any case");
        assert_eq!(Amount { token: usdc, units: 10_000_000 }.formatted(), "10.0");
        assert!(Token::find(SOLANA, usdc.address).is_none());
    }
}
