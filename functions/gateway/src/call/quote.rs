//! Making an offer: which currency, which wallets, what the provider asks, and under which names the call is kept.

use crochet::domain::call::{Call, Expected, PayFrom, Payment, PaymentState, State};
use crochet::domain::currency::{OriginCurrency, payable_with, payout_chain, payout_token};
use crochet::domain::ids::CallId;
use crochet::domain::money::Split;
use crochet::domain::profile::{Capability, Profile, Wallet};
use crochet::domain::wallet::Chain;
use crochet::http::limits::QUOTES_PER_BUYER;
use crochet::http::{ApiError, Code, Result};
use crochet::payments::{ProviderQuote, QuoteFailure, QuoteRequest};
use crochet::store::call::{AnonymousQuotes, Kept, Name, NamedCall, OpenQuotes, SecondRead, fresh_writer};
use crochet::store::counter::Traffic;

use super::Passage;
use super::incoming::JsonBody;
use super::offer::{Occasion, Requirements, offer};

/// How long the provider may fill a quote (seconds).
const QUOTE_TTL_SECONDS: i64 = 660;
/// A quote is offered until this long before the provider's limit (milliseconds).
const OFFER_MARGIN_MS: i64 = 60_000;
/// Open unpaid quotes of one buyer, before the local factor.
const OPEN_QUOTES: u32 = 5;

/// What an Idempotency-Key is bound to when it names this call.
pub(crate) fn name_of(call: &Call, version: u64) -> NamedCall {
    NamedCall {
        home: call.home(),
        listing: call.listing.id,
        body_sha256: call.body_sha256.clone(),
        currency: call.payment.as_ref().map(|payment| payment.origin_currency),
        version,
    }
}

