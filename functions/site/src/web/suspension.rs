//! Why something is off offer, in words.

use crochet_domain::suspension::SuspendedReason;

/// Ends a sentence that begins with "suspended by the operator:".
pub(super) fn because(reason: SuspendedReason) -> &'static str {
    match reason {
        SuspendedReason::RefundOverdue => "refunds to buyers are overdue",
        SuspendedReason::Fraud => "it deceives its buyers",
        SuspendedReason::Harmful => "it does harm, or serves to do harm",
        SuspendedReason::Unlawful => "the law forbids it",
        SuspendedReason::Other => "ask the operator for the reason",
    }
}
