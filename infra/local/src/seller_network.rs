//! What stands for the Internet when sellers are called.

use std::sync::Arc;

use crochet::outbound::Network;
use rustls::pki_types::CertificateDer;

/// A network that stands for the Internet when sellers are called. It is given in code alone: nothing that an operator can set
/// leads to one.
#[derive(Debug, Clone)]
pub struct SellerNetwork {
    /// Answers for names and opens sockets.
    pub network: Arc<dyn Network>,
    /// The certificate authorities to trust there, and no others.
    pub authorities: Vec<CertificateDer<'static>>,
}