impl Passage<'_> {
    /// No payment is named: an Idempotency-Key or the body may name a call that exists.
    pub(crate) async fn by_its_names(self, started: Option<Traffic>) -> Result {
        let body = self.incoming.json()?.clone();
        let read = self.read_names(&body).await?;
        if let Some(named) = &read.named {
            self.not_started(started).await?;
            self.check_key_fits(named, &body)?;
            return match self.state.app.store.calls(std::slice::from_ref(&named.home)).await?.pop() {
                Some(call) => self.proceed(call, false).await,
                None => Err(ApiError::internal("an Idempotency-Key names a call that is not there").alarm()),
            };
        }
        if let Some(call) = self.anonymous_candidate(&read).await? {
            self.not_started(started).await?;
            return self.proceed(call, true).await;
        }
        if self.listing.is_paid() {
            self.make_offer(read, Occasion::First, None).await
        } else {
            let key = self.incoming.idempotency_key.clone();
            self.free_call(started, key).await
        }
    }

    async fn read_names(&self, body: &JsonBody) -> Result<SecondRead> {
        let key = self.incoming.idempotency_key.as_deref();
        let anonymous = if key.is_none() { Some((self.listing_id(), body.sha256.as_str())) } else { None };
        Ok(self.state.app.store.second_read(self.agent.profile, Some(self.listing.seller.id), key, anonymous).await?)
    }

    fn check_key_fits(&self, named: &NamedCall, body: &JsonBody) -> Result<()> {
        let reused = |what: &str| ApiError::new(Code::IdempotencyKeyReused).detail("differs", what);
        if named.listing != self.listing_id() {
            return Err(reused("listing"));
        }
        if named.body_sha256 != body.sha256 {
            return Err(reused("body"));
        }
        match (named.currency, self.incoming.currency()?) {
            (Some(bound), Some(asked)) if bound != asked => Err(reused("currency")),
            _ => Ok(()),
        }
    }

    /// The quote that a request without key and id goes on with: the one of its currency; where no currency is asked for,
    /// another open one before a second one is made, so that nobody pays twice.
    async fn anonymous_candidate(&self, read: &SecondRead) -> Result<Option<Call>> {
        let Some(quotes) = &read.anonymous else { return Ok(None) };
        let asked = self.incoming.currency()?;
        let preferred = asked.or_else(|| default_currency(read.buyer.as_ref()));
        let mut homes: Vec<String> = quotes
            .quotes
            .iter()
            .filter(|(currency, _)| asked.is_none() || Some(*currency) == asked)
            .map(|(_, home)| home.clone())
            .collect();
        let first = quotes.quotes.iter().find(|(currency, _)| Some(*currency) == preferred).map(|(_, home)| home);
        homes.sort_by_key(|home| Some(home) != first);
        let calls = self.state.app.store.calls(&homes).await?;
        let open =
            calls.iter().position(|call| !matches!(call.state, State::Delivered { .. } | State::Undelivered | State::Expired));
        Ok(match open {
            Some(open) => calls.into_iter().nth(open),
            // Only finished ones: the newest tells what the new quote comes after.
            None => calls.into_iter().max_by_key(|call| call.created_ms),
        })
    }

    /// The same body after its call has ended, without key and id: a new call.
    pub(crate) async fn start_anew(self, occasion: Occasion) -> Result {
        if !self.listing.is_paid() {
            return self.free_call(None, None).await;
        }
        let body = self.incoming.json()?.clone();
        let read = self.read_names(&body).await?;
        self.make_offer(read, occasion, None).await
    }

    /// A quote came to nothing: the next one takes its names over. Where that has happened already, the next one is shown.
    pub(crate) async fn requote(self, before: Call, occasion: Occasion) -> Result {
        if !self.listing.is_paid() {
            return self.free_call(None, None).await;
        }
        let body = self.incoming.json()?.clone();
        let key = self.incoming.idempotency_key.clone().or_else(|| before.idempotency_key.clone());
        let anonymous = if key.is_none() { Some((self.listing_id(), body.sha256.as_str())) } else { None };
        let store = &self.state.app.store;
        let read = store.second_read(self.agent.profile, Some(self.listing.seller.id), key.as_deref(), anonymous).await?;
        let currency = before.payment.as_ref().map(|payment| payment.origin_currency);
        let successor = match (&read.named, &read.anonymous) {
            (Some(named), _) => Some(named.home.clone()),
            (None, Some(quotes)) => quotes.quotes.iter().find(|(c, _)| Some(*c) == currency).map(|(_, home)| home.clone()),
            (None, None) => None,
        };
        if let Some(home) = successor.filter(|home| *home != before.home())
            && let Some(call) = store.calls(std::slice::from_ref(&home)).await?.pop()
            && let Some(payment) = &call.payment
            && call.state == State::Quoted
            && self.now_ms() < payment.expires_ms
        {
            self.check_state()?;
            return Err(offer(&call, &occasion));
        }
        self.make_offer_as(read, occasion, currency, key).await
    }

    async fn make_offer(self, read: SecondRead, occasion: Occasion, currency: Option<OriginCurrency>) -> Result {
        let key = self.incoming.idempotency_key.clone();
        self.make_offer_as(read, occasion, currency, key).await
    }

    async fn make_offer_as(
        self,
        read: SecondRead,
        occasion: Occasion,
        currency: Option<OriginCurrency>,
        key: Option<String>,
    ) -> Result {
        self.check_state()?;
        let body = self.check_body()?;
        self.check_traffic()?;
        let currency = match currency {
            Some(currency) => Some(currency),
            None => self.incoming.currency()?,
        };
        let terms = self.terms(&read, currency)?;
        self.check_open_quotes(&read.open).await?;
        let id = CallId::generate(self.now);
        let ttl_ms = self.now_ms() + QUOTE_TTL_SECONDS * 1_000;
        let quote = self.ask_for_quote(id, &terms).await?;
        let call = self.quoted_call(id, &body, key.clone(), &terms, quote, ttl_ms)?;
        if let Err(full) = self.state.app.store.note_open_quote(call.buyer, &call.home(), ttl_ms, self.open_quote_limit()).await? {
            return Err(self.quote_limit(&full));
        }
        let name = match key {
            Some(key) => Name::Key { key, named: name_of(&call, read.named.as_ref().map_or(1, |named| named.version + 1)) },
            None => Name::Anonymous(with_quote(read.anonymous.unwrap_or_default(), terms.currency, call.home())),
        };
        match self.state.app.store.keep_call(&call, name).await? {
            Kept::Done => Err(offer(&call, &occasion)),
            Kept::PaymentIdKnown => Err(ApiError::new(Code::PaymentProviderUnavailable)
                .retry_after(2)
                .because("the provider gave the id of an earlier payment to a new quote")
                .alarm()),
            // A parallel request was first: its quote is the one.
            Kept::Raced => Err(self.offer_of_winner(&call).await?),
        }
    }

    /// The quote of the parallel request that was first at this call's name.
    async fn offer_of_winner(&self, mine: &Call) -> Result<ApiError> {
        let store = &self.state.app.store;
        let key = mine.idempotency_key.as_deref();
        let anonymous = if key.is_none() { Some((mine.listing.id, mine.body_sha256.as_str())) } else { None };
        let read = store.second_read(mine.buyer, None, key, anonymous).await?;
        let currency = mine.payment.as_ref().map(|payment| payment.origin_currency);
        let home = match (read.named, read.anonymous) {
            (Some(named), _) => {
                self.check_key_fits(&named, self.incoming.json()?)?;
                Some(named.home)
            }
            (None, Some(quotes)) => quotes.quotes.into_iter().find(|(c, _)| Some(*c) == currency).map(|(_, home)| home),
            (None, None) => None,
        };
        let winner = match home {
            Some(home) => store.calls(&[home]).await?.pop(),
            None => None,
        };
        Ok(match winner {
            Some(call) if call.state == State::Quoted => offer(&call, &Occasion::First),
            Some(call) => super::answer::in_progress(&call),
            // The other transaction is still on its way: nothing is lost by trying again.
            None => ApiError::new(Code::ServiceUnavailable).retry_after(1).because("a parallel quote is being written"),
        })
    }

    fn terms(&self, read: &SecondRead, asked: Option<OriginCurrency>) -> Result<Terms> {
        let missing = |who: &str| ApiError::internal(format!("the {who}'s profile is not there")).alarm();
        let buyer = read.buyer.as_ref().ok_or_else(|| missing("buyer"))?;
        let seller = read.seller.as_ref().ok_or_else(|| missing("seller"))?;
        let currency = asked.or_else(|| default_currency(Some(buyer))).unwrap_or(OriginCurrency::Sol);
        let payable = payable_with(self.listing.price, &seller.payout_chains());
        let names = |currencies: &[OriginCurrency]| currencies.iter().map(|c| c.as_str()).collect::<Vec<_>>();
        let Some(pay_from) = buyer.wallet_for(Capability::Payment, currency.chain()) else {
            let with_wallets: Vec<OriginCurrency> =
                payable.iter().copied().filter(|c| buyer.wallet_for(Capability::Payment, c.chain()).is_some()).collect();
            return Err(ApiError::new(Code::PaymentWalletRequired)
                .detail("origin_currency", currency.as_str())
                .detail("chain", currency.chain().as_str())
                .detail("payable_with_your_wallets", names(&with_wallets)));
        };
        let route = payout_chain(currency, &seller.payout_chains());
        let Some((payout, chain)) = route.and_then(|chain| Some((seller.wallet_for(Capability::Payout, chain)?, chain))) else {
            return Err(route_unavailable(currency, &names(&payable)));
        };
        let split = Split::of(self.listing.price, self.state.app.config.fee_rate);
        Ok(Terms { currency, pay_from: pay_from.clone(), expected: expected(payout, chain, split)?, split, payable })
    }

    async fn ask_for_quote(&self, call: CallId, terms: &Terms) -> Result<ProviderQuote> {
        let config = &self.state.app.config;
        let request = QuoteRequest {
            call,
            payer: terms.pay_from.address.as_str().to_owned(),
            origin: terms.currency.token(),
            expected: terms.expected.clone(),
            fee_wallet: config.fee_wallet.clone(),
            fee_bps: terms.split.app_fee_bps(),
            ttl_seconds: QUOTE_TTL_SECONDS,
        };
        let buyer = self.agent.profile.to_string();
        if let Some(standing) = self.state.app.limiter.is_known_exhausted(QUOTES_PER_BUYER, &buyer, self.now) {
            standing.within(Code::QuoteLimit)?;
        }
        let (standing, quote) =
            tokio::join!(self.state.app.limiter.count(QUOTES_PER_BUYER, &buyer, self.now), self.state.provider.quote(request));
        standing?.within(Code::QuoteLimit)?;
        quote.map_err(|failure| quote_failure(failure, terms))
    }

    fn quoted_call(
        &self,
        id: CallId,
        body: &JsonBody,
        key: Option<String>,
        terms: &Terms,
        quote: ProviderQuote,
        ttl_ms: i64,
    ) -> Result<Call> {
        let now_ms = self.now_ms();
        let pay_from = &terms.pay_from;
        let requirements = Requirements {
            kind: "relay",
            chain_id: terms.currency.token().chain_id,
            pay: quote.pay,
            steps: quote.steps,
            api_base: self.state.provider.api_base().to_owned(),
            status_url: self.state.provider.status_url(&quote.id),
            refund_to: pay_from.address.as_str().to_owned(),
        };
        Ok(Call {
            id,
            buyer: self.agent.profile,
            seller: self.listing.seller.id,
            listing: self.called_listing(),
            body_sha256: body.sha256.clone(),
            idempotency_key: key,
            split: terms.split,
            payment: Some(Payment {
                id: quote.id,
                origin_currency: terms.currency,
                pay_from: PayFrom {
                    wallet_id: pay_from.id,
                    address: pay_from.address.as_str().to_owned(),
                    chain: pay_from.address.chain(),
                },
                expected: terms.expected.clone(),
                expires_ms: ttl_ms - OFFER_MARGIN_MS,
                ttl_ms,
                requirements: serde_json::to_string(&requirements).map_err(ApiError::internal)?,
                state: PaymentState::Waiting,
            }),
            state: State::Quoted,
            attempts: Vec::new(),
            settled_ms: None,
            created_ms: now_ms,
            updated_ms: now_ms,
            version: 1,
            writer: fresh_writer(),
        })
    }

    fn open_quote_limit(&self) -> u32 {
        OPEN_QUOTES * self.state.app.config.limit_factor
    }

    /// Refuses where the buyer has too many open quotes; those that are noted but open no more make room.
    async fn check_open_quotes(&self, noted: &OpenQuotes) -> Result<()> {
        if noted.quotes.len() < self.open_quote_limit() as usize {
            return Ok(());
        }
        let store = &self.state.app.store;
        let unexpired: Vec<(String, i64)> = noted.quotes.iter().filter(|(_, until)| self.now_ms() < *until).cloned().collect();
        let homes: Vec<String> = unexpired.iter().map(|(home, _)| home.clone()).collect();
        let still_quoted: Vec<String> =
            store.calls(&homes).await?.into_iter().filter(|call| call.state == State::Quoted).map(|call| call.home()).collect();
        let open = OpenQuotes { quotes: unexpired.into_iter().filter(|(home, _)| still_quoted.contains(home)).collect() };
        store.prune_open_quotes(self.agent.profile, noted, &open).await?;
        if open.quotes.len() < self.open_quote_limit() as usize { Ok(()) } else { Err(self.quote_limit(&open)) }
    }

    fn quote_limit(&self, open: &OpenQuotes) -> ApiError {
        let soonest = open.quotes.iter().map(|(_, until)| *until).filter(|until| self.now_ms() < *until).min();
        let wait = soonest.map_or(1, |until| (until - self.now_ms()) / 1_000 + 1);
        ApiError::new(Code::QuoteLimit).retry_after(u64::try_from(wait).unwrap_or(1)).detail("open_quotes", open.quotes.len())
    }
}

