//! The demo's checks, in integers.

use std::fmt;

use serde_json::Value;

use crochet_client::{Agent, UnexpectedReply};

/// Fails unless both are equal.
pub(super) fn same<T: PartialEq + fmt::Debug + ?Sized>(what: &str, found: &T, expected: &T) -> Result<(), UnexpectedReply> {
    yes_or(found == expected, || format!("{what}: expected {expected:?}, found {found:?}"))
}

/// Fails unless it holds.
pub(super) fn yes(what: &str, holds: bool) -> Result<(), UnexpectedReply> {
    yes_or(holds, || format!("check failed: {what}"))
}

fn yes_or(holds: bool, sentence: impl Fn() -> String) -> Result<(), UnexpectedReply> {
    if holds { Ok(()) } else { Err(UnexpectedReply(sentence())) }
}

/// What a call cost and how it was split, in micro-dollars.
#[derive(Debug)]
pub(super) struct Price {
    pub(super) charged: i64,
    pub(super) fee: i64,
    pub(super) seller: i64,
}

impl Price {
    /// Reads a delivered reply and checks its sums, in micro-dollars and in cents.
    pub(super) fn read(data: &Value, price_micros: i64) -> Result<Self, UnexpectedReply> {
        let number = |pointer: &str| {
            let found = data.pointer(pointer).and_then(Value::as_i64);
            found.ok_or_else(|| UnexpectedReply(format!("the delivered reply has no integer at {pointer}")))
        };
        let price = Self {
            charged: number("/charged_amount/amount_micros")?,
            fee: number("/fees/fee_amount_micros")?,
            seller: number("/fees/seller_receives_micros")?,
        };
        same("the charged amount in micro-dollars", &price.charged, &price_micros)?;
        same("fee plus seller's share", &(price.fee + price.seller), &price.charged)?;
        let bps = basis_points(&data["fees"]["fee_rate"])?;
        same("the fee at the stated rate", &price.fee, &((price.charged * bps + 5_000) / 10_000))?;
        let (charged, fee, seller) =
            (number("/charged_amount/amount_cents")?, number("/fees/fee_amount_cents")?, number("/fees/seller_receives_cents")?);
        same("the charged amount in cents", &charged, &((price.charged + 5_000) / 10_000))?;
        same("the fee in cents", &fee, &((price.fee + 5_000) / 10_000))?;
        same("fee plus seller's share, in cents", &(fee + seller), &charged)?;
        Ok(price)
    }
}

/// Reads a decimal fraction (`0.049`) as digits, not as a float.
fn basis_points(rate: &Value) -> Result<i64, UnexpectedReply> {
    let text = rate.to_string();
    let digits = text.strip_prefix("0.").unwrap_or("0");
    let padded = format!("{digits:0<4}");
    let bps = if padded.len() == 4 { padded.parse().ok() } else { None };
    bps.ok_or_else(|| UnexpectedReply(format!("fee_rate is {text}, not a whole number of basis points below 1")))
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} charged = {} fee + {} for the seller", usd(self.charged), usd(self.fee), usd(self.seller))
    }
}

fn usd(micros: i64) -> String {
    format!("{}.{:06} USD", micros / 1_000_000, micros % 1_000_000)
}

/// The amount, in micro-dollars, of the one ledger entry of this type that an agent has for a call.
pub(super) async fn entry(agent: &Agent, request_id: &str, kind: &str) -> Result<i64, UnexpectedReply> {
    let ledger = agent.get("/ledger").query("type", kind).send().await?.expect(200)?;
    let entries = ledger["entries"].as_array().cloned().unwrap_or_default();
    let mut mine = entries.iter().filter(|entry| entry["request_id"] == request_id);
    let (Some(entry), None) = (mine.next(), mine.next()) else {
        return Err(UnexpectedReply(format!("GET /ledger does not show exactly one {kind} for {request_id}")));
    };
    let amount = entry["amount"]["amount_micros"].as_i64();
    amount.ok_or_else(|| UnexpectedReply(format!("the {kind} in GET /ledger has no amount_micros")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn delivered(fee_micros: i64, fee_cents: i64) -> Value {
        json!({
            "charged_amount": { "amount_micros": 1_000_000, "amount_cents": 100 },
            "fees": {
                "fee_rate": 0.049,
                "fee_amount_micros": fee_micros,
                "seller_receives_micros": 1_000_000 - fee_micros,
                "fee_amount_cents": fee_cents,
                "seller_receives_cents": 100 - fee_cents,
            },
        })
    }

    #[test]
    fn sums_are_checked() {
        assert!(Price::read(&delivered(49_000, 5), 1_000_000).is_ok());
        assert!(Price::read(&delivered(49_001, 5), 1_000_000).is_err());
        assert!(Price::read(&delivered(49_000, 4), 1_000_000).is_err());
        assert!(Price::read(&delivered(49_000, 5), 250_000).is_err());
        assert_eq!(basis_points(&json!(0.0)), Ok(0));
        assert_eq!(basis_points(&json!(0.5)), Ok(5_000));
    }
}
