//! Erasing a profile: what it was, and what it has written, goes; the books stay.

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::item::n;
use super::write::{Condition, Put};
use super::{Store, StoreError, keys};
use crochet_domain::passkey::Passkeys;
use crochet_domain::profile::Profile;
use crochet_domain::review::Review;

/// Deletions of one transaction. DynamoDB takes a hundred.
const AT_ONCE: u64 = 90;

impl Store {
    /// Replaces a profile by its next version, and removes its wallets, its passkeys and its recovery codes, all or nothing. The wallets
    /// may be registered again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the profile has changed since it was read.
    pub async fn erase_profile(&self, before: &Profile, erased: &Profile, passkeys: Option<&Passkeys>) -> Result<(), StoreError> {
        let unchanged = Condition::equals("version", n(before.version));
        let put = Put::new(&keys::profile(erased.id), "profile", erased)?.when(unchanged);
        let mut operations: Vec<TransactWriteItem> = vec![put.into_transact_item(&self.table)?];
        for wallet in &before.wallets {
            operations.push(self.table.transact_delete(&keys::wallet(&wallet.address))?);
        }
        if let Some(passkeys) = passkeys {
            operations.push(self.table.transact_delete(&keys::passkeys(before.id))?);
            for passkey in &passkeys.passkeys {
                operations.push(self.table.transact_delete(&keys::credential(&passkey.credential_sha256))?);
            }
            for code in &passkeys.recovery_codes {
                operations.push(self.table.transact_delete(&keys::recovery_code(code))?);
            }
        }
        Ok(self.table.transact(operations).await?)
    }

    /// Removes what a review said before it was changed.
    pub async fn forget_earlier_versions(&self, review: &Review) -> Result<(), StoreError> {
        let mut version = 1;
        while version < review.version {
            let end = review.version.min(version + AT_ONCE);
            let deletions = (version..end)
                .map(|version| self.table.transact_delete(&keys::earlier_review(review.listing, review.author, version)));
            self.table.transact(deletions.collect::<Result<_, _>>()?).await?;
            version = end;
        }
        Ok(())
    }
}