/// What a quote is asked for and made out to.
struct Terms {
    currency: OriginCurrency,
    pay_from: Wallet,
    expected: Expected,
    split: Split,
    payable: Vec<OriginCurrency>,
}

fn default_currency(buyer: Option<&Profile>) -> Option<OriginCurrency> {
    buyer?.payment_chain().map(OriginCurrency::default_of)
}

fn expected(payout: &Wallet, chain: Chain, split: Split) -> Result<Expected> {
    let token = payout_token(chain);
    Ok(Expected {
        recipient: payout.address.as_str().to_owned(),
        chain_id: token.chain_id,
        currency: token.address.to_owned(),
        // USDC has six decimals: its smallest unit is a micro-dollar.
        output: u64::try_from(split.seller_receives.0).map_err(ApiError::internal)?,
    })
}

fn with_quote(mut quotes: AnonymousQuotes, currency: OriginCurrency, home: String) -> AnonymousQuotes {
    quotes.quotes.retain(|(other, _)| *other != currency);
    quotes.quotes.insert(0, (currency, home));
    quotes.version += 1;
    quotes
}

fn route_unavailable(currency: OriginCurrency, working: &[&str]) -> ApiError {
    let error = ApiError::new(Code::PaymentRouteUnavailable)
        .detail("origin_currency", currency.as_str())
        .detail("origin_currencies", working.to_vec())
        .detail("seller_endpoint_called", false)
        .recovery("retry_same_route", false)
        .recovery("use_new_idempotency_key", true);
    if working.is_empty() { error.recovery("next_action", "choose_another_listing").recovery("retryable", false) } else { error }
}

