//! The reads of a gateway call, each of them one batch.

use super::api_key::ApiKeyRecord;
use super::keys::Key;
use super::open_quotes::OpenQuotes;
use super::{Store, StoreError, keys};
use crochet_domain::api_key::KeyId;
use crochet_domain::call::{Call, CallKey, IdempotencyKey, IdempotencyRecord, OpenQuotesForBody};
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::Listing;
use crochet_domain::profile::Profile;

/// What the first read of a gateway call returns.
#[derive(Debug, Default)]
pub struct CallLookup {
    /// The API key.
    pub key: Option<ApiKeyRecord>,
    /// The listing.
    pub listing: Option<Listing>,
    /// The call of the payment that the request names.
    pub call: Option<Call>,
}

/// What the second read of a gateway call returns.
#[derive(Debug, Default)]
pub struct QuoteLookup {
    /// The buyer.
    pub buyer: Option<Profile>,
    /// The seller.
    pub seller: Option<Profile>,
    /// The idempotency record of the key.
    pub record: Option<IdempotencyRecord>,
    /// The buyer's quotes for this listing and body, made without an Idempotency-Key.
    pub for_body: Option<OpenQuotesForBody>,
    /// The buyer's open quotes.
    pub open: OpenQuotes,
}

impl Store {
    /// Reads the key, the listing and the call of a payment in one batch.
    pub async fn look_up_call(
        &self,
        key: &KeyId,
        listing: Option<ListingId>,
        call: Option<&CallKey>,
    ) -> Result<CallLookup, StoreError> {
        let key = keys::api_key(key);
        let listing_key = listing.map(keys::listing);
        let call = call.map(keys::call);
        let wanted: Vec<Key> = [Some(key.clone()), listing_key.clone(), call.clone()].into_iter().flatten().collect();
        let mut found = self.table.get_all(&wanted).await?;
        Ok(CallLookup {
            key: found.take(&key)?,
            listing: listing_key.map(|key| found.take(&key)).transpose()?.flatten(),
            call: call.map(|key| found.take(&key)).transpose()?.flatten(),
        })
    }

    /// Reads the buyer, the seller, the names that the call may have, and the buyer's open quotes in one batch.
    pub async fn look_up_quote(
        &self,
        buyer: ProfileId,
        seller: Option<ProfileId>,
        idempotency_key: Option<&IdempotencyKey>,
        for_body: Option<(ListingId, &str)>,
    ) -> Result<QuoteLookup, StoreError> {
        let buyer_key = keys::profile(buyer);
        let seller_key = seller.map(keys::profile);
        let record = idempotency_key.map(|key| keys::idempotency(buyer, &key.text()));
        let for_body = for_body.map(|(listing, body)| keys::open_quotes_for_body(buyer, listing, body));
        let open = keys::open_quotes(buyer);
        let wanted: Vec<Key> = [Some(buyer_key.clone()), seller_key.clone(), record.clone(), for_body.clone(), Some(open.clone())]
            .into_iter()
            .flatten()
            .collect();
        let mut found = self.table.get_all(&wanted).await?;
        let buyer_profile: Option<Profile> = found.take(&buyer_key)?;
        let seller_profile = match seller {
            Some(seller) if seller == buyer => buyer_profile.clone(),
            _ => seller_key.map(|key| found.take(&key)).transpose()?.flatten(),
        };
        Ok(QuoteLookup {
            buyer: buyer_profile,
            seller: seller_profile,
            record: record.map(|key| found.take(&key)).transpose()?.flatten(),
            for_body: for_body.map(|key| found.take(&key)).transpose()?.flatten(),
            open: found.take(&open)?.unwrap_or_default(),
        })
    }
}
