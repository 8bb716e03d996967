//! Optimistic concurrency: read, decide, and write on the condition that nothing has changed; start over if something has.

use std::time::Duration;

use super::error::StoreError;
use crochet_domain::ids::random_bytes;

/// Maximum attempts of one read-decide-write cycle, including the first.
pub const MAX_ATTEMPTS: u32 = 16;
/// Upper bound of the wait before the second attempt. It doubles with each attempt, up to [`MAX_BACKOFF`].
const FIRST_BACKOFF: Duration = Duration::from_millis(5);
/// Upper bound of any wait. All of them together last at most 1.2 seconds, and half of that on average.
const MAX_BACKOFF: Duration = Duration::from_millis(100);

/// An error that may mean that another writer came first.
pub trait MayConflict {
    /// Whether another attempt may succeed.
    fn is_conflict(&self) -> bool;
}

impl MayConflict for StoreError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict)
    }
}

/// Runs `attempt` until it ends without a conflict, at most [`MAX_ATTEMPTS`] times.
///
/// Each attempt reads what it decides on. The first one starts at once. A loop that keeps something from one attempt to the next
/// counts its own [`Attempts`].
///
/// ```
/// # use crochet::store::retry::retry_on_conflict;
/// # use crochet::store::{Store, StoreError};
/// # use crochet_domain::ids::ProfileId;
/// async fn log_out_everywhere(store: &Store, person: ProfileId) -> Result<(), StoreError> {
///     retry_on_conflict(|| async {
///         let Some(profile) = store.profile(person).await? else { return Ok(()) };
///         store.close_all_sessions(person, profile.version).await
///     })
///     .await
/// }
/// ```
///
/// # Errors
/// The first error that is not a conflict, or the conflict of the last attempt.
pub async fn retry_on_conflict<T, E, F>(mut attempt: impl FnMut() -> F) -> Result<T, E>
where
    E: MayConflict,
    F: Future<Output = Result<T, E>>,
{
    let mut attempts = Attempts::default();
    loop {
        match attempt().await {
            Err(error) if error.is_conflict() => attempts.next_or(error).await?,
            done => return done,
        }
    }
}

/// Counts the attempts of a loop that keeps something from one attempt to the next, such as the record that a conflict returned.
///
/// ```
/// # use crochet::store::retry::Attempts;
/// # use crochet::store::{Store, StoreError};
/// # use crochet_domain::profile::Profile;
/// async fn rename(store: &Store, mut profile: Profile, name: &str) -> Result<Profile, StoreError> {
///     let mut attempts = Attempts::default();
///     loop {
///         let next = Profile { display_name: name.into(), version: profile.version + 1, ..profile };
///         match store.save_profile(&next, false).await {
///             Err(StoreError::Conflict) => {}
///             saved => return saved.map(|()| next),
///         }
///         attempts.next_or(StoreError::Conflict).await?;
///         profile = store.profile(next.id).await?.ok_or(StoreError::Conflict)?;
///     }
/// }
/// ```
#[derive(Debug, Default)]
pub struct Attempts {
    failed: u32,
}

impl Attempts {
    /// Waits for a random time, so that writers that collided once do not collide again.
    ///
    /// # Errors
    /// `error`, if this was the last attempt.
    pub async fn next_or<E>(&mut self, error: E) -> Result<(), E> {
        self.failed += 1;
        if self.failed == MAX_ATTEMPTS {
            return Err(error);
        }
        let share = f64::from(u16::from_le_bytes(random_bytes())) / f64::from(u16::MAX);
        tokio::time::sleep(longest_backoff(self.failed).mul_f64(share)).await;
        Ok(())
    }
}

fn longest_backoff(failed: u32) -> Duration {
    FIRST_BACKOFF.saturating_mul(2_u32.saturating_pow(failed - 1)).min(MAX_BACKOFF)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_conflict_is_tried_again() {
        let attempts = Cell::new(0);
        let done = retry_on_conflict(|| async {
            attempts.set(attempts.get() + 1);
            if attempts.get() < 4 { Err(StoreError::Conflict) } else { Ok(attempts.get()) }
        });
        assert!(matches!(done.await, Ok(4)));
    }

    #[tokio::test]
    async fn attempts_run_out() {
        let attempts = Cell::new(0);
        let done = retry_on_conflict(|| async {
            attempts.set(attempts.get() + 1);
            Err::<(), _>(StoreError::Conflict)
        });
        assert!(matches!(done.await, Err(StoreError::Conflict)));
        assert_eq!(attempts.get(), MAX_ATTEMPTS);
    }

    #[tokio::test]
    async fn every_other_error_ends_it() {
        let attempts = Cell::new(0);
        let done = retry_on_conflict(|| async {
            attempts.set(attempts.get() + 1);
            Err::<(), _>(StoreError::SessionOver)
        });
        assert!(matches!(done.await, Err(StoreError::SessionOver)));
        assert_eq!(attempts.get(), 1);
    }

    #[test]
    fn waits_grow_to_a_limit() {
        let longest: Vec<_> = (1..=7).map(|failed| longest_backoff(failed).as_millis()).collect();
        assert_eq!(longest, [5, 10, 20, 40, 80, 100, 100]);
        assert!((1..MAX_ATTEMPTS).map(longest_backoff).sum::<Duration>() <= Duration::from_millis(1_200));
    }

    #[test]
    fn it_can_move_between_threads() {
        fn is_send<T: Send>(_: T) {}
        let text = String::from("borrowed");
        is_send(async { retry_on_conflict(|| async { Ok::<_, StoreError>(text.len()) }).await });
    }
}
