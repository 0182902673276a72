//! The trusted certificates. Reads those of the system when they are first needed: a client that speaks plain HTTP never needs them.

use std::sync::{Arc, OnceLock};

use rustls::{
    DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// What verifies servers: rustls's own verifier, over the certificates given and those of the system.
#[derive(Debug)]
pub(crate) struct Roots {
    given: RootCertStore,
    with_system: bool,
    provider: Arc<CryptoProvider>,
    /// None where nothing is trusted.
    verifier: OnceLock<Option<Arc<WebPkiServerVerifier>>>,
}

impl Roots {
    pub(crate) fn new(given: RootCertStore, with_system: bool, provider: Arc<CryptoProvider>) -> Self {
        Self { given, with_system, provider, verifier: OnceLock::new() }
    }

    /// Returns whether nothing is trusted.
    pub(crate) fn is_empty(&self) -> bool {
        self.verifier().is_none()
    }

    fn verifier(&self) -> Option<&WebPkiServerVerifier> {
        let made = self.verifier.get_or_init(|| {
            let mut roots = self.given.clone();
            if self.with_system {
                // Certificates that cannot be parsed are skipped: a system's store may hold obsolete ones.
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            // It fails where there are no roots, and for nothing else.
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider)).build().ok()
        });
        made.as_deref()
    }

    fn trusted(&self) -> Result<&WebPkiServerVerifier, Error> {
        self.verifier().ok_or_else(|| Error::General("no certificate is trusted".to_owned()))
    }
}

impl ServerCertVerifier for Roots {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.trusted()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trusted()?.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trusted()?.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
