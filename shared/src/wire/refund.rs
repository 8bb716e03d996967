//! Refunds in replies.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::money::Amount;
use crochet_domain::refund::PaidRefund;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};

/// The body of a request that says everything in its path.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
pub struct NoFields {}

/// A refund that was paid.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundView {
    /// Refund id: `refund_…`.
    pub id: String,
    /// The calls that it paid back.
    pub request_ids: Vec<String>,
    /// What was paid to the buyer.
    pub amount: Amount,
    /// Always `settled`.
    pub status: &'static str,
    /// The provider's id for the payment.
    pub relay_request_id: String,
    /// When the payment was recorded.
    #[schema(format = DateTime)]
    pub paid_at: String,
}

/// `data` of a paid refund.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneRefund {
    /// The refund.
    pub refund: RefundView,
}

impl From<&PaidRefund> for RefundView {
    fn from(paid: &PaidRefund) -> Self {
        Self {
            id: paid.id.to_string(),
            request_ids: paid.calls.iter().map(|call| call.id.to_string()).collect(),
            amount: paid.amount.into(),
            status: "settled",
            relay_request_id: paid.payment_id.clone(),
            paid_at: rfc3339(from_unix_ms(paid.paid_ms)),
        }
    }
}
