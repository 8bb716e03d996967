//! The one catalogue of error codes: status, sentence, and the way out. The API reference is generated from it.

use http::StatusCode;

/// What a caller can do about an error. Following it literally leads out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// Whether the same request may succeed later or after the next action.
    pub retryable: bool,
    /// Stable name of what to do next.
    pub next_action: &'static str,
    /// What to do next, in a sentence.
    pub summary: &'static str,
    /// Values to keep for the retry.
    pub preserve: &'static [&'static str],
    /// Values that are used up.
    pub discard: &'static [&'static str],
}

macro_rules! codes {
    ($($code:ident $name:literal $status:literal $message:literal
        => $action:literal $retryable:literal $summary:literal keep $preserve:expr, drop $discard:expr;)*) => {
        /// A stable error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $message] $code,)*
        }

        impl Code {
            /// Every code, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// The code on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// The HTTP status it travels with.
            #[must_use]
            pub fn status(self) -> StatusCode {
                let status: u16 = match self { $(Self::$code => $status,)* };
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// The sentence a caller reads when nothing more exact is known.
            #[must_use]
            pub fn message(self) -> &'static str {
                match self { $(Self::$code => $message,)* }
            }

            /// The way out.
            #[must_use]
            pub fn recovery(self) -> Recovery {
                match self { $(Self::$code => Recovery {
                    retryable: $retryable,
                    next_action: $action,
                    summary: $summary,
                    preserve: $preserve,
                    discard: $discard,
                },)* }
            }
        }
    };
}

const NONE: &[&str] = &[];
const BODY: &[&str] = &["body"];
const PAID: &[&str] = &["relay_request_id", "body"];
const PROOF: &[&str] = &["nonce", "pow_nonce", "signature"];

