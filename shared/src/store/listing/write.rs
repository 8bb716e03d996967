//! Changing and deleting listings. Every write names the version it changes and fails if that is no longer current.

use super::record::put_listing;
use crate::store::item::{n, record, s};
use crate::store::transaction::TransactError;
use crate::store::write::{Condition, Update};
use crate::store::{Store, StoreError, keys};
use crochet_domain::listing::{EndpointTest, Listing};

/// What a listing shows of its seller and of its calls, with what follows from that. Roles name these attributes, too.
const SHOWN: [&str; 10] =
    ["seller", "status", "suspended_by", "suspended_reason", "figures", "figures_ms", "version", "updated_ms", "gsi3pk", "gsi3sk"];

impl Store {
    /// Replaces the version of the listing that was read (`listing.version - 1`). Returns `false` if it has changed since.
    pub async fn update_listing(&self, listing: &Listing) -> Result<bool, StoreError> {
        let before = Condition::equals("version", n(listing.version.saturating_sub(1)));
        Ok(match self.table.put(put_listing(listing)?.when(before)).await {
            Ok(()) => true,
            // The SDK retries after a lost reply. An item equal to ours is the result of our first try.
            Err(error) => error.found()?.map(record::<Listing>).transpose()?.is_some_and(|found| found == *listing),
        })
    }

    /// As [`Store::update_listing`], for a change of what the listing shows of its seller and of its calls: nothing else of it is
    /// written, so whoever may do this cannot change what its owner has said.
    pub async fn show_on_listing(&self, listing: &Listing) -> Result<bool, StoreError> {
        let update = Update::attributes(&put_listing(listing)?, &SHOWN)
            .when("#version = :seen")
            .value(":seen", n(listing.version.saturating_sub(1)));
        Ok(match self.table.update(&keys::listing(listing.id), update).await {
            Ok(_) => true,
            // The SDK retries after a lost reply. An item equal to ours is the result of our first try.
            Err(error) => error.found()?.map(record::<Listing>).transpose()?.is_some_and(|found| found == *listing),
        })
    }

    /// As [`Store::update_listing`], for a change that activates the listing: its owner's profile must still be at version
    /// `owner_seen`, and its version is incremented. A concurrent change that ends selling therefore either sees the active
    /// listing or conflicts. Returns `false` if the listing or the profile has changed since it was read.
    pub async fn activate_listing(&self, listing: &Listing, owner_seen: u64) -> Result<bool, StoreError> {
        let before = Condition::equals("version", n(listing.version.saturating_sub(1)));
        let increment =
            Update::new("SET version = version + :one").when("version = :seen").value(":one", n(1)).value(":seen", n(owner_seen));
        let operations = vec![
            put_listing(listing)?.when(before).into_transact_item(&self.table)?,
            self.table.transact_update(&keys::profile(listing.seller.id), increment)?,
        ];
        Ok(match self.table.transact(operations).await {
            Ok(()) => true,
            Err(TransactError::ConditionFailed { index: 0, found }) => {
                found.map(record::<Listing>).transpose()?.is_some_and(|found| found == *listing)
            }
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => false,
            Err(TransactError::Store(error)) => return Err(error),
        })
    }

    /// Records the result of a test call with this version of the endpoint's secret. Returns `false` if another version is
    /// current by now.
    ///
    /// Only the result is written, so no concurrent change is lost. The listing's version is incremented, so that a writer that
    /// read the listing before does not overwrite the result. Whether the endpoint is tested is public: if that changes from what
    /// `listing` says, the time of the last change is written too, unless another change came first.
    pub async fn record_endpoint_test(
        &self,
        listing: &Listing,
        secret_version: &str,
        test: &EndpointTest,
    ) -> Result<bool, StoreError> {
        let tested_ms = test.failure.is_none().then(|| listing.tested_ms().unwrap_or(test.tested_ms));
        let shown = tested_ms != listing.tested_ms();
        let id = listing.id;
        let changed_ms = test.tested_ms.max(listing.updated_ms + 1);
        let (feed_pk, feed_sk) = keys::index_attributes(keys::listing_change(id, changed_ms).index);
        let at = keys::listing_change(id, changed_ms);
        let mut update = if shown {
            Update::new(
                "SET #endpoint.#last_test = :test, #endpoint.#tested = :tested_ms, #version = #version + :one, \
                 #updated = :updated, #feed_pk = :feed_pk, #feed_sk = :feed_sk",
            )
            .name("#tested", "tested_ms")
            .value(":tested_ms", serde_dynamo::to_attribute_value(tested_ms).map_err(StoreError::defect)?)
            .name("#updated", "updated_ms")
            .value(":updated", n(changed_ms))
            .name("#feed_pk", &feed_pk)
            .value(":feed_pk", s(at.pk))
            .name("#feed_sk", &feed_sk)
            .value(":feed_sk", s(at.sk))
            .value(":seen", n(listing.updated_ms))
        } else {
            Update::new("SET #endpoint.#last_test = :test, #version = #version + :one")
        };
        update = update
            .name("#endpoint", "endpoint")
            .name("#last_test", "last_test")
            .name("#secret_version", "secret_version")
            .name("#version", "version")
            .value(":test", serde_dynamo::to_attribute_value(test).map_err(StoreError::defect)?)
            .value(":tested", s(secret_version))
            .number(":one", 1)
            .when(if shown {
                "#endpoint.#secret_version = :tested AND #updated = :seen"
            } else {
                "#endpoint.#secret_version = :tested"
            });
        Ok(match self.table.update(&keys::listing(id), update).await {
            Ok(_) => true,
            Err(error) => {
                error.found()?;
                false
            }
        })
    }

    /// Deletes a draft and its slug, and decrements its owner's listing count. Returns `false` if the listing is no longer this
    /// version of a draft.
    pub async fn delete_draft(&self, listing: &Listing) -> Result<bool, StoreError> {
        let owner = listing.seller.id;
        let count = Update::new("SET listing_count = listing_count - :one, version = version + :one").value(":one", n(1));
        let delete = self.table.transact_delete_when(
            &keys::listing(listing.id),
            "#status = :draft AND version = :seen",
            ("#status", "status"),
            [(":draft", s("draft")), (":seen", n(listing.version))],
        )?;
        let operations = vec![
            delete,
            self.table.transact_delete(&keys::slug(&listing.slug))?,
            self.table.transact_delete(&keys::profile_listing(owner, listing.id))?,
            self.table.transact_update(&keys::profile(owner), count)?,
        ];
        match self.table.transact(operations).await {
            Ok(()) => Ok(true),
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => Ok(false),
            Err(TransactError::Store(error)) => Err(error),
        }
    }
}
