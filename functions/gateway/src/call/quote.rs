//! Making an offer: which currency, which wallets, what the provider asks, and under which names the call is kept.

use crochet::http::limits::QUOTES_PER_BUYER;
use crochet::http::{ApiError, Code, Result};
use crochet::payments::{ProviderQuote, QuoteRequest};
use crochet::store::call::{AnonymousQuotes, Kept, Name, fresh_writer};
use crochet::store::open_quotes::OpenQuotes;
use crochet::store::passage::SecondRead;
use crochet_domain::call::{Call, PayFrom, Payment, PaymentState, State};
use crochet_domain::currency::OriginCurrency;
use crochet_domain::ids::CallId;

use super::Passage;
use super::incoming::JsonBody;
use super::names::name_of;
use super::offer::{Occasion, Requirements, offer};
use super::terms::{Terms, quote_failure};

/// How long the provider may fill a quote (seconds).
const QUOTE_TTL_SECONDS: i64 = 660;
/// A quote is offered until this long before the provider's limit (milliseconds).
const OFFER_MARGIN_MS: i64 = 60_000;
/// Open unpaid quotes of one buyer, before the local factor.
const OPEN_QUOTES: u32 = 5;

/// What a new quote takes over from what was asked and from the call before it.
pub(super) struct Wanted {
    /// The currency of the quote that is replaced; none: what the request or the buyer's wallets say.
    pub(super) currency: Option<OriginCurrency>,
    /// The Idempotency-Key that will name the call.
    pub(super) key: Option<String>,
    /// Where the call is stored whose quote is replaced.
    pub(super) replaces: Option<String>,
}

impl Passage<'_> {
    /// Quotes a new call and keeps it under its name: by `key`, or by listing and body.
    pub(super) async fn make_offer_as(self, read: SecondRead, occasion: Occasion, wanted: Wanted) -> Result {
        self.check_state()?;
        let body = self.check_body()?;
        self.check_breaker()?;
        self.check_traffic(None)?;
        let currency = match wanted.currency {
            Some(currency) => Some(currency),
            None => self.incoming.currency()?,
        };
        let terms = self.terms(&read, currency)?;
        self.check_open_quotes(&read.open).await?;
        let id = CallId::generate(self.now);
        let ttl_ms = self.now_ms() + QUOTE_TTL_SECONDS * 1_000;
        let quote = self.ask_for_quote(id, &terms).await?;
        let call = self.quoted_call(id, &body, &wanted, &terms, quote, ttl_ms)?;
        if let Err(full) = self.state.app.store.note_open_quote(call.buyer, &call.home(), ttl_ms, self.open_quote_limit()).await? {
            return Err(self.quote_limit(&full));
        }
        let name = match wanted.key {
            Some(key) => Name::Key { key, named: name_of(&call, read.named.as_ref().map_or(1, |named| named.version + 1)) },
            None => Name::Anonymous(with_quote(read.anonymous.unwrap_or_default(), terms.currency, call.home())),
        };
        match self.state.app.store.keep_call(&call, name).await? {
            Kept::Done => Err(offer(&call, &occasion)),
            Kept::PaymentIdKnown => Err(ApiError::new(Code::PaymentProviderUnavailable)
                .retry_after(2)
                .cause("the provider gave the id of an earlier payment to a new quote")
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
            None => ApiError::new(Code::ServiceUnavailable).retry_after(1).cause("a parallel quote is being written"),
        })
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
            standing.check(Code::QuoteLimit)?;
        }
        let (standing, quote) =
            tokio::join!(self.state.app.limiter.count(QUOTES_PER_BUYER, &buyer, self.now), self.state.provider.quote(request));
        standing?.check(Code::QuoteLimit)?;
        quote.map_err(|failure| quote_failure(failure, terms))
    }

    fn quoted_call(
        &self,
        id: CallId,
        body: &JsonBody,
        wanted: &Wanted,
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
            idempotency_key: wanted.key.clone(),
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
            replaces: wanted.replaces.clone(),
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

fn with_quote(mut quotes: AnonymousQuotes, currency: OriginCurrency, home: String) -> AnonymousQuotes {
    quotes.quotes.retain(|(other, _)| *other != currency);
    quotes.quotes.insert(0, (currency, home));
    quotes.version += 1;
    quotes
}
