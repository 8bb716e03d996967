//! `/gateway`, `/gateway-requests` and `/ledger`: calls, payments, and what is recorded of them.

mod answers;
mod breaker;
mod breaker_buyers;
mod breaker_probe;
mod concurrency;
mod currency;
mod endpoint;
mod failures;
mod fairness;
mod fee;
mod forward;
mod free;
mod idempotency;
mod in_flight;
mod ledger;
mod literal_agent;
mod outbound_limits;
mod paid;
mod payment_states;
mod provider;
mod quote;
mod requests;
mod requote;
mod settlement;
mod signature_libraries;
