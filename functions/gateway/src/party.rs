//! The call of a request that only one of its parties may make.

use crochet::http::{ApiError, Code, Result};
use crochet_domain::call::Call;
use crochet_domain::ids::ProfileId;

use crate::state::State;

/// A party of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Party {
    Buyer,
    Seller,
}

/// The call with this id, of which the caller must be this party.
///
/// # Errors
/// `CALL_NOT_FOUND`, also for somebody else's call; `CALL_ROLE_REQUIRED` for the other party.
pub(crate) async fn call_of(state: &State, id: &str, caller: ProfileId, party: Party) -> Result<Call> {
    let not_found = || ApiError::from(Code::CallNotFound);
    let id = id.parse().map_err(|_| not_found())?;
    let call = state.app.store.call(id, caller).await?.ok_or_else(not_found)?;
    let (required, role) = match party {
        Party::Buyer => (call.buyer, "buyer"),
        Party::Seller => (call.seller, "seller"),
    };
    if required == caller {
        Ok(call)
    } else if caller == call.buyer || caller == call.seller {
        Err(ApiError::new(Code::CallRoleRequired).detail("required_role", role))
    } else {
        Err(not_found())
    }
}
