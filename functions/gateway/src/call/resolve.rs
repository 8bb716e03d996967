//! Finds what a request means: the call of its payment id, or the idempotency record of its key or of its listing and body.

use crochet::http::Result;
use crochet::store::record::StoredName;
use crochet_domain::call::view::{ListingClosed, RecordView, RequestView, ResolvedBy, View};
use crochet_domain::call::{CallKey, CallName};
use crochet_domain::timestamp::unix_ms;

use super::CallContext;
use super::in_flight::InFlightSlot;
use super::terms::{Parties, default_currency};

/// The view for [`decide`](crochet_domain::call::decide::decide), and who a quote would be between.
pub(super) struct Resolved {
    pub(super) view: View,
    /// Buyer and seller; `None` if they were not needed yet.
    pub(super) parties: Option<Parties>,
}

/// Reads what the request names.
pub(super) async fn resolve(ctx: &CallContext<'_>, slot: &InFlightSlot<'_>) -> Result<Resolved> {
    let is_paid = ctx.listing.is_paid();
    if is_paid {
        // This instance may have remembered the listing as free.
        ctx.state.remembered.forget_free(ctx.listing.id);
        slot.settle().await;
    }
    let resolved_by = match (&ctx.request.payment_id, &ctx.request.idempotency_key) {
        _ if ctx.request.has_mangled_id => ResolvedBy::PaymentId,
        (Some(_), _) => ResolvedBy::PaymentId,
        (None, Some(_)) => ResolvedBy::IdempotencyKey,
        (None, None) => ResolvedBy::Body,
    };
    let mut resolved = Resolved { view: view(ctx, slot, resolved_by), parties: None };
    if resolved_by == ResolvedBy::PaymentId {
        if let Some(call) = &ctx.paid_call {
            let key = call.key();
            resolved.view.put(&key, Some(call.clone()));
            resolved.view.named = Some(key);
        }
        return Ok(resolved);
    }
    let Ok(body) = ctx.request.json() else { return Ok(resolved) };
    if !is_paid {
        ctx.state.remembered.remember_free(ctx.listing.id);
        // A free call without a key has no name, unless a quote may still be open from when the listing had a price.
        if resolved_by == ResolvedBy::Body && !ctx.listing.was_per_call {
            return Ok(resolved);
        }
    }
    let name = match &ctx.request.idempotency_key {
        Some(key) => CallName::Key(key.clone()),
        None => CallName::Body { listing: ctx.listing.id, sha256: body.sha256.clone() },
    };
    load_record(ctx, &mut resolved, &name).await?;
    Ok(resolved)
}

/// Reads the idempotency record under this name, the calls that it lists, and the parties of a quote.
pub(super) async fn load_record(ctx: &CallContext<'_>, resolved: &mut Resolved, name: &CallName) -> Result<()> {
    let (store, buyer) = (&ctx.state.app.store, ctx.agent.profile);
    let read = store.look_up_quote(buyer, ctx.listing.seller.id, name).await?;
    let stored = match read.name {
        // A later name of the call: its record is under the first.
        Some(StoredName::Pointer { to, call }) => {
            let (first, calls) = tokio::try_join!(store.stored_name(buyer, &to), store.calls(std::slice::from_ref(&call)))?;
            resolved.view.put(&call, calls.into_iter().next());
            resolved.view.named = Some(call);
            first
        }
        stored => stored,
    };
    let view = &mut resolved.view;
    view.request.default_currency = default_currency(read.buyer.as_ref());
    // The key of an older version does not say it. The listing may not show yet that its seller is suspended.
    view.request.buyer_suspended = read.buyer.as_ref().and_then(|buyer| buyer.suspended).or(view.request.buyer_suspended);
    if read.seller.as_ref().is_some_and(|seller| seller.suspended.is_some()) {
        view.listing.closed = Some(ListingClosed::NotActive);
    }
    resolved.parties = Some(Parties { buyer: read.buyer, seller: read.seller });
    let Some(StoredName::Record(record)) = stored else {
        view.record = RecordView::Absent;
        return Ok(());
    };
    let listed: Vec<CallKey> =
        record.calls.iter().map(|listed| listed.key.clone()).filter(|key| view.call(key).is_none()).collect();
    if !listed.is_empty() {
        for call in store.calls(&listed).await? {
            view.put(&call.key(), Some(call));
        }
    }
    view.record = RecordView::Found(record);
    Ok(())
}

fn view(ctx: &CallContext<'_>, slot: &InFlightSlot<'_>, resolved_by: ResolvedBy) -> View {
    View {
        request: RequestView {
            resolved_by,
            buyer: ctx.agent.profile,
            buyer_suspended: ctx.agent.suspended,
            idempotency_key: ctx.request.idempotency_key.clone(),
            currency: ctx.request.currency(),
            default_currency: None,
            body: ctx.request.body_view(),
        },
        listing: ctx.listing_view(slot.traffic()),
        named: None,
        record: RecordView::Unread,
        calls: Vec::new(),
        obstacle: None,
        key_added: None,
        raced: None,
        now_ms: unix_ms(ctx.now),
    }
}
