//! How far this instance has looked through what is due for what needs no question to the provider.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// By shard, where the next sweep goes on that may ask nothing: each looks at some pages, and all of them together at everything.
#[derive(Debug, Default)]
pub(crate) struct Passed(Mutex<BTreeMap<u8, String>>);

impl Passed {
    /// The place of this shard; `None` for its beginning.
    pub(crate) fn place(&self, shard: u8) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&shard).cloned()
    }

    /// Notes where to go on in this shard; `None` for its beginning.
    pub(crate) fn go_on_at(&self, shard: u8, place: Option<String>) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match place {
            Some(place) => drop(places.insert(shard, place)),
            None => drop(places.remove(&shard)),
        }
    }
}
