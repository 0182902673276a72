//! What stands in the memory of a server of Redis that keeps tokens: nothing secret, but for the password that the server checks.
//! Without the variable that names the server's program it does nothing: `cargo xtask interop` sets it.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::fs::FileExt as _,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::SystemTime,
};

use agentcore_client::{
    Token,
    auth::{
        Device, EncryptionKey, Issued, RedisStore, Stored, StoredToken, TokenIssuer, TokenStore,
        token::{LockOutcome, from_fn},
    },
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

#[tokio::test]
async fn a_server_of_redis_keeps_nothing_that_can_be_read() {
    let Some(server) = Server::start() else { return };
    let (token, key) = ("a-token-that-is-stored", [0x5a; 32]);
    let store = || RedisStore::builder(&server.url(), EncryptionKey::new(key)).build().unwrap();
    let place = "https://idp.example/ the-login-of-ada";

    let issuer = from_fn(move || async move { Ok(Issued::new(Token::parse(token)?)) });
    Stored::new(issuer, Arc::new(store()), place).issue().await.unwrap();
    let (login, store) = (place.to_owned() + " again", store());
    let stored = StoredToken::new(Token::parse(token).unwrap(), SystemTime::now())
        .refresh_token("a-refresh-token-that-is-stored")
        .username("the-name-of-ada")
        .device(Device::new("the-key-of-a-device", "its-group", "the-password-of-a-device"));
    let LockOutcome::Acquired(lock) = store.lock(&login).await.unwrap() else { panic!("nobody else stores") };
    store.mark_renewal(&login, &lock, true).await.unwrap();
    store.save(&login, &stored, &lock).await.unwrap();
    // While the lock is held, and once it is not.
    for _ in 0..2 {
        let memory = server.memory();
        assert!(memory.contains("agentcore:token:"), "what the store's keys begin with is found");
        for secret in [
            token,
            "a-refresh-token-that-is-stored",
            "the-name-of-ada",
            "the-key-of-a-device",
            "the-password-of-a-device",
            "the-login-of-ada",
            "https://idp.example/",
            &BASE64_STANDARD.encode(token),
            &BASE64_STANDARD.encode(key),
        ] {
            assert!(!memory.contains(secret), "{secret}");
        }
        assert!(!memory.contains(str::from_utf8(&key).unwrap()), "the encryption key");
    }
    store.unlock(&login, lock).await;
    assert_eq!(store.load(&login).await.unwrap().unwrap().token.expose(), token);
}

/// A server that ends with the value.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Option<Self> {
        let program = std::env::var_os("AGENTCORE_TEST_REDIS_SERVER")?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("Ready to accept connections")));
        // Its output is read to the end, so that the server can write.
        std::thread::spawn(move || lines.count());
        Some(Self { child, port })
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns all that the process can write to, with a question mark for what is not ASCII.
    fn memory(&self) -> String {
        let process = format!("/proc/{}", self.child.id());
        let memory = File::open(format!("{process}/mem")).unwrap();
        let mut all = Vec::new();
        for line in fs::read_to_string(format!("{process}/maps")).unwrap().lines() {
            let mut words = line.split_whitespace();
            let (range, rights) = (words.next().unwrap(), words.next().unwrap());
            if !rights.starts_with("rw") {
                continue;
            }
            let (begin, end) = range.split_once('-').unwrap();
            let [begin, end] = [begin, end].map(|text| u64::from_str_radix(text, 16).unwrap());
            let mut piece = vec![0; usize::try_from(end - begin).unwrap()];
            // What the kernel keeps to itself cannot be read.
            if memory.read_exact_at(&mut piece, begin).is_ok() {
                all.extend(piece);
            }
        }
        all.iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'?');
        String::from_utf8(all).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
