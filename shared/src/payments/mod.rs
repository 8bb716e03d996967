//! Payment providers behind one trait. Money never passes through Crochet: a quote pays the seller's own wallet.

mod price;
mod provider;
mod relay;

use std::sync::Arc;

use url::Url;

use crate::config::ProviderSecret;
use crate::operator_secret::OperatorSecret;

pub use price::{payment_required, price_only};
pub use provider::{
    FilledPayments, PaymentProvider, ProviderPayment, ProviderQuote, ProviderStatus, ProviderUnavailable, QuoteFailure,
    QuoteRequest, RecordWanted, UnreadablePaymentId, WebhookEvent, WebhookRefused,
};

/// The name of the payment provider of this deployment.
pub const PROVIDER: &str = relay::PROVIDER;

/// The payment provider of this deployment, at `base`, with the operator's key.
#[must_use]
pub fn provider(base: &Url, secret: OperatorSecret<ProviderSecret>) -> Arc<dyn PaymentProvider> {
    Arc::new(relay::Relay::new(base, secret))
}
