//! Nothing secret of a store of tokens.

use std::{
    fs,
    sync::Arc,
    time::{Duration, SystemTime},
};

use agentcore_captured_log::CapturedLog;
use agentcore_client::{
    Token, TokenIssuer,
    auth::{EncryptionKey, FileStore, Issued, RedisStore, Stored, StoredToken, TokenStore, token::from_fn},
};
use agentcore_mock::Mock;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use tokio::{io::AsyncReadExt as _, net::TcpListener};

use super::Shown;
use crate::support::{bearer, start};

/// The password and the key of a shared store, and what is in it: away, no such server, misread.
#[tokio::test(flavor = "current_thread")]
async fn no_secret_of_a_store_is_logged_printed_or_told() {
    let (log, guard) = CapturedLog::begin();
    // It reads what it is sent, and answers nothing of Redis.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut sent = [0; 4096];
            let _ = connection.read(&mut sent).await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut connection, b"-ERR a-pa55word-of-redis\r\n").await;
        }
    });
    let key = [0x5a; 32];
    let secrets = [
        "a-pa55word-of-redis".to_owned(),
        "a-token-that-is-stored".to_owned(),
        "a-refresh-token-that-is-stored".to_owned(),
        BASE64_STANDARD.encode(key),
        format!("{key:?}"),
    ];
    let mut shown = Shown::default();
    let token = || Token::parse("a-token-that-is-stored").unwrap();
    let stored = StoredToken::new(token(), SystemTime::now()).refresh_token("a-refresh-token-that-is-stored");
    shown.debug(&stored);
    let directory = std::env::temp_dir().join(format!("agentcore-tests-{:016x}", fastrand::u64(..)));
    fs::create_dir(&directory).unwrap();
    let encryption = || EncryptionKey::new(key);
    shown.debug(&encryption());
    let mut stores: Vec<Arc<dyn TokenStore>> = vec![Arc::new(FileStore::new(&directory))];
    for place in [format!("127.0.0.1:{port}"), "127.0.0.1:1".to_owned()] {
        let builder = RedisStore::builder(&format!("redis://ada:a-pa55word-of-redis@{place}"), encryption());
        shown.debug(&builder);
        stores.push(Arc::new(builder.timeout(Duration::from_secs(1)).build().unwrap()));
    }
    for store in stores {
        shown.debug(&store);
        for _ in 0..2 {
            shown.outcome(store.load("key").await);
            let issuer = from_fn(move || async move { Ok(Issued::new(token())) });
            let issuer = Stored::new(issuer, store.clone(), "key");
            shown.debug(&issuer);
            shown.outcome(issuer.issue().await);
        }
    }
    // A file that is damaged, and one that others can read.
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "token" || extension == "json") {
            fs::write(&path, "{\"token\": \"a-token-that-is-stored\"").unwrap();
        }
    }
    shown.outcome(FileStore::new(&directory).load("key").await);
    fs::remove_dir_all(&directory).unwrap();
    let mock = start(Mock::builder()).await;
    bearer(&mock).runtime(mock.arn("echo")).invoke("x").await.unwrap();
    drop(guard);
    shown.assert_silent(&log, &secrets);
}
