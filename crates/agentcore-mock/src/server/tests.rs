//! TLS: who is trusted, what is negotiated, and that a silent peer keeps nobody waiting.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::Mock;

async fn connect(mock: &Mock, root: &str, name: &'static str, alpn: &[&[u8]]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let socket = TcpStream::connect(mock.url().trim_start_matches("https://")).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name).unwrap(), socket).await
}

#[tokio::test]
async fn the_root_is_trusted_and_another_is_not() {
    let mock = Mock::builder().tls(true).start().await.unwrap();
    let other = Mock::builder().tls(true).start().await.unwrap();
    assert!(mock.url().starts_with("https://127.0.0.1:"));
    let root = mock.root_certificate_pem().unwrap();
    for name in ["127.0.0.1", "localhost", "::1"] {
        assert!(connect(&mock, root, name, &[]).await.is_ok(), "{name}");
    }
    assert!(connect(&mock, root, "example.com", &[]).await.is_err());
    assert!(connect(&mock, other.root_certificate_pem().unwrap(), "127.0.0.1", &[]).await.is_err());
    assert!(Mock::builder().start().await.unwrap().root_certificate_pem().is_none());
}

#[tokio::test]
async fn http_1_and_2_by_alpn_past_a_silent_peer() {
    let mock = Mock::builder().tls(true).start().await.unwrap();
    // This one never says hello.
    let silent = TcpStream::connect(mock.url().trim_start_matches("https://")).await.unwrap();
    let root = mock.root_certificate_pem().unwrap();

    let mut http1 = connect(&mock, root, "127.0.0.1", &[b"http/1.1"]).await.unwrap();
    http1.write_all(b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    http1.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));

    assert!(settings(&mock).await.contains(&[0, 3, 0, 0, 0, 200]));
    assert_eq!(mock.connections(), 3);
    drop(silent);
}

#[tokio::test]
async fn http_2_allows_as_many_streams_as_is_set() {
    let mock = Mock::builder().tls(true).max_http2_streams(7).start().await.unwrap();
    // SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113 section 6.5.2).
    assert!(settings(&mock).await.contains(&[0, 3, 0, 0, 0, 7]));
}

/// The settings of the server's HTTP/2.
async fn settings(mock: &Mock) -> Vec<[u8; 6]> {
    let root = mock.root_certificate_pem().unwrap();
    let mut http2 = connect(mock, root, "127.0.0.1", &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(http2.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    // The connection preface and an empty SETTINGS frame (RFC 9113 section 3.4); the server answers with its own.
    http2.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut frame = [0; 9];
    http2.read_exact(&mut frame).await.unwrap();
    assert_eq!((frame[3], &frame[5..]), (0x04, &[0; 4][..]));
    let mut payload = vec![0; usize::from(frame[2])];
    http2.read_exact(&mut payload).await.unwrap();
    payload.chunks_exact(6).map(|setting| setting.try_into().unwrap()).collect()
}

#[tokio::test]
async fn a_reset_reaches_through_tls() {
    let mock = Mock::builder().tls(true).local_agent("reset").start().await.unwrap();
    let mut socket = connect(&mock, mock.root_certificate_pem().unwrap(), "127.0.0.1", &[]).await.unwrap();
    socket.write_all(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    let error = socket.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_websocket_reaches_through_tls() {
    let mock = Mock::builder().tls(true).local_agent("silent").start().await.unwrap();
    let mut socket = connect(&mock, mock.root_certificate_pem().unwrap(), "127.0.0.1", &[]).await.unwrap();
    let handshake = b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                      Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(handshake).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    // More than fits into any buffer: somebody reads it.
    socket.write_all(&vec![0; 32 * 1024 * 1024]).await.unwrap();
    drop(socket);
    while mock.server.open() > 0 {
        tokio::task::yield_now().await;
    }
}
