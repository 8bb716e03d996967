//! A buyer, a seller and a listing between them.

use crochet_client::{Agent, Listing, Reply, Request};
use serde_json::{Value, json};

use crate::expect::{PRIVATE_MARK, Replies, list, members, text};
use crate::failure::Failure;
use crate::names::unique_name;
use crate::world::World;

/// Seconds after which any failed attempt may be repeated, where limits are relaxed.
pub const LONGEST_RETRY_WAIT: i64 = 110;

/// A buyer and a seller with one listing.
pub struct Market<'a> {
    /// The stack.
    pub world: &'a World,
    /// Pays in SOL by default.
    pub buyer: Agent,
    /// Owns the listing.
    pub seller: Agent,
    /// The listing that is called.
    pub listing: Listing,
    /// The path of its endpoint at the demo seller.
    pub path: String,
}

/// A 402 with a quote.
#[derive(Debug, Clone)]
pub struct Quote {
    /// `relay_request_id`.
    pub id: String,
    /// The reply with the quote.
    pub reply: Reply,
}

impl Quote {
    /// Reads the quote from a 402.
    ///
    /// # Panics
    /// Where the answer is another one.
    #[track_caller]
    pub fn of(reply: Reply) -> Self {
        reply.refused(402, "PAYMENT_REQUIRED");
        Self { id: text(&reply.data()["payment"], "relay_request_id").to_owned(), reply }
    }

    /// `data.payment`.
    #[must_use]
    pub fn payment(&self) -> &Value {
        &self.reply.data()["payment"]
    }

    /// `error.details`.
    #[must_use]
    pub fn details(&self) -> &Value {
        &self.reply.error()["details"]
    }
}

impl World {
    /// A market whose calls cost `price` USD and are echoed by a private endpoint.
    pub async fn market(&self, price: f64) -> Result<Market<'_>, Failure> {
        self.market_at(&json!(price), &format!("/echo/{PRIVATE_MARK}{}", unique_name())).await
    }

    /// A market with a paid listing at this path of the demo seller.
    pub async fn market_at(&self, price: &Value, path: &str) -> Result<Market<'_>, Failure> {
        let fields = self.paid_fields(price, path);
        self.market_with(&fields, path).await
    }

    /// A market with a free listing at this path of the demo seller.
    pub async fn free_market(&self, path: &str) -> Result<Market<'_>, Failure> {
        let fields = self.free_fields(path);
        self.market_with(&fields, path).await
    }

    /// A market with a listing of these fields.
    pub async fn market_with(&self, fields: &Value, path: &str) -> Result<Market<'_>, Failure> {
        let (buyer, seller) = (self.agent().await?, self.agent().await?);
        self.market_of(buyer, seller, fields, path).await
    }

    /// A market with this buyer and this seller.
    pub async fn market_of(&self, buyer: Agent, seller: Agent, fields: &Value, path: &str) -> Result<Market<'_>, Failure> {
        self.called();
        let listing = seller.create_listing(fields).await?;
        if !listing.signing_secret.is_empty() {
            self.seller.add_secret(&listing.signing_secret, path).await?;
        }
        Ok(Market { world: self, buyer, seller, listing, path: path.to_owned() })
    }

    /// A new path of the demo seller that echoes.
    #[must_use]
    pub fn echo_path(&self) -> String {
        format!("/echo/{PRIVATE_MARK}{}", unique_name())
    }
}

