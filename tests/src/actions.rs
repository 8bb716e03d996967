//! What the functions ask of AWS while the suite runs, written to the file that `CROCHET_TEST_ACTIONS` names.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crochet::telemetry::actions;

fn path() -> Option<PathBuf> {
    std::env::var_os("CROCHET_TEST_ACTIONS").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Makes the stacks that start from now on report their actions, if the variable is set.
pub(crate) fn record() {
    if path().is_some() {
        actions::start();
    }
}

/// Writes what was recorded so far. After every test, since no test knows that it is the last.
pub(crate) fn write() {
    static WRITTEN: Mutex<String> = Mutex::new(String::new());
    let Some(path) = path() else { return };
    let mut written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
    let now = actions::start().to_json();
    if now != *written {
        if let Err(error) = std::fs::write(&path, &now) {
            eprintln!("{}: {error}", path.display());
        }
        *written = now;
    }
}