fn quote_failure(failure: QuoteFailure, terms: &Terms) -> ApiError {
    let names: Vec<&str> = terms.payable.iter().filter(|c| **c != terms.currency).map(|c| c.as_str()).collect();
    match failure {
        QuoteFailure::MinimumNotMet => minimum_not_met(terms),
        QuoteFailure::NoRoute => route_unavailable(terms.currency, &names),
        QuoteFailure::NotAsAsked(why) => ApiError::new(Code::PaymentProviderUnavailable).retry_after(2).because(why).alarm(),
        QuoteFailure::Unavailable(why) => ApiError::new(Code::PaymentProviderUnavailable).retry_after(2).because(why),
    }
}

/// As in the seeds; where SOL was refused, or cannot reach this seller, no other currency is recommended.
fn minimum_not_met(terms: &Terms) -> ApiError {
    let error = ApiError::new(Code::PaymentRouteMinimumNotMet)
        .detail("seller_endpoint_called", false)
        .detail("origin_currency", terms.currency.as_str())
        .recovery("retry_same_route", false)
        .recovery("use_new_idempotency_key", true);
    if terms.currency != OriginCurrency::Sol && terms.payable.contains(&OriginCurrency::Sol) {
        error
            .detail("recommended_origin_currency", "SOL")
            .detail("recommended_gateway_headers", serde_json::json!({ "X-Crochet-Origin-Currency": "SOL" }))
    } else {
        error
            .detail("recommended_origin_currency", serde_json::Value::Null)
            .recovery("next_action", "choose_another_listing")
            .recovery("retryable", false)
            .recovery("summary", "No payment route carries so low a price; find another listing with GET /listings.")
    }
}