codes! {
    // Requests in general
    InvalidJson "INVALID_JSON" 400 "Send a body that is one valid JSON value."
        => "fix_request_body" false "Correct the JSON: UTF-8, no key twice in one object, no number beyond a double, no lone surrogate, then send the request again." keep NONE, drop NONE;
    UnknownField "UNKNOWN_FIELD" 400 "Remove the field that this request does not have."
        => "remove_unknown_field" false "Remove the field named in details.field and send the request again." keep NONE, drop NONE;
    InvalidRequest "INVALID_REQUEST" 400 "Correct the field named in details.field."
        => "fix_request_field" false "Correct the field named in details.field as the message says and send the request again." keep NONE, drop NONE;
    InvalidCursor "INVALID_CURSOR" 400 "Send next_cursor exactly as the previous page gave it, or leave cursor out."
        => "restart_from_first_page" true "Leave cursor out to start from the newest entry." keep NONE, drop &["cursor"];
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" 415 "Send the body as application/json."
        => "send_json" true "Set Content-Type: application/json and send the same body again." keep BODY, drop NONE;
    PayloadTooLarge "PAYLOAD_TOO_LARGE" 413 "Send a smaller body."
        => "send_smaller_body" false "Shorten the body to at most details.max_bytes and send the request again." keep NONE, drop NONE;
    HeaderTooLarge "HEADER_TOO_LARGE" 431 "Send shorter headers."
        => "send_shorter_headers" false "Keep every header under 8,192 bytes and the query under 4,096, and send the request again." keep BODY, drop NONE;
    NotFound "NOT_FOUND" 404 "There is no such route; see the API reference."
        => "read_api_reference" false "Look the path up in the API reference at reference_url." keep NONE, drop NONE;
    MethodNotAllowed "METHOD_NOT_ALLOWED" 405 "This path does not answer that method; see the Allow header."
        => "use_allowed_method" false "Use a method named in the Allow header." keep BODY, drop NONE;
    RateLimited "RATE_LIMITED" 429 "Too many requests; wait and try again."
        => "wait_and_retry" true "Wait retry_after_seconds, then send the same request again." keep BODY, drop NONE;
    InternalError "INTERNAL_ERROR" 500 "Something failed on our side; the request id helps the operator find it."
        => "retry_later" true "Send the same request again in a moment; if it keeps failing, give the operator the X-Request-Id." keep &["body", "idempotency_key", "relay_request_id"], drop NONE;
    ServiceUnavailable "SERVICE_UNAVAILABLE" 503 "A part of the service does not answer; nothing was lost."
        => "wait_and_retry" true "Wait retry_after_seconds, then send the same request again." keep &["body", "idempotency_key", "relay_request_id"], drop NONE;

    // Who is calling
    Unauthorized "UNAUTHORIZED" 401 "Send Authorization: Bearer am_k_… with your API key."
        => "send_api_key" false "Use data.authorization_header as POST /register or POST /auth/recover returned it, exactly as the Authorization header." keep BODY, drop NONE;
    InvalidApiKey "INVALID_API_KEY" 401 "This API key is not valid: it is mistyped, expired or revoked."
        => "recover_api_key" false "Check the key for typing errors; if it is lost or revoked, get a fresh one with POST /auth/challenge (purpose recover) and POST /auth/recover. A person logs in and makes a new one with POST /api-keys." keep BODY, drop &["api_key"];
    InsufficientScope "INSUFFICIENT_SCOPE" 403 "This API key does not have the scope that this needs."
        => "use_key_with_scope" false "Use a key with the scope named in details.required_scope; an agent's key with write makes others with POST /api-keys." keep BODY, drop NONE;
    RoleRequired "ROLE_REQUIRED" 403 "This profile's role does not allow that."
        => "change_role" false "Give the profile the role named in details.required_role, or both, with PATCH /me; then send the request again." keep BODY, drop NONE;

    // Identity
    InvalidWalletAddress "INVALID_WALLET_ADDRESS" 400 "Send an EVM address (0x and 40 hex digits) or a Solana address (base58 of 32 bytes)."
        => "fix_wallet_address" false "Correct wallet_address and ask for a challenge again." keep NONE, drop NONE;
    ChallengeInvalid "CHALLENGE_INVALID" 400 "This challenge is unknown, expired or already used; ask for a fresh one."
        => "request_new_challenge" true "Call POST /auth/challenge again, sign the new message, solve the new proof of work, and submit within five minutes." keep &["wallet_address", "display_name"], drop PROOF;
    PowInvalid "POW_INVALID" 400 "The proof of work does not solve the challenge; ask for a fresh one."
        => "request_new_challenge" true "Ask for a fresh challenge, find a pow_nonce so that sha256(challenge + pow_nonce) in lower-case hex starts with `difficulty` zeros, and submit it." keep &["wallet_address", "display_name"], drop PROOF;
    SignatureInvalid "SIGNATURE_INVALID" 401 "The signature does not prove control of the wallet; ask for a fresh challenge and sign its message as it is."
        => "request_new_challenge" true "Ask for a fresh challenge and sign data.message byte for byte with the wallet named in it (EVM: personal_sign; Solana: ed25519)." keep &["wallet_address", "display_name"], drop PROOF;
    WalletAlreadyRegistered "WALLET_ALREADY_REGISTERED" 409 "This wallet belongs to a profile already; recover its API key with POST /auth/recover."
        => "recover_api_key" false "Call POST /auth/challenge with purpose recover, then POST /auth/recover." keep &["wallet_address"], drop PROOF;
    WalletNotRegistered "WALLET_NOT_REGISTERED" 404 "No profile has this wallet as an active recovery wallet; register it with POST /register."
        => "register_wallet" false "Call POST /auth/challenge with purpose register, then POST /register." keep &["wallet_address"], drop PROOF;
    WalletCannotRecover "WALLET_CANNOT_RECOVER" 403 "This wallet belongs to a profile, but may not recover it."
        => "use_recovery_wallet" false "Recover with an active wallet of the same profile that has the capability recovery." keep NONE, drop PROOF;
    ChainUnavailable "CHAIN_UNAVAILABLE" 503 "The chain on which this wallet's contract lives could not be asked; ask for a fresh challenge and try again."
        => "request_new_challenge" true "Wait retry_after_seconds, then call POST /auth/challenge again and sign the new message." keep &["wallet_address", "display_name"], drop PROOF;
    ProofWalletNotAllowed "PROOF_WALLET_NOT_ALLOWED" 403 "The wallet that signed may not authorise this for the profile."
        => "use_recovery_wallet" false "Sign with an active wallet of the profile that has the capability named in details.required_capability (GET /me/wallets lists them)." keep NONE, drop PROOF;
    WalletNotFound "WALLET_NOT_FOUND" 404 "This profile has no wallet with this id."
        => "list_wallets" false "List the profile's wallets with GET /me/wallets." keep BODY, drop NONE;
    WalletAlreadyLinked "WALLET_ALREADY_LINKED" 409 "This wallet belongs to a profile already; one wallet has one profile."
        => "use_another_wallet" false "Link another wallet, or use the profile that has this one (POST /auth/recover)." keep NONE, drop PROOF;
    WalletLimit "WALLET_LIMIT" 409 "This profile has as many wallets as one may have."
        => "use_linked_wallet" false "Use one of the wallets that GET /me/wallets lists; a disabled one can be made active with PATCH /me/wallets/:id." keep NONE, drop PROOF;
    WouldStrandProfile "WOULD_STRAND_PROFILE" 409 "That would leave the profile without an active recovery wallet."
        => "link_recovery_wallet" false "Give another active wallet the capability recovery first, or link one with POST /me/wallets." keep NONE, drop PROOF;
    ProfileNotFound "PROFILE_NOT_FOUND" 404 "There is no agent with this id."
        => "check_agent_id" false "Take the id from data.listing.seller.id of GET /listings/:id, or from GET /me." keep BODY, drop NONE;
    ListingsStillActive "LISTINGS_STILL_ACTIVE" 409 "This profile has active listings, which a buyer could not manage."
        => "suspend_listings" false "Take your active listings off with DELETE /listings/:id (details.listing_ids names them), or keep a role that sells." keep BODY, drop NONE;
    KeyNotFound "KEY_NOT_FOUND" 404 "This profile has no API key with this id."
        => "list_api_keys" false "List the profile's keys with GET /api-keys." keep NONE, drop NONE;
    KeyLimit "KEY_LIMIT" 409 "This profile has as many API keys as one may have."
        => "revoke_unused_key" false "Revoke a key that is not used any more with DELETE /api-keys/:id, then create the new one." keep BODY, drop NONE;

    // People
    SessionRequired "SESSION_REQUIRED" 401 "Log in first: this is for people, with the cookie of a session."
        => "log_in" false "Log in with a passkey (POST /auth/passkey/login/start and /finish) and send the cookie that comes back." keep BODY, drop NONE;
    CrossSiteRequest "CROSS_SITE_REQUEST" 403 "This request came from another site, so the session does not count."
        => "send_from_same_site" false "Send it from a page of this deployment; programs use an API key instead of the cookie." keep BODY, drop NONE;
    CeremonyInvalid "CEREMONY_INVALID" 400 "This passkey ceremony is unknown, expired or already used; start a new one."
        => "start_new_ceremony" true "Call the start route again and finish with what it gives, within five minutes." keep &["display_name"], drop &["ceremony_id", "credential"];
    PasskeyRefused "PASSKEY_REFUSED" 401 "The passkey's answer does not prove who you are; start again."
        => "start_new_ceremony" true "Call the start route again and let the authenticator verify you (PIN, fingerprint or face)." keep &["display_name"], drop &["ceremony_id", "credential"];
    PasskeyAlreadyRegistered "PASSKEY_ALREADY_REGISTERED" 409 "This passkey is registered already."
        => "log_in" false "Log in with it: POST /auth/passkey/login/start and /finish." keep NONE, drop &["ceremony_id", "credential"];
    PasskeyLimit "PASSKEY_LIMIT" 409 "This person has as many passkeys as one may have."
        => "remove_unused_passkey" false "Remove one with DELETE /auth/passkey/credentials/:id, then add the new one." keep NONE, drop &["ceremony_id", "credential"];
    PasskeyNotFound "PASSKEY_NOT_FOUND" 404 "You have no passkey with this id."
        => "list_passkeys" false "List your passkeys with GET /auth/passkey/credentials." keep NONE, drop NONE;
    PasskeysUnavailable "PASSKEYS_UNAVAILABLE" 409 "This deployment is reached by an IP address, and a passkey can only belong to a domain name."
        => "use_domain_name" false "The operator must set CROCHET_PUBLIC_URL to a URL with a domain name (locally http://localhost:9000); then open the site there." keep NONE, drop NONE;
    LastPasskey "LAST_PASSKEY" 409 "This is your only passkey; without it you could not log in."
        => "add_passkey_first" false "Add another passkey while logged in, then remove this one." keep NONE, drop NONE;
    RecoveryCodeInvalid "RECOVERY_CODE_INVALID" 401 "This recovery code is unknown or was used already."
        => "use_another_recovery_code" false "Use another of your ten codes, log in with a passkey, or with a wallet of an agent that you operate." keep NONE, drop &["recovery_code"];
    AlreadyClaimed "ALREADY_CLAIMED" 409 "Another person operates this agent; an agent has one operator."
        => "ask_operator_to_release" false "The present operator can release it with DELETE /agents/:id/claim." keep NONE, drop PROOF;
    ClaimLimit "CLAIM_LIMIT" 409 "You operate as many agents as one person may."
        => "release_claim" false "Release an agent with DELETE /agents/:id/claim first." keep NONE, drop PROOF;
    NotOperator "NOT_OPERATOR" 403 "You do not operate this agent."
        => "claim_agent" false "Claim it with POST /agents/:id/claim, signed by one of its wallets; GET /me lists the agents that you operate." keep BODY, drop NONE;


    // Listings
    ListingNotFound "LISTING_NOT_FOUND" 404 "There is no such listing."
        => "browse_listings" false "Find the listing with GET /listings; use its id or slug." keep BODY, drop NONE;
    NotListingOwner "NOT_LISTING_OWNER" 403 "Only the listing's owner may change it."
        => "use_owner_key" false "Use an API key of the profile that owns the listing." keep BODY, drop NONE;
    ListingLimitReached "LISTING_LIMIT_REACHED" 409 "This profile has as many listings as it may have."
        => "delete_a_listing" false "Delete a draft, or change an existing listing with PATCH /listings/:id." keep BODY, drop &["pow_nonce"];
    PayoutWalletRequired "PAYOUT_WALLET_REQUIRED" 409 "A paid listing needs an active wallet with the capability payout; without one the price could reach nobody."
        => "add_payout_wallet" false "Link a wallet with the capability payout (POST /me/wallets), then create the listing again." keep BODY, drop &["pow_nonce"];
    EndpointRequired "ENDPOINT_REQUIRED" 400 "A per_call listing needs private_endpoint_url."
        => "add_private_endpoint_url" false "Send private_endpoint_url: the https URL at which Crochet calls you." keep BODY, drop NONE;
    EndpointUrlRefused "ENDPOINT_URL_REFUSED" 400 "private_endpoint_url must be an https URL with a public DNS name on port 443."
        => "fix_private_endpoint_url" false "Use a public https URL without credentials, fragment, IP literal or unusual port; every address of its name must be public." keep BODY, drop NONE;
    EndpointNotFound "ENDPOINT_NOT_FOUND" 404 "This listing has no endpoint yet."
        => "add_private_endpoint_url" false "Set one with PUT /listings/:id/endpoint and private_endpoint_url: the https URL at which Crochet calls you." keep NONE, drop NONE;
    EndpointInUse "ENDPOINT_IN_USE" 409 "A per_call listing needs its endpoint, so it cannot be removed."
        => "pause_endpoint" false "Send status paused with PUT /listings/:id/endpoint to stop calls; or make the listing free with PATCH /listings/:id (pricing_model free), then remove the endpoint." keep NONE, drop NONE;
    TooManyLiveSecrets "TOO_MANY_LIVE_SECRETS" 409 "As many signing secrets of this listing sign already as may."
        => "end_earlier_secrets" true "Rotate with immediate: true, which ends all earlier secrets at once; or wait retry_after_seconds, until the next of them ends." keep NONE, drop NONE;
    InvalidSchema "INVALID_SCHEMA" 400 "The schema is not a JSON Schema 2020-12 that can be checked here."
        => "fix_schema" false "Correct the schema: draft 2020-12, no $ref beyond the document, at most 64 KiB." keep BODY, drop NONE;
    ListingSuspended "LISTING_SUSPENDED" 409 "The operator has suspended this listing; only the operator can lift that."
        => "contact_operator" false "Ask the operator of this deployment." keep NONE, drop NONE;
    StatusChangeRefused "STATUS_CHANGE_REFUSED" 409 "A listing does not go from its present status to that one."
        => "choose_another_status" false "A draft can become active; an active listing can be suspended; a listing suspended by its owner can become active." keep BODY, drop NONE;
    EditConflict "EDIT_CONFLICT" 409 "It was changed at the same moment; read it and try again."
        => "read_and_retry" true "Read it again and repeat the change." keep BODY, drop NONE;
    EditLimit "EDIT_LIMIT" 429 "This listing's endpoint was changed as often as it may be in a day."
        => "wait_and_retry" true "Wait retry_after_seconds, then send the same request again." keep BODY, drop NONE;

    // The gateway, before payment
    ListingNotActive "LISTING_NOT_ACTIVE" 409 "This listing is not active, so nothing was quoted."
        => "choose_another_listing" false "Find an active listing with GET /listings." keep BODY, drop NONE;
    EndpointPaused "ENDPOINT_PAUSED" 409 "The seller has paused this listing's endpoint, so nothing was quoted."
        => "retry_later_or_choose_another_listing" true "Try again later, or find another listing with GET /listings." keep BODY, drop NONE;
    ListingHasNoGateway "LISTING_HAS_NO_GATEWAY" 409 "This listing has no endpoint behind the gateway."
        => "read_connection_instructions" false "Read the listing's connection_instructions with GET /listings/:id." keep BODY, drop NONE;
    InputSchemaMismatch "INPUT_SCHEMA_MISMATCH" 422 "The body does not fit the listing's input_schema; nothing was quoted."
        => "fix_request_body" false "Correct the paths named in details.errors so that the body fits data.listing.input_schema of GET /listings/:id." keep NONE, drop NONE;
    UnsupportedOriginCurrency "UNSUPPORTED_ORIGIN_CURRENCY" 400 "X-Crochet-Origin-Currency must be SOL, USDC_SOL, ETH or USDC."
        => "choose_supported_currency" true "Set X-Crochet-Origin-Currency to one of details.origin_currencies, or leave it out." keep BODY, drop NONE;
    InvalidIdempotencyKey "INVALID_IDEMPOTENCY_KEY" 400 "Idempotency-Key must be 1 to 255 printable ASCII characters, sent once."
        => "fix_idempotency_key" true "Send a shorter printable key, or none." keep BODY, drop &["idempotency_key"];
    InvalidPaymentId "INVALID_PAYMENT_ID" 400 "X-Crochet-Relay-Request-Id must be the relay_request_id of a 402, sent once."
        => "fix_payment_id" true "Send relay_request_id exactly as data.payment gave it, or leave the header out." keep BODY, drop NONE;
    PaymentWalletRequired "PAYMENT_WALLET_REQUIRED" 400 "This profile has no active payment wallet for that currency."
        => "link_payment_wallet" false "Link a wallet of the chain named in details.chain with POST /me/wallets, or use a currency from details.payable_with_your_wallets." keep BODY, drop NONE;
    PaymentRouteMinimumNotMet "PAYMENT_ROUTE_MINIMUM_NOT_MET" 400 "This payment route cannot support the listing's low per-call price."
        => "retry_with_solana_payment_route" true "Retry with X-Crochet-Origin-Currency: SOL and a new Idempotency-Key; the same route will be refused again." keep BODY, drop &["idempotency_key"];
    PaymentRouteUnavailable "PAYMENT_ROUTE_UNAVAILABLE" 400 "No payment route leads from that currency to this seller."
        => "choose_supported_currency" true "Retry with X-Crochet-Origin-Currency set to one of details.origin_currencies and a new Idempotency-Key." keep BODY, drop &["idempotency_key"];
    QuoteLimit "QUOTE_LIMIT" 429 "Too many open quotes; pay or let one expire first."
        => "pay_or_wait" true "Pay an open quote (GET /gateway-requests shows them with status quoted) or wait retry_after_seconds, then send the same request again." keep BODY, drop NONE;
    ListingRateLimited "LISTING_RATE_LIMITED" 429 "This listing takes no more calls in this minute; nothing was quoted."
        => "wait_and_retry" true "Wait retry_after_seconds, then send the same request again." keep BODY, drop NONE;
    ListingBusy "LISTING_BUSY" 503 "Too many calls are at this listing right now; nothing was quoted."
        => "wait_and_retry" true "Wait retry_after_seconds, then send the same request again." keep BODY, drop NONE;

    // The gateway, payment
    PaymentRequired "PAYMENT_REQUIRED" 402 "Complete payment, then retry this gateway call with X-Crochet-Relay-Request-Id."
        => "complete_payment_then_retry" true "Carry out data.payment.requirements.steps with the wallet in data.payment.pay_from, then send the same body with X-Crochet-Relay-Request-Id set to data.payment.relay_request_id." keep PAID, drop NONE;
    PaymentProviderUnavailable "PAYMENT_PROVIDER_UNAVAILABLE" 503 "The payment provider does not answer as it should; nothing is lost."
        => "wait_and_retry" true "Wait retry_after_seconds, then send the same request again with the same relay_request_id, if you have one. Do not pay again." keep &["relay_request_id", "body", "idempotency_key"], drop NONE;
    PaymentNotFound "PAYMENT_NOT_FOUND" 404 "No payment of yours has this relay_request_id."
        => "retry_without_payment_id" true "Leave X-Crochet-Relay-Request-Id out to be quoted; GET /gateway-requests lists your payments." keep BODY, drop &["relay_request_id"];
    PaymentBoundToAnotherRequest "PAYMENT_BOUND_TO_ANOTHER_REQUEST" 409 "This payment was quoted for another listing or body."
        => "send_original_request" true "Send the listing and JSON body for which this payment was quoted (GET /gateway-requests/:id names them), or leave the id out to be quoted for this one." keep &["relay_request_id"], drop NONE;
    PaymentMismatch "PAYMENT_MISMATCH" 409 "The provider's record of this payment differs from its quote; nothing was forwarded and the operator is told."
        => "contact_operator" true "Keep the relay_request_id and ask the operator; the same request may be sent again without paying again. To buy anew meanwhile, use a new Idempotency-Key." keep PAID, drop NONE;
    IdempotencyKeyConflict "IDEMPOTENCY_KEY_CONFLICT" 409 "This Idempotency-Key names another call than the payment does."
        => "retry_without_idempotency_key" true "Send X-Crochet-Relay-Request-Id alone, or with the Idempotency-Key under which it was quoted." keep PAID, drop &["idempotency_key"];
    IdempotencyKeyReused "IDEMPOTENCY_KEY_REUSED" 422 "This Idempotency-Key was used with another body, listing or currency."
        => "use_new_idempotency_key" true "Use a new Idempotency-Key for this request, or send the original request to go on with its call." keep BODY, drop &["idempotency_key"];
    CallInProgress "CALL_IN_PROGRESS" 409 "This call is being delivered right now."
        => "wait_and_retry" true "Wait retry_after_seconds, then send the same request again; the answer will be there." keep &["relay_request_id", "body", "idempotency_key"], drop NONE;
    AnswerExpired "ANSWER_EXPIRED" 410 "This call was delivered, and its stored answer is no longer kept; it is not charged again."
        => "start_a_new_call" false "Leave the payment id and the Idempotency-Key out to buy a new call." keep BODY, drop &["relay_request_id", "idempotency_key"];
    CallUndelivered "CALL_UNDELIVERED" 502 "The seller never delivered this call; it is closed, and the ledger says what is owed to you."
        => "read_ledger" false "Read the adjustments of this call with GET /ledger; buy a new call elsewhere with GET /listings." keep BODY, drop &["relay_request_id", "idempotency_key"];
    CallNotFound "CALL_NOT_FOUND" 404 "You have no gateway request with this id."
        => "list_gateway_requests" false "List your requests with GET /gateway-requests." keep NONE, drop NONE;

    // The gateway, the seller
    SellerTimeout "SELLER_TIMEOUT" 504 "The seller did not answer in time."
        => "retry_same_request" true "Wait retry_after_seconds and send the same request again; a paid call is not charged again. It closes after details.attempts_left more attempts." keep &["relay_request_id", "body", "idempotency_key"], drop NONE;
    SellerUnreachable "SELLER_UNREACHABLE" 502 "The seller could not be reached."
        => "retry_same_request" true "Wait retry_after_seconds and send the same request again; a paid call is not charged again. It closes after details.attempts_left more attempts." keep &["relay_request_id", "body", "idempotency_key"], drop NONE;
    SellerTls "SELLER_TLS" 502 "No secure connection to the seller could be made."
        => "retry_same_request" true "Wait retry_after_seconds and send the same request again; a paid call is not charged again. It closes after details.attempts_left more attempts." keep &["relay_request_id", "body", "idempotency_key"], drop NONE;
    SellerError "SELLER_ERROR" 502 "The seller answered with a server error."
        => "retry_same_request" true "Wait retry_after_seconds and send the same request again; a paid call is not charged again. It closes after details.attempts_left more attempts." keep &["relay_request_id", "body", "idempotency_key"], drop NONE;
    SellerRefused "SELLER_REFUSED" 502 "The seller refused the gateway's request."
        => "retry_same_request" true "Wait retry_after_seconds and send the same request again; a paid call is not charged again. It closes after details.attempts_left more attempts." keep &["relay_request_id", "body", "idempotency_key"], drop NONE;
    SellerInvalidJson "SELLER_INVALID_JSON" 502 "The seller's answer was not JSON."
        => "retry_same_request" true "Wait retry_after_seconds and send the same request again; a paid call is not charged again. It closes after details.attempts_left more attempts." keep &["relay_request_id", "body", "idempotency_key"], drop NONE;
    SellerResponseTooLarge "SELLER_RESPONSE_TOO_LARGE" 502 "The seller's answer was larger than its listing allows."
        => "retry_same_request" true "Wait retry_after_seconds and send the same request again; a paid call is not charged again. It closes after details.attempts_left more attempts." keep &["relay_request_id", "body", "idempotency_key"], drop NONE;
    SellerUnavailable "SELLER_UNAVAILABLE" 502 "The seller's endpoint takes no calls right now; this counts as no attempt."
        => "retry_same_request" true "Wait retry_after_seconds and send the same request again; a paid call is not charged again." keep &["relay_request_id", "body", "idempotency_key"], drop NONE;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_screaming_and_have_a_way_out() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            let name = code.as_str();
            assert!(seen.insert(name), "{name} twice");
            assert!(name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'), "{name}");
            assert!(code.status().as_u16() >= 400, "{name}");
            assert!(code.message().ends_with('.'), "{name}");
            assert!(code.recovery().summary.ends_with('.'), "{name}");
        }
    }
}
