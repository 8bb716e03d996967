//! What holds for every route: authorization, costs, secrecy, and the published documents.

mod admin;
mod authorization;
mod cors;
mod cors_browser;
mod cost;
mod documents;
mod documents_tools;
mod examples;
mod faults;
mod generated_clients;
mod health;
mod openapi;
mod operator;
mod raw_targets;
mod reply_forms;
mod rotation;
mod secrets;
mod signature_page;
mod skills;
mod smoke;
mod spelling;
mod ssrf;
mod ssrf_addresses;
mod wrong_moves;
mod wrong_requests;
