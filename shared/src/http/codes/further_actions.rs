//! What an error can ask for instead of its code's usual action. The pages of the codes and the API reference list it.

use super::Code;

/// An action that some errors of these codes carry in their `recovery`.
#[derive(Debug, Clone, Copy)]
pub struct FurtherAction {
    /// Stable name of what to do next.
    pub next_action: &'static str,
    /// The codes whose errors may carry it.
    pub codes: &'static [Code],
    /// The action in words.
    pub summary: &'static str,
}

/// Every such action.
pub const FURTHER_ACTIONS: &[FurtherAction] = &[
    FurtherAction {
        next_action: "choose_another_listing",
        codes: &[Code::PaymentRouteMinimumNotMet, Code::PaymentRouteUnavailable],
        summary: "No currency has a payment route for this price to this seller. Find another listing with GET /listings.",
    },
    FurtherAction {
        next_action: "send_body_to_be_quoted",
        codes: &[Code::PaymentRequired],
        summary: "You requested the price with an empty body. Send the call's JSON body to get a quote.",
    },
    FurtherAction {
        next_action: "use_auth_wallet",
        codes: &[Code::ProofWalletNotAllowed],
        summary: "To claim an agent, sign a new challenge with an active wallet of the agent that has the capability auth. GET /me/wallets \
         with the agent's API key lists them.",
    },
    FurtherAction {
        next_action: "request_new_challenge",
        codes: &[Code::EditConflict, Code::ProfileNotFound],
        summary: "The claim used its challenge before it failed. Check the agent's id, then request and sign a new challenge.",
    },
    FurtherAction {
        next_action: "ask_for_read_scope",
        codes: &[Code::InsufficientScope],
        summary: "A session can only create read keys. Omit scopes, or send [\"read\"].",
    },
    FurtherAction {
        next_action: "use_linked_wallet",
        codes: &[Code::WalletAlreadyLinked],
        summary: "The wallet is already linked to your profile; details.wallet_id is its id. GET /me/wallets/:id shows its capabilities, and \
         PATCH /me/wallets/:id changes them.",
    },
    FurtherAction {
        next_action: "rename_field",
        codes: &[Code::UnknownField],
        summary: "Each unknown name in details.fields is close to a known one. Send the names in did_you_mean.",
    },
    FurtherAction {
        next_action: "fix_request_fields",
        codes: &[Code::UnknownField, Code::InvalidRequest],
        summary: "Several fields are missing, unknown or wrong. Fix all that details.fields lists, then send the request again.",
    },
    FurtherAction {
        next_action: "use_suggested_path",
        codes: &[Code::NotFound, Code::MethodNotAllowed],
        summary: "Another path or method is near to this one. Send the request to details.method and details.path.",
    },
    FurtherAction {
        next_action: "wait_and_retry",
        codes: &[Code::PaymentRequired],
        summary: "The quote is no longer offered. Only if you have paid it, wait and send the same request again.",
    },
    FurtherAction {
        next_action: "leave_currency_out",
        codes: &[Code::PaymentRouteMinimumNotMet, Code::PaymentRouteUnavailable],
        summary: "No route carries the refund in the currency that you asked for. Send the same request without X-Crochet-Origin-Currency: the \
         first currency that works is chosen from those that your wallets can pay.",
    },
    FurtherAction {
        next_action: "no_action_needed",
        codes: &[Code::PaymentRouteMinimumNotMet, Code::PaymentRouteUnavailable],
        summary: "Nothing carries the refund to the buyer now. It does not become overdue meanwhile, and is joined with what you owe the same \
         buyer later.",
    },
    FurtherAction {
        next_action: "fetch_stored_answer",
        codes: &[Code::PaymentRequired],
        summary: "You have bought this before. Send details.delivered_relay_request_id in X-Crochet-Relay-Request-Id with the same body for the \
         answer that you have paid for. Pay data.payment only to buy it again.",
    },
    FurtherAction {
        next_action: "fetch_stored_answer",
        codes: &[
            Code::ListingNotActive,
            Code::EndpointPaused,
            Code::ListingHasNoGateway,
            Code::PaymentRouteUnavailable,
            Code::PaymentRouteMinimumNotMet,
            Code::PaymentWalletRequired,
        ],
        summary: "You have bought this before, and nothing was quoted now. Send details.delivered_relay_request_id in \
         X-Crochet-Relay-Request-Id with the same body for the answer that you have paid for.",
    },
    FurtherAction {
        next_action: "leave_currency_out",
        codes: &[Code::PaymentRouteMinimumNotMet, Code::PaymentRouteUnavailable],
        summary: "The same body was quoted in another currency, and may have been paid. Send the same request again without \
         X-Crochet-Origin-Currency.",
    },
    FurtherAction {
        next_action: "send_listed_payment_id",
        codes: &[Code::PaymentNotFound],
        summary: "Send the right id of details.open_payments in X-Crochet-Relay-Request-Id, with the same body. Do not pay again.",
    },
    FurtherAction {
        next_action: "send_payment_id_in_header",
        codes: &[Code::PaymentNotFound],
        summary: "Send details.relay_request_id in X-Crochet-Relay-Request-Id, with the body for which it was quoted, without the id in it.",
    },
    FurtherAction {
        next_action: "send_stored_currency",
        codes: &[Code::IdempotencyKeyReused],
        summary: "Send X-Crochet-Origin-Currency: details.origin_currency, or leave the header out. For another currency, use a new \
         Idempotency-Key.",
    },
    FurtherAction {
        next_action: "fetch_stored_answer",
        codes: &[Code::CallNotClosable],
        summary: "The call was delivered. Send it again with its relay_request_id and the same body for the stored answer.",
    },
    FurtherAction {
        next_action: "read_gateway_request",
        codes: &[Code::CallNotClosable],
        summary: "Nothing was paid for the call, or it was paid back. Read data.gateway_request.charge with GET /gateway-requests/:id.",
    },
];
