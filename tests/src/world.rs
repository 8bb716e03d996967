//! What a test works with: clients of a stack, its controls and its books.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crochet::store::keys::Whose;
use crochet_client::{Agent, Client, SandboxControls, SellerControls, Wallet};
use crochet_domain::score::facts::PayerFacts;
use crochet_domain::score::fade::{DAYS, day_of};
use crochet_domain::timestamp::unix_ms;
use crochet_local::{Ran, Stack, Swept, Times};
use serde_json::{Value, json};
use tokio::sync::{RwLockReadGuard, RwLockWriteGuard};

use crate::books::Books;
use crate::costs::Costs;
use crate::declared_errors;
use crate::expect::text;
use crate::failure::{Failure, Outcome};
use crate::names::unique_name;
use crate::outside::{Function, Outside, invoke, told_by_an_edge, variable};

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
pub(crate) struct Inside {
    pub(crate) client: Client,
    pub(crate) sandbox: SandboxControls,
    pub(crate) seller: SellerControls,
    pub(crate) books: Books,
    pub(crate) stack: Arc<Stack>,
}

/// The clock and the provider's faults affect the whole stack. On a stack outside this process, tests that change them run
/// alone.
pub(crate) enum Turn {
    Many { _guard: RwLockReadGuard<'static, ()> },
    One { _guard: RwLockWriteGuard<'static, ()> },
}

impl World {
    /// What a test works with on a stack in this process.
    pub(crate) fn inside(inside: Inside) -> Self {
        let Inside { client, sandbox, seller, books, stack } = inside;
        Self { client, sandbox, seller, books: Some(books), stack: Some(stack), called: AtomicBool::new(false), _turn: None }
    }

    /// What a test works with on a stack outside this process. It has its turn for as long as this lives.
    pub(crate) fn outside(outside: Outside, turn: Turn) -> Self {
        let client = Client::new(&outside.base).with_headers(told_by_an_edge()).observed_by(declared_errors::check);
        Self {
            sandbox: SandboxControls::new(&outside.sandbox),
            seller: SellerControls::new(&outside.seller),
            books: outside.dynamodb.map(|url| Books::new(client.clone(), url, outside.table)),
            client,
            stack: None,
            called: AtomicBool::new(false),
            _turn: Some(turn),
        }
    }

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

    /// Sweeps once within these times, and tells what was done. Only on a stack in this process.
    pub async fn swept_within(&self, times: Times) -> Result<Swept, Failure> {
        self.stack()?.sweep_within(times).await.map_err(Failure::new)
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

    /// Counts scores once, with this time for comparing one seller with its calls. Only on a stack in this process.
    pub async fn count_scores_within(&self, within: Duration) -> Result<Ran, Failure> {
        self.stack()?.count_scores_within(within).await.map_err(Failure::new)
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
    pub(crate) async fn finish(&self) -> Outcome {
        crate::actions::write();
        if self.called.load(Ordering::Relaxed) {
            self.audit().await?;
        }
        Ok(())
    }
}
