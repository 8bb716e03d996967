//! Changes of a listing: each field is checked on its own, then the changed listing as a whole.

use crochet::http::request::{List, Text};
use crochet::http::{ApiError, Code};
use crochet::outbound::EndpointUrl;
use crochet_domain::listing::{AuthMethod, CATEGORIES, DeliveryType, Listing, ListingStatus, PricingModel, SuspendedBy};
use crochet_domain::money::Micros;
use crochet_domain::name::check_name;

use super::json_fields::check_example_request;
use super::pricing::apply_pricing;
use crate::seller::held_back;

/// A listing's name.
pub(crate) type Name = Text<3, 80>;
/// A listing's description.
pub(crate) type Description = Text<1, 4_000>;
/// A listing's tags.
pub(crate) type Tags = List<Text<1, 40>, 10>;
/// A listing's formats.
pub(crate) type Formats = List<Text<1, 20>, 10>;
/// Instructions for reaching the capability without the gateway.
pub(crate) type Instructions = Text<0, 4_000>;

/// A change of a listing. `None` leaves a field as it is; `Some(None)` removes its value.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) delivery_type: Option<DeliveryType>,
    pub(crate) auth_method: Option<AuthMethod>,
    pub(crate) formats: Option<Vec<String>>,
    pub(crate) connection_instructions: Option<Option<String>>,
    pub(crate) input_schema: Option<Option<String>>,
    pub(crate) output_schema: Option<Option<String>>,
    pub(crate) example_request: Option<Option<String>>,
    pub(crate) example_response: Option<Option<String>>,
    pub(crate) pricing_model: Option<PricingModel>,
    pub(crate) pricing_amount: Option<Option<Micros>>,
    pub(crate) status: Option<ListingStatus>,
    pub(crate) url: Option<EndpointUrl>,
}

impl Change {
    /// The listing `before` with this change applied. Does not change its endpoint.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, `ENDPOINT_REQUIRED`, `PAYOUT_WALLET_REQUIRED`, `STATUS_CHANGE_REFUSED` or `LISTING_SUSPENDED` if the
    /// result is not a valid listing or transition.
    pub(crate) fn apply(&self, before: &Listing) -> Result<Listing, ApiError> {
        let mut after = before.clone();
        set(&mut after.name, &self.name);
        set(&mut after.description, &self.description);
        set(&mut after.category, &self.category);
        set(&mut after.tags, &self.tags);
        set(&mut after.delivery_type, &self.delivery_type);
        set(&mut after.auth_method, &self.auth_method);
        set(&mut after.formats, &self.formats);
        set(&mut after.connection_instructions, &self.connection_instructions);
        set(&mut after.input_schema, &self.input_schema);
        set(&mut after.output_schema, &self.output_schema);
        set(&mut after.example_request, &self.example_request);
        set(&mut after.example_response, &self.example_response);
        (after.pricing_model, after.price) =
            apply_pricing((before.pricing_model, before.price), self.pricing_model, self.pricing_amount)?;
        after.was_per_call |= after.is_paid();
        if let Some(status) = self.status {
            transition(&mut after, status)?;
        }
        if self.input_schema.is_some() || self.example_request.is_some() {
            check_example_request(after.example_request.as_deref(), after.input_schema.as_deref())?;
        }
        self.check_can_sell(before, &after)?;
        Ok(after)
    }

    /// A paid listing needs an endpoint and a payout wallet. The wallet is checked only if the change sets a price or activates the
    /// listing: a seller without a wallet can still edit the text.
    fn check_can_sell(&self, before: &Listing, after: &Listing) -> Result<(), ApiError> {
        if !after.is_paid() {
            return Ok(());
        }
        // A suspended listing may have lost its endpoint. Its text can still be edited.
        let had_none = before.is_paid() && before.endpoint.is_none() && after.status == ListingStatus::Suspended;
        if after.endpoint.is_none() && self.url.is_none() && !had_none {
            return Err(Code::EndpointRequired.into());
        }
        let starts_selling = self.pricing_model.is_some()
            || self.pricing_amount.is_some()
            || (self.status == Some(ListingStatus::Active) && before.status != after.status);
        if starts_selling && after.seller.payout_chains.is_empty() { Err(Code::PayoutWalletRequired.into()) } else { Ok(()) }
    }
}

fn set<T: Clone>(field: &mut T, value: &Option<T>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}

/// Changes the status as its owner requests.
fn transition(listing: &mut Listing, to: ListingStatus) -> Result<(), ApiError> {
    use ListingStatus::{Active, Draft, Suspended};
    if to == Active
        && listing.status != Active
        && let Some(reason) = listing.hold()
    {
        return Err(held_back(reason));
    }
    match (listing.status, listing.suspended_by, to) {
        // It stays suspended when what the operator says is over.
        (Suspended, _, Suspended) if listing.comes_back() => suspend(listing),
        (status, _, to) if status == to => {}
        (Suspended, Some(SuspendedBy::Operator), _) => return Err(Code::ListingSuspended.into()),
        (Draft | Suspended, _, Active) => {
            (listing.status, listing.suspended_by, listing.suspended_reason) = (Active, None, None);
        }
        (Active, _, Suspended) => suspend(listing),
        (status, _, to) => {
            return Err(ApiError::new(Code::StatusChangeRefused)
                .detail("status", status.as_str())
                .detail("requested_status", to.as_str()));
        }
    }
    Ok(())
}

