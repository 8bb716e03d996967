//! The one runtime of the suite. Tasks spawned on it live as long as the process.

use std::sync::OnceLock;

use tokio::runtime::Runtime;

pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime can be made on this machine")
    })
}

/// Runs something that is no test on the runtime that all tests share: what it spawns lives as long as the suite.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    runtime().block_on(work)
}
