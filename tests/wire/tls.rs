//! A certificate authority of the tests' own, and the server's half of a handshake.

use std::{
    io,
    net::TcpStream,
    sync::{Arc, LazyLock},
};

use agentcore_client::rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::Wire;

/// A certificate for 127.0.0.1 and the authority that signed it.
pub(crate) struct Authority {
    /// The authority's certificate, which a client must trust.
    pub(crate) root_pem: String,
    config: Arc<ServerConfig>,
}

/// The one that clients trust.
pub(crate) static TRUSTED: LazyLock<Authority> = LazyLock::new(Authority::generate);

impl Authority {
    /// Makes both, with HTTP/2 offered before HTTP/1.1.
    pub(crate) fn generate() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().unwrap();
        let root_pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self { root_pem, config: Arc::new(config) }
    }

    /// Makes the server's half of the handshake.
    pub(crate) fn accept(&self, mut stream: TcpStream) -> io::Result<Wire> {
        let mut connection = ServerConnection::new(self.config.clone()).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(Wire::Tls(Box::new(StreamOwned::new(connection, stream))))
    }
}