/// Suspends a listing for its owner, who can lift it.
pub(crate) fn suspend(listing: &mut Listing) {
    listing.status = ListingStatus::Suspended;
    listing.suspended_by = Some(SuspendedBy::Owner);
    listing.suspended_reason = None;
}

/// Checks that a name is one visible line without direction controls.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(crate) fn name(Text(name): Name) -> Result<String, ApiError> {
    check_name(&name).map_err(|problem| ApiError::field("name", &problem.to_string()))?;
    Ok(name)
}

/// Checks that a category exists.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(crate) fn category(slug: String) -> Result<String, ApiError> {
    if CATEGORIES.iter().any(|(known, _)| *known == slug) {
        Ok(slug)
    } else {
        Err(ApiError::field("category", "must be the slug of a category from GET /categories"))
    }
}

/// The items without duplicates, in the given order.
pub(crate) fn distinct<const MIN: usize, const MAX: usize, const N: usize>(List(items): List<Text<MIN, MAX>, N>) -> Vec<String> {
    let mut distinct = Vec::with_capacity(items.len());
    for Text(item) in items {
        if !distinct.contains(&item) {
            distinct.push(item);
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use crochet_domain::debt::Standing;
    use crochet_domain::ids::ProfileId;
    use crochet_domain::profile::{AccountType, Profile, Role};
    use crochet_domain::suspension::SuspendedReason;
    use time::OffsetDateTime;

    use super::super::create::empty_listing;
    use super::*;

    fn seller() -> Profile {
        Profile {
            id: ProfileId::generate(OffsetDateTime::UNIX_EPOCH),
            account_type: AccountType::Agent,
            display_name: "Ada".into(),
            description: None,
            role: Role::Both,
            score: 400,
            wallets: Vec::new(),
            operator: None,
            listing_count: 0,
            claim_count: 0,
            standing: Standing::default(),
            suspended: None,
            summaries_stale: false,
            version: 1,
            created_ms: 0,
            unknown: crochet_domain::unknown::Unknown::default(),
        }
    }

    #[test]
    fn an_owner_can_make_only_these_transitions() {
        use ListingStatus::{Active, Draft, Suspended};
        let by = |who| (Suspended, Some(who), None);
        let overdue = (Suspended, Some(SuspendedBy::Operator), Some(SuspendedReason::RefundOverdue));
        let fraud = (Suspended, Some(SuspendedBy::Operator), Some(SuspendedReason::Fraud));
        let mut listing = empty_listing(&seller(), OffsetDateTime::UNIX_EPOCH);
        for (from, to, is_overdue, expected) in [
            ((Draft, None, None), Active, false, Ok((Active, None, None))),
            ((Draft, None, None), Active, true, Err(Code::RefundOverdue)),
            ((Draft, None, None), Draft, true, Ok((Draft, None, None))),
            ((Draft, None, None), Suspended, false, Err(Code::StatusChangeRefused)),
            ((Active, None, None), Suspended, false, Ok(by(SuspendedBy::Owner))),
            ((Active, None, None), Draft, false, Err(Code::StatusChangeRefused)),
            (by(SuspendedBy::Owner), Active, false, Ok((Active, None, None))),
            (by(SuspendedBy::Owner), Active, true, Err(Code::RefundOverdue)),
            (by(SuspendedBy::Owner), Draft, false, Err(Code::StatusChangeRefused)),
            (by(SuspendedBy::Operator), Active, false, Err(Code::ListingSuspended)),
            (by(SuspendedBy::Operator), Suspended, false, Ok(by(SuspendedBy::Operator))),
            (overdue, Active, true, Err(Code::RefundOverdue)),
            (overdue, Suspended, true, Ok(by(SuspendedBy::Owner))),
            (fraud, Suspended, false, Ok(by(SuspendedBy::Owner))),
        ] {
            (listing.status, listing.suspended_by, listing.suspended_reason) = from;
            listing.seller.standing.overdue = is_overdue;
            let changed = transition(&mut listing, to).map_err(|error| error.code());
            let found = changed.map(|()| (listing.status, listing.suspended_by, listing.suspended_reason));
            assert_eq!(found, expected, "{from:?} {to:?}");
        }
    }

    #[test]
    fn duplicates_are_dropped() {
        let tags: Tags = serde_json::from_str(r#"["a", "b", " a "]"#).expect("tags");
        assert_eq!(distinct(tags), ["a", "b"]);
    }
}
