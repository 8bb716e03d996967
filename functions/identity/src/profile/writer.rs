//! Who is about to change a profile.

use crochet::http::caller::Caller;
use crochet::http::limited::{Limited, ProfileWrites};

/// Somebody with a session or a key that may write. Counted, because each change moves the profile's version.
pub(crate) type Writer = Limited<Caller, ProfileWrites>;
