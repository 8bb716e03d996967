//! The stack that a test speaks to: one for all tests, or one of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crochet_client::{Agent, Client, SandboxControls, SellerControls, Wallet};
use crochet_local::{Options, SellerNetwork, Stack};
use serde_json::{Value, json};
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::books::Books;
use crate::costs::Costs;
use crate::expect::text;
use crate::failure::{Failure, Outcome};
use crate::names::unique_name;
use crate::runtime::runtime;

/// Registrations by the hundred need no real work; `auth_challenge` tries the stack's own figure.
const DIFFICULTY: (&str, &str) = ("CROCHET_POW_DIFFICULTY", "2");

/// How a stack of one's own is set up.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Environment variables of the functions, before the suite's own.
    pub settings: Vec<(&'static str, String)>,
    /// A DynamoDB to be used instead of the suite's.
    pub dynamodb: Option<String>,
    /// What stands for the Internet when sellers are called.
    pub sellers: Option<SellerNetwork>,
}

impl Setup {
    /// A setup with these variables.
    #[must_use]
    pub fn settings(settings: &[(&'static str, &str)]) -> Self {
        Self { settings: settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(), ..Self::default() }
    }
}

/// Stacks that all tests share. Each test's books are added up over a whole table, which therefore should not be everyone's.
const SHARED: usize = 12;

/// What a test has at hand.
pub struct World {
    /// An outside client of the API.
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

/// A stack of this process, and clients that keep their connections to it.
#[derive(Clone)]
struct Inside {
    client: Client,
    sandbox: SandboxControls,
    seller: SellerControls,
    books: Books,
    stack: Arc<Stack>,
}

/// The clock and the provider's faults belong to the whole stack. Where tests cannot have stacks of their own, those that move
/// them take turns with all others.
enum Turn {
    Many { _guard: RwLockReadGuard<'static, ()> },
    One { _guard: RwLockWriteGuard<'static, ()> },
}

static TURNS: RwLock<()> = RwLock::const_new(());

/// Runs a test on the stack that all tests share. It must neither move the clock nor make the provider misbehave.
///
/// # Errors
/// The test's own, or books that do not add up afterwards.
pub fn shared(test: impl AsyncFnOnce(&World) -> Outcome) -> Outcome {
    runtime().block_on(async {
        let world = match Outside::from_env() {
            Some(outside) => outside.world(Turn::Many { _guard: TURNS.read().await }),
            None => shared_stack().await?.world(),
        };
        test(&world).await?;
        world.finish().await
    })
}

/// Runs a test that moves the clock or makes the provider misbehave: nobody else is on its stack.
///
/// # Errors
/// As [`shared`].
pub fn isolated(test: impl AsyncFnOnce(&World) -> Outcome) -> Outcome {
    if Outside::from_env().is_none() {
        return with_setup(Setup::default(), test);
    }
    runtime().block_on(async {
        let outside = Outside::from_env().ok_or_else(|| Failure::new("CROCHET_TEST_BASE_URL is gone"))?;
        let world = outside.world(Turn::One { _guard: TURNS.write().await });
        let outcome = test(&world).await;
        world.sandbox.clear_faults().await?;
        let offset_ms = world.sandbox.clock_offset_ms().await?;
        world.sandbox.advance_clock(-offset_ms).await?;
        outcome?;
        world.finish().await
    })
}

/// Runs a test on a stack of its own with these settings, always in this process.
///
/// # Errors
/// As [`shared`].
pub fn with_setup(setup: Setup, test: impl AsyncFnOnce(&World) -> Outcome) -> Outcome {
    runtime().block_on(async {
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
    let mut options = Options::ephemeral();
    options.dynamodb_endpoint = setup.dynamodb.or_else(dynamodb_from_env);
    // A database that outlives this process may hold other runs' tables.
    options.table = format!("crochet-{}", unique_name());
    options.sellers = setup.sellers;
    options.settings = vec![(DIFFICULTY.0.to_owned(), DIFFICULTY.1.to_owned())];
    for (name, value) in setup.settings {
        options.settings.retain(|(known, _)| known != name);
        options.settings.push((name.to_owned(), value));
    }
    let table = options.table.clone();
    let stack = Stack::start(options).await.map_err(Failure::new)?;
    let client = stack.client();
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

/// The real DynamoDB Local, where one runs.
pub(crate) fn dynamodb_from_env() -> Option<String> {
    variable("CROCHET_DYNAMODB_ENDPOINT")
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A stack that somebody else has started.
struct Outside {
    base: String,
    sandbox: String,
    seller: String,
    dynamodb: Option<String>,
    table: String,
}

impl Outside {
    fn from_env() -> Option<Self> {
        let base = variable("CROCHET_TEST_BASE_URL")?;
        let or = |name: &str, usual: &str| variable(name).unwrap_or_else(|| usual.to_owned());
        Some(Self {
            base,
            sandbox: or("CROCHET_TEST_SANDBOX_URL", "http://127.0.0.1:9001"),
            seller: or("CROCHET_TEST_SELLER_URL", "http://127.0.0.1:9002"),
            dynamodb: variable("CROCHET_TEST_DYNAMODB_URL"),
            table: or("CROCHET_TEST_TABLE", "crochet"),
        })
    }

    fn world(self, turn: Turn) -> World {
        let client = Client::new(&self.base);
        World {
            sandbox: SandboxControls::new(&self.sandbox),
            seller: SellerControls::new(&self.seller),
            books: self.dynamodb.map(|url| Books::new(client.clone(), url, self.table)),
            client,
            stack: None,
            called: AtomicBool::new(false),
            _turn: Some(turn),
        }
    }
}

impl World {
    /// A fresh agent with a Solana wallet that buys and sells.
    ///
    /// # Errors
    /// Where it cannot register.
    pub async fn agent(&self) -> Result<Agent, Failure> {
        Ok(self.client.register(&Wallet::solana(), &format!("Agent {}", unique_name())).await?)
    }

    /// A fresh agent with an EVM wallet that buys and sells.
    ///
    /// # Errors
    /// Where it cannot register.
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

    /// What requests have cost; none on a stack in another process.
    #[must_use]
    pub fn costs(&self) -> Option<Costs> {
        self.stack.as_ref().map(|stack| Costs::new(stack.costs().clone()))
    }

    /// A client of the port that answers, whatever the public URL says; none on a stack in another process.
    #[must_use]
    pub fn site_client(&self) -> Option<Client> {
        self.stack.as_ref().and_then(|stack| stack.site_url()).map(Client::new)
    }

    /// Moves the stack's clock. Only on a stack that nobody shares.
    ///
    /// # Errors
    /// Where the sandbox refuses.
    pub async fn later(&self, seconds: i64) -> Result<(), Failure> {
        self.sandbox.advance_clock(seconds * 1_000).await?;
        Ok(())
    }

    /// Moves the clock to a minute's start, so that what follows falls into one. Only on a stack that nobody shares.
    ///
    /// # Errors
    /// Where the stack does not answer.
    pub async fn at_a_minutes_start(&self) -> Outcome {
        let health = self.client.get("/health").send().await?;
        let time = text(health.data(), "time").to_owned();
        let seconds: i64 = time.get(17..19).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        self.later(61 - seconds).await
    }

    /// Where Secrets Manager is reached; none on a stack in another process.
    pub(crate) fn secrets_url(&self) -> Option<&str> {
        self.stack.as_ref().map(|stack| stack.secrets_url())
    }

    /// The stack of this process.
    ///
    /// # Errors
    /// Where the tests speak to one in another process.
    pub(crate) fn stack(&self) -> Result<&Stack, Failure> {
        self.stack.as_deref().ok_or_else(|| Failure::new("this needs a stack of this process"))
    }

    /// The table, for those who cannot do without.
    ///
    /// # Errors
    /// Where it cannot be reached.
    pub(crate) fn table_of_books(&self) -> Result<&Books, Failure> {
        self.books.as_ref().ok_or_else(|| Failure::new("the table of this stack cannot be reached"))
    }

    /// The table, where it can be reached.
    pub(crate) fn books(&self) -> Option<&Books> {
        self.books.as_ref()
    }

    /// Everything that the table holds, as text; none where the table cannot be seen.
    ///
    /// # Errors
    /// Where DynamoDB refuses.
    pub async fn stored(&self) -> Result<Option<String>, Failure> {
        match &self.books {
            Some(books) => books.everything().await.map(Some),
            None => Ok(None),
        }
    }

    /// Notes that calls were made, so that the books are looked at in the end.
    pub(crate) fn called(&self) {
        self.called.store(true, Ordering::Relaxed);
    }

    /// Adds the books of every call up and tells how many calls have any; none where the table cannot be seen.
    ///
    /// # Errors
    /// A call whose entries do not sum to zero.
    pub async fn audit(&self) -> Result<Option<usize>, Failure> {
        match &self.books {
            Some(books) => Ok(Some(books.add_up().await?)),
            None => Ok(None),
        }
    }

    /// The entries of a call sum to zero after every request of the suite.
    async fn finish(&self) -> Outcome {
        if self.called.load(Ordering::Relaxed) {
            self.audit().await?;
        }
        Ok(())
    }
}
