//! What sellers do with listings and their endpoints.

mod challenge;
mod create;
mod delete;
mod endpoint;
mod endpoint_change;
mod endpoint_races;
mod endpoint_rotate;
mod endpoint_secrecy;
mod endpoint_stores;
mod endpoint_test;
mod pricing;
mod schema_patterns;
mod sealed_endpoints;
mod secret_sweep;
mod slugs;
mod status;
mod untested;
mod update;
