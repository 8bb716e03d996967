//! What Relay reports about a payment: its status and its record.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::amount::Amount;
use super::id::is_request_id;
use crate::payments::provider::{ProviderPayment, ProviderStatus, ProviderUnavailable};
use crochet_domain::call::{ExpectedPayout, same_address};
use crochet_domain::money::Micros;

/// The reply of `/intents/status/v3`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    status: String,
    fail_reason: Option<String>,
}

impl Status {
    /// Whether the record may say more. Until something is deposited, it cannot. Then it says whether the seller was paid (a refund of a
    /// second deposit leaves the first one's fill), and which payment supersedes this one.
    pub(super) fn needs_record(&self) -> bool {
        self.status != "waiting"
    }
}

/// The reply of a route that does not know an id. Without a message, or about the route itself, it says nothing about the id.
#[derive(Deserialize)]
struct NotFound {
    message: String,
}

/// Whether the body of a 404 says that the provider does not know the id.
pub(super) fn denies_knowing(reply: &[u8]) -> bool {
    serde_json::from_slice::<NotFound>(reply).is_ok_and(|reply| !reply.message.is_empty() && !reply.message.starts_with("Route "))
}

/// The reply of `/requests/v3`.
#[derive(Deserialize)]
pub(super) struct Records {
    #[serde(default)]
    pub(super) requests: Vec<Record>,
    /// Where a list goes on.
    pub(super) continuation: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    pub(super) id: String,
    status: Option<String>,
    recipient: Option<String>,
    request_type: Option<String>,
    superseded_by_request_id: Option<String>,
    data: Option<RecordData>,
    protocol: Option<Protocol>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordData {
    route: Option<Route>,
    app_fees: Option<AppFees>,
    #[serde(default)]
    out_txs: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Route {
    actual: Option<ActualRoute>,
}

#[derive(Deserialize)]
struct ActualRoute {
    origin: Option<Leg>,
    destination: Option<Leg>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Leg {
    input_currency: Option<Amount>,
    output_currency: Option<Amount>,
}

#[derive(Deserialize)]
struct AppFees {
    actual: Option<Vec<AppFee>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppFee {
    amount_usd: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    #[serde(default)]
    state_changes: Value,
}

#[derive(Deserialize)]
struct Protocol {
    settlement: Option<Settlement>,
}

#[derive(Deserialize)]
struct Settlement {
    destination: Option<SettledDestination>,
}

#[derive(Deserialize)]
struct SettledDestination {
    fills: Option<Vec<IgnoredAny>>,
}

impl Record {
    /// The report of a payment in a list: its record alone tells its status, too.
    pub(super) fn report(&self) -> Result<Report, ProviderUnavailable> {
        let status = self.status.clone().ok_or_else(|| ProviderUnavailable("a record has no status".into()))?;
        understand(Some(Status { status, fail_reason: None }), Some(self))
    }

    /// What the recipient received, as the executed route shows it.
    ///
    /// Without data of an execution, the provider repeats the quoted route here: on its own, this does not prove a payment.
    fn paid_out(&self) -> Option<ExpectedPayout> {
        let route = self.data.as_ref()?.route.as_ref()?.actual.as_ref()?;
        let output = match &route.destination {
            Some(destination) => destination.output_currency.as_ref()?,
            None => self.swapped(route.origin.as_ref()?)?,
        };
        output.paid_to(self.recipient.as_deref()?)
    }

    /// A swap on one chain has no destination: its origin shows what came out.
    fn swapped<'a>(&self, origin: &'a Leg) -> Option<&'a Amount> {
        let (input, output) = (origin.input_currency.as_ref()?, origin.output_currency.as_ref()?);
        let is_swap = self.request_type.as_deref() == Some("Same-chain Swap")
            && !same_address(&input.currency.address, &output.currency.address);
        is_swap.then_some(output)
    }

