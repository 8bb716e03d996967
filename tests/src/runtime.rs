//! The one runtime of the suite. Tasks spawned on it live as long as the process.

use std::sync::OnceLock;

use tokio::runtime::Runtime;

pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime can be made on this machine")
    })
}

/// Runs a future on the shared runtime. Tasks that it spawns live as long as the process.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    runtime().block_on(work)
}
