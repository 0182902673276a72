//! Nothing secret in `Debug`, errors and logs.

use std::{
    fmt::Write as _,
    io,
    sync::{Arc, Mutex},
};

use agentcore::{Client, RetryPolicy};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{endpoint, keys, mock};

/// Everything that is logged, by anybody, in one string.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// All layers at their most talkative, dependencies included, on the thread of this test.
#[tokio::test(flavor = "current_thread")]
async fn no_secret_is_logged_printed_or_told() {
    let captured = Captured::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(captured.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let mock = mock().await;
    let token = mock.token();
    let keys = keys(&mock);
    let mut shown = String::new();
    let by_token = Client::builder().bearer_token(&token).endpoints(endpoint(&mock)).build().unwrap();
    let by_keys = Client::builder().credentials(keys.clone()).endpoints(endpoint(&mock)).build().unwrap();
    let prompt = "a-prompt-nobody-else-should-read";
    for client in [by_token, by_keys] {
        for agent in ["echo", "story", "unauthorized-1", "error-403", "reset", "reset-midstream", "html"] {
            let call = client.runtime(mock.arn(agent)).invoke(prompt).retry(RetryPolicy::off());
            write!(shown, "{client:?} {call:?}").unwrap();
            match call.clone().send().await {
                Ok(response) => {
                    write!(shown, "{response:?}").unwrap();
                    let _ = response.text().await.inspect_err(|error| write!(shown, "{error} {error:?}").unwrap());
                }
                Err(error) => write!(shown, "{error} {error:?}").unwrap(),
            }
            if let Err(error) = call.await {
                write!(shown, "{error} {error:?}").unwrap();
            }
        }
    }
    drop(guard);
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("attempt failed") && log.contains("answered"), "the log was captured");
    let signature = mock.requests().into_iter().filter_map(|request| {
        let authorization = request.headers.get("authorization")?.to_str().ok()?.to_owned();
        authorization.split("Signature=").nth(1).map(str::to_owned)
    });
    let mut secrets: Vec<String> = signature.collect();
    assert!(secrets.len() > 5, "signatures were made");
    secrets.extend([token, keys.secret_access_key().to_owned(), keys.session_token().unwrap().to_owned()]);
    for secret in &secrets {
        assert!(!log.contains(secret.as_str()), "a secret in the log");
        assert!(!shown.contains(secret.as_str()), "a secret in Debug or an error");
    }
    assert!(!log.contains(prompt) && !shown.contains(prompt), "what is said stays between the two");
}
