//! What the environment says of the way out: certificates and proxies.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
};

use agentcore_mock::Mock;

use crate::world::{World, run};

/// A proxy that tunnels (RFC 9110 §9.3.6) and remembers where to.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let log = Arc::clone(&log);
            thread::spawn(move || tunnel(client, &log));
        }
    });
    (url, asked)
}

fn tunnel(mut client: TcpStream, asked: &Mutex<Vec<String>>) {
    let mut head = BufReader::new(client.try_clone().unwrap());
    let mut first = String::new();
    head.read_line(&mut first).unwrap();
    while head.read_line(&mut String::new()).unwrap() > 2 {}
    let to = first.split(' ').nth(1).unwrap().to_owned();
    let mut server = TcpStream::connect(&to).unwrap();
    asked.lock().unwrap().push(to);
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    // Either side may close; the test looks at what came through.
    thread::spawn(move || io::copy(&mut from_server, &mut to_client));
    let _ = io::copy(&mut client, &mut server);
}

/// The mock's root certificate in a file, as an administrator would put it.
struct Certificate(PathBuf);

impl Certificate {
    fn of(world: &World) -> Self {
        // A mock's port is its own.
        let port = world.mock.url().rsplit(':').next().unwrap();
        let path = std::env::temp_dir().join(format!("acore-test-{}-{port}.pem", std::process::id()));
        fs::write(&path, world.mock.root_certificate_pem().unwrap()).unwrap();
        Self(path)
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // It is only a temporary file.
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn certificates_and_proxies_of_the_environment() {
    let world = World::with(Mock::builder().tls(true));
    let certificate = Certificate::of(&world);
    let (url, asked) = proxy();
    let place = world.mock.url().trim_start_matches("https://");
    for (environment, through) in [
        (vec![], false),
        (vec![("HTTPS_PROXY", url.as_str())], true),
        (vec![("https_proxy", url.as_str())], true),
        (vec![("ALL_PROXY", url.as_str())], true),
        (vec![("HTTP_PROXY", url.as_str())], false),
        (vec![("HTTPS_PROXY", url.as_str()), ("NO_PROXY", "127.0.0.1")], false),
        (vec![("HTTPS_PROXY", url.as_str()), ("NO_PROXY", place)], false),
        (vec![("HTTPS_PROXY", url.as_str()), ("NO_PROXY", "example.com")], true),
    ] {
        let mut command = world.invoke("text", ["hi"]);
        let ended = run(command.env("SSL_CERT_FILE", &certificate.0).envs(environment.iter().copied()));
        assert_eq!(
            (ended.exit, ended.stdout.as_str()),
            (Some(0), "You asked: hi\n"),
            "{environment:?} {}",
            ended.stderr
        );
        let expected: &[&str] = if through { &[place] } else { &[] };
        assert_eq!(std::mem::take(&mut *asked.lock().unwrap()), expected, "{environment:?}");
    }
}

/// A slip in the variable is no reason to send the token around the proxy.
#[test]
fn a_proxy_that_is_none() {
    let world = World::with(Mock::builder().tls(true));
    for name in ["HTTPS_PROXY", "all_proxy"] {
        let ended = run(world.invoke("text", ["hi"]).env(name, "http://hush@:3128"));
        let line = format!("error: {name} must look like http://[USER:PASSWORD@]HOST[:PORT] (or https://)");
        assert_eq!((ended.exit, ended.stderr.lines().next()), (Some(2), Some(line.as_str())));
        assert!(!ended.stderr.contains("hush"));
    }
    assert_eq!(world.mock.connections(), 0);
    let plaintext = World::new();
    let ended = run(plaintext.invoke("text", ["hi"]).env("HTTPS_PROXY", "not a url"));
    assert_eq!(ended.exit, Some(0), "a proxy that is not asked for need not be one: {}", ended.stderr);
}

#[test]
fn http2_is_offered_when_wanted() {
    let world = World::with(Mock::builder().tls(true));
    let certificate = Certificate::of(&world);
    for (flag, variable, version) in [
        (None, None, "HTTP/1.1"),
        (Some("--http2"), None, "HTTP/2.0"),
        (None, Some("1"), "HTTP/2.0"),
        (None, Some("0"), "HTTP/1.1"),
    ] {
        let mut command = world.invoke("text", flag.into_iter().chain(["hi"]));
        let ended =
            run(command.env("SSL_CERT_FILE", &certificate.0).envs(variable.map(|value| ("AGENTCORE_HTTP2", value))));
        let seen = format!("{:?}", world.mock.take_requests()[0].version);
        assert_eq!((ended.exit, seen.as_str()), (Some(0), version), "{}", ended.stderr);
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for() {
    let world = World::with(Mock::builder().tls(true));
    let ended = run(&mut world.invoke("text", ["hi"]));
    assert_eq!(ended.exit, Some(4), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    assert!(world.mock.requests().is_empty());
}

/// The default chain asks a container's metadata service, over this program's own connections.
#[cfg(feature = "aws-config")]
#[test]
fn credentials_of_a_container() {
    let world = World::new();
    let keys = world.mock.credentials();
    let body = format!(
        r#"{{"AccessKeyId":"{}","SecretAccessKey":"{}","Token":"{}","Expiration":"2099-01-01T00:00:00Z"}}"#,
        keys.access_key_id(),
        keys.secret_access_key(),
        keys.session_token().unwrap()
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/credentials", listener.local_addr().unwrap());
    let service = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut head = BufReader::new(client.try_clone().unwrap()).lines().map_while(Result::ok);
        let first = head.next().unwrap();
        assert!(head.any(|line| line.is_empty()), "the head ends");
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
        client.write_all((head + &body).as_bytes()).unwrap();
        first
    });
    let mut command = world.acore("text", ["invoke", "--sigv4", "hi"]);
    let ended = run(command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url));
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(0), "You asked: hi\n"), "{}", ended.stderr);
    assert_eq!(service.join().unwrap(), "GET /credentials HTTP/1.1");
}

/// A server that nobody vouches for is away, and nothing was sent to it.
#[test]
fn a_certificate_of_another_authority() {
    let [world, other] = [(), ()].map(|()| World::with(Mock::builder().tls(true)));
    let (ours, others) = (Certificate::of(&world), Certificate::of(&other));
    for (certificate, exit) in [(&ours, 0), (&others, 4)] {
        let ended = run(world.invoke("echo", ["hi"]).env("SSL_CERT_FILE", &certificate.0));
        assert_eq!(ended.exit, Some(exit), "{}", ended.stderr);
        assert_eq!(ended.stderr.starts_with("error: could not connect to 127.0.0.1:"), exit == 4, "{}", ended.stderr);
    }
    assert_eq!(world.mock.take_requests().len(), 1);
}
