//! What a gateway call has to know, in as few reads as possible.

use super::api_key::ApiKeyRecord;
use super::call::{AnonymousQuotes, NamedCall};
use super::counter::Traffic;
use super::keys::Key;
use super::open_quotes::OpenQuotes;
use super::{Store, StoreError, keys};
use crochet_domain::api_key::KeyId;
use crochet_domain::breaker::BreakerRecord;
use crochet_domain::call::{Call, payment_home};
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::Listing;
use crochet_domain::profile::Profile;

/// What the first read of a gateway call brings: one batch.
#[derive(Debug, Default)]
pub struct FirstRead {
    /// The API key.
    pub key: Option<ApiKeyRecord>,
    /// The listing.
    pub listing: Option<Listing>,
    /// The call of the payment that was named.
    pub call: Option<Call>,
    /// Calls at the listing that began in this minute and the one before.
    pub traffic: [Traffic; 2],
    /// What is remembered of the endpoint's failures.
    pub breaker: Option<BreakerRecord>,
}

/// What the second read of a gateway call brings: one batch.
#[derive(Debug, Default)]
pub struct SecondRead {
    /// Who calls.
    pub buyer: Option<Profile>,
    /// Who is called.
    pub seller: Option<Profile>,
    /// What the Idempotency-Key names.
    pub named: Option<NamedCall>,
    /// The buyer's quotes for this listing and body without an Idempotency-Key.
    pub anonymous: Option<AnonymousQuotes>,
    /// The buyer's open quotes.
    pub open: OpenQuotes,
}

impl Store {
    /// Key, listing and the call of a payment in one batch, with the listing's traffic and its endpoint's breaker.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn first_read(
        &self,
        key: &KeyId,
        listing: Option<ListingId>,
        payment_id: Option<&str>,
        minute: i64,
    ) -> Result<FirstRead, StoreError> {
        let key = keys::api_key(key);
        let listing_key = listing.map(keys::listing);
        let call = payment_id.map(|id| keys::call(&payment_home(id)));
        let traffic = listing.map(|listing| [keys::traffic(listing, minute), keys::traffic(listing, minute - 1)]);
        let breaker = listing.map(keys::breaker);
        let wanted: Vec<Key> = [Some(key.clone()), listing_key.clone(), call.clone(), breaker.clone()]
            .into_iter()
            .flatten()
            .chain(traffic.iter().flatten().cloned())
            .collect();
        let mut found = self.table.get_all(&wanted).await?;
        let mut counts = [Traffic::default(); 2];
        for (count, key) in counts.iter_mut().zip(traffic.iter().flatten()) {
            *count = found.take(key)?.unwrap_or_default();
        }
        Ok(FirstRead {
            key: found.take(&key)?,
            listing: listing_key.map(|key| found.take(&key)).transpose()?.flatten(),
            call: call.map(|key| found.take(&key)).transpose()?.flatten(),
            traffic: counts,
            breaker: breaker.map(|key| found.take(&key)).transpose()?.flatten(),
        })
    }

    /// Buyer, seller, the names that this call may have, and the buyer's open quotes in one batch.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn second_read(
        &self,
        buyer: ProfileId,
        seller: Option<ProfileId>,
        idempotency_key: Option<&str>,
        anonymous: Option<(ListingId, &str)>,
    ) -> Result<SecondRead, StoreError> {
        let buyer_key = keys::profile(buyer);
        let seller_key = seller.map(keys::profile);
        let named = idempotency_key.map(|key| keys::idempotency(buyer, key));
        let anonymous = anonymous.map(|(listing, body)| keys::anonymous_quotes(buyer, listing, body));
        let open = keys::open_quotes(buyer);
        let wanted: Vec<Key> = [Some(buyer_key.clone()), seller_key.clone(), named.clone(), anonymous.clone(), Some(open.clone())]
            .into_iter()
            .flatten()
            .collect();
        let mut found = self.table.get_all(&wanted).await?;
        let buyer_profile: Option<Profile> = found.take(&buyer_key)?;
        let seller_profile = match seller {
            Some(seller) if seller == buyer => buyer_profile.clone(),
            _ => seller_key.map(|key| found.take(&key)).transpose()?.flatten(),
        };
        Ok(SecondRead {
            buyer: buyer_profile,
            seller: seller_profile,
            named: named.map(|key| found.take(&key)).transpose()?.flatten(),
            anonymous: anonymous.map(|key| found.take(&key)).transpose()?.flatten(),
            open: found.take(&open)?.unwrap_or_default(),
        })
    }
}
