//! The errors of a gateway call. PAYMENT_REQUIRED stands at the route, because it comes with `data.payment`.

use axum::extract::Path;
use crochet::http::caller::Agent;

crochet::error_list!(
    CallListingErrors: Agent, Path<String>;
    InsufficientScope, RoleRequired, InvalidJson, UnsupportedMediaType, PayloadTooLarge, InvalidIdempotencyKey,
    InvalidPaymentId, UnsupportedOriginCurrency, ListingNotFound, ListingNotActive, ListingHasNoGateway, EndpointPaused, ProfileSuspended,
    InputSchemaMismatch, ListingRateLimited, ListingBusy, QuoteLimit, PaymentWalletRequired, PaymentRouteMinimumNotMet,
    PaymentRouteUnavailable, PaymentProviderUnavailable, PaymentNotFound, PaymentBoundToAnotherRequest,
    PaymentMismatch, IdempotencyKeyConflict, IdempotencyKeyReused, CallAlreadyDelivered, CallInProgress, AnswerExpired, CallUndelivered,
    SellerTimeout, SellerUnreachable, SellerTls, SellerError, SellerRefused, SellerInvalidJson, SellerResponseTooLarge,
    SellerUnavailable
);
