//! The stack of a test: shared or isolated.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crochet::store::keys::Whose;
use crochet_client::{Agent, Client, Reply, SandboxControls, SellerControls, Wallet};
use crochet_domain::score::facts::PayerFacts;
use crochet_domain::score::fade::{DAYS, day_of};
use crochet_domain::timestamp::unix_ms;
use crochet_local::{KillSwitch, Options, Ran, Rewire, SellerNetwork, Stack, Webhooks};
use serde_json::{Value, json};
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::books::Books;
use crate::costs::Costs;
use crate::declared_errors;
use crate::expect::text;
use crate::failure::{Failure, Outcome};
use crate::names::unique_name;
use crate::outside::{Function, Outside, Place, invoke, leave_out, variable};
use crate::runtime::runtime;

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

/// What a test works with.
pub struct World {
    /// A client of the API.
    pub client: Client,
    /// The payment provider's controls.
    pub sandbox: SandboxControls,
    /// The demo seller's controls.
    pub seller: SellerControls,
    books: Option<Books>,
    stack: Option<Arc<Stack>>,
    called: AtomicBool,
    _turn: Option<Turn>,
}

/// A stack in this process, and clients that reuse their connections to it.
#[derive(Clone)]
struct Inside {
    client: Client,
    sandbox: SandboxControls,
    seller: SellerControls,
    books: Books,
    stack: Arc<Stack>,
}

/// The clock and the provider's faults affect the whole stack. On a stack outside this process, tests that change them run
/// alone.
enum Turn {
    Many { _guard: RwLockReadGuard<'static, ()> },
    One { _guard: RwLockWriteGuard<'static, ()> },
}

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
        let world = shared_stack().await?.world();
        test(&world).await?;
        world.finish().await
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
    let client = Client::new(&outside.base).observed_by(declared_errors::check);
    let world = World {
        sandbox: SandboxControls::new(&outside.sandbox),
        seller: SellerControls::new(&outside.seller),
        books: outside.dynamodb.map(|url| Books::new(client.clone(), url, outside.table)),
        client,
        stack: None,
        called: AtomicBool::new(false),
        _turn: Some(turn),
    };
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
        let world = start(setup).await?.world();
        test(&world).await?;
        world.finish().await
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
        let world = start(setup).await?.world();
        test(&world).await?;
        world.finish().await
    })
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

impl Inside {
    fn world(self) -> World {
        World {
            client: self.client,
            sandbox: self.sandbox,
            seller: self.seller,
            books: Some(self.books),
            stack: Some(self.stack),
            called: AtomicBool::new(false),
            _turn: None,
        }
    }
}

/// The endpoint of DynamoDB Local, if one runs.
pub(crate) fn dynamodb_from_env() -> Option<String> {
    variable("CROCHET_DYNAMODB_ENDPOINT")
}

impl World {
    /// Registers an agent with a Solana wallet, as buyer and seller.
    pub async fn agent(&self) -> Result<Agent, Failure> {
        Ok(self.client.register(&Wallet::solana(), &format!("Agent {}", unique_name())).await?)
    }

    /// Registers an agent with an EVM wallet, as buyer and seller.
    pub async fn evm_agent(&self) -> Result<Agent, Failure> {
        Ok(self.client.register(&Wallet::evm(), &format!("Agent {}", unique_name())).await?)
    }

    /// A paid listing's fields; `path` is one of the demo seller's.
    #[must_use]
    pub fn paid_fields(&self, price: &Value, path: &str) -> Value {
        json!({
            "name": format!("Service {}", unique_name()),
            "description": "Does what it is told.",
            "pricing_model": "per_call",
            "pricing_amount": price,
            "private_endpoint_url": self.seller.url(path),
        })
    }

    /// A free listing's fields, with an endpoint at `path` of the demo seller.
    #[must_use]
    pub fn free_fields(&self, path: &str) -> Value {
        json!({
            "name": format!("Service {}", unique_name()),
            "description": "Does what it is told.",
            "pricing_model": "free",
            "private_endpoint_url": self.seller.url(path),
        })
    }

    /// The costs of requests. `None` on a stack outside this process.
    #[must_use]
    pub fn costs(&self) -> Option<Costs> {
        self.stack.as_ref().map(|stack| Costs::new(stack.costs().clone()))
    }

