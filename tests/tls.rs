//! What a client makes of certificates and versions of TLS, with an authority of the tests' own.

use std::{
    io::Write as _,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use agentcore_client::{
    Client, Endpoint, ErrorKind, RetryPolicy, TlsVersion, Transport, TransportBuilder,
    rustls::{
        RootCertStore, ServerConfig, ServerConnection, StreamOwned,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
        server::WebPkiClientVerifier,
        version::{TLS12, TLS13},
    },
};
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

use crate::wire::Wire;

/// An authority that signs what it is asked to.
struct Authority {
    root: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().unwrap();
        Self { root: params.self_signed(&key).unwrap(), issuer: Issuer::new(params, key) }
    }

    /// Signs a certificate for a name, valid from and until these years.
    fn sign(&self, name: &str, years: (i32, i32)) -> (Certificate, KeyPair) {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }
}

/// A server and what it asks for.
struct Server {
    name: &'static str,
    years: (i32, i32),
    newest_is_12: bool,
    asks_for_certificates: bool,
}

const GOOD: Server = Server { name: "127.0.0.1", years: VALID, newest_is_12: false, asks_for_certificates: false };
const VALID: (i32, i32) = (2020, 2120);

impl Server {
    /// Answers every request that it reads, and counts the connections that came.
    fn start(&self, authority: &Authority) -> (String, Arc<AtomicUsize>) {
        let (leaf, key) = authority.sign(self.name, self.years);
        let versions: &[_] = if self.newest_is_12 { &[&TLS12] } else { &[&TLS12, &TLS13] };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions).unwrap();
        let builder = if self.asks_for_certificates {
            let mut roots = RootCertStore::empty();
            roots.add(authority.root.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = Arc::new(builder.with_single_cert(vec![leaf.der().clone()], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = listener.local_addr().unwrap().to_string();
        let count = Arc::new(AtomicUsize::new(0));
        let came = Arc::clone(&count);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                came.fetch_add(1, Ordering::SeqCst);
                let config = Arc::clone(&config);
                std::thread::spawn(move || {
                    let connection = ServerConnection::new(config).unwrap();
                    let mut raw = stream.try_clone().unwrap();
                    let mut wire = Wire::Tls(Box::new(StreamOwned::new(connection, stream)));
                    if wire.request().is_ok() {
                        wire.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\"hi\"").unwrap();
                        wire.hold();
                    } else {
                        // What is closed unread is reset, and takes the alert with it.
                        raw.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
                        let _ = std::io::copy(&mut raw, &mut std::io::sink());
                    }
                });
            }
        });
        (place, count)
    }
}

/// The kind, what the causes say, and the attempts.
type Expected = Result<(), (ErrorKind, &'static str, &'static str)>;

