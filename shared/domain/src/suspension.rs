//! Why something is not on offer.

use crate::wire_enum::wire_enum;

wire_enum! {
    /// Why the operator of the marketplace suspended a listing or a profile.
    pub enum SuspendedReason {
        /// The seller owes refunds that are overdue. Its listings are on offer again once they are paid.
        RefundOverdue = "REFUND_OVERDUE",
        /// It deceives its buyers.
        Fraud = "FRAUD",
        /// It does harm, or serves to do harm.
        Harmful = "HARMFUL",
        /// The law forbids it.
        Unlawful = "UNLAWFUL",
        /// Something else. The operator says what when asked.
        Other = "OTHER",
    }
}