impl Market<'_> {
    /// A call by the buyer.
    #[must_use]
    pub fn call(&self, body: &Value) -> Request {
        self.buyer.call(&self.listing.id, body)
    }

    /// A call by the buyer with this exact body.
    #[must_use]
    pub fn call_raw(&self, body: impl Into<Vec<u8>>) -> Request {
        let path = format!("/gateway/{}", self.listing.id);
        self.buyer.post(&path).header("content-type", "application/json").raw_body(body.into())
    }

    /// Makes the first call, which returns a quote.
    pub async fn quote(&self, body: &Value) -> Result<Quote, Failure> {
        Ok(Quote::of(self.call(body).send().await?))
    }

    /// Makes the first call and pays its quote.
    pub async fn paid(&self, body: &Value) -> Result<Quote, Failure> {
        let quote = self.quote(body).await?;
        self.world.sandbox.pay(&quote.id).await?;
        Ok(quote)
    }

    /// Repeats the call with the payment's id.
    pub async fn redeem(&self, quote: &Quote, body: &Value) -> Result<Reply, Failure> {
        Ok(self.call(body).paid_with(&quote.id).send().await?)
    }

    /// Makes the first call, pays, and repeats the call until delivery.
    pub async fn buy(&self, body: &Value) -> Result<(Quote, Reply), Failure> {
        let quote = self.paid(body).await?;
        let reply = self.redeem(&quote, body).await?;
        reply.ok(200);
        Ok((quote, reply))
    }

    /// Sets members of the listing's endpoint in the table, in DynamoDB JSON, to values that no seller may set. Without members,
    /// it removes the endpoint.
    pub async fn set_endpoint(&self, members: &[(&str, Value)]) -> Result<(), Failure> {
        let books = self.world.books().ok_or_else(|| Failure::new("this stack's table is unreachable"))?;
        books.set_endpoint(&self.listing.id, members).await
    }

    /// The slots that are kept for calls in flight at the listing, those included that have ended by themselves.
    pub async fn slots(&self) -> Result<usize, Failure> {
        let books = self.world.books().ok_or_else(|| Failure::new("this stack's table is unreachable"))?;
        let key = json!({ "PK": { "S": format!("TRAFFIC#{}", self.listing.id) }, "SK": { "S": "TRAFFIC" } });
        let item = books.item(&key).await?.unwrap_or_default();
        Ok(members(&item).iter().filter(|name| name.starts_with("s:")).count())
    }

    /// Suspends the listing in the table, as an operator would.
    pub async fn suspend_as_operator(&self) -> Result<(), Failure> {
        let books = self.world.books().ok_or_else(|| Failure::new("this stack's table is unreachable"))?;
        books.suspend(&self.listing.id).await
    }

    /// The number of in-flight slots that calls of this listing hold now.
    pub async fn slots_taken(&self) -> Result<i64, Failure> {
        let now = self.world.stack()?.clock().now().unix_timestamp();
        self.world.table_of_books()?.slots_taken(&self.listing.id, now).await
    }

    /// The calls with this id that the seller received. Failing endpoints are shared, so the id is needed.
    pub async fn received(&self, request_id: &str) -> Result<Vec<Value>, Failure> {
        Ok(self.world.seller.calls(&[("webhook_id", request_id)]).await?)
    }

    /// All calls that this market's private echo received.
    pub async fn all_received(&self) -> Result<Vec<Value>, Failure> {
        assert!(self.path.contains(PRIVATE_MARK), "only an endpoint of this market's own records who called it");
        Ok(self.world.seller.calls(&[("path", &self.path)]).await?)
    }

    /// The buyer's row for a payment in the history.
    ///
    /// # Errors
    /// If there is none.
    pub async fn row(&self, payment_id: &str) -> Result<Value, Failure> {
        let reply = self.buyer.get("/gateway-requests").query("limit", 100).send().await?;
        let rows = list(reply.ok(200), "gateway_requests").to_vec();
        let row = rows.into_iter().find(|row| row["relay_request_id"] == payment_id);
        row.ok_or_else(|| Failure::new(format!("no row for {payment_id} in the history")))
    }

    /// The entries of `agent`'s account for one call.
    pub async fn entries(&self, agent: &Agent, request_id: &str) -> Result<Vec<Value>, Failure> {
        let reply = agent.get("/ledger").query("limit", 100).send().await?;
        let entries = list(reply.ok(200), "entries").to_vec();
        Ok(entries.into_iter().filter(|entry| entry["request_id"] == request_id).collect())
    }
}