    /// Whether a transaction to the recipient is recorded: a fill in the settlement, or a payment in the outgoing transactions.
    fn shows_fill(&self) -> bool {
        let destination = self.protocol.as_ref().and_then(|protocol| protocol.settlement.as_ref()?.destination.as_ref());
        let fills = destination.and_then(|destination| destination.fills.as_ref()).is_some_and(|fills| !fills.is_empty());
        let recipient = self.recipient.as_deref().unwrap_or_default();
        let transactions = self.data.iter().flat_map(|data| &data.out_txs);
        let mut changes = transactions.filter_map(|transaction| transaction.state_changes.as_array()).flatten();
        fills || changes.any(|change| credits(change, recipient))
    }

    /// The collected app fees, or `None` if the record does not say.
    fn fee_collected(&self) -> Option<Micros> {
        let fees = self.data.as_ref()?.app_fees.as_ref()?.actual.as_ref()?;
        let amounts = fees.iter().map(|fee| Micros::from_usd_rounded_down(fee.amount_usd.as_deref()?));
        amounts.sum::<Option<Micros>>()
    }
}

/// Whether a change of balance adds something to `address`.
fn credits(change: &Value, address: &str) -> bool {
    let of = change["address"].as_str().unwrap_or_default();
    let diff = change["change"]["balanceDiff"].as_str().unwrap_or_default();
    same_address(of, address) && diff.parse::<i128>().is_ok_and(|diff| diff > 0)
}

/// What the provider reports about one id.
pub(super) struct Report {
    pub(super) status: ProviderStatus,
    pub(super) paid_out: Option<ExpectedPayout>,
    pub(super) fee_collected: Option<Micros>,
    pub(super) fail_reason: Option<String>,
    pub(super) superseded_by: Option<String>,
}

impl Report {
    /// The report about a payment: this one is about the last of those that superseded it.
    pub(super) fn of_payment(self, own_status: ProviderStatus, superseded_by: Vec<String>) -> ProviderPayment {
        let Self { status, paid_out, fee_collected, fail_reason, superseded_by: _ } = self;
        ProviderPayment { status, own_status, paid_out, fee_collected, fail_reason, superseded_by }
    }
}

/// The report about an id, from its status (`None`: the provider does not know the id) and its record, if there is one.
pub(super) fn understand(status: Option<Status>, record: Option<&Record>) -> Result<Report, ProviderUnavailable> {
    let superseded_by = record.and_then(|record| record.superseded_by_request_id.clone());
    if superseded_by.as_deref().is_some_and(|id| !is_request_id(id)) {
        return Err(ProviderUnavailable("a payment was superseded by something that is not an id".into()));
    }
    let paid_out = record.and_then(Record::paid_out);
    let kept_fill = || paid_out.is_some() && record.is_some_and(Record::shows_fill);
    let status_of_it = match status.as_ref().map(|status| status.status.as_str()) {
        None if record.is_some() && superseded_by.is_none() => {
            return Err(ProviderUnavailable("it has a record of an id that it says it does not know".into()));
        }
        None => ProviderStatus::Unknown,
        Some("waiting") => ProviderStatus::Waiting,
        Some("depositing" | "pending" | "submitted" | "delayed") => ProviderStatus::Pending,
        Some("success") => ProviderStatus::Success,
        // A second deposit is refunded while the fill of the first one stands: the seller was paid.
        Some("failure" | "refund") if kept_fill() => ProviderStatus::Success,
        Some("failure") => ProviderStatus::Failed,
        Some("refund") => ProviderStatus::Refunded,
        Some(other) => {
            return Err(ProviderUnavailable(format!("unknown status {:?}", other.chars().take(20).collect::<String>())));
        }
    };
    let is_paid = status_of_it == ProviderStatus::Success;
    let paid_out = paid_out.filter(|_| is_paid);
    let fee_collected = record.filter(|_| paid_out.is_some()).and_then(Record::fee_collected);
    let fail_reason = status.and_then(|status| status.fail_reason).filter(|reason| reason != "N/A" && !reason.is_empty());
    Ok(Report { status: status_of_it, paid_out, fee_collected, fail_reason, superseded_by })
}
