//! The limit on a buyer's open quotes. Before a quote is refused, the provider is asked about the open ones.

use crochet::budget::{Asker, Grant};
use crochet::http::{ApiError, Code, Result};
use crochet::store::open_quotes::OpenQuotes;
use crochet_domain::call::CallState;
use crochet_domain::ids::CallId;
use futures::future::try_join_all;

use super::CallContext;
use crate::fact::is_unpaid;

/// Maximum number of open quotes of a buyer, before the factor of relaxed limits.
const MAX_OPEN_QUOTES: u32 = 5;

pub(super) fn max_open_quotes(ctx: &CallContext<'_>) -> u32 {
    MAX_OPEN_QUOTES * ctx.state.app.config.limit_factor
}

/// The buyer's list of open quotes is full. Removes those from it that are not open any more.
///
/// # Errors
/// `QUOTE_LIMIT` if there are none.
pub(super) async fn too_many_open(ctx: &CallContext<'_>, listed: &OpenQuotes) -> Result<()> {
    let (store, app) = (&ctx.state.app.store, &ctx.state.app);
    // Each may need a status and a record. Without room for the questions, all of them count.
    let questions = 2 * u32::try_from(listed.open.len()).unwrap_or(u32::MAX);
    let granted = app.provider_budget.questions(Asker::Buyer(ctx.agent.profile), questions, ctx.now).await?;
    let is_counted = try_join_all(listed.open.values().map(|quote| async {
        if ctx.now_ms() >= quote.until_ms {
            return Ok(false);
        }
        Ok::<_, ApiError>(match store.call(quote.call, ctx.agent.profile).await? {
            Some(call) if call.state == CallState::Quoted => granted != Grant::Granted || is_unpaid(ctx.state, &call).await?,
            Some(_) => false,
            None => quote.is_being_made(ctx.now_ms()),
        })
    }))
    .await?;
    let over: Vec<(String, CallId)> = listed
        .open
        .iter()
        .zip(is_counted)
        .filter(|(_, is_counted)| !is_counted)
        .map(|((place, quote), _)| (place.clone(), quote.call))
        .collect();
    if over.is_empty() {
        let wait = listed.soonest_ms().map_or(1, |until| (until - ctx.now_ms()) / 1_000 + 1);
        return Err(ApiError::new(Code::QuoteLimit)
            .retry_after(u64::try_from(wait).unwrap_or(1))
            .detail("open_quotes", listed.open.len()));
    }
    Ok(store.remove_quotes(ctx.agent.profile, &over).await?)
}
