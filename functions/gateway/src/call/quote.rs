//! Quotes a new call: the terms, a place among the buyer's open quotes, the provider's quote, and the call with its record.

use crochet::budget::Grant;
use crochet::http::gate::closed;
use crochet::http::{ApiError, Code, Result};
use crochet::payments::{ProviderQuote, QuoteRequest};
use crochet::store::call::new_write_token;
use crochet::store::gate::Gate;
use crochet::store::open_quotes::{ReserveError, place};
use crochet::store::record::CreateCallError;
use crochet_domain::call::record::{IdempotencyRecord, SHOWN_WITHIN_MS};
use crochet_domain::call::step::NewCall;
use crochet_domain::call::view::{RecordView, RequestedCurrency};
use crochet_domain::call::{Call, CallName, CallState, Debts, OFFER_MARGIN_MS, PayFrom, Payment, PaymentState};
use crochet_domain::ids::CallId;
use crochet_domain::timestamp::unix_ms;
use crochet_domain::unknown::Unknown;

use super::CallContext;
use super::open_quotes::{max_open_quotes, too_many_open};
use super::progress::Progress;
use super::terms::{Terms, quote_failure};
use crate::out_of_budget::out_of_quotes;

/// Time in which the provider may fill a quote (seconds).
pub(crate) const QUOTE_TTL_SECONDS: i64 = 780;

/// Result of quoting a call.
pub(super) enum Quoted {
    /// The call is quoted, and stored under its name.
    Created(Box<Call>),
    /// A parallel request was first to write the record.
    Raced,
    /// A parallel request is asking the provider for this quote.
    Quoting,
}

/// Requests a quote, and stores the call under its name: the idempotency key, or listing and body.
pub(super) async fn quote(ctx: &CallContext<'_>, progress: &mut Progress, new: &NewCall) -> Result<Quoted> {
    let Some(name) = &new.name else { return Err(ApiError::internal("a quote without a name").alarm()) };
    let terms = terms(ctx, progress, new).await?;
    // What cannot be delivered is not sold.
    if let Some(endpoint) = &ctx.listing.endpoint {
        ctx.secret(endpoint).await?;
    }
    let id = CallId::generate(ctx.now);
    // The request may have waited for a parallel one.
    let now_ms = unix_ms(ctx.state.app.clock.now());
    let ttl_ms = now_ms + QUOTE_TTL_SECONDS * 1_000;
    let place = place(name, terms.currency);
    if !reserve(ctx, progress, (&place, id), (now_ms, ttl_ms)).await? {
        return Ok(Quoted::Quoting);
    }
    let quoted = quote_in_place(ctx, progress, new, name, (id, ttl_ms), &terms).await;
    if !matches!(quoted, Ok(Quoted::Created(_))) {
        // Only a quote that is kept counts. A place that is not given back stops counting by itself.
        if let Err(e) = ctx.state.app.store.release_quote(ctx.agent.profile, &place, id).await {
            tracing::warn!(cause = %e, "a place for a quote was not given back");
        }
    }
    quoted
}

/// The terms of the quote. A wallet that is missing may have been linked a moment ago, so that is looked at twice.
async fn terms(ctx: &CallContext<'_>, progress: &mut Progress, new: &NewCall) -> Result<Terms> {
    let Some(parties) = &mut progress.resolved.parties else {
        return Err(ApiError::internal("a quote without buyer and seller").alarm());
    };
    let asked = match progress.resolved.view.request.currency {
        RequestedCurrency::Known(currency) => Some(currency),
        RequestedCurrency::Absent | RequestedCurrency::Unsupported => None,
    };
    let asked = new.currency.or(asked);
    match ctx.terms(parties, asked) {
        Ok(terms) => Ok(terms),
        Err(_) => {
            let store = &ctx.state.app.store;
            let (buyer, seller) = tokio::try_join!(store.profile(ctx.agent.profile), store.profile(ctx.listing.seller.id))?;
            (parties.buyer, parties.seller) = (buyer, seller);
            ctx.terms(parties, asked)
        }
    }
}

/// Reserves a place among the buyer's open quotes, and counts the quote in the budgets. `false` if a parallel request is asking for this quote.
async fn reserve(
    ctx: &CallContext<'_>,
    progress: &Progress,
    (place, id): (&str, CallId),
    (now_ms, ttl_ms): (i64, i64),
) -> Result<bool> {
    let (app, buyer) = (&ctx.state.app, ctx.agent.profile);
    let mut over = None;
    for _ in 0..3 {
        let reserving = app.store.reserve_quote(buyer, place, id, over, (now_ms, ttl_ms), max_open_quotes(ctx));
        let (reserved, granted, open) = tokio::join!(reserving, app.provider_budget.quote(buyer, ctx.now), quotes_are_open(ctx));
        let granted = match (granted, open) {
            (Ok(granted), Ok(true)) => granted,
            (granted, open) => {
                app.store.release_quote(buyer, place, id).await?;
                let granted = granted?;
                if granted == Grant::Granted {
                    app.provider_budget.give_back_quote(buyer, ctx.now).await?;
                }
                open?;
                return Err(closed(Gate::Quotes));
            }
        };
        if reserved.is_err() && granted == Grant::Granted {
            app.provider_budget.give_back_quote(buyer, ctx.now).await?;
        }
        match (reserved, granted) {
            (Ok(()), Grant::Granted) => return Ok(true),
            (Ok(()), Grant::Refused { retry_after_seconds }) => {
                app.store.release_quote(buyer, place, id).await?;
                return Err(out_of_quotes(retry_after_seconds));
            }
            // The place is that of a quote which this request knows to be over.
            (Err(ReserveError::Taken(taken)), _) if over.is_none() && is_known(progress, taken.call) => over = Some(taken.call),
            (Err(ReserveError::Taken(_)), _) => return Ok(false),
            (Err(ReserveError::Full(open)), _) => too_many_open(ctx, &open).await?,
            (Err(ReserveError::Store(e)), _) => return Err(e.into()),
        }
    }
    Err(ApiError::new(Code::QuoteLimit).retry_after(1))
}