#[tokio::test]
async fn certificates_and_versions() {
    let [authority, stranger, impostor] = ["ours", "theirs", "ours"].map(Authority::new);
    let trusting = || Transport::builder().system_roots(false).root_certificates(authority.root.pem());
    let with = |authority: &Authority, years| {
        let (certificate, key) = authority.sign("client", years);
        trusting().client_certificate(certificate.pem(), key.serialize_pem())
    };
    let asking = || Server { asks_for_certificates: true, ..GOOD };
    let old = || Server { newest_is_12: true, ..GOOD };
    let strict = |transport: TransportBuilder| transport.min_tls_version(TlsVersion::Tls13);
    let connect = |cause| Err((ErrorKind::Unavailable, "could not connect to PLACE", cause));
    let refused = |cause| Err((ErrorKind::Unavailable, "PLACE refused the TLS handshake", cause));
    let cases: Vec<(&str, Server, TransportBuilder, Expected)> = vec![
        ("good", GOOD, trusting(), Ok(())),
        ("good, at least 1.3", GOOD, strict(trusting()), Ok(())),
        ("good, 1.2", old(), trusting(), Ok(())),
        ("wrong host", Server { name: "example.com", ..GOOD }, trusting(), connect("certificate not valid for name")),
        ("expired", Server { years: (2020, 2021), ..GOOD }, trusting(), connect("certificate expired")),
        ("not yet valid", Server { years: (2119, 2120), ..GOOD }, trusting(), connect("certificate not valid yet")),
        (
            "untrusted",
            GOOD,
            Transport::builder().system_roots(false).root_certificates(stranger.root.pem()),
            connect("UnknownIssuer"),
        ),
        (
            "of another key",
            GOOD,
            Transport::builder().system_roots(false).root_certificates(impostor.root.pem()),
            connect("BadSignature"),
        ),
        ("untrusted by the system", GOOD, Transport::builder(), connect("UnknownIssuer")),
        ("1.2 alone where 1.3 is the least", old(), strict(trusting()), refused("ProtocolVersion")),
        ("a client's certificate", asking(), with(&authority, VALID), Ok(())),
        ("none", asking(), trusting(), refused("CertificateRequired")),
        ("none, at least 1.3", asking(), strict(trusting()), refused("CertificateRequired")),
        ("another's", asking(), with(&stranger, VALID), refused("UnknownCA")),
        ("an old one", asking(), with(&authority, (2020, 2021)), refused("CertificateExpired")),
        ("none, 1.2", Server { newest_is_12: true, ..asking() }, trusting(), refused("CertificateRequired")),
        ("a client's certificate that nobody asks for", GOOD, with(&stranger, VALID), Ok(())),
    ];
    for (name, server, transport, expected) in cases {
        let (place, connections) = server.start(&authority);
        let endpoint: Endpoint = format!("https://{place}").parse().unwrap();
        let client = Client::builder().bearer_token("abc").endpoints(endpoint).transport(transport.build().unwrap());
        let client = client.retry(RetryPolicy::default().pauses(Duration::ZERO, Duration::ZERO)).build().unwrap();
        let agent = client.runtime("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/a".parse().unwrap());
        let calls: [(&str, Result<(), agentcore_client::Error>); 2] = [
            ("invoke", agent.invoke("x").idempotent().await.map(drop)),
            ("websocket", agent.websocket().connect().await.map(drop)),
        ];
        for (call, found) in calls {
            match (expected, found) {
                (Ok(()), Ok(())) => {}
                // This server opens no sockets.
                (Ok(()), Err(error)) => {
                    assert_eq!((call, error.status()), ("websocket", Some(200)), "{name}: {error:?}")
                }
                (Err((kind, message, cause)), Err(error)) => {
                    let message = message.replace("PLACE", &place);
                    assert_eq!((error.kind(), error.to_string()), (kind, message), "{name}, {call}: {error:?}");
                    assert!(format!("{error:?}").contains(cause), "{name}, {call}: {error:?}");
                    // It would be the same again, and nobody read the request.
                    assert_eq!((error.attempts(), error.may_have_run()), (1, false), "{name}, {call}: {error:?}");
                }
                (Err(_), Ok(())) => panic!("{name}, {call}: it was accepted"),
            }
        }
        assert!(connections.load(Ordering::SeqCst) <= 2, "{name}");
    }
}

/// Whoever reads the settings finds none that turns verification off: what does that must bring a whole configuration of rustls, whose
/// own interface calls it dangerous. No name of the transport's settings says otherwise.
#[test]
fn nothing_is_named_as_if_verification_could_be_switched_off() {
    let sources = ["transport.rs", "tls.rs", "tls/roots.rs"].map(|file| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/agentcore-transport/src/");
        std::fs::read_to_string(format!("{path}{file}")).unwrap()
    });
    let names = sources.iter().flat_map(|source| source.lines()).filter(|line| {
        let line = line.trim_start();
        line.starts_with("pub ") || line.contains(") => ")
    });
    let names: Vec<_> = names.collect();
    assert!(names.iter().any(|line| line.contains("fn root_certificates")), "{names:?}");
    assert!(names.iter().any(|line| line.contains("min_tls_version(")), "{names:?}");
    for line in names {
        for word in ["insecure", "danger", "accept_invalid", "verify", "no_verif", "skip", "disable", "trust_all"] {
            assert!(!line.to_lowercase().contains(word), "{line}");
        }
    }
    // The only verifier of ours hands on to webpki's: no method of it decides by itself.
    let [_, _, roots] = &sources;
    for method in ["verify_server_cert", "verify_tls12_signature", "verify_tls13_signature"] {
        let body = roots.split(&format!("fn {method}")).nth(1).unwrap().split("\n    }").next().unwrap();
        assert!(body.contains(method) && !body.contains("assertion()"), "{body}");
    }
}
