//! Counting the score of one seller.

use std::collections::BTreeSet;

use crochet::app::App;
use crochet::store::StoreError;
use crochet::store::keys::Whose;
use crochet::store::retry::retry_on_conflict;
use crochet::store::score::ScoreRecord;
use crochet_domain::ids::{ProfileId, random_bytes};
use crochet_domain::profile::{Profile, SCORE_STEP, tier};
use crochet_domain::score::fade::{DAYS, day_of};
use crochet_domain::score::review::Review;
use crochet_domain::score::window::{Payers, Reviewed, Window, active_weeks};
use crochet_domain::score::{ceiling, score};
use crochet_domain::timestamp::unix_ms;

use super::rows::Rows;

/// Counts the score of this seller as of now, stores it, and shows it in profile and listings if it has moved enough. With
/// `compared`, its counts have just been compared with the calls.
pub(crate) async fn count(app: &App, seller: ProfileId, compared: bool) -> Result<(), StoreError> {
    retry_on_conflict(|| async {
        let Some(profile) = app.store.profile(seller).await? else { return Ok(()) };
        let before = app.store.score(seller).await?;
        let (record, inputs) = counted(app, &profile, before.as_ref(), compared).await?;
        app.store.put_score(&record, &inputs).await?;
        show(app, seller, record.value).await
    })
    .await
}

async fn counted(
    app: &App,
    seller: &Profile,
    before: Option<&ScoreRecord>,
    compared: bool,
) -> Result<(ScoreRecord, Vec<Vec<u8>>), StoreError> {
    let now_ms = unix_ms(app.clock.now());
    let today = day_of(now_ms);
    let from = today - DAYS + 1;
    let (books, reviews) =
        tokio::try_join!(app.store.books(Whose::Seller(seller.id), from, today), app.store.all_reviews_of_seller(seller.id))?;
    let reviews: Vec<Reviewed> = reviews
        .iter()
        .map(|review| Reviewed { listing: review.listing, by: review.author, review: Review::from(review) })
        .collect();
    let mut ids: BTreeSet<ProfileId> = reviews.iter().map(|reviewed| reviewed.by).collect();
    ids.extend(books.values().flat_map(|book| book.payers.iter().map(|(_, payer, _)| payer)));
    let payers = payers(app, seller, &ids, today).await?;
    let mut window = Window::default();
    for (day, book) in &books {
        window.add_day(*day, &book.payers, &payers, today);
    }
    let said = window.add_reviews(&reviews, &payers, today);
    let sums = window.sums(&said);
    let older = before.map(|before| before.weeks.iter().copied().collect()).unwrap_or_default();
    let weeks = window.remembered_weeks(&older, today);
    let active_weeks = active_weeks(&weeks);
    let is_overdue = seller.standing.overdue;
    let score = score(&sums, active_weeks, is_overdue);
    let salt = before.map_or_else(|| hex::encode(random_bytes::<16>()), |before| before.salt.clone());
    let inputs = Rows::of(&window, &said, &salt).packed()?;
    let unit_fee = app.config.unit_fee;
    let record = ScoreRecord {
        seller: seller.id,
        value: score.value,
        parts: score.parts.array(),
        volume: sums.volume,
        bad: sums.all_bad(),
        unhappy: sums.unhappy,
        voices: sums.voices(),
        heads: sums.heads,
        grief: sums.grief,
        payers: u32::try_from(window.rows.len()).unwrap_or(u32::MAX),
        reviews: u32::try_from(said.len()).unwrap_or(u32::MAX),
        active_weeks,
        weeks: weeks.into_iter().collect(),
        fees: window.fees,
        ceiling: ceiling(window.fees, unit_fee, active_weeks),
        unit_fee,
        refund_overdue: is_overdue,
        day: today,
        counted_ms: now_ms,
        compared_day: if compared { today } else { before.map_or(0, |before| before.compared_day) },
        inputs: hex::encode(random_bytes::<8>()),
        input_parts: inputs.len(),
        salt,
        version: before.map_or(0, |before| before.version) + 1,
        unknown: before.map(|before| before.unknown.clone()).unwrap_or_default(),
    };
    Ok((record, inputs))
}

/// Who belongs together, and who does not count: the seller's own cluster, clusters with a wallet of the seller's, and those that
/// the seller's cluster has bought from.
async fn payers(app: &App, seller: &Profile, ids: &BTreeSet<ProfileId>, today: i32) -> Result<Payers, StoreError> {
    let family = match seller.operator {
        Some(operator) => {
            let mut family = app.store.claims_of(operator).await?;
            family.extend([operator, seller.id]);
            family.sort();
            family.dedup();
            family
        }
        None => vec![seller.id],
    };
    let mut sold_to_us: BTreeSet<ProfileId> = BTreeSet::new();
    for member in &family {
        sold_to_us.extend(app.store.sellers_paid_by(*member, today).await?);
    }
    let profiles = app.store.profiles(ids.union(&sold_to_us).copied()).await?;
    let mut payers = Payers::default();
    for profile in &profiles {
        payers.clusters.extend(profile.operator.map(|operator| (profile.id, operator)));
    }
    payers.excluded.insert(seller.operator.unwrap_or(seller.id));
    for other in sold_to_us {
        payers.excluded.insert(payers.cluster(other));
    }
    let is_sellers = |address: &_| seller.wallets.iter().any(|wallet| wallet.address == *address);
    for profile in &profiles {
        if profile.wallets.iter().any(|wallet| is_sellers(&wallet.address)) {
            payers.excluded.insert(payers.cluster(profile.id));
        }
    }
    Ok(payers)
}

/// Writes the score into profile and listings, if it has moved by [`SCORE_STEP`] or into another tier.
async fn show(app: &App, seller: ProfileId, value: u16) -> Result<(), StoreError> {
    let shown = retry_on_conflict(|| async {
        let Some(mut profile) = app.store.profile(seller).await? else { return Ok(None) };
        let has_moved = profile.score.abs_diff(value) >= SCORE_STEP || tier(profile.score) != tier(value);
        if has_moved {
            profile.score = value;
            profile.summaries_stale |= profile.listing_count > 0;
            profile.version += 1;
            app.store.save_profile(&profile, false).await?;
        }
        Ok::<_, StoreError>(Some(profile))
    })
    .await?;
    if let Some(profile) = shown {
        // Also finishes the work of a run that died after it wrote the profile.
        app.store.refresh_seller_summaries(&profile, app.clock.now()).await;
    }
    Ok(())
}
