//! The network for calls to sellers.

use std::sync::Arc;

use crochet::outbound::Network;
use rustls::pki_types::CertificateDer;

/// A network that replaces the Internet for calls to sellers. Only code can set it; there is no setting for operators.
#[derive(Debug, Clone)]
pub struct SellerNetwork {
    /// Resolves names and opens sockets.
    pub network: Arc<dyn Network>,
    /// The only trusted certificate authorities.
    pub authorities: Vec<CertificateDer<'static>>,
}
