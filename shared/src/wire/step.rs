//! The provider's steps of a payment, as OpenAPI describes them. The service passes them on as they are.

use utoipa::ToSchema;

/// A step of a payment, in the provider's words. The provider may add members.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct PaymentStep {
    /// Such as `approve` or `deposit`.
    pub id: String,
    /// What the payer does, in a few words.
    pub action: String,
    /// What the step is for.
    pub description: String,
    /// `transaction`: sign and send the transaction of each item.
    pub kind: String,
    /// The provider's id for the payment.
    #[schema(nullable = false)]
    pub request_id: Option<String>,
    /// The address that a plain transfer goes to; empty if the step is a contract call.
    #[schema(nullable = false)]
    pub deposit_address: Option<String>,
    /// The transactions, in their order.
    pub items: Vec<PaymentStepItem>,
}

/// One transaction of a step.
#[derive(Debug, ToSchema)]
pub struct PaymentStepItem {
    /// `incomplete` until the transaction is seen.
    pub status: String,
    /// The transaction.
    pub data: StepTransaction,
    /// Where the provider tells whether the transaction was seen.
    #[schema(nullable = false)]
    pub check: Option<StepCheck>,
}

/// A transaction to sign and send: the members from `from` to `maxPriorityFeePerGas` on an EVM chain, the others on Solana.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct StepTransaction {
    /// The payer's address.
    #[schema(nullable = false)]
    pub from: Option<String>,
    /// The contract or account that is called.
    #[schema(nullable = false)]
    pub to: Option<String>,
    /// The call's data, in hex.
    #[schema(nullable = false)]
    pub data: Option<String>,
    /// The value in wei, as a decimal number.
    #[schema(nullable = false)]
    pub value: Option<String>,
    /// The chain's id.
    #[schema(nullable = false)]
    pub chain_id: Option<u64>,
    /// The gas limit.
    #[schema(nullable = false)]
    pub gas: Option<String>,
    /// The maximum fee per gas, in wei.
    #[schema(nullable = false)]
    pub max_fee_per_gas: Option<String>,
    /// The maximum priority fee per gas, in wei.
    #[schema(nullable = false)]
    pub max_priority_fee_per_gas: Option<String>,
    /// The instructions of the transaction.
    #[schema(nullable = false)]
    pub instructions: Option<Vec<StepInstruction>>,
    /// Addresses of the lookup tables that the transaction uses.
    #[schema(nullable = false)]
    pub address_lookup_table_addresses: Option<Vec<String>>,
}

/// An instruction of a Solana transaction.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct StepInstruction {
    /// The accounts, in their order.
    pub keys: Vec<StepAccount>,
    /// The program that is called.
    pub program_id: String,
    /// The instruction's data, in hex.
    pub data: String,
}

/// An account of an instruction.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct StepAccount {
    /// Its address.
    pub pubkey: String,
    /// Whether it signs.
    pub is_signer: bool,
    /// Whether it is written.
    pub is_writable: bool,
}

/// Where the provider tells whether a transaction was seen.
#[derive(Debug, ToSchema)]
pub struct StepCheck {
    /// The path at the provider.
    pub endpoint: String,
    /// The method.
    pub method: String,
}
