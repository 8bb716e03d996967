//! Names that no other test uses.

use crochet_client::random_bytes;

/// A name that no other test uses: twelve lower-case letters and digits, starting with a letter.
#[must_use]
pub fn unique_name() -> String {
    format!("w{}", &hex::encode(random_bytes::<6>())[1..])
}
