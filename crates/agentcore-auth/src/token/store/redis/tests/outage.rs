//! A server that is away, slow, refuses, or is no such server; TLS.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::TcpListener,
    time::Instant,
};

use super::{
    server::{free_port, patient},
    *,
};
use crate::testing::Directory;

fn away(port: u16) -> (ErrorKind, String) {
    (ErrorKind::Unavailable, format!("the token store at 127.0.0.1:{port} is away"))
}

#[tokio::test]
async fn an_outage_is_said_once_and_so_is_its_end() {
    let Some(mut server) = Server::start(&[]) else { return };
    let (log, _guard) = CapturedLog::begin();
    let store = server.store().build().unwrap();
    save(&store, &token("hush")).await;
    server.kill();
    for _ in 0..3 {
        assert_eq!(failure(store.load("key").await), away(server.port));
        assert_eq!(failure(store.lock("key").await), away(server.port));
    }
    server.resume();
    let back = async {
        while store.load("key").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(secs(10), back).await.expect("it is back within a second");
    save(&store, &token("new")).await;
    assert_eq!(loaded(&store).await, Some("new".into()));
    let text = log.text();
    assert_eq!(text.matches("WARN").count(), 1, "{text}");
    assert_eq!(text.matches("the token store is away").count(), 1, "{text}");
    assert_eq!(text.matches("the token store is back").count(), 1, "{text}");
    server.kill();
    assert_eq!(failure(store.load("key").await), away(server.port));
    assert_eq!(log.text().matches("the token store is away").count(), 2, "the next outage is said again");
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_made_again() {
    let Some(mut server) = Server::start(&[]) else { return };
    let store = server.store().build().unwrap();
    save(&store, &token("old")).await;
    server.kill();
    server.resume();
    assert_eq!(loaded(&store).await, None, "nothing was kept, and nothing was away");
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_does_not_answer_holds_nobody_up() {
    let Some(server) = Server::start(&[]) else { return };
    for connected in [true, false] {
        let store = server.store().timeout(secs(1)).build().unwrap();
        if connected {
            assert_eq!(loaded(&store).await, None);
        }
        server.signal("-STOP");
        let began = Instant::now();
        let (one, two) = tokio::join!(store.load("key"), store.load("another key"));
        assert_eq!(failure(one), away(server.port));
        assert_eq!(failure(two), away(server.port), "at the same time");
        assert_eq!(failure(store.lock("key").await), away(server.port), "which is not tried");
        let took = began.elapsed();
        assert!(took >= secs(1) && took < Duration::from_millis(1900), "{took:?}");
        server.signal("-CONT");
    }
}

#[tokio::test]
async fn a_password() {
    let Some(server) = Server::start(&["--requirepass", "hu/sh", "--user", "ada", "on", ">hush2", "~*", "+get"]) else {
        return;
    };
    let store = |userinfo: &str| {
        patient(RedisStore::builder(&format!("redis://{userinfo}127.0.0.1:{}", server.port), key(1))).build().unwrap()
    };
    let (log, _guard) = CapturedLog::begin();
    let good = store(":hu%2Fsh@");
    save(&good, &token("in")).await;
    assert_eq!(loaded(&good).await, Some("in".into()));
    let refused = format!("the token store at 127.0.0.1:{} refused the user, or its password", server.port);
    for bad in ["", ":wr0ng@", "nobody:wr0ng@", "ada:hush2@"] {
        let error = store(bad).load("key").await.unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Authentication, refused.clone()), "{bad}");
        let all = format!("{error:?} {:?}", store(bad));
        assert!(!all.contains("wr0ng") && !all.contains("hush"), "{all}");
    }
    let text = log.text();
    assert!(!text.contains("wr0ng") && !text.contains("hush") && !text.contains("hu/sh"), "{text}");
}

#[tokio::test]
async fn a_server_that_cannot_write() {
    let Some(server) = Server::start(&["--replicaof", "127.0.0.1", "1"]) else { return };
    let store = server.store().build().unwrap();
    assert_eq!(failure(store.lock("key").await), away(server.port), "a replica");
    // The next connection may be to another server.
    let connections = || async { server.ask::<String>(cmd("CLIENT").arg("LIST").arg("TYPE").arg("normal")).await };
    while connections().await.lines().count() > 1 {}
    let Some(server) = Server::start(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]) else { return };
    let store = server.store().build().unwrap();
    assert_eq!(failure(store.lock("key").await), away(server.port), "one that is full");
}

#[test]
fn without_a_runtime() {
    let store = RedisStore::builder("redis://127.0.0.1:1", key(1)).build().unwrap();
    let refused = failure(crate::testing::at_once(store.load("key")));
    assert_eq!(refused, (ErrorKind::Input, "the token store needs a tokio runtime".to_owned()));
}

#[tokio::test]
async fn what_is_no_such_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            // Who answers unasked is one who ends the connection.
            assert!(connection.read(&mut [0; 4096]).unwrap() > 0);
            connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
            // What is closed unread is reset, and takes the answer with it.
            let _ = io::copy(&mut connection, &mut io::sink());
        }
    });
    let store = patient(RedisStore::builder(&format!("redis://127.0.0.1:{port}"), key(1))).build().unwrap();
    let message = format!("the token store at 127.0.0.1:{port} failed, or is no Redis server");
    assert_eq!(failure(store.load("key").await), (ErrorKind::Service, message));
}

#[tokio::test]
async fn over_tls_with_the_right_certificate_only() {
    let directory = Directory::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = made.cert.pem();
    fs::write(directory.join("cert.pem"), &pem).unwrap();
    fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let (port, cert, key_file) = (free_port(), path("cert.pem"), path("key.pem"));
    let tls = ["--tls-port", &port.to_string(), "--tls-cert-file", &cert, "--tls-key-file", &key_file];
    let Some(_server) = Server::start(&[&tls[..], &["--tls-auth-clients", "no"]].concat()) else { return };
    let builder = || patient(RedisStore::builder(&format!("rediss://:@localhost:{port}"), key(1))).clock(clock());
    let store = builder().root_certificate(pem).build().unwrap();
    save(&store, &token("in")).await;
    assert_eq!(loaded(&store).await, Some("in".into()));

    let error = builder().build().unwrap().load("key").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::Unavailable, format!("the token store at localhost:{port} is away"))
    );
    assert!(format!("{error:?}").contains("UnknownIssuer"), "{error:?}");
    let refused = failure(builder().root_certificate("no PEM").build());
    assert_eq!(refused, (ErrorKind::Input, "a root certificate of the token store is not PEM".to_owned()));
}
