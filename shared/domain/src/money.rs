//! Exact amounts: integer micro-dollars (1 USD = 1,000,000), never floats.

mod fee_promise;

use serde::{Deserialize, Serialize};

pub use fee_promise::FeePromise;

/// Micro-dollars per cent.
const MICROS_PER_CENT: i64 = 10_000;
/// Minimum price per call: 0.0001 USD.
pub const MIN_PRICE: Micros = Micros(100);
/// Maximum price per call: 10,000 USD.
pub const MAX_PRICE: Micros = Micros(10_000_000_000);

/// An amount in micro-dollars. Only the ledger has negative amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// The amount in cents, rounded half away from zero.
    #[must_use]
    pub fn cents(self) -> i64 {
        let magnitude = (self.0.abs() + MICROS_PER_CENT / 2) / MICROS_PER_CENT;
        if self.0 < 0 { -magnitude } else { magnitude }
    }

    /// The amount with the opposite sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(-self.0)
    }

    /// Parses plain decimal USD, such as `4.9979801`, and drops what is less than a micro-dollar.
    ///
    /// For amounts that others report. `None` for anything else, a sign or an exponent, and for more than 10^12 USD.
    #[must_use]
    pub fn from_usd_rounded_down(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 12 || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let micros: String = fraction.chars().chain(std::iter::repeat('0')).take(6).collect();
        Some(Self(whole.parse::<i64>().ok()? * 1_000_000 + micros.parse::<i64>().ok()?))
    }

    /// Plain decimal USD without trailing zeros, such as `1`, `0.0001` or `12.5`.
    #[must_use]
    pub fn decimal(self) -> String {
        let magnitude = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let whole = magnitude / 1_000_000;
        let fraction = format!("{:06}", magnitude % 1_000_000);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

impl std::iter::Sum for Micros {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|amount| amount.0).sum())
    }
}

/// A fee rate in basis points, 0 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeRate(u16);

impl FeeRate {
    /// A rate of `bps` basis points; `None` above 10,000.
    #[must_use]
    pub fn from_bps(bps: u16) -> Option<Self> {
        (bps <= 10_000).then_some(Self(bps))
    }

    /// The rate in basis points.
    #[must_use]
    pub fn bps(self) -> u16 {
        self.0
    }
}

/// How the price of one call is divided. `fee + seller_receives == price` always holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceSplit {
    /// The amount charged to the buyer.
    pub price: Micros,
    /// The marketplace's fee.
    pub fee: Micros,
    /// The amount paid out to the seller.
    pub seller_receives: Micros,
    /// The fee rate, in basis points.
    pub fee_bps: u16,
}

impl PriceSplit {
    /// Splits a price: `fee = (price × bps + 5000) div 10000`; the seller gets the rest.
    #[must_use]
    pub fn of(price: Micros, rate: FeeRate) -> Self {
        let fee = Micros((price.0 * i64::from(rate.0) + 5_000) / 10_000);
        Self { price, fee, seller_receives: Micros(price.0 - fee.0), fee_bps: rate.0 }
    }

    /// Price, fee and seller's share in cents. Price and fee are rounded; the share is their difference, so that they add up.
    #[must_use]
    pub fn cents(&self) -> (i64, i64, i64) {
        let (price, fee) = (self.price.cents(), self.fee.cents());
        (price, fee, price - fee)
    }
}

/// Why a text is not a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Not a JSON number.
    #[error("not a number")]
    NotANumber,
    /// More than six decimals, which cannot be charged exactly.
    #[error("more than six decimals")]
    TooManyDecimals,
    /// Not zero, and below [`MIN_PRICE`] or above [`MAX_PRICE`].
    #[error("out of range")]
    OutOfRange,
}

