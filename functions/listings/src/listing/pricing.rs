//! The price of a call, parsed exactly as written.

use crochet::http::ApiError;
use crochet_domain::listing::PricingModel;
use crochet_domain::money::{Micros, PriceError, parse_usd};
use serde_json::value::RawValue;

const FIELD: &str = "pricing_amount";

/// Parses `pricing_amount`.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(crate) fn amount(number: &RawValue) -> Result<Micros, ApiError> {
    parse_usd(number.get()).map_err(|error| match error {
        PriceError::NotANumber => ApiError::field(FIELD, "must be a JSON number in USD"),
        PriceError::TooManyDecimals => ApiError::field(FIELD, "must have at most six decimals"),
        PriceError::OutOfRange => out_of_range(),
    })
}

/// The pricing model and price after a change. `None` leaves a field as it is.
///
/// # Errors
/// `INVALID_REQUEST` if the model and the price do not match.
pub(crate) fn apply_pricing(
    before: (PricingModel, Micros),
    model: Option<PricingModel>,
    amount: Option<Option<Micros>>,
) -> Result<(PricingModel, Micros), ApiError> {
    let model = model.unwrap_or(before.0);
    let amount = amount.map(|amount| amount.unwrap_or(Micros::ZERO));
    match model {
        PricingModel::Free if amount.unwrap_or(Micros::ZERO) != Micros::ZERO => Err(ApiError::field(
            FIELD,
            "must be 0, null or left out for a free listing; set pricing_model to per_call to charge for calls",
        )),
        PricingModel::Free => Ok((model, Micros::ZERO)),
        PricingModel::PerCall => match amount.unwrap_or(before.1) {
            Micros::ZERO if amount.is_none() => Err(ApiError::required(FIELD, "for a per_call listing")),
            Micros::ZERO => Err(out_of_range()),
            price => Ok((model, price)),
        },
    }
}

fn out_of_range() -> ApiError {
    ApiError::field(FIELD, "must be from 0.0001 to 10000 USD for a per_call listing; only a free listing can have 0")
}

#[cfg(test)]
mod tests {
    use super::*;

    use PricingModel::{Free, PerCall};

    fn parse(text: &str) -> Result<Micros, ApiError> {
        amount(&RawValue::from_string(text.into()).expect("JSON"))
    }

    #[test]
    fn numbers_are_parsed_as_written() {
        for (text, micros) in
            [("0.0001", 100), ("1e-4", 100), ("0.1", 100_000), ("9999.999999", 9_999_999_999), ("0", 0), ("0.10000000", 100_000)]
        {
            assert_eq!(parse(text).expect("a price"), Micros(micros), "{text}");
        }
        for bad in ["\"1\"", "true", "[1]", "{}", "0.0000001", "0.00009", "10000.000001", "-1", "1e400"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn model_and_amount_must_match() {
        let (free, paid) = ((Free, Micros::ZERO), (PerCall, Micros(500)));
        let seven = Some(Some(Micros(700)));
        for (before, model, amount, expected) in [
            (free, None, None, Some(free)),
            (free, Some(Free), Some(None), Some(free)),
            (free, Some(Free), Some(Some(Micros::ZERO)), Some(free)),
            (free, None, seven, None),
            (free, Some(PerCall), None, None),
            (free, Some(PerCall), seven, Some((PerCall, Micros(700)))),
            (paid, None, None, Some(paid)),
            (paid, None, seven, Some((PerCall, Micros(700)))),
            (paid, None, Some(None), None),
            (paid, None, Some(Some(Micros::ZERO)), None),
            (paid, Some(Free), None, Some(free)),
            (paid, Some(Free), seven, None),
        ] {
            assert_eq!(apply_pricing(before, model, amount).ok(), expected, "{before:?} {model:?} {amount:?}");
        }
    }
}
