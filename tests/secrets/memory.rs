//! Secrets that are dropped, searched for in the memory of the process.

use std::{
    fs::File,
    hint::black_box,
    os::unix::fs::FileExt as _,
    process::Command,
    sync::Arc,
    time::{Duration, SystemTime},
};

use agentcore_client::{
    Credentials, StaticToken, Target, Transport,
    auth::{
        Device, EncryptionKey, FileStore, SigV4, StoredToken, Token, TokenStore as _,
        cognito::{Answer, CognitoConfig, Login, PoolId},
        oauth::ClientCredentialsConfig,
    },
    ws::{Expiry, WebSocket},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::zeroize::Zeroizing;

/// Searches the memory of this process: secrets of our own types are there while they are held, and nowhere once they are dropped.
///
/// It needs a process of its own, in which no other test runs.
#[test]
fn secrets_are_zeroed_when_they_are_dropped() {
    const HERE: &str = "AGENTCORE_TESTS_MEMORY";
    if std::env::var_os(HERE).is_none() {
        let name = std::thread::current().name().unwrap().to_owned();
        let mut again = Command::new(std::env::current_exe().unwrap());
        let output = again.args(["--exact", &name, "--test-threads=1", "--nocapture"]).env(HERE, "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pool: PoolId = "us-east-1_ABC123DEF".parse().unwrap();
    let check = |what: &str, make: &dyn Fn(String) -> Box<dyn std::any::Any>| {
        let secret = Secret::new();
        let held = black_box(make(secret.text()));
        assert!(secret.copies() > 0, "{what}: it is found where it is held");
        drop(held);
        assert_eq!(secret.copies(), 0, "{what}: nothing is left");
    };
    check("a login", &|it| Box::new(Login::user_srp("ada", it)));
    check("a refresh token", &|it| Box::new(Login::refresh_token(it)));
    check("a client secret of Cognito", &|it| {
        let login = Login::refresh_token("x".to_owned());
        Box::new(CognitoConfig::new(pool.clone(), "id", login).client_secret(it))
    });
    check("a client of Cognito", &|it| {
        let http = Arc::new(Transport::builder().build().unwrap());
        Box::new(CognitoConfig::new(pool.clone(), "id", Login::user_password("ada", it)).over(http))
    });
    check("a client secret of OAuth", &|it| {
        let url = "https://idp.example/token".parse().unwrap();
        Box::new(ClientCredentialsConfig::new(url, "id", it))
    });
    check("an answer to a challenge", &|it| Box::new(Answer::new(it)));
    check("a device", &|it| Box::new(Device::new("key", "group", it)));
    check("a stored refresh token", &|it| {
        Box::new(StoredToken::new(Token::parse("t").unwrap(), SystemTime::UNIX_EPOCH).refresh_token(it))
    });
    check("the key of a client's certificate", &|it| Box::new(Transport::builder().client_certificate("", it)));

    let secret = Secret((0..32).map(|_| fastrand::u8(..)).collect());
    let text = Zeroizing::new(BASE64_STANDARD.encode(Zeroizing::new(secret.bytes())));
    let key = EncryptionKey::from_base64(&text).unwrap();
    assert!(secret.copies() > 0);
    drop(black_box(key));
    assert_eq!(secret.copies(), 0, "an encryption key");

    let target = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap());
    let socket = WebSocket::new(target);
    // A signature is known only from the URL that has it.
    let signer = SigV4::new(Credentials::new("AKID", "key", None, None, "test"));
    let url = runtime.block_on(socket.presign(&signer, Expiry::default())).unwrap();
    let signature = Secret::of(url.expose().rsplit_once('=').unwrap().1.as_bytes());
    let before = signature.copies();
    drop(url);
    assert!(signature.copies() < before, "a presigned URL is zeroed, but for what signed it");
    let token = StaticToken::parse("abc.def.ghi-0123456789-0123456789-0123456789-0123456789").unwrap();
    let protocol = runtime.block_on(socket.subprotocol(&token)).unwrap();
    let encoded = Secret::of(protocol.protocols()[0].rsplit_once('.').unwrap().1.as_bytes());
    assert!(encoded.copies() > 0);
    drop(protocol);
    assert_eq!(encoded.copies(), 0, "a token in a protocol's name");

    // What is written to a file and read again passes through JSON.
    let directory = std::env::temp_dir().join(format!("agentcore-tests-{:016x}", fastrand::u64(..)));
    let secret = Secret::new();
    runtime.block_on(async {
        let store = FileStore::new(&directory).patience(Duration::from_secs(1));
        let agentcore_client::auth::token::LockOutcome::Acquired(lock) = store.lock("key").await.unwrap() else {
            panic!("nobody else has it")
        };
        let token = StoredToken::new(Token::parse("t").unwrap(), SystemTime::now()).refresh_token(secret.text());
        store.save("key", &token, &lock).await.unwrap();
        drop(token);
        let read = store.load("key").await.unwrap();
        assert!(secret.copies() > 0);
        drop(black_box(read));
    });
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(secret.copies(), 0, "a token that was stored and read");
}

/// A secret that this test itself holds in another form only.
struct Secret(Vec<u8>);

const MASK: u8 = 0x15;

impl Secret {
    /// A random one of 64 letters and digits.
    fn new() -> Self {
        Self((0..64).map(|_| fastrand::alphanumeric() as u8 ^ MASK).collect())
    }

    fn of(text: &[u8]) -> Self {
        Self(text.iter().map(|byte| byte ^ MASK).collect())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len());
        bytes.extend(self.0.iter().map(|byte| byte ^ MASK));
        bytes
    }

    /// Returns it in a place that is exactly as large, so that it is not moved.
    fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }

    /// Counts the places of memory that hold its second 16 bytes: the allocator writes to the first ones of what is free.
    fn copies(&self) -> usize {
        let wanted = &self.0[16..32];
        let memory = File::open("/proc/self/mem").unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let mut copies = 0;
        let mut bytes = Vec::new();
        for line in maps.lines().filter(|line| line.contains(" rw-p ")) {
            let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
            let number = |text: &str| u64::from_str_radix(text, 16).unwrap();
            let (mut from, to) = (number(from), number(to));
            while from < to {
                bytes.resize(usize::try_from((to - from).min(1 << 20)).unwrap(), 0);
                // What the kernel does not show is nobody's.
                if memory.read_exact_at(&mut bytes, from).is_ok() {
                    copies += bytes.windows(wanted.len()).filter(|found| masked(found, wanted)).count();
                }
                from += bytes.len() as u64;
            }
        }
        // What was read was itself memory, and may be read later.
        bytes.resize(bytes.capacity(), 0);
        bytes.fill(0);
        copies
    }
}

fn masked(found: &[u8], wanted: &[u8]) -> bool {
    found[0] ^ MASK == wanted[0] && found.iter().zip(wanted).all(|(found, wanted)| found ^ MASK == *wanted)
}
