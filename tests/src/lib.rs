//! The harness of the black-box suite: stacks, clients, and assertions about replies.
//!
//! A test is a client from the outside: it uses HTTP and makes its own keys and hashes.
//!
//! ```no_run
//! use crochet_tests::{Outcome, Replies, shared};
//!
//! fn health_is_public() -> Outcome {
//!     shared(async |world| {
//!         world.client.get("/health").send().await?.ok(200);
//!         Ok(())
//!     })
//! }
//! ```

mod actions;
pub mod api_keys;
mod books;
pub mod breaker;
mod catalogue;
pub mod contracts;
mod costs;
mod counts;
mod declared_errors;
mod directory;
mod endpoint_program;
mod event;
mod eventually;
mod evm_chain;
pub mod examples;
mod expect;
mod failure;
mod histories;
pub mod internet;
mod literal_agent;
mod load;
mod market;
mod names;
mod operator;
mod opinion;
mod outbound;
mod outside;
pub mod policy;
mod programs;
mod proxy;
mod random;
mod raw_seller;
mod refunds;
mod runtime;
mod scripted_seller;
mod setup;
pub mod signature_page;
pub mod ssrf;
mod sweeper;
mod vault;
mod versions;
mod world;
mod wrong_moves;

pub use costs::{CostBudget, Costs, cost_budgets};
pub use crochet_client::{
    Agent, Ceremony, Chain, Client, Listing, Passkey, Person, Pow, Reply, Request, SandboxControls, SellerControls, Tampering,
    Wallet, solve,
};
pub use crochet_local::{Swept, TIMES, Times};
pub use directory::{Directory, blocks, npm_program, python};
pub use endpoint_program::{EndpointProgram, RunningEndpoint};
pub use event::{Event, Returned};
pub use eventually::eventually;
pub use evm_chain::EvmChain;
pub use expect::{Replies, at, is_time, is_uuid, list, members, number, text};
pub use failure::{Failure, Outcome};
pub use histories::{HistoryReport, run_histories};
pub use internet::{internet, trap};
pub use literal_agent::{AgentReport, run_literal_agents};
pub use load::Load;
pub use market::{LONGEST_RETRY_WAIT, Market, Quote};
pub use names::unique_name;
pub use opinion::opinion;
pub use outbound::{Destination, Outbound};
pub use outside::{Function, leave_out};
pub use programs::Program;
pub use proxy::{Fault, Proxy};
pub use random::{Random, runs_from_env, seeds};
pub use raw_seller::{RawReply, RawRequest, RawSeller};
pub use refunds::{close, refund, sum};
pub use runtime::block_on;
pub use scripted_seller::{Behavior, ScriptedSeller};
pub use setup::{Setup, alone, isolated, shared, with_setup};
pub use sweeper::sweep;
pub use versions::NextVersion;
pub use world::World;
pub use wrong_moves::{MovesReport, play_wrong_moves};
