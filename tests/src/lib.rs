//! The harness of the black-box suite: stacks to test, outside clients, and what every answer must look like.
//!
//! A test is an outside client: it speaks HTTP, makes its own keys and hashes, and never calls the service's own code.
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

mod books;
mod catalogue;
pub mod contracts;
mod costs;
mod endpoint_program;
mod evm_chain;
mod expect;
mod failure;
pub mod internet;
mod moody_seller;
mod programs;
mod proxy;
mod shop;
mod vault;
mod world;

pub use costs::{Costs, Promise, promises};
pub use crochet_client::{
    Agent, Ceremony, Chain, Client, Listing, Passkey, Person, Pow, Reply, Request, SandboxControls, SellerControls, Twist, Wallet,
    solve,
};
pub use endpoint_program::{EndpointProgram, RunningEndpoint};
pub use evm_chain::EvmChain;
pub use expect::{Replies, at, is_time, is_uuid, list, members, number, text};
pub use failure::{Failure, Outcome};
pub use moody_seller::{Mood, MoodySeller};
pub use programs::Program;
pub use proxy::{Fault, Proxy};
pub use shop::{Quote, Shop};
pub use world::{Setup, World, alone, block_on, shared, with};

/// A word that no other test uses: twelve lower-case letters and digits, beginning with a letter.
#[must_use]
pub fn word() -> String {
    let mut bytes = [0; 6];
    getrandom::fill(&mut bytes).expect("the system has a source of randomness");
    format!("w{}", &hex::encode(bytes)[1..])
}

/// A fresh [`internet::Internet`], before any stack is started over it.
///
/// # Errors
/// Where no port is free.
pub fn internet() -> Result<std::sync::Arc<internet::Internet>, Failure> {
    world::runtime().block_on(internet::Internet::start())
}

/// A fresh trap on this machine, outside that Internet.
///
/// # Errors
/// Where no port is free.
pub fn trap(speech: internet::Speech) -> Result<internet::Trap, Failure> {
    world::runtime().block_on(internet::Trap::start(speech))
}

/// Asks again and again, until the answer is there or ten seconds have gone by.
///
/// # Errors
/// Where it did not come to that, with `what` was awaited; or the question's own failure.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<Option<T>, Failure>) -> Result<T, Failure> {
    let began = std::time::Instant::now();
    while began.elapsed() < std::time::Duration::from_secs(10) {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    Err(Failure::new(format!("{what}: not within ten seconds")))
}
