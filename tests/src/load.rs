//! Calls that go on while something else happens.

use std::cell::Cell;

use tokio::sync::{Notify, RwLock};

use crate::failure::Outcome;
use crate::world::World;

/// Calls that run until they are told to stop. The clock moves between two of them, and everything else at any time.
pub struct Load {
    running: Cell<bool>,
    done: Cell<u32>,
    progress: Notify,
    clock: RwLock<()>,
}

impl Default for Load {
    fn default() -> Self {
        Self { running: Cell::new(true), done: Cell::new(0), progress: Notify::new(), clock: RwLock::new(()) }
    }
}

impl Load {
    /// Repeats `call` until the load ends. It is given the number of the call. The first failure ends the load.
    ///
    /// # Errors
    /// The failure of a call.
    pub async fn repeat(&self, mut call: impl AsyncFnMut(u32) -> Outcome) -> Outcome {
        let mut n = 0;
        while self.running.get() {
            let _still = self.clock.read().await;
            n += 1;
            let outcome = call(n).await;
            self.done.set(self.done.get() + 1);
            if outcome.is_err() {
                self.running.set(false);
            }
            self.progress.notify_waiters();
            outcome?;
        }
        Ok(())
    }

    /// Waits until `count` more calls are done.
    pub async fn more(&self, count: u32) {
        let until = self.done.get() + count;
        while self.running.get() && self.done.get() < until {
            self.progress.notified().await;
        }
    }

    /// Moves the stack's clock between two calls. Only on an isolated stack.
    ///
    /// # Errors
    /// If the clock cannot be moved.
    pub async fn later(&self, world: &World, seconds: i64) -> Outcome {
        let _alone = self.clock.write().await;
        world.later(seconds).await
    }

    /// Carries `steps` out under this load, and ends it.
    ///
    /// # Errors
    /// The failure of `steps`.
    pub async fn during(&self, steps: impl Future<Output = Outcome>) -> Outcome {
        let outcome = steps.await;
        self.running.set(false);
        outcome
    }

    /// How many calls are done.
    #[must_use]
    pub fn done(&self) -> u32 {
        self.done.get()
    }
}
