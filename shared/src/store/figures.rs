//! The figures that listings show, and how they follow what is counted.

use std::collections::BTreeMap;

use super::keys::Whose;
use super::retry::retry_on_conflict;
use super::{Store, StoreError};
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::score::fade::{DAYS, day_of};
use crochet_domain::stats::{Book, Figures, WINDOW_DAYS, report, volume};

/// The report of one listing, from what was counted of its seller.
#[must_use]
pub fn report_of(books: &BTreeMap<i32, Book>, listing: ListingId, today: i32) -> crochet_domain::stats::Report {
    let days = books.range(today - WINDOW_DAYS + 1..=today);
    report(days.filter_map(|(day, book)| Some((*day, book.listings.get(&listing)?))))
}

impl Store {
    /// Makes these listings of a seller show what is counted by now. Listings whose figures have not changed are not written.
    pub async fn refresh_figures(&self, seller: ProfileId, listings: &[ListingId], now_ms: i64) -> Result<(), StoreError> {
        let today = day_of(now_ms);
        let books = self.books(Whose::Seller(seller), today - DAYS + 1, today).await?;
        for listing in listings {
            let figures = Figures {
                volume: volume(books.iter().map(|(day, book)| (*day, book)), *listing, seller, today),
                rating: self.tally(*listing).await?.rating(),
                ..report_of(&books, *listing, today).figures
            };
            self.show_figures(*listing, figures, now_ms).await?;
        }
        Ok(())
    }

    async fn show_figures(&self, id: ListingId, figures: Figures, now_ms: i64) -> Result<(), StoreError> {
        retry_on_conflict(|| async {
            let Some(mut listing) = self.listing(id).await? else { return Ok(()) };
            if listing.figures == figures {
                return Ok(());
            }
            listing.show_figures(figures, now_ms);
            if self.show_on_listing(&listing).await? { Ok(()) } else { Err(StoreError::Conflict) }
        })
        .await
    }
}
