//! What the service refuses of good callers: by operation, endpoint, header and quota.

use super::*;

#[tokio::test]
async fn what_stop_and_harness_refuse() {
    let mock = start().await;
    let bearer = bearer(&mock);
    let good = ("authorization", bearer.as_str());
    let session = (SESSION_HEADER, SESSION);
    let token = |token: &str| json!({ "clientToken": token }).to_string();
    let stop = path("echo").replace("/invocations", "/stopruntimesession");
    let harness = path("echo").replace("/runtimes/", "/harnesses/invoke?harnessArn=").replace("/invocations", "");
    let harness = harness.replace("%3Aruntime%2F", "%3Aharness%2F");
    for (path, headers, body, expected) in [
        (stop.clone(), vec![session], String::new(), MISSING),
        (stop.clone(), vec![good], String::new(), INVALID),
        (stop.clone() + "?accountId=123456789012", vec![good, session], String::new(), INVALID),
        (stop.clone(), vec![good, session], "no JSON".to_owned(), INVALID),
        (stop.clone(), vec![good, session], token(&"x".repeat(32)), INVALID),
        (stop.clone(), vec![good, session], token(&"x".repeat(257)), INVALID),
        (stop.clone(), vec![good, session], token(&(".".to_owned() + &"x".repeat(33))), INVALID),
        (stop.clone(), vec![good, session], token(&("-".to_owned() + &"x".repeat(33))), INVALID),
        (stop.clone(), vec![good, session], json!({ "clientToken": 1 }).to_string(), INVALID),
        (stop.clone() + "?qualifier=nobody", vec![good, session], String::new(), NOT_FOUND),
        (stop.replace("echo", "nobody"), vec![good, session], String::new(), NOT_FOUND),
        (harness.clone(), vec![session], String::new(), MISSING),
        (harness.clone(), vec![good], String::new(), INVALID),
        (harness.clone() + "&accountId=123456789012", vec![good, session], String::new(), INVALID),
        (
            path("echo").replace("/runtimes/", "/harnesses/invoke?harnessArn="),
            vec![good, session],
            String::new(),
            INVALID,
        ),
        ("/harnesses/invoke".to_owned(), vec![good, session], String::new(), INVALID),
        (harness.clone(), vec![good, session], "{}".to_owned(), INVALID),
        (harness.clone(), vec![good, session], r#"{"messages":[{"role":"tool","content":[]}]}"#.to_owned(), INVALID),
        (harness.replace("echo", "nobody"), vec![good, session], String::new(), NOT_FOUND),
    ] {
        let answer = send(&mock, &format!("POST {path}"), &headers, &body).await;
        assert_eq!(answer.error(), expected, "{path} {body}: {}", answer.body);
    }
    // A session that runs is stopped, and one that does not likewise.
    assert_eq!(invoke(&mock, "echo").await.status, 200);
    for body in [String::new(), token(&("a-".to_owned() + &"x".repeat(31)))] {
        let answer = send(&mock, &format!("POST {stop}"), &[good, session], &body).await;
        assert_eq!((answer.status, answer.header("x-amzn-bedrock-agentcore-runtime-session-id")), (200, SESSION));
    }
}

#[tokio::test]
async fn endpoints_and_restricted_headers() {
    let mock = Mock::builder().endpoint("prod").endpoint("a b").start().await.unwrap();
    let bearer = bearer(&mock);
    for (query, expected) in
        [("", 200), ("?qualifier=DEFAULT", 200), ("?qualifier=a%20b", 200), ("?qualifier=default", 404)]
    {
        let line = format!("POST {}{query}", path("echo"));
        assert_eq!(send(&mock, &line, &[("authorization", &bearer)], "").await.status, expected, "{query}");
    }
    assert_eq!(invoke(&mock, "echo%2Fruntime-endpoint%2Fprod").await.status, 200);
    assert_eq!(invoke(&mock, "echo%2Fruntime-endpoint%2Ftest").await.error(), NOT_FOUND);
    assert_eq!(invoke_with(&mock, "echo", &[("x-amzn-meta", "x")], "").await.error(), INVALID);
}

#[tokio::test]
async fn new_sessions_beyond_the_quota_are_throttled() {
    let mock = Mock::builder().max_new_sessions_per_second(1).start().await.unwrap();
    tokio::time::pause();
    assert_eq!(invoke(&mock, "nobody").await.error(), NOT_FOUND);
    assert_eq!(invoke(&mock, "echo").await.status, 200);
    assert_eq!(invoke(&mock, "echo").await.status, 200);
    assert_eq!(invoke_with(&mock, "echo", &[], "").await.error(), (429, "ThrottlingException"));
    assert_eq!(mock.requests().len(), 4);
}
