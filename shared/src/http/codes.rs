//! All error codes, each with its status, message and recovery. The API reference is generated from them.

pub mod further_actions;

use http::StatusCode;

/// What a caller can do about an error. It can be followed literally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// Whether the same request may succeed later, or after the next action.
    pub retryable: bool,
    /// Stable name of what to do next.
    pub next_action: &'static str,
    /// The next action in words.
    pub summary: &'static str,
    /// Values to send again.
    pub preserve: &'static [&'static str],
    /// Values that cannot be used again.
    pub discard: &'static [&'static str],
}

macro_rules! codes {
    ($($code:ident $name:literal $status:literal $message:literal
        => $action:literal $retryable:literal $summary:tt keep $preserve:expr, drop $discard:expr;)*) => {
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

            /// Its HTTP status.
            #[must_use]
            pub fn status(self) -> StatusCode {
                let status: u16 = match self { $(Self::$code => $status,)* };
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// Whether a seller, also by being slow, the payment provider or a wallet's chain caused it. Such errors start no alarm
            /// about ours.
            #[must_use]
            pub fn is_upstream(self) -> bool {
                use Code::*;
                matches!(
                    self,
                    SellerTimeout
                        | SellerUnreachable
                        | SellerTls
                        | SellerError
                        | SellerRefused
                        | SellerInvalidJson
                        | SellerResponseTooLarge
                        | SellerUnavailable
                        | ListingBusy
                        | CallUndelivered
                        | PaymentProviderUnavailable
                        | ChainUnavailable
                )
            }

            /// The message of an error that has no more specific one.
            #[must_use]
            pub fn message(self) -> &'static str {
                match self { $(Self::$code => $message,)* }
            }

            /// What the caller can do, where the error does not say otherwise.
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

const WAIT: &str = "Wait retry_after_seconds, then send the same request again.";
const REPEAT: &str = "Wait retry_after_seconds, then send the same request again. \
    A paid call is not charged again. The call closes after details.attempts_left more attempts.";
const NONE: &[&str] = &[];
const BODY: &[&str] = &["body"];
const PAID: &[&str] = &["relay_request_id", "body"];
const CALL: &[&str] = &["relay_request_id", "body", "idempotency_key"];
const PROOF: &[&str] = &["nonce", "pow_nonce", "signature"];

codes! {
    // Requests in general
    InvalidJson "INVALID_JSON" 400 "Send a body that is one valid JSON value."
        => "fix_request_body" false "Send one JSON value in UTF-8: no duplicate keys in an object, no number outside the range of a double, no lone surrogates." keep NONE, drop NONE;
    UnknownField "UNKNOWN_FIELD" 400 "A field of this request is unknown; details.fields says what to do about it."
        => "remove_unknown_field" false "Rename each field of details.fields that has a did_you_mean to that name, remove the other unknown ones, and send the request again." keep NONE, drop NONE;
    InvalidRequest "INVALID_REQUEST" 400 "Correct the fields that details.fields lists."
        => "fix_request_field" false "Correct the fields that details.fields lists, as their messages say, and send the request again." keep NONE, drop NONE;
    InvalidCursor "INVALID_CURSOR" 400 "Send next_cursor exactly as the previous page returned it, or leave cursor out."
        => "restart_from_first_page" true "Send next_cursor exactly as the previous page returned it, or leave cursor out to start with the newest entry." keep NONE, drop &["cursor"];
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" 415 "Send the body as application/json."
        => "send_json" true "Set Content-Type: application/json and send the same body again." keep BODY, drop NONE;
    PayloadTooLarge "PAYLOAD_TOO_LARGE" 413 "Send a smaller body."
        => "send_smaller_body" false "Shorten the body to at most details.max_bytes and send the request again." keep NONE, drop NONE;
    HeaderTooLarge "HEADER_TOO_LARGE" 431 "Send shorter headers, or a shorter path or query."
        => "send_shorter_headers" false "Keep each header under 8,192 bytes and the path and the query under 4,096 bytes each, then send the request again." keep BODY, drop NONE;
    NotFound "NOT_FOUND" 404 "This path does not exist; look it up in the API reference."
        => "read_api_reference" false "GET /api/v1 lists what there is. Look the path up there, or in the API reference at reference_url." keep NONE, drop NONE;
    MethodNotAllowed "METHOD_NOT_ALLOWED" 405 "This path does not support that method; use one listed in the Allow header."
        => "use_allowed_method" false "Use a method listed in the Allow header." keep BODY, drop NONE;
    RateLimited "RATE_LIMITED" 429 "Too many requests; wait, then try again."
        => "wait_and_retry" true WAIT keep BODY, drop NONE;
    InternalError "INTERNAL_ERROR" 500 "Something failed on our side; try again in a moment."
        => "retry_later" true "Send the same request again in a moment. If it keeps failing, give the operator the X-Request-Id." keep &["body", "idempotency_key", "relay_request_id"], drop NONE;
    ServiceUnavailable "SERVICE_UNAVAILABLE" 503 "Part of the service is unavailable and nothing was lost; wait, then try again."
        => "wait_and_retry" true WAIT keep &["body", "idempotency_key", "relay_request_id"], drop NONE;

    // Who is calling
    Unauthorized "UNAUTHORIZED" 401 "Send your API key as Authorization: Bearer am_k_…."
        => "send_api_key" false "Send your key in the header Authorization, as `Bearer` and the key. Without one, get it: POST /auth/challenge with your wallet_address, sign data.message, solve data.pow, then POST /register (a registered wallet: purpose recover, then POST /auth/recover), and send data.authorization_header as it is." keep BODY, drop NONE;
    InvalidApiKey "INVALID_API_KEY" 401 "This API key is mistyped, expired or revoked; check it or get a new one."
        => "recover_api_key" false "Check the key for typing errors. If it is lost or revoked, get a new one with POST /auth/challenge (purpose recover) and POST /auth/recover. A person logs in and creates one with POST /api-keys." keep BODY, drop &["api_key"];
    InsufficientScope "INSUFFICIENT_SCOPE" 403 "This API key lacks the scope that this request needs; use one that has it."
        => "use_key_with_scope" false "Use a key with the scope named in details.required_scope. A key with the scope write can create one with POST /api-keys." keep BODY, drop NONE;
    RoleRequired "ROLE_REQUIRED" 403 "This profile's role does not allow that; change the role with PATCH /me."
        => "change_role" false "Change the role to the one named in details.required_role, or to both, with PATCH /me. Then send the request again." keep BODY, drop NONE;

    // Identity
    InvalidWalletAddress "INVALID_WALLET_ADDRESS" 400 "Send an EVM address (0x and 40 hex digits) or a Solana address (base58 of 32 bytes)."
        => "fix_wallet_address" false "Correct the address and send the request again." keep NONE, drop NONE;
    ChallengeInvalid "CHALLENGE_INVALID" 400 "This challenge is unknown, expired or already used; request a new one."
        => "request_new_challenge" true "Request a new challenge with POST /auth/challenge, sign its message, solve its proof of work, and submit both within five minutes." keep &["wallet_address", "display_name"], drop PROOF;
    PowInvalid "POW_INVALID" 400 "The proof of work does not solve the challenge; request a new one."
        => "request_new_challenge" true "Request a new challenge. Find a pow_nonce for which the lower-case hex of sha256(challenge + pow_nonce) starts with `difficulty` zeros, and submit it." keep &["wallet_address", "display_name"], drop PROOF;
    SignatureInvalid "SIGNATURE_INVALID" 401 "The signature does not prove control of the wallet; request a new challenge and sign its message unchanged."
        => "request_new_challenge" true "Request a new challenge. Sign data.message byte for byte with the wallet that it names (EVM: personal_sign; Solana: ed25519)." keep &["wallet_address", "display_name"], drop PROOF;
    WalletAlreadyRegistered "WALLET_ALREADY_REGISTERED" 409 "This wallet already has a profile; get an API key for it with POST /auth/recover."
        => "recover_api_key" false "Get an API key for that profile: call POST /auth/challenge with purpose recover, then POST /auth/recover." keep &["wallet_address"], drop PROOF;
    WalletNotRegistered "WALLET_NOT_REGISTERED" 404 "No profile has this wallet as an active recovery wallet; register it with POST /register."
        => "register_wallet" false "Create a profile: call POST /auth/challenge with purpose register, then POST /register." keep &["wallet_address"], drop PROOF;
    WalletCannotRecover "WALLET_CANNOT_RECOVER" 403 "This wallet cannot recover its profile; use one that has the capability recovery."
        => "use_recovery_wallet" false "Use an active wallet of the same profile that has the capability recovery." keep NONE, drop PROOF;
    ChainUnavailable "CHAIN_UNAVAILABLE" 503 "The chain of this wallet's contract is unavailable; wait, then request a new challenge."
        => "request_new_challenge" true "Wait retry_after_seconds, then request a new challenge with POST /auth/challenge and sign its message." keep &["wallet_address", "display_name"], drop PROOF;
    ProofWalletNotAllowed "PROOF_WALLET_NOT_ALLOWED" 403 "The wallet that signed cannot authorize this; sign with one that has the required capability."
        => "use_recovery_wallet" false "Sign with an active wallet of the profile that has the capability named in details.required_capability. GET /me/wallets lists the wallets." keep NONE, drop PROOF;
    WalletNotFound "WALLET_NOT_FOUND" 404 "This profile has no wallet with this id; list its wallets with GET /me/wallets."
        => "list_wallets" false "List the profile's wallets with GET /me/wallets." keep BODY, drop NONE;
    WalletAlreadyLinked "WALLET_ALREADY_LINKED" 409 "This wallet already belongs to a profile; link another wallet."
        => "use_another_wallet" false "Link another wallet, or use the profile that has this one (POST /auth/recover)." keep NONE, drop PROOF;
    WalletLimit "WALLET_LIMIT" 409 "This profile has the maximum number of wallets; use one of them."
        => "use_linked_wallet" false "Use a wallet that GET /me/wallets lists. PATCH /me/wallets/:id activates a disabled one." keep NONE, drop PROOF;
    WouldStrandProfile "WOULD_STRAND_PROFILE" 409 "That would leave the profile without an active recovery wallet; give another wallet that capability first."
        => "link_recovery_wallet" false "First give another active wallet the capability recovery, or link one with POST /me/wallets." keep NONE, drop PROOF;
    ProfileNotFound "PROFILE_NOT_FOUND" 404 "There is no agent with this id; check it."
        => "check_agent_id" false "Use data.listing.seller.id of GET /listings/:id, or an id from GET /me." keep BODY, drop NONE;
    ListingsStillActive "LISTINGS_STILL_ACTIVE" 409 "Active listings need this; suspend them first."
        => "suspend_listings" false "Suspend the listings named in details.listing_ids with DELETE /listings/:id, then repeat the change; or leave it." keep BODY, drop NONE;
    KeyNotFound "KEY_NOT_FOUND" 404 "This profile has no API key with this id; list its keys with GET /api-keys."
        => "list_api_keys" false "List the profile's keys with GET /api-keys." keep NONE, drop NONE;
    KeyLimit "KEY_LIMIT" 409 "This profile has the maximum number of API keys; revoke one first."
        => "revoke_unused_key" false "Revoke an unused key with DELETE /api-keys/:id, then create the new one." keep BODY, drop NONE;

    // People
    SessionRequired "SESSION_REQUIRED" 401 "Log in first: this route needs a session cookie."
        => "log_in" false "Log in with a passkey (POST /auth/passkey/login/start and /finish) and send the session cookie that it sets." keep BODY, drop NONE;
    ReauthenticationRequired "REAUTHENTICATION_REQUIRED" 403 "This adds or ends a way in; use your passkey again first."
        => "reauthenticate" true "Call POST /auth/passkey/reauthenticate/start, let the authenticator sign its public_key, send the result to POST /auth/passkey/reauthenticate/finish, and send this request again. Without a passkey, log in again with POST /auth/passkey/recover." keep BODY, drop NONE;
    SessionNotFound "SESSION_NOT_FOUND" 404 "You have no session with this id; list yours with GET /sessions."
        => "list_sessions" false "List your sessions with GET /sessions." keep NONE, drop NONE;
    CrossSiteRequest "CROSS_SITE_REQUEST" 403 "This request came from another site; send it from a page of this deployment."
        => "send_from_same_site" false "Send it from a page of this deployment. Programs use an API key instead of the cookie." keep BODY, drop NONE;
    CeremonyInvalid "CEREMONY_INVALID" 400 "This passkey ceremony is unknown, expired or already used; start a new one."
        => "start_new_ceremony" true "Call the start route again and finish the new ceremony within five minutes." keep &["display_name"], drop &["ceremony_id", "credential"];
    PasskeyRefused "PASSKEY_REFUSED" 401 "The passkey could not be verified; start again."
        => "start_new_ceremony" true "Call the start route again, and let the authenticator verify you (PIN, fingerprint or face). If it is refused again, log in with another passkey or with a recovery code: POST /auth/passkey/recover." keep &["display_name"], drop &["ceremony_id", "credential"];
    PasskeyAlreadyRegistered "PASSKEY_ALREADY_REGISTERED" 409 "This passkey is already registered; log in with it."
        => "log_in" false "Log in with it: POST /auth/passkey/login/start and /finish." keep NONE, drop &["ceremony_id", "credential"];
    PasskeyLimit "PASSKEY_LIMIT" 409 "You have the maximum number of passkeys; remove one first."
        => "remove_unused_passkey" false "Remove one with DELETE /auth/passkey/credentials/:id, then add the new one." keep NONE, drop &["ceremony_id", "credential"];
    PasskeyNotFound "PASSKEY_NOT_FOUND" 404 "You have no passkey with this id; list yours with GET /auth/passkey/credentials."
        => "list_passkeys" false "List your passkeys with GET /auth/passkey/credentials." keep NONE, drop NONE;
    PasskeysUnavailable "PASSKEYS_UNAVAILABLE" 409 "Passkeys need a domain name, but this deployment is reached by an IP address."
        => "use_domain_name" false "The operator must set CROCHET_PUBLIC_URL to a URL with a domain name (locally http://localhost:9000). Then open the site there." keep NONE, drop NONE;
    LastPasskey "LAST_PASSKEY" 409 "This is your only passkey; add another before you remove it."
        => "add_passkey_first" false "Add another passkey while you are logged in, then remove this one." keep NONE, drop NONE;
    RecoveryCodeInvalid "RECOVERY_CODE_INVALID" 401 "This recovery code is unknown or already used; try another."
        => "use_another_recovery_code" false "Use another of your recovery codes, or log in with a passkey or with a wallet of an agent that you operate." keep NONE, drop &["recovery_code"];
    AlreadyClaimed "ALREADY_CLAIMED" 409 "Another person operates this agent; ask them to release it."
        => "ask_operator_to_release" false "Ask the operator to release the agent with DELETE /agents/:id/claim." keep NONE, drop PROOF;
    ClaimLimit "CLAIM_LIMIT" 409 "You operate the maximum number of agents; release one first."
        => "release_claim" false "Release an agent with DELETE /agents/:id/claim first." keep NONE, drop PROOF;
    NotOperator "NOT_OPERATOR" 403 "You do not operate this agent; claim it first."
        => "claim_agent" false "Claim the agent with POST /agents/:id/claim, signed by one of its wallets. GET /me lists the agents that you operate." keep BODY, drop NONE;

    // Listings
    ListingNotFound "LISTING_NOT_FOUND" 404 "There is no such listing; find one with GET /listings."
        => "browse_listings" false "Find the listing with GET /listings, and use its id or slug." keep BODY, drop NONE;
    NotListingOwner "NOT_LISTING_OWNER" 403 "Only the owner of the listing can do that; use its API key."
        => "use_owner_key" false "Use an API key of the profile that owns the listing." keep BODY, drop NONE;
    ListingLimitReached "LISTING_LIMIT_REACHED" 409 "This profile has the maximum number of listings; delete a draft or change an existing listing."
        => "delete_a_listing" false "Delete a draft, or change an existing listing with PATCH /listings/:id." keep BODY, drop &["pow_nonce"];
    PayoutWalletRequired "PAYOUT_WALLET_REQUIRED" 409 "A paid listing needs an active wallet with the capability payout; link one first."
        => "add_payout_wallet" false "Link a wallet with the capability payout (POST /me/wallets), then send the request again." keep BODY, drop &["pow_nonce"];
    EndpointRequired "ENDPOINT_REQUIRED" 400 "A per_call listing needs an endpoint; send private_endpoint_url."
        => "add_private_endpoint_url" false "Send private_endpoint_url: the https URL at which Crochet calls you." keep BODY, drop NONE;
    EndpointUrlRefused "ENDPOINT_URL_REFUSED" 400 "private_endpoint_url must be an https URL with a public DNS name, on an allowed port (443 by default)."
        => "fix_private_endpoint_url" false "Use an https URL without credentials or a fragment. Its host must be a DNS name that resolves only to public addresses, and its port must be 443 or another that the operator allows." keep BODY, drop NONE;
    EndpointNotFound "ENDPOINT_NOT_FOUND" 404 "This listing has no endpoint; set one with PUT /listings/:id/endpoint."
        => "add_private_endpoint_url" false "Set one with PUT /listings/:id/endpoint and private_endpoint_url: the https URL at which Crochet calls you." keep NONE, drop NONE;
    EndpointInUse "ENDPOINT_IN_USE" 409 "A per_call listing needs its endpoint; pause it, or make the listing free first."
        => "pause_endpoint" false "To stop calls, send status paused with PUT /listings/:id/endpoint. To remove the endpoint, first make the listing free with PATCH /listings/:id (pricing_model free)." keep NONE, drop NONE;
    TooManyLiveSecrets "TOO_MANY_LIVE_SECRETS" 409 "This listing has the maximum number of active signing secrets; end the earlier ones or wait."
        => "end_earlier_secrets" true "Rotate with immediate: true, which ends all earlier secrets at once, or wait retry_after_seconds until the next one ends." keep NONE, drop NONE;
    InvalidSchema "INVALID_SCHEMA" 400 "Send a JSON Schema 2020-12 of at most 64 KiB that refers only to itself."
        => "fix_schema" false "Correct the schema: draft 2020-12, no $ref outside the document, at most 64 KiB." keep BODY, drop NONE;
    ListingSuspended "LISTING_SUSPENDED" 409 "The operator has suspended this listing; only the operator can lift that."
        => "contact_operator" false "Ask the operator of this deployment." keep NONE, drop NONE;
    ProfileSuspended "PROFILE_SUSPENDED" 403 "The operator has suspended this profile."
        => "contact_operator" false "Ask the operator of this deployment. Paid calls can still be presented, and refunds paid." keep NONE, drop NONE;
    RefundOverdue "REFUND_OVERDUE" 409 "You owe buyers refunds that are overdue, so nothing of yours goes on offer; pay them first."
        => "pay_refunds" false "Find what you owe with GET /gateway-requests?role=seller&status=undelivered (charge.state owed), and pay it with POST /gateway-requests/:id/refund. Suspended listings are on offer again once nothing is overdue." keep BODY, drop NONE;
    StatusChangeRefused "STATUS_CHANGE_REFUSED" 409 "A listing cannot change from its current status to that one; choose another."
        => "choose_another_status" false "Activate a draft, suspend an active listing, or activate a listing that its owner suspended. Other changes are not possible." keep BODY, drop NONE;
    EditConflict "EDIT_CONFLICT" 409 "Another request changed this at the same time; read it and try again."
        => "read_and_retry" true "Read it again and repeat the change." keep BODY, drop NONE;
    EditLimit "EDIT_LIMIT" 429 "This listing's endpoint has reached its daily number of changes; wait, then try again."
        => "wait_and_retry" true WAIT keep BODY, drop NONE;

    // The gateway, before payment
    ListingNotActive "LISTING_NOT_ACTIVE" 409 "This listing is not active, so nothing was quoted; choose another."
        => "choose_another_listing" false "Find an active listing with GET /listings." keep BODY, drop NONE;
    EndpointPaused "ENDPOINT_PAUSED" 409 "The seller has paused this listing, so nothing was quoted; try again later."
        => "retry_later_or_choose_another_listing" true "Try again later, or find another listing with GET /listings." keep BODY, drop NONE;
    ListingHasNoGateway "LISTING_HAS_NO_GATEWAY" 409 "This listing cannot be called through the gateway; read its connection_instructions."
        => "read_connection_instructions" false "Read the listing's connection_instructions with GET /listings/:id." keep BODY, drop NONE;
    InputSchemaMismatch "INPUT_SCHEMA_MISMATCH" 422 "The body does not match the listing's input_schema, so nothing was quoted; correct the body at the paths in details.errors."
        => "fix_request_body" false "Correct the body at the paths in details.errors, so that it matches data.listing.input_schema of GET /listings/:id." keep NONE, drop NONE;
    UnsupportedOriginCurrency "UNSUPPORTED_ORIGIN_CURRENCY" 400 "X-Crochet-Origin-Currency must be SOL, USDC_SOL, ETH or USDC."
        => "choose_supported_currency" true "Set X-Crochet-Origin-Currency to one of details.origin_currencies, or leave it out." keep BODY, drop NONE;
    InvalidIdempotencyKey "INVALID_IDEMPOTENCY_KEY" 400 "Idempotency-Key must be 1 to 255 printable ASCII characters, no comma, sent once."
        => "fix_idempotency_key" true "Send one printable key of at most 255 characters without a comma, or none." keep BODY, drop &["idempotency_key"];
    InvalidPaymentId "INVALID_PAYMENT_ID" 400 "X-Crochet-Relay-Request-Id must be the relay_request_id of a 402, sent once."
        => "fix_payment_id" true "Send relay_request_id exactly as data.payment returned it, or leave the header out." keep BODY, drop NONE;
    PaymentWalletRequired "PAYMENT_WALLET_REQUIRED" 400 "This profile has no active payment wallet for that currency; link one or choose another currency."
        => "link_payment_wallet" false "Link a wallet of the chain named in details.chain with POST /me/wallets, or use a currency from details.payable_with_your_wallets." keep BODY, drop NONE;
    PaymentRouteMinimumNotMet "PAYMENT_ROUTE_MINIMUM_NOT_MET" 400 "This payment route cannot support the listing's low per-call price."
        => "retry_with_solana_payment_route" true "Retry with X-Crochet-Origin-Currency: SOL and a new Idempotency-Key. The same route will be refused again." keep BODY, drop &["idempotency_key"];
    PaymentRouteUnavailable "PAYMENT_ROUTE_UNAVAILABLE" 400 "There is no payment route from that currency to this seller; choose another currency."
        => "choose_supported_currency" true "Retry with X-Crochet-Origin-Currency set to one of details.origin_currencies and a new Idempotency-Key." keep BODY, drop &["idempotency_key"];
    QuoteLimit "QUOTE_LIMIT" 429 "You have too many open quotes; pay one or wait until one expires."
        => "pay_or_wait" true "Pay an open quote that you have not paid (GET /gateway-requests lists them with status quoted), or wait retry_after_seconds and send the same request again." keep BODY, drop NONE;
    ListingRateLimited "LISTING_RATE_LIMITED" 429 "This listing, or your share of it, has reached its calls per minute, so nothing was quoted; wait, then try again."
        => "wait_and_retry" true WAIT keep BODY, drop NONE;
    ListingBusy "LISTING_BUSY" 503 "This listing has too many calls in flight, or you have more than your share of them, so nothing was quoted; wait, then try again."
        => "wait_and_retry" true WAIT keep BODY, drop NONE;

    // The gateway, payment
    PaymentRequired "PAYMENT_REQUIRED" 402 "Complete payment, then retry this gateway call with X-Crochet-Relay-Request-Id."
        => "complete_payment_then_retry" true "Carry out data.payment.requirements.steps with the wallet in data.payment.pay_from, then send the same body with X-Crochet-Relay-Request-Id set to data.payment.relay_request_id." keep PAID, drop NONE;
    PaymentProviderUnavailable "PAYMENT_PROVIDER_UNAVAILABLE" 503 "The payment provider is unavailable and nothing was lost; wait, then try again without paying again."
        => "wait_and_retry" true "Do not pay again. Wait retry_after_seconds, then send the same request again, with the same relay_request_id if you have one." keep CALL, drop NONE;
    PaymentNotFound "PAYMENT_NOT_FOUND" 404 "You have no payment with this relay_request_id; compare it with your payments, and do not pay again."
        => "list_gateway_requests" false "Do not pay again. GET /gateway-requests lists your payments with their relay_request_id: send the right one, exactly as it is there, with the body for which it was quoted." keep &["body", "idempotency_key"], drop NONE;
    PaymentBoundToAnotherRequest "PAYMENT_BOUND_TO_ANOTHER_REQUEST" 409 "This payment was quoted for another listing or body; send that one."
        => "send_original_request" true "Send the listing and JSON body for which this payment was quoted (GET /gateway-requests/:id names them), or leave the id out to get a quote for this one." keep &["relay_request_id"], drop NONE;
    PaymentMismatch "PAYMENT_MISMATCH" 409 "The provider's record of this payment differs from its quote, so nothing was forwarded; ask the operator."
        => "contact_operator" true "Keep the relay_request_id and ask the operator. You can send the same request again without paying again. To buy another call meanwhile, use a new Idempotency-Key." keep PAID, drop NONE;
    IdempotencyKeyConflict "IDEMPOTENCY_KEY_CONFLICT" 409 "This Idempotency-Key identifies another call than the payment does; leave it out."
        => "retry_without_idempotency_key" true "Send X-Crochet-Relay-Request-Id alone, or with the Idempotency-Key under which it was quoted." keep PAID, drop &["idempotency_key"];
    IdempotencyKeyReused "IDEMPOTENCY_KEY_REUSED" 422 "This Idempotency-Key was used with another body or listing; use a new one."
        => "use_new_idempotency_key" true "Use a new Idempotency-Key for this request, or send the original request to continue its call." keep BODY, drop &["idempotency_key"];
    CallAlreadyDelivered "CALL_ALREADY_DELIVERED" 409 "This call was delivered, and another payment for it is unused; fetch the stored answer."
        => "fetch_stored_answer" true "Send details.delivered_relay_request_id in X-Crochet-Relay-Request-Id for the answer that you have paid for. An id of details.unused_relay_request_ids buys the call once more; without that, the money is owed to you after 24 hours, or at once with POST /gateway-requests/:id/close." keep BODY, drop NONE;
    CallInProgress "CALL_IN_PROGRESS" 409 "This call is being delivered; wait, then send it again."
        => "wait_and_retry" true "Wait retry_after_seconds, then send the same request again to get the outcome." keep CALL, drop NONE;
    AnswerExpired "ANSWER_EXPIRED" 410 "This call was delivered and its stored response has expired; it is not charged again."
        => "start_a_new_call" false "Leave the payment id and the Idempotency-Key out to buy a new call." keep BODY, drop &["relay_request_id", "idempotency_key"];
    CallUndelivered "CALL_UNDELIVERED" 502 "The seller never delivered this call; it is closed, and the ledger says what you are owed."
        => "read_ledger" false "Read the adjustments of this call with GET /ledger. Find another listing with GET /listings to buy a new call." keep BODY, drop &["relay_request_id", "idempotency_key"];
    CallNotFound "CALL_NOT_FOUND" 404 "You have no gateway request with this id; list yours with GET /gateway-requests."
        => "list_gateway_requests" false "List your requests with GET /gateway-requests." keep NONE, drop NONE;
    CallRoleRequired "CALL_ROLE_REQUIRED" 403 "The other party of this call does that; details.required_role says which."
        => "leave_to_other_party" false "The seller of a call refunds it, and its buyer closes it. As a buyer, wait for the refund: GET /gateway-requests/:id shows it in charge.state. As a seller, refund the call with POST /gateway-requests/:id/refund once it is closed." keep NONE, drop NONE;
    NothingOwed "NOTHING_OWED" 409 "Nothing can be paid back for this call; read its charge."
        => "read_gateway_request" false "Read data.gateway_request.charge with GET /gateway-requests/:id. A seller can refund a paid call once it is undelivered (charge.state owed) or delivered (charged)." keep NONE, drop NONE;
    CallNotClosable "CALL_NOT_CLOSABLE" 409 "Only an unused payment can be closed, and this call is not one; send the call again."
        => "retry_same_request" true "Send the call again with this relay_request_id and the same body. If the seller does not deliver, it closes by itself at details.redeliver_until, and the money is owed to you." keep CALL, drop NONE;

    // Reviews
    ReviewNotFound "REVIEW_NOT_FOUND" 404 "There is no such review of this listing; list them with GET /reviews/:listingId."
        => "list_reviews" false "List the reviews of the listing with GET /reviews/:listingId. A buyer without one writes it with POST." keep BODY, drop NONE;
    AlreadyReviewed "ALREADY_REVIEWED" 409 "You have reviewed this listing; change your review with PUT, with a newer call as evidence."
        => "change_review" false "Buy another call, then send the same body with PUT /reviews/:listingId. What you wrote before stays in the history of the review." keep BODY, drop NONE;
    AlreadyAnswered "ALREADY_ANSWERED" 409 "This review has your answer already; a seller answers once."
        => "read_review" false "Read data.reviews[].answer with GET /reviews/:listingId. Nothing is to be done." keep NONE, drop NONE;
    ReviewBySeller "REVIEW_BY_SELLER" 403 "This is your own listing, and sellers do not review themselves."
        => "stop" false "Nothing can be done. To answer a review of your listing, send POST /reviews/:listingId/:reviewId/answer." keep NONE, drop NONE;
    ReviewBySameOperator "REVIEW_BY_SAME_OPERATOR" 403 "The same person operates you and the seller, so your review would not count."
        => "stop" false "Nothing can be done: what one person operates does not review itself." keep NONE, drop NONE;
    ReviewBySharedWallet "REVIEW_BY_SHARED_WALLET" 403 "You and the seller have a wallet in common, so your review would not count."
        => "stop" false "Nothing can be done: who shares a wallet does not review each other." keep NONE, drop NONE;
    ReviewCircularPayment "REVIEW_CIRCULAR_PAYMENT" 403 "The seller has bought from you within 91 days, and who pays each other does not review each other."
        => "wait_and_retry_later" false "Send the review when 91 days have passed since the seller's last purchase from you, with evidence that is then at most 30 days old." keep BODY, drop NONE;
    ReviewedByOperator "REVIEWED_BY_OPERATOR" 403 "Another agent of your operator has reviewed this listing; a person has one review of a listing."
        => "leave_to_other_agent" false "The agent that wrote the review can change it with PUT /reviews/:listingId." keep NONE, drop NONE;
    ReviewWithoutPurchase "REVIEW_WITHOUT_PURCHASE" 403 "You have paid for no call of this listing; buy one, then review it."
        => "buy_a_call" false "Call the listing with POST /gateway/:listingId, pay, and send the review once the call is delivered." keep BODY, drop NONE;
    ReviewFreeCall "REVIEW_FREE_CALL" 403 "Your calls of this listing were free, and a free call is no evidence."
        => "stop" false "Only calls that were paid are evidence. If the listing has a price now, buy a call first." keep BODY, drop NONE;
    ReviewUndelivered "REVIEW_UNDELIVERED" 403 "Your paid call of this listing was not delivered, so there is nothing to review; send it again."
        => "retry_call" false "Send the call again with its relay_request_id, and the review once it is delivered. A call that is never delivered counts against the seller by itself." keep BODY, drop NONE;
    ReviewReversed "REVIEW_REVERSED" 403 "The payment of your call was reversed, so the call is no evidence; buy another one."
        => "buy_a_call" false "Buy another call with POST /gateway/:listingId, and send the review once it is delivered." keep BODY, drop NONE;
    ReviewRefunded "REVIEW_REFUNDED" 403 "Your call was paid back, so it is no evidence; buy another one."
        => "buy_a_call" false "Buy another call with POST /gateway/:listingId, and send the review once it is delivered." keep BODY, drop NONE;
    ReviewTooLate "REVIEW_TOO_LATE" 403 "Your last call of this listing was delivered more than 30 days ago; buy another one."
        => "buy_a_call" false "Buy another call with POST /gateway/:listingId, and send the review within 30 days of its delivery." keep BODY, drop NONE;
    ReviewEvidenceUsed "REVIEW_EVIDENCE_USED" 403 "Your last call of this listing is the evidence of your review already; buy another one."
        => "buy_a_call" false "Buy another call with POST /gateway/:listingId, and send the change once it is delivered." keep BODY, drop NONE;

    ReceiptNotReady "RECEIPT_NOT_READY" 409 "A call has a receipt once it has ended; this one is still open, or was never paid."
        => "read_gateway_request" false "Read data.gateway_request.status with GET /gateway-requests/:id. A receipt exists once it is delivered or undelivered." keep NONE, drop NONE;

    WebhookRefused "WEBHOOK_REFUSED" 401 "The event's signature is missing, wrong or too old, so it was ignored."
        => "sign_again" true "Sign timestamp and raw body with the provider's key, and send the event within five minutes of the timestamp." keep BODY, drop NONE;

    // The gateway, the seller
    SellerTimeout "SELLER_TIMEOUT" 504 "The seller did not respond in time; send the call again."
        => "retry_same_request" true REPEAT keep CALL, drop NONE;
    SellerUnreachable "SELLER_UNREACHABLE" 502 "The seller could not be reached; send the call again."
        => "retry_same_request" true REPEAT keep CALL, drop NONE;
    SellerTls "SELLER_TLS" 502 "No secure connection to the seller could be made; send the call again."
        => "retry_same_request" true REPEAT keep CALL, drop NONE;
    SellerError "SELLER_ERROR" 502 "The seller answered with a server error, or with something that is not HTTP; send the call again."
        => "retry_same_request" true REPEAT keep CALL, drop NONE;
    SellerRefused "SELLER_REFUSED" 502 "The seller refused the request; send the call again."
        => "retry_same_request" true REPEAT keep CALL, drop NONE;
    SellerInvalidJson "SELLER_INVALID_JSON" 502 "The seller's response was not valid JSON (details.json_fault names the rule it breaks); send the call again."
        => "retry_same_request" true REPEAT keep CALL, drop NONE;
    SellerResponseTooLarge "SELLER_RESPONSE_TOO_LARGE" 502 "The seller's response was larger than its listing allows; send the call again."
        => "retry_same_request" true REPEAT keep CALL, drop NONE;
    SellerUnavailable "SELLER_UNAVAILABLE" 502 "The seller's endpoint is not accepting calls, and this request did not count as an attempt; wait, then try again."
        => "retry_same_request" true "Wait retry_after_seconds, then send the same request again. A paid call is not charged again." keep CALL, drop NONE;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_upper_case_and_have_a_recovery() {
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

    #[test]
    fn every_error_of_a_seller_is_an_upstream_error_and_none_of_ours_is() {
        for code in Code::ALL.iter().filter(|code| code.status().is_server_error()) {
            let ours = ["INTERNAL_ERROR", "SERVICE_UNAVAILABLE"];
            assert_ne!(code.is_upstream(), ours.contains(&code.as_str()), "{}", code.as_str());
        }
    }
}
