//! Finds the call that a request means: by its payment id, by its idempotency key, or by listing and body.

use crochet::http::Result;
use crochet::store::gateway_reads::QuoteLookup;
use crochet_domain::call::view::{RequestView, ResolvedBy, View};
use crochet_domain::call::{CallKey, IdempotencyKey};
use crochet_domain::timestamp::unix_ms;

use super::CallContext;
use super::in_flight::InFlightSlot;
use super::request::JsonBody;
use super::terms::default_currency;

/// The view for [`decide`](crochet_domain::call::decide::decide), and the records that a new call is written over.
pub(super) struct Resolved {
    pub(super) view: View,
    /// Buyer, seller, and the call's names; `None` if they were not needed yet.
    pub(super) names: Option<QuoteLookup>,
}

/// Reads the calls that the request may mean.
pub(super) async fn resolve(ctx: &CallContext<'_>, slot: &InFlightSlot<'_>) -> Result<Resolved> {
    let is_paid = ctx.listing.is_paid();
    if is_paid {
        // This instance may have remembered the listing as free.
        ctx.state.remembered.forget_free(ctx.listing.id);
        slot.settle().await;
    }
    let resolved_by = match (&ctx.request.payment_id, &ctx.request.idempotency_key) {
        (Some(_), _) => ResolvedBy::PaymentId,
        (None, Some(_)) => ResolvedBy::IdempotencyKey,
        (None, None) => ResolvedBy::Body,
    };
    let mut resolved = Resolved { view: view(ctx, slot, resolved_by), names: None };
    if resolved_by == ResolvedBy::PaymentId {
        if let Some(call) = &ctx.paid_call {
            let key = call.key();
            resolved.view.put(&key, Some(call.clone()));
            resolved.view.candidates.push(key);
        }
        return Ok(resolved);
    }
    let Ok(body) = ctx.request.json() else { return Ok(resolved) };
    if !is_paid {
        ctx.state.remembered.remember_free(ctx.listing.id);
        // A free call without a key has no names, unless a quote may still be open from when the listing had a price.
        if resolved_by == ResolvedBy::Body && !ctx.listing.was_per_call {
            return Ok(resolved);
        }
    }
    let key = ctx.request.idempotency_key.clone().map(IdempotencyKey::Client);
    let names = read_names(ctx, key.as_ref(), body).await?;
    resolved.view.request.default_currency = default_currency(names.buyer.as_ref());
    let calls: Vec<CallKey> = match (&names.record, &names.for_body) {
        (Some(record), _) => vec![record.call.clone()],
        (None, Some(quotes)) => quotes.quotes.iter().map(|(_, call)| call.clone()).collect(),
        (None, None) => Vec::new(),
    };
    resolved.view.record.clone_from(&names.record);
    if !calls.is_empty() {
        for call in ctx.state.app.store.calls(&calls).await? {
            resolved.view.put(&call.key(), Some(call));
        }
    }
    if names.record.is_none() {
        resolved.view.candidates = calls;
    }
    resolved.names = Some(names);
    Ok(resolved)
}

/// Reads the buyer, the seller, the buyer's open quotes, and the names: those of `key` or, without one, of listing and body.
pub(super) async fn read_names(ctx: &CallContext<'_>, key: Option<&IdempotencyKey>, body: &JsonBody) -> Result<QuoteLookup> {
    let for_body = if key.is_none() { Some((ctx.listing.id, body.sha256.as_str())) } else { None };
    Ok(ctx.state.app.store.look_up_quote(ctx.agent.profile, Some(ctx.listing.seller.id), key, for_body).await?)
}

fn view(ctx: &CallContext<'_>, slot: &InFlightSlot<'_>, resolved_by: ResolvedBy) -> View {
    View {
        request: RequestView {
            resolved_by,
            buyer: ctx.agent.profile,
            idempotency_key: ctx.request.idempotency_key.clone(),
            currency: ctx.request.currency(),
            default_currency: None,
            body: ctx.request.body_view(),
        },
        listing: ctx.listing_view(slot.traffic()),
        record: None,
        candidates: Vec::new(),
        calls: Vec::new(),
        successors: Vec::new(),
        obstacle: None,
        key_added: None,
        raced: None,
        now_ms: unix_ms(ctx.now),
    }
}