/// Whether the operator has quotes open. An instance reads it every few seconds, and again as long as they are closed.
async fn quotes_are_open(ctx: &CallContext<'_>) -> Result<bool> {
    let (remembered, now_ms) = (&ctx.state.remembered, ctx.now_ms());
    if remembered.quotes_are_open(now_ms) {
        return Ok(true);
    }
    let is_open = !ctx.state.app.store.gate(Gate::Quotes).await?.is_closed;
    if is_open {
        remembered.remember_quotes_are_open(now_ms);
    }
    Ok(is_open)
}

fn is_known(progress: &Progress, id: CallId) -> bool {
    progress.resolved.view.calls.iter().filter_map(|known| known.call.as_ref()).any(|call| call.id == id)
}

async fn quote_in_place(
    ctx: &CallContext<'_>,
    progress: &mut Progress,
    new: &NewCall,
    name: &CallName,
    (id, ttl_ms): (CallId, i64),
    terms: &Terms,
) -> Result<Quoted> {
    let quote = ask_for_quote(ctx, id, terms).await?;
    let requirements = quote.requirements.get().to_owned();
    let call = quoted_call(ctx, id, (new, name), terms, quote, ttl_ms)?;
    let recorded_ms = unix_ms(ctx.state.app.clock.now());
    let record = recorded(progress, &call, recorded_ms);
    match ctx.state.app.store.create_quoted_call(&call, &requirements, name, &record, recorded_ms).await {
        // Others count on it that what took so long is not shown.
        Ok(()) if unix_ms(ctx.state.app.clock.now()) >= recorded_ms + SHOWN_WITHIN_MS => Ok(Quoted::Raced),
        Ok(()) => {
            progress.requirements.insert(call.key(), requirements);
            Ok(Quoted::Created(Box::new(call)))
        }
        Err(CreateCallError::Raced) => Ok(Quoted::Raced),
        Err(CreateCallError::PaymentIdKnown) => Err(ApiError::new(Code::PaymentProviderUnavailable)
            .retry_after(2)
            .cause("the provider gave the id of an earlier payment to a new quote")
            .alarm()),
        Err(CreateCallError::Store(e)) => Err(e.into()),
    }
}

/// The next version of the record, which lists this call.
pub(super) fn recorded(progress: &Progress, call: &Call, now_ms: i64) -> IdempotencyRecord {
    let view = &progress.resolved.view;
    let record = match &view.record {
        RecordView::Found(record) => record.clone(),
        RecordView::Unread | RecordView::Absent => IdempotencyRecord::empty(call),
    };
    let known: Vec<&Call> = view.calls.iter().filter_map(|known| known.call.as_ref()).collect();
    record.with(call, &known, now_ms)
}

async fn ask_for_quote(ctx: &CallContext<'_>, call: CallId, terms: &Terms) -> Result<ProviderQuote> {
    let app = &ctx.state.app;
    let request = QuoteRequest {
        reference: call.to_string(),
        payer: terms.pay_from.address.as_str().to_owned(),
        origin: terms.currency.token(),
        expected: terms.expected.clone(),
        fee_wallet: app.config.fee_wallet.clone(),
        fee: terms.split.fee,
        ttl_seconds: QUOTE_TTL_SECONDS,
    };
    let quote = ctx.state.provider.quote(request).await.map_err(|failure| quote_failure(failure, terms))?;
    for _ in 1..quote.asked {
        // It has been asked for already. What it leaves for others counts.
        let _ = app.provider_budget.quote(ctx.agent.profile, ctx.now).await?;
    }
    Ok(quote)
}

fn quoted_call(
    ctx: &CallContext<'_>,
    id: CallId,
    (new, name): (&NewCall, &CallName),
    terms: &Terms,
    quote: ProviderQuote,
    ttl_ms: i64,
) -> Result<Call> {
    let now_ms = ctx.now_ms();
    let pay_from = &terms.pay_from;
    let payment = Payment {
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
        fee_collected: quote.fee_micros,
        state: PaymentState::Waiting,
        unknown: Unknown::default(),
    };
    let due_ms = Some(payment.closes_ms());
    Ok(Call {
        id,
        buyer: ctx.agent.profile,
        seller: ctx.listing.seller.id,
        listing: ctx.called_listing(),
        body_sha256: ctx.request.json()?.sha256.clone(),
        idempotency_key: name.key().map(str::to_owned),
        round: new.round,
        split: terms.split,
        payment: Some(payment),
        state: CallState::Quoted,
        attempts: Vec::new(),
        in_vain_ms: None,
        tried_endpoint: None,
        debts: Debts::default(),
        due_ms,
        settled_ms: None,
        created_ms: now_ms,
        updated_ms: now_ms,
        version: 1,
        write_token: new_write_token(),
        unknown: Unknown::default(),
    })
}
