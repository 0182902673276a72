//! The settings of TLS: trusted certificates, the client's certificate, versions. Opens no connection.

mod roots;

use std::sync::Arc;

use agentcore_core::{BoxError, Error};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use secrecy::{ExposeSecret as _, SecretSlice};

pub(crate) use self::roots::Roots;

/// The oldest version of TLS that a transport accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246) and newer. AWS accepts no older version.
    #[default]
    Tls12,
    /// TLS 1.3 (RFC 8446) only.
    Tls13,
}

/// Settings of TLS. Its `Debug` shows no key.
#[derive(Clone, Default)]
pub(crate) struct TlsSettings {
    /// Replaces all other settings.
    pub(crate) config: Option<ClientConfig>,
    pub(crate) no_system_roots: bool,
    pub(crate) root_certificates: Vec<Vec<u8>>,
    /// Certificate chain and private key.
    pub(crate) client_certificate: Option<(Vec<u8>, SecretSlice<u8>)>,
    pub(crate) min_version: TlsVersion,
}

impl std::fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsSettings").field("min_version", &self.min_version).finish_non_exhaustive()
    }
}

impl TlsSettings {
    /// Returns the configuration, and what it trusts, unless that is the caller's own.
    ///
    /// # Errors
    /// If a certificate or a key cannot be read, or if settings exclude each other.
    pub(crate) fn build(self) -> Result<(ClientConfig, Option<Arc<Roots>>), Error> {
        if let Some(config) = self.config {
            let others = self.no_system_roots || !self.root_certificates.is_empty();
            if others || self.client_certificate.is_some() || self.min_version != TlsVersion::default() {
                return Err(Error::input("a whole TLS configuration and single TLS settings exclude each other"));
            }
            return Ok((config, None));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let roots = Arc::new(Roots::new(self.given_roots()?, !self.no_system_roots, Arc::clone(&provider)));
        let versions: &[_] = match self.min_version {
            TlsVersion::Tls12 => rustls::ALL_VERSIONS,
            TlsVersion::Tls13 => &[&rustls::version::TLS13],
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(|error| Error::input("the TLS settings contradict each other").with_source(error))?
            // What rustls calls dangerous is its own verifier, made when it is needed.
            .dangerous()
            .with_custom_certificate_verifier(roots.clone());
        let config = match self.client_certificate {
            None => config.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = certificates(&chain, "the client certificate")?;
                // The parser's error could quote the key.
                let key = PrivateKeyDer::from_pem_slice(key.expose_secret())
                    .map_err(|_| Error::input("the client certificate's key is not a PEM private key"))?;
                let config = config.with_client_auth_cert(chain, key);
                config.map_err(|error| Error::input("the client certificate cannot be used").with_source(error))?
            }
        };
        Ok((config, Some(roots)))
    }

    fn given_roots(&self) -> Result<RootCertStore, Error> {
        let mut store = RootCertStore::empty();
        for pem in &self.root_certificates {
            for certificate in certificates(pem, "a root certificate")? {
                store.add(certificate).map_err(|error| not_pem("a root certificate", error.into()))?;
            }
        }
        Ok(store)
    }
}

/// Reads the certificates in a PEM text, at least one.
fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.map_err(|error| not_pem(what, error.to_string().into()))?;
    if read.is_empty() {
        return Err(Error::input(format!("{what} is not PEM: there is no certificate in it")));
    }
    Ok(read)
}

fn not_pem(what: &str, error: BoxError) -> Error {
    Error::input(format!("{what} is not PEM")).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused() {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let whole = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map(|config| config.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
            .ok();
        let key = b"-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n".to_vec();
        let nothing = || TlsSettings { no_system_roots: true, ..TlsSettings::default() };
        let whole = TlsSettings { config: whole, ..nothing() };
        let root = TlsSettings { root_certificates: vec![b"no PEM".to_vec()], ..nothing() };
        let client = TlsSettings { client_certificate: Some((b"no PEM".to_vec(), key.into())), ..nothing() };
        for (settings, message) in [
            (whole, "a whole TLS configuration and single TLS settings exclude each other"),
            (root, "a root certificate is not PEM: there is no certificate in it"),
            (client, "the client certificate is not PEM: there is no certificate in it"),
        ] {
            assert_eq!(settings.build().err().map(|error| error.to_string()).as_deref(), Some(message));
        }
    }
}