/// Parses a JSON number in USD exactly as written, without going through a float.
///
/// Zero is accepted; whether a listing may cost nothing is decided elsewhere.
pub fn parse_usd(json_number: &str) -> Result<Micros, PriceError> {
    let (mantissa, exponent) = match json_number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| PriceError::OutOfRange)?),
        None => (json_number, 0),
    };
    let (negative, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || whole.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(PriceError::NotANumber);
    }
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Ok(Micros::ZERO);
    }
    let trailing_zeros = digits.len() - digits.trim_end_matches('0').len();
    // value = significant × 10^power, in USD
    let power = i64::from(exponent) - fraction.len() as i64 + trailing_zeros as i64;
    if power < -6 {
        return Err(PriceError::TooManyDecimals);
    }
    if negative || significant.len() as i64 + power > 6 {
        return Err(PriceError::OutOfRange);
    }
    let value: i64 = significant.parse().map_err(|_| PriceError::OutOfRange)?;
    let scale = 10_i64.checked_pow(u32::try_from(power + 6).map_err(|_| PriceError::OutOfRange)?);
    let micros = scale.and_then(|scale| value.checked_mul(scale)).map(Micros).ok_or(PriceError::OutOfRange)?;
    if micros < MIN_PRICE || micros > MAX_PRICE { Err(PriceError::OutOfRange) } else { Ok(micros) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(micros: i64) -> PriceSplit {
        PriceSplit::of(Micros(micros), FeeRate::from_bps(490).expect("a rate"))
    }

    #[test]
    fn the_contracts_own_figures() {
        let dollar = split(1_000_000);
        assert_eq!((dollar.fee.0, dollar.seller_receives.0, dollar.cents()), (49_000, 951_000, (100, 5, 95)));
        let least = split(100);
        assert_eq!((least.price.0, least.fee.0, least.seller_receives.0, least.cents()), (100, 5, 95, (0, 0, 0)));
    }

    #[test]
    fn a_split_always_adds_up() {
        for price in (100..2_000_000).step_by(37).chain([10_000_000_000, 9_999_999_999]) {
            let s = split(price);
            assert_eq!(s.fee.0 + s.seller_receives.0, price);
        }
    }

    #[test]
    fn prices_are_read_exactly() {
        for (text, micros) in [
            ("1", 1_000_000),
            ("0.0001", 100),
            ("1e-4", 100),
            ("10000", 10_000_000_000),
            ("1.5E1", 15_000_000),
            ("0.10", 100_000),
            ("0", 0),
            ("0.0e9", 0),
            ("-0", 0),
            ("1.000000000000", 1_000_000),
            ("100000000e-6", 100_000_000),
        ] {
            assert_eq!(parse_usd(text), Ok(Micros(micros)), "{text}");
        }
        for (text, error) in [
            ("0.0000001", PriceError::TooManyDecimals),
            ("1.0000001", PriceError::TooManyDecimals),
            ("0.00009", PriceError::OutOfRange),
            ("10000.000001", PriceError::OutOfRange),
            ("1e400", PriceError::OutOfRange),
            ("-1", PriceError::OutOfRange),
            ("\"1\"", PriceError::NotANumber),
            ("1e99999999999", PriceError::OutOfRange),
        ] {
            assert_eq!(parse_usd(text), Err(error), "{text}");
        }
    }

    #[test]
    fn reported_amounts_are_rounded_down() {
        for (text, micros) in
            [("4.997980", 4_997_980), ("4.9979809999", 4_997_980), ("0.0000009", 0), ("12", 12_000_000), ("1.", 1_000_000)]
        {
            assert_eq!(Micros::from_usd_rounded_down(text), Some(Micros(micros)), "{text}");
        }
        for text in ["", ".5", "-1", "+1", "1e3", "1,5", "1.2.3", "1.x", "1000000000000000"] {
            assert_eq!(Micros::from_usd_rounded_down(text), None, "{text}");
        }
        assert_eq!([Micros(1), Micros(2)].into_iter().sum::<Micros>(), Micros(3));
    }

    #[test]
    fn decimals_and_cents() {
        assert_eq!(Micros(100).decimal(), "0.0001");
        assert_eq!(Micros(-12_500_000).decimal(), "-12.5");
        assert_eq!(Micros(5_000).cents(), 1);
        assert_eq!(Micros(4_999).cents(), 0);
        assert_eq!(Micros(-5_000).cents(), -1);
    }
}
