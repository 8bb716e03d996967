//! Quotes a new call: the terms, the provider's quote, and the names under which the call is stored.

use crochet::http::{ApiError, Code, Result};
use crochet::limits::QUOTES_PER_BUYER;
use crochet::payments::{ProviderQuote, QuoteRequest};
use crochet::store::call::{CallName, CreateCallError, new_write_token};
use crochet::store::open_quotes::{NoteQuoteError, OpenQuotes};
use crochet_domain::call::step::NewCall;
use crochet_domain::call::view::RequestedCurrency;
use crochet_domain::call::{Call, CallKey, CallState, IdempotencyKey, PayFrom, Payment, PaymentState};
use crochet_domain::ids::CallId;

use super::CallContext;
use super::progress::Progress;
use super::terms::{Terms, quote_failure};

/// Time in which the provider may fill a quote (seconds).
const QUOTE_TTL_SECONDS: i64 = 660;
/// Time before the end of a quote at which it is no longer offered (milliseconds).
const OFFER_MARGIN_MS: i64 = 60_000;
/// Maximum number of open quotes of a buyer, before the factor of relaxed limits.
const MAX_OPEN_QUOTES: u32 = 5;

/// Result of quoting a call.
pub(super) enum Quoted {
    /// The call is quoted, and stored under its name.
    Created(Box<Call>),
    /// A parallel request was first to use one of the call's names.
    Raced,
}

/// Requests a quote, and stores the call under its name: the idempotency key, or listing and body.
pub(super) async fn quote(ctx: &CallContext<'_>, progress: &Progress, new: &NewCall) -> Result<Quoted> {
    let Some(names) = &progress.resolved.names else { return Err(ApiError::internal("a quote without names").alarm()) };
    let store = &ctx.state.app.store;
    let asked = match progress.resolved.view.request.currency {
        RequestedCurrency::Known(currency) => Some(currency),
        RequestedCurrency::Absent | RequestedCurrency::Unsupported => None,
    };
    let terms = ctx.terms(names, new.currency.or(asked))?;
    check_open_quotes(ctx, &names.open).await?;
    let id = CallId::generate(ctx.now);
    let ttl_ms = ctx.now_ms() + QUOTE_TTL_SECONDS * 1_000;
    let quote = ask_for_quote(ctx, id, &terms).await?;
    let call = quoted_call(ctx, id, new, &terms, quote, ttl_ms)?;
    match store.note_open_quote(call.buyer, &call.key(), ttl_ms, max_open_quotes(ctx)).await {
        Ok(()) => {}
        Err(NoteQuoteError::LimitReached(open)) => return Err(quote_limit(ctx, &open)),
        Err(NoteQuoteError::Store(e)) => return Err(e.into()),
    }
    let name = match &new.key {
        Some(key) => {
            let version = names.record.as_ref().map_or(1, |record| record.version + 1);
            CallName::Key(key.clone(), call.idempotency_record(version))
        }
        None => CallName::Body(names.for_body.clone().unwrap_or_default().with(terms.currency, call.key())),
    };
    match store.create_call(&call, name).await {
        Ok(()) => Ok(Quoted::Created(Box::new(call))),
        Err(CreateCallError::Raced) => Ok(Quoted::Raced),
        Err(CreateCallError::PaymentIdKnown) => Err(ApiError::new(Code::PaymentProviderUnavailable)
            .retry_after(2)
            .cause("the provider gave the id of an earlier payment to a new quote")
            .alarm()),
        Err(CreateCallError::Store(e)) => Err(e.into()),
    }
}

async fn ask_for_quote(ctx: &CallContext<'_>, call: CallId, terms: &Terms) -> Result<ProviderQuote> {
    let app = &ctx.state.app;
    let request = QuoteRequest {
        call,
        payer: terms.pay_from.address.as_str().to_owned(),
        origin: terms.currency.token(),
        expected: terms.expected.clone(),
        fee_wallet: app.config.fee_wallet.clone(),
        fee: terms.split.fee,
        ttl_seconds: QUOTE_TTL_SECONDS,
    };
    let buyer = ctx.agent.profile.to_string();
    if let Some(status) = app.limiter.is_known_exhausted(QUOTES_PER_BUYER, &buyer, ctx.now) {
        status.check(Code::QuoteLimit)?;
    }
    let (status, quote) = tokio::join!(app.limiter.count(QUOTES_PER_BUYER, &buyer, ctx.now), ctx.state.provider.quote(request));
    status?.check(Code::QuoteLimit)?;
    quote.map_err(|failure| quote_failure(failure, terms))
}

fn quoted_call(ctx: &CallContext<'_>, id: CallId, new: &NewCall, terms: &Terms, quote: ProviderQuote, ttl_ms: i64) -> Result<Call> {
    let now_ms = ctx.now_ms();
    let pay_from = &terms.pay_from;
    Ok(Call {
        id,
        buyer: ctx.agent.profile,
        seller: ctx.listing.seller.id,
        listing: ctx.called_listing(),
        body_sha256: ctx.request.json()?.sha256.clone(),
        idempotency_key: new.key.as_ref().and_then(IdempotencyKey::client).map(str::to_owned),
        split: terms.split,
        payment: Some(Payment {
            provider: ctx.state.provider.name().to_owned(),
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
            requirements: quote.requirements.get().to_owned(),
            state: PaymentState::Waiting,
        }),
        replaces: new.replaces.clone(),
        state: CallState::Quoted,
        attempts: Vec::new(),
        settled_ms: None,
        created_ms: now_ms,
        updated_ms: now_ms,
        version: 1,
        write_token: new_write_token(),
    })
}

fn max_open_quotes(ctx: &CallContext<'_>) -> u32 {
    MAX_OPEN_QUOTES * ctx.state.app.config.limit_factor
}

/// Refuses if the buyer has too many open quotes. Quotes in the list that are not open any more are removed from it.
async fn check_open_quotes(ctx: &CallContext<'_>, noted: &OpenQuotes) -> Result<()> {
    let max = max_open_quotes(ctx) as usize;
    if noted.quotes.len() < max {
        return Ok(());
    }
    let store = &ctx.state.app.store;
    let unexpired: Vec<(CallKey, i64)> = noted.quotes.iter().filter(|(_, until)| ctx.now_ms() < *until).cloned().collect();
    let keys: Vec<CallKey> = unexpired.iter().map(|(key, _)| key.clone()).collect();
    let still_quoted: Vec<CallKey> =
        store.calls(&keys).await?.into_iter().filter(|call| call.state == CallState::Quoted).map(|call| call.key()).collect();
    let open = OpenQuotes { quotes: unexpired.into_iter().filter(|(key, _)| still_quoted.contains(key)).collect() };
    store.prune_open_quotes(ctx.agent.profile, noted, &open).await?;
    if open.quotes.len() < max { Ok(()) } else { Err(quote_limit(ctx, &open)) }
}

fn quote_limit(ctx: &CallContext<'_>, open: &OpenQuotes) -> ApiError {
    let soonest = open.quotes.iter().map(|(_, until)| *until).filter(|until| ctx.now_ms() < *until).min();
    let wait = soonest.map_or(1, |until| (until - ctx.now_ms()) / 1_000 + 1);
    ApiError::new(Code::QuoteLimit).retry_after(u64::try_from(wait).unwrap_or(1)).detail("open_quotes", open.quotes.len())
}
