//! Harnesses against the mock: the same calls as an agent's, answered in AWS event streams.

use agentcore_client::{Client, Dialect, ErrorKind, Event, Payload, Reply, Runtime, event};
use serde_json::json;

use crate::support::{bearer, mock, sigv4};

fn harness(client: &Client, mock: &agentcore_mock::Mock, name: &str) -> Runtime {
    client.runtime(mock.harness_arn(name))
}

#[tokio::test]
async fn a_prompt_whole_and_streamed() {
    let mock = mock().await;
    for client in [bearer(&mock), sigv4(&mock)] {
        let session = harness(&client, &mock, "echo").new_session();
        let reply = session.invoke("Hello").await.unwrap();
        assert_eq!((&*reply.text, reply.session_id.as_str()), ("Hello", session.id().as_str()));
        let usage = reply.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(7), Some(5)));
        let mut events = harness(&client, &mock, "story").invoke("stars").stream().await.unwrap();
        let (mut texts, mut last) = (0, None);
        while let Some(event) = events.try_next().await.unwrap() {
            texts += u32::from(event.text().is_some());
            last = Some(event);
        }
        assert!(texts > 5);
        assert!(matches!(last, Some(Event::Done(done)) if done.dialect == Some(Dialect::Harness)));
    }
    let sent: serde_json::Value = serde_json::from_slice(&mock.requests()[0].body).unwrap();
    assert_eq!(sent, json!({"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}));
}

#[tokio::test]
async fn messages_as_they_are_given() {
    let mock = mock().await;
    let payload = Payload::json(&json!({
        "messages": [
            {"role": "user", "content": [{"text": "first"}]},
            {"role": "assistant", "content": [{"text": "second"}]},
            {"role": "user", "content": [{"text": "third"}, {"text": "fourth"}]},
        ],
        "maxTokens": 10,
    }));
    let reply = harness(&bearer(&mock), &mock, "echo").invoke(payload.unwrap()).await.unwrap();
    assert_eq!(&*reply.text, "third fourth");
    let error = harness(&bearer(&mock), &mock, "echo").invoke(Payload::json(&json!({})).unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("ValidationException")));
}

/// A function that the caller runs is an interrupt, and its result goes on.
#[tokio::test]
async fn a_function_of_the_callers() {
    let mock = mock().await;
    let session = harness(&sigv4(&mock), &mock, "ask").new_session();
    let reply = session.invoke("Delete it").await.unwrap();
    assert_eq!(&*reply.text, "I have to ask.");
    let [asked] = &reply.interrupts[..] else { panic!("{:?}", reply.interrupts) };
    assert_eq!((&*asked.id, &*asked.name, &*asked.reason), ("call-1", "approve", r#"{"question":"May I?"}"#));
    let reply = session.invoke(event::resume(session.id(), &[(asked, "yes")])).await.unwrap();
    assert_eq!(&*reply.text, "You answered: yes");
    assert!(reply.interrupts.is_empty());
}

/// What came before is delivered; a message without its end is no whole answer.
#[tokio::test]
async fn faults() {
    let mock = mock().await;
    for (name, kind, code, partial) in [
        ("fail-midstream", ErrorKind::Agent, Some("RuntimeClientError"), Some("Once upon")),
        ("reset-midstream", ErrorKind::BrokenOff, None, Some("Once upon")),
        ("empty", ErrorKind::BrokenOff, None, Some("Once upon")),
        ("error-403", ErrorKind::Authorization, Some("AccessDeniedException"), None),
        ("nobody", ErrorKind::NotFound, Some("ResourceNotFoundException"), None),
    ] {
        let error = harness(&bearer(&mock), &mock, name).invoke("x").await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, code), "{name}: {error}");
        assert_eq!(error.partial::<Reply>().map(|reply| &*reply.text), partial, "{name}");
        assert_eq!(error.may_have_run(), partial.is_some(), "{name}");
        assert!(error.session_id().is_some() && error.arn().is_some(), "{name}");
    }
    assert_eq!(&*harness(&bearer(&mock), &mock, "throttle-1").invoke("x").await.unwrap().text, "x");
}
