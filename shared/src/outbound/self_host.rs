//! The host name that API Gateway assigned to this deployment. It stays valid beside the operator's own domain.

use std::sync::{Arc, OnceLock};

/// The id of the API that this process serves, set by the first request. CloudFormation cannot pass it to the functions,
/// because the API is created from them.
#[derive(Debug, Clone, Default)]
pub struct SelfHost(Arc<OnceLock<String>>);

impl SelfHost {
    /// The value shared by the whole process.
    #[must_use]
    pub fn of_process() -> Self {
        static OWN: OnceLock<SelfHost> = OnceLock::new();
        OWN.get_or_init(Self::default).clone()
    }

    /// Sets the id, which must come from API Gateway's request context, never from a header. Later calls have no effect.
    pub fn set(&self, id: &str) {
        if self.0.get().is_none() {
            // A concurrent request may have set it first, to the same value.
            let _ = self.0.set(id.to_ascii_lowercase());
        }
    }

    /// Whether a host name (lower case) belongs to this API, in any region.
    pub(super) fn matches(&self, name: &str) -> bool {
        let rest = self.0.get().and_then(|id| name.strip_prefix(id.as_str()));
        rest.is_some_and(|rest| rest.starts_with(".execute-api."))
    }
}
