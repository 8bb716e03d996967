//! How a test gets its stack: a shared one, one of its own, or one outside this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crochet_client::Reply;
use crochet_local::{KillSwitch, Options, Rewire, SellerNetwork, Stack, Webhooks};
use tokio::sync::{OnceCell, RwLock};

use crate::books::Books;
use crate::declared_errors;
use crate::failure::{Failure, Outcome};
use crate::names::unique_name;
use crate::outside::{Outside, Place, leave_out, variable};
use crate::runtime::runtime;
use crate::world::{Inside, Turn, World};

/// A low difficulty for hundreds of registrations. `auth_challenge` tests the default.
const DIFFICULTY: (&str, &str) = ("CROCHET_POW_DIFFICULTY", "2");

/// Settings of an isolated stack.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Environment variables of the functions. They override the suite's own.
    pub settings: Vec<(&'static str, String)>,
    /// A DynamoDB to use instead of the suite's.
    pub dynamodb: Option<String>,
    /// The network for calls to sellers.
    pub sellers: Option<SellerNetwork>,
    /// Whether the sandbox sends its webhooks to the gateway.
    pub webhooks: bool,
    /// Changes the functions' settings once the addresses of all parts are known.
    pub rewire: Option<Rewire>,
    /// Ends requests as if their process had died.
    pub kill_switch: Option<KillSwitch>,
    /// Sees every reply, instead of the check that a route declares its errors.
    pub observer: Option<fn(&Reply)>,
}

impl Setup {
    /// A setup with these variables.
    #[must_use]
    pub fn settings(settings: &[(&'static str, &str)]) -> Self {
        Self { settings: settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(), ..Self::default() }
    }
}

/// Number of shared stacks. Each test audits its whole table, so the tests are spread over several.
const SHARED: usize = 12;

static TURNS: RwLock<()> = RwLock::const_new(());

/// Tests that keep the whole machine busy run while no other does. Otherwise the others would find the service too slow.
static MACHINE: RwLock<()> = RwLock::const_new(());

/// Runs a test on a shared stack. It must not move the clock or inject faults into the provider.
///
/// # Errors
/// The test's failure, or a call whose ledger entries do not sum to zero.
pub fn shared(test: impl AsyncFnOnce(&World) -> Outcome) -> Outcome {
    runtime().block_on(async {
        if let Some(outside) = Outside::from_env() {
            let turn = Turn::Many { _guard: TURNS.read().await };
            return run_outside(outside, turn, test).await;
        }
        let _machine = MACHINE.read().await;
        run_inside(shared_stack().await?, test).await
    })
}

/// Runs a test on a stack that no other test uses. It may move the clock and inject faults into the provider.
///
/// # Errors
/// Same as [`shared`].
pub fn isolated(test: impl AsyncFnOnce(&World) -> Outcome) -> Outcome {
    let Some(outside) = Outside::from_env() else {
        return with_setup(Setup::default(), test);
    };
    runtime().block_on(async {
        let turn = Turn::One { _guard: TURNS.write().await };
        let tidied = async |world: &World| {
            let outcome = test(world).await;
            world.sandbox.clear_faults().await?;
            world.sandbox.accept_keys(&[crochet_local::sandbox::API_KEY]).await?;
            let offset_ms = world.sandbox.clock_offset_ms().await?;
            world.sandbox.advance_clock(-offset_ms).await?;
            outcome
        };
        run_outside(outside, turn, tidied).await
    })
}

/// Runs a test on a stack outside this process, unless it turns out to need one in it.
async fn run_outside(outside: Outside, turn: Turn, test: impl AsyncFnOnce(&World) -> Outcome) -> Outcome {
    let world = World::outside(outside, turn);
    match test(&world).await {
        Err(failure) if failure.is_of_own_process() => {
            Place::LeftOut.record();
            Ok(())
        }
        outcome => {
            Place::Outside.record();
            outcome?;
            world.finish().await
        }
    }
}

/// Runs a test on an isolated stack with these settings. Such a stack is in this process: the test is left out where the suite runs on
/// a stack outside.
///
/// # Errors
/// Same as [`shared`].
pub fn with_setup(setup: Setup, test: impl AsyncFnOnce(&World) -> Outcome) -> Outcome {
    runtime().block_on(async {
        if leave_out() {
            return Ok(());
        }
        let _machine = MACHINE.read().await;
        run_inside(start(setup).await?, test).await
    })
}

/// Like [`with_setup`], while no other test runs: for tests that keep the whole machine busy.
///
/// # Errors
/// Same as [`shared`].
pub fn alone(setup: Setup, test: impl AsyncFnOnce(&World) -> Outcome) -> Outcome {
    runtime().block_on(async {
        if leave_out() {
            return Ok(());
        }
        let _machine = MACHINE.write().await;
        run_inside(start(setup).await?, test).await
    })
}

async fn run_inside(stack: Inside, test: impl AsyncFnOnce(&World) -> Outcome) -> Outcome {
    let world = World::inside(stack);
    test(&world).await?;
    world.finish().await
}

async fn shared_stack() -> Result<Inside, Failure> {
    static STACKS: [OnceCell<Inside>; SHARED] = [const { OnceCell::const_new() }; SHARED];
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let stack = &STACKS[NEXT.fetch_add(1, Ordering::Relaxed) % SHARED];
    Ok(stack.get_or_try_init(async || start(Setup::default()).await).await?.clone())
}

async fn start(setup: Setup) -> Result<Inside, Failure> {
    crate::actions::record();
    let mut options = Options::ephemeral();
    options.dynamodb_endpoint = setup.dynamodb.or_else(dynamodb_from_env);
    // A database that outlives this process may contain tables of other runs.
    options.table = format!("crochet-{}", unique_name());
    options.sellers = setup.sellers;
    options.webhooks = if setup.webhooks { Webhooks::ToGateway } else { Webhooks::Off };
    options.rewire = setup.rewire;
    options.kill_switch = setup.kill_switch;
    options.settings = vec![(DIFFICULTY.0.to_owned(), DIFFICULTY.1.to_owned())];
    for (name, value) in setup.settings {
        options.settings.retain(|(known, _)| known != name);
        options.settings.push((name.to_owned(), value));
    }
    let table = options.table.clone();
    let stack = Stack::start(options).await.map_err(Failure::new)?;
    let client = stack.client().observed_by(setup.observer.unwrap_or(declared_errors::check));
    Ok(Inside {
        sandbox: stack.sandbox(),
        seller: stack.seller(),
        books: Books::new(client.clone(), stack.dynamodb_url().to_owned(), table),
        client,
        stack: Arc::new(stack),
    })
}

/// The endpoint of DynamoDB Local, if one runs.
pub(crate) fn dynamodb_from_env() -> Option<String> {
    variable("CROCHET_DYNAMODB_ENDPOINT")
}
