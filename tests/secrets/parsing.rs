//! Secrets with a mistake in them.

use agentcore_captured_log::CapturedLog;
use agentcore_client::{
    Client, Credentials, Endpoint, Proxy, StaticToken, Target, Token, TokenSource as _, Transport,
    auth::{
        CommandToken, EncryptionKey, FileToken, RedisStore, TokenIssuer as _, credentials, oauth::TokenEndpoint, token,
    },
};
use agentcore_mock::Mock;

use super::Shown;
use crate::support::{bearer, endpoint, start};

/// What is a secret with a mistake in it: a space, a quote, a line, a character that is not ASCII, a wrong length.
const BROKEN: [&str; 5] =
    ["mar ked-s3cret", "mar\"ked-s3cret", "mar\nked-s3cret", "m\u{e4}rked-s3cret", "ked-s3cret\u{0}"];
/// What all of them end in or hold.
const MARK: &str = "ked-s3cret";

#[tokio::test(flavor = "current_thread")]
async fn what_refuses_a_secret_does_not_repeat_it() {
    let (log, guard) = CapturedLog::begin();
    let mock = start(Mock::builder()).await;
    let mut shown = Shown::default();
    let directory = std::env::temp_dir().join(format!("agentcore-tests-{:016x}", fastrand::u64(..)));
    std::fs::create_dir(&directory).unwrap();
    for secret in BROKEN {
        let mut refused = Vec::new();
        let mut count = 0;
        let mut keep = |outcome: Result<String, agentcore_client::Error>| {
            count += 1;
            refused.extend(outcome.err());
        };
        let debug = |value: &dyn std::fmt::Debug| format!("{value:?}");
        keep(Token::parse(secret).map(|it| debug(&it)));
        keep(Token::parse(&format!("Bearer {secret}")).map(|it| debug(&it)));
        keep(StaticToken::parse(secret).map(|it| debug(&it)));
        keep(token::from_env(|_| Some(secret.to_owned())).map(|it| debug(&it)));
        keep(
            credentials::from_env(|name| {
                let value = if name == "AWS_ACCESS_KEY_ID" { "AKIDEXAMPLE" } else { secret };
                Some(value.to_owned())
            })
            .map(|it| debug(&it)),
        );
        keep(EncryptionKey::from_base64(secret).map(|it| debug(&it)));
        let key = EncryptionKey::new([1; 32]);
        keep(RedisStore::builder(&format!("redis://:{secret}@127.0.0.1:no-port"), key).build().map(|it| debug(&it)));
        let userinfo = format!("https://user:{secret}@example.com");
        keep(format!("ftp://user:{secret}@example.com").parse::<Endpoint>().map(|it| debug(&it)));
        keep(userinfo.parse::<Endpoint>().map(|it| debug(&it)));
        keep(userinfo.parse::<TokenEndpoint>().map(|it| debug(&it)));
        keep(Target::local(&format!("http://user:{secret}@127.0.0.1")).map(|it| debug(&it)));
        let proxy = Proxy::Url { url: format!("ftp://user:{secret}@proxy"), except: String::new() };
        shown.debug(&proxy);
        keep(Transport::builder().proxy(proxy).build().map(|it| debug(&it)));
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n");
        let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
        let tls = Transport::builder().client_certificate(certificate, pem);
        shown.debug(&tls);
        keep(tls.build().map(|it| debug(&it)));
        // What a program or a file says that is no token.
        let file = directory.join("token");
        std::fs::write(&file, secret).unwrap();
        let file = FileToken::new(&file);
        shown.debug(&file);
        keep(file.token().await.map(|it| debug(&it)));
        for printed in
            [secret.to_owned(), format!("{{\"token\": \"{secret}\""), format!("{{\"tokens\": \"{secret}\"}}")]
        {
            let command = CommandToken::new("printf").args(["%s", &printed]);
            shown.debug(&command);
            keep(command.issue().await.map(|it| debug(&it)));
        }
        // Keys that cannot sign are found out when they are to.
        let keys = Credentials::new("AKIDEXAMPLE", secret, Some(secret.to_owned()), None, "test");
        let client = Client::builder().credentials(keys).endpoints(endpoint(&mock)).build().unwrap();
        keep(client.runtime(mock.arn("echo")).invoke("x").await.map(|it| debug(&it)));
        assert!(refused.len() + 2 >= count, "of {count} only {} were refused: {secret:?}", refused.len());
        for error in refused {
            shown.error(error);
        }
    }
    std::fs::remove_dir_all(&directory).unwrap();
    bearer(&mock).runtime(mock.arn("echo")).invoke("x").await.unwrap();
    drop(guard);
    shown.assert_silent(&log, &[MARK.to_owned()]);
}