    /// A client of the stack's port, whatever the public URL is. `None` if the stack serves no site.
    #[must_use]
    pub fn site_client(&self) -> Option<Client> {
        match &self.stack {
            Some(stack) => stack.site_url().map(|url| Client::new(url).observed_by(declared_errors::check)),
            None => Some(self.client.clone()),
        }
    }

    /// Moves the stack's clock. Only on an isolated stack.
    pub async fn later(&self, seconds: i64) -> Result<(), Failure> {
        self.sandbox.advance_clock(seconds * 1_000).await?;
        Ok(())
    }

    /// Sweeps once.
    pub async fn sweep(&self) -> Outcome {
        match &self.stack {
            Some(stack) => stack.sweep().await.map(drop).map_err(Failure::new),
            None => match invoke(Function::GatewaySweeper, &json!({})).await? {
                Some(_) => Ok(()),
                None => Err(Failure::needs_own_process()),
            },
        }
    }

    /// Moves the clock to the next noon (UTC), so that a test is sure of its days. Only on an isolated stack.
    pub async fn at_noon(&self) -> Outcome {
        let now_ms = unix_ms(self.stack()?.app().await.map_err(Failure::new)?.clock.now());
        self.later((43_200 - now_ms / 1_000).rem_euclid(86_400)).await
    }

    /// Counts scores once. Only on a stack in this process.
    pub async fn count_scores(&self) -> Result<Ran, Failure> {
        self.stack()?.count_scores().await.map_err(Failure::new)
    }

    /// Forgets what was counted of a seller's calls on the days that are folded. Only on a stack in this process.
    pub async fn spoil_counts(&self, seller: &str) -> Outcome {
        let app = self.stack()?.app().await.map_err(Failure::new)?;
        let seller = seller.parse().map_err(|_| Failure::new("not an id"))?;
        let (whose, today) = (Whose::Seller(seller), day_of(unix_ms(app.clock.now())));
        for (day, _) in app.store.books(whose, today - DAYS + 1, today - 2).await? {
            app.store
                .count_in_day(whose, day, |counted| {
                    counted.book.payers = PayerFacts::default();
                    true
                })
                .await?;
        }
        Ok(())
    }

    /// Moves the clock to the start of a minute, so that the following requests share it. Only on an isolated stack.
    pub async fn at_a_minutes_start(&self) -> Outcome {
        let health = self.client.get("/health").send().await?;
        let time = text(health.data(), "time").to_owned();
        let seconds: i64 = time.get(17..19).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        self.later(61 - seconds).await
    }

    /// The URL of Secrets Manager, if it is known.
    pub(crate) fn secrets_url(&self) -> Option<String> {
        self.stack.as_ref().map_or_else(|| variable("CROCHET_TEST_SECRETS_URL"), |stack| Some(stack.secrets_url().to_owned()))
    }

    /// The stack of this process.
    ///
    /// # Errors
    /// If the stack is outside this process.
    pub(crate) fn stack(&self) -> Result<&Stack, Failure> {
        self.stack.as_deref().ok_or_else(Failure::needs_own_process)
    }

    /// Direct access to the table.
    pub(crate) fn table_of_books(&self) -> Result<&Books, Failure> {
        self.books.as_ref().ok_or_else(|| Failure::new("this stack's table is unreachable"))
    }

    /// Direct access to the table, if it is reachable.
    pub(crate) fn books(&self) -> Option<&Books> {
        self.books.as_ref()
    }

    /// The whole table as text. `None` if it is unreachable.
    pub async fn stored(&self) -> Result<Option<String>, Failure> {
        match &self.books {
            Some(books) => books.items().await.map(|items| Some(Value::Array(items).to_string())),
            None => Ok(None),
        }
    }

    /// Records that calls were made, so that the ledger is audited in the end.
    pub(crate) fn called(&self) {
        self.called.store(true, Ordering::Relaxed);
    }

    /// Audits the ledger of every call. Returns the number of calls with entries, or `None` if the table is unreachable.
    ///
    /// # Errors
    /// A call whose entries do not sum to zero.
    pub async fn audit(&self) -> Result<Option<usize>, Failure> {
        match &self.books {
            Some(books) => Ok(Some(books.add_up().await?)),
            None => Ok(None),
        }
    }

    /// Audits the ledger if calls were made.
    async fn finish(&self) -> Outcome {
        crate::actions::write();
        if self.called.load(Ordering::Relaxed) {
            self.audit().await?;
        }
        Ok(())
    }
}
