//! TLS towards sellers: 1.2 and 1.3, HTTP/1.1, certificates of public authorities.

use std::sync::{Arc, Once, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_rustls::TlsConnector;

/// Trusts whom this machine trusts.
///
/// # Panics
/// Where TLS cannot start: nothing could be called at all.
pub(super) fn platform() -> TlsConnector {
    // Loading the system's certificates takes a while, so all clients share them.
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let build = || {
        install_provider();
        let config = ClientConfig::builder().with_platform_verifier().expect("this machine has certificates of authorities");
        http1(config.with_no_client_auth())
    };
    TlsConnector::from(Arc::clone(CONFIG.get_or_init(build)))
}

/// Trusts these authorities and no others.
pub(super) fn trusting(authorities: &[CertificateDer<'static>]) -> TlsConnector {
    install_provider();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities.iter().cloned());
    TlsConnector::from(http1(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

fn http1(mut config: ClientConfig) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// Makes ring the process's cryptography.
pub(super) fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
