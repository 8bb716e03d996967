//! The name that API Gateway gave this deployment: it stays in force beside a domain of the operator's.

use std::sync::{Arc, OnceLock};

/// The id of the API that this process serves. A function learns it from its first request: CloudFormation cannot tell it, as
/// the API is made from its functions.
#[derive(Debug, Clone, Default)]
pub struct SelfHost(Arc<OnceLock<String>>);

impl SelfHost {
    /// The one of this process.
    #[must_use]
    pub fn of_process() -> Self {
        static OWN: OnceLock<SelfHost> = OnceLock::new();
        OWN.get_or_init(Self::default).clone()
    }

    /// Notes the id, as API Gateway itself says it beside a request; never from a header. The first one stays.
    pub fn learn(&self, id: &str) {
        if self.0.get().is_none() {
            // Another request was first: it said the same.
            let _ = self.0.set(id.to_ascii_lowercase());
        }
    }

    /// Whether a host name (lower case) is this API's, in whatever region's zone.
    pub(super) fn answers_to(&self, name: &str) -> bool {
        let rest = self.0.get().and_then(|id| name.strip_prefix(id.as_str()));
        rest.is_some_and(|rest| rest.starts_with(".execute-api."))
    }
}
