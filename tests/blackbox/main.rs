//! The black-box suite: one binary, whose modules mirror the routes.
//!
//! Each test bears the words of the promise that it holds the service to.

mod auth_challenge;
mod categories;
mod cost;
mod faults;
mod gateway_concurrency;
mod gateway_currency;
mod gateway_endpoint;
mod gateway_failures;
mod gateway_forward;
mod gateway_free;
mod gateway_idempotency;
mod gateway_paid;
mod gateway_payment_states;
mod gateway_provider;
mod gateway_quote;
mod gateway_replacement;
mod gateway_requests;
mod gateway_settlement;
mod health;
mod ledger;
mod listing_challenge;
mod listing_create;
mod listing_delete;
mod listing_endpoint;
mod listing_endpoint_change;
mod listing_endpoint_rotate;
mod listing_endpoint_secrecy;
mod listing_endpoint_test;
mod listing_get;
mod listing_pricing;
mod listing_status;
mod listing_update;
mod listings_browse;
mod me;
mod openapi;
mod recover;
mod register;
mod register_refusals;
mod signature_libraries;
mod smoke;
mod ssrf;
mod ssrf_addresses;
mod wallet_libraries;
