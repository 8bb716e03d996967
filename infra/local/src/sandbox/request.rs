//! The body of `POST /quote/v2`.

use serde_json::{Map, Value};

use super::price::Wanted;
use super::refusal::Refusal;
use super::tokens::{self, Amount, Token};

/// A valid request for a quote.
pub(super) struct QuoteRequest {
    /// Who pays.
    pub(super) user: String,
    /// The recipient. Default: the payer.
    pub(super) recipient: String,
    /// The refund address.
    pub(super) refund_to: Option<String>,
    /// The caller's reference.
    pub(super) referrer: Option<String>,
    /// Seconds.
    pub(super) ttl: Option<u64>,
    /// The trade.
    pub(super) wanted: Wanted,
}

impl QuoteRequest {
    /// Parses a body. Unknown fields are ignored, as the provider does.
    ///
    /// # Errors
    /// The provider's errors.
    pub(super) fn read(body: &Value) -> Result<Self, Refusal> {
        let body = body.as_object().ok_or_else(|| Refusal::malformed("body must be object"))?;
        let user = required(body, "user")?;
        let origin = token(body, "originChainId", "originCurrency", "INVALID_INPUT_CURRENCY")?;
        let destination = token(body, "destinationChainId", "destinationCurrency", "INVALID_OUTPUT_CURRENCY")?;
        let units = amount(body)?;
        match required(body, "tradeType")?.as_str() {
            "EXACT_OUTPUT" => {}
            "EXACT_INPUT" | "EXPECTED_OUTPUT" => {
                return Err(Refusal::malformed("this sandbox quotes tradeType EXACT_OUTPUT only"));
            }
            _ => {
                return Err(Refusal::malformed("body/tradeType must be equal to one of the allowed values"));
            }
        }
        let recipient = match optional(body, "recipient")? {
            Some(recipient) => recipient,
            None if origin.is_evm() == destination.is_evm() => user.clone(),
            None => {
                return Err(Refusal::coded("INVALID_ADDRESS", "A recipient is required when the chains are of different kinds"));
            }
        };
        let refund_to = optional(body, "refundTo")?;
        check_address(origin.chain_id, &user, "user")?;
        check_address(destination.chain_id, &recipient, "recipient")?;
        if let Some(refund_to) = &refund_to {
            check_address(origin.chain_id, refund_to, "refundTo")?;
        }
        Ok(Self {
            user,
            recipient,
            refund_to,
            referrer: optional(body, "referrer")?,
            ttl: ttl(body)?,
            wanted: Wanted { origin, output: Amount { token: destination, units }, app_fees: app_fees(body)? },
        })
    }
}

fn required(body: &Map<String, Value>, name: &str) -> Result<String, Refusal> {
    optional(body, name)?.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Refusal {
    Refusal::malformed(format!("body must have required property '{name}'"))
}

fn optional(body: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::malformed(format!("body/{name} must be string"))),
    }
}

fn token(body: &Map<String, Value>, chain: &str, currency: &str, code: &'static str) -> Result<&'static Token, Refusal> {
    let chain_id = body.get(chain).ok_or_else(|| missing(chain))?;
    let chain_id = chain_id.as_u64().ok_or_else(|| Refusal::malformed(format!("body/{chain} must be number")))?;
    if chain_id != tokens::SOLANA && chain_id != tokens::BASE {
        return Err(Refusal::coded("UNSUPPORTED_CHAIN", format!("Chain {chain_id} is not supported")));
    }
    let address = required(body, currency)?;
    Token::find(chain_id, &address).ok_or_else(|| Refusal::coded(code, "Invalid input or output currency"))
}

/// Digits only, above zero, and small enough that no sum overflows.
fn amount(body: &Map<String, Value>) -> Result<u128, Refusal> {
    let text = required(body, "amount")?;
    let digits = (1..=30).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u128>() {
        Ok(0) => Err(Refusal::coded("AMOUNT_TOO_LOW", "Amount must be greater than zero")),
        Ok(units) if digits && units < 10_u128.pow(26) => Ok(units),
        _ => Err(Refusal::malformed("body/amount must match pattern \"^[0-9]+$\"")),
    }
}

fn check_address(chain_id: u64, address: &str, field: &str) -> Result<(), Refusal> {
    if tokens::is_address(chain_id, address) {
        return Ok(());
    }
    Err(Refusal::coded("INVALID_ADDRESS", format!("Invalid {field} address {address} for chain {chain_id}")))
}

fn ttl(body: &Map<String, Value>) -> Result<Option<u64>, Refusal> {
    match body.get("ttl") {
        None | Some(Value::Null) => Ok(None),
        Some(ttl) => match ttl.as_u64() {
            Some(seconds) if seconds > 0 => Ok(Some(seconds)),
            _ => Err(Refusal::malformed("body/ttl must be a whole number of seconds above zero")),
        },
    }
}

fn app_fees(body: &Map<String, Value>) -> Result<Vec<(String, u128)>, Refusal> {
    let fees = match body.get("appFees") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(fees) => fees.as_array().ok_or_else(|| Refusal::malformed("body/appFees must be array"))?,
    };
    fees.iter().enumerate().map(|(place, fee)| app_fee(place, fee)).collect()
}

fn app_fee(place: usize, fee: &Value) -> Result<(String, u128), Refusal> {
    let recipient = fee.get("recipient").and_then(Value::as_str).unwrap_or_default();
    if !tokens::is_evm_address(recipient) {
        return Err(Refusal::coded("INVALID_ADDRESS", format!("body/appFees/{place}/recipient must be an EVM address")));
    }
    let text = fee.get("fee").and_then(Value::as_str).unwrap_or_default();
    match text.parse::<u128>() {
        Ok(bps) if bps <= 10_000 && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok((recipient.to_owned(), bps)),
        _ => Err(Refusal::malformed(format!("body/appFees/{place}/fee must be basis points as a string, for example \"100\""))),
    }
}
