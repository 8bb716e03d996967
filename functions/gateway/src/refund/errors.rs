//! The errors of a refund. PAYMENT_REQUIRED stands at the route, because it comes with `data.payment`.

use axum::extract::Path;
use crochet::http::caller::Agent;
use crochet::http::limited::{Limited, Refunds};
use crochet::http::request::JsonOrNothing;
use crochet::wire::refund::NoFields;

crochet::error_list!(
    RefundErrors: Limited<Agent, Refunds>, Path<String>, JsonOrNothing<NoFields>;
    CallNotFound, CallRoleRequired, NothingOwed, UnsupportedOriginCurrency, PaymentWalletRequired, PaymentRouteMinimumNotMet,
    PaymentRouteUnavailable, PaymentProviderUnavailable, PaymentMismatch, QuoteLimit
);
