//! The reads of a gateway call, each of them one batch.

use super::api_key::ApiKeyRecord;
use super::call_item::{CallOrPointer, read_call};
use super::item::record;
use super::keys::Key;
use super::record::StoredName;
use super::{Store, StoreError, keys};
use crochet_domain::api_key::KeyId;
use crochet_domain::call::{Call, CallKey, CallName};
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
    /// What is stored under the name of the call.
    pub name: Option<StoredName>,
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
        let call = match call.and_then(|key| found.take_item(&key)).map(read_call).transpose()? {
            Some(CallOrPointer::Call(call)) => Some(*call),
            Some(CallOrPointer::Pointer(to)) => self.calls(&[to]).await?.pop(),
            Some(CallOrPointer::Refund) | None => None,
        };
        Ok(CallLookup { key: found.take(&key)?, listing: listing_key.map(|key| found.take(&key)).transpose()?.flatten(), call })
    }

    /// Reads the buyer, the seller, and what is stored under a name, at the same time.
    ///
    /// The profiles are read eventually consistently, which costs half: a quote with the wallets of a moment ago is the quote that
    /// a request of a moment ago would have got.
    pub async fn look_up_quote(&self, buyer: ProfileId, seller: ProfileId, name: &CallName) -> Result<QuoteLookup, StoreError> {
        let profile = async |id: ProfileId| self.table.get_eventually(&keys::profile(id)).await?.map(record::<Profile>).transpose();
        let seller_profile = async { if seller == buyer { Ok(None) } else { profile(seller).await } };
        let (buyer_profile, seller_profile, name) =
            tokio::try_join!(profile(buyer), seller_profile, self.stored_name(buyer, name))?;
        let seller_profile = if seller == buyer { buyer_profile.clone() } else { seller_profile };
        Ok(QuoteLookup { buyer: buyer_profile, seller: seller_profile, name })
    }
}
