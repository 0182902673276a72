//! What other implementations computed. `vectors/` is data of botocore 1.44.5 and the official Python SDK 1.25.0, made under
//! a frozen clock with AWS's published example credentials.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agentcore_auth::sigv4;
use agentcore_client::{Arn, Credentials, ErrorKind, Payload, Qualifier, Target, operation};
use agentcore_mock::{AgentResponse, Mock};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use serde_json::Value;

use crate::support::{agent, start};

pub(crate) fn vectors(text: &str) -> Vec<Value> {
    let mut file: Value = serde_json::from_str(text).unwrap();
    serde_json::from_value(file["vectors"].take()).unwrap()
}

fn invoke_vectors() -> Vec<Value> {
    vectors(include_str!("vectors/invoke_vectors.json"))
}

/// `2025-08-15T12:34:56Z`, through the other notation that a library here reads.
pub(crate) fn time(text: &str) -> SystemTime {
    let digits: Vec<u64> = text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect();
    let [year, month, day, hour, minute, second] = digits[..] else { panic!("a time: {text}") };
    // Days from the civil calendar's epoch, with March as the first month so that the leap day comes last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    UNIX_EPOCH + Duration::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[test]
fn times_are_read_right() {
    for (text, date) in [
        ("2025-08-15T12:34:56Z", "Fri, 15 Aug 2025 12:34:56 GMT"),
        ("2024-02-29T00:00:00Z", "Thu, 29 Feb 2024 00:00:00 GMT"),
    ] {
        assert_eq!(httpdate::fmt_http_date(time(text)), date);
    }
}

/// Every request botocore signed, signed here: the same headers, byte for byte.
#[test]
fn signatures_equal_botocores() {
    let mut compared = 0;
    for vector in invoke_vectors().iter().filter(|vector| vector.get("request").is_some()) {
        let name = vector["name"].as_str().unwrap();
        let golden = &vector["request"];
        let body = match golden["body_b64"].as_str() {
            Some(text) => STANDARD.decode(text).unwrap(),
            None => vec![b'x'; usize::try_from(golden["body_len"].as_u64().unwrap()).unwrap()],
        };
        let mut request = Request::builder()
            .method(golden["method"].as_str().unwrap())
            .uri(golden["url"].as_str().unwrap())
            .body(Bytes::from(body))
            .unwrap();
        for (name, value) in golden["headers"].as_object().unwrap() {
            let computed = ["Authorization", "Content-Length", "X-Amz-Date", "X-Amz-Security-Token"];
            if !computed.contains(&name.as_str()) {
                let name: HeaderName = name.parse().unwrap();
                request.headers_mut().insert(name, HeaderValue::from_str(value.as_str().unwrap()).unwrap());
            }
        }
        let text = |key: &str| vector[key].as_str().map(str::to_owned);
        let credentials = Credentials::new(
            text("access_key").unwrap(),
            text("secret_key").unwrap(),
            text("session_token"),
            None,
            "golden",
        );
        let region = vector["region"].as_str().unwrap().parse().unwrap();
        sigv4::sign(&mut request, &credentials, &region, time(vector["time"].as_str().unwrap())).unwrap();
        for (header, value) in
            golden["headers"].as_object().unwrap().iter().filter(|(name, _)| *name != "Content-Length")
        {
            assert_eq!(
                request.headers()[header.as_str()].to_str().unwrap(),
                value.as_str().unwrap(),
                "{name}: {header}"
            );
        }
        compared += 1;
    }
    assert_eq!(compared, 14, "botocore signed all but the one it refused");
}

/// Every URL botocore sent to, built here. Left out are `qualifier_empty`, because an empty qualifier does not parse here, and
/// `odd_id`, whose id the service cannot have made.
#[test]
fn urls_equal_botocores() {
    let mut compared = 0;
    for vector in invoke_vectors().iter().filter(|vector| vector.get("request").is_some()) {
        let args = &vector["args"];
        let arn = match args["agentRuntimeArn"].as_str().unwrap().parse::<Arn>() {
            Err(error) => {
                assert_eq!((vector["name"].as_str(), error.kind()), (Some("odd_id"), ErrorKind::Input));
                continue;
            }
            Ok(arn) => arn,
        };
        let mut target = match vector["endpoint_url"].as_str() {
            Some(url) => Target::at(url.parse().unwrap(), arn),
            None => Target::new(arn),
        };
        match args["qualifier"].as_str().map(str::parse::<Qualifier>) {
            Some(Err(_)) => continue,
            Some(Ok(qualifier)) => target = target.with_qualifier(qualifier),
            None => {}
        }
        let url = match vector["operation"].as_str().unwrap() {
            "invoke_agent_runtime" => target.url(&operation::INVOKE).unwrap(),
            "invoke_agent_runtime_command" => target.url(&operation::COMMAND).unwrap(),
            "stop_runtime_session" => target.url(&operation::STOP).unwrap(),
            other => panic!("{other}"),
        };
        assert_eq!(url, vector["request"]["url"].as_str().unwrap(), "{}", vector["name"]);
        compared += 1;
    }
    assert_eq!(compared, 12);
}

/// The bodies of refusals: nothing panics, and what botocore finds is found here.
#[tokio::test]
async fn refusals_are_read_as_botocore_reads_them() {
    for vector in vectors(include_str!("vectors/error_vectors.json")) {
        let name = vector["name"].as_str().unwrap();
        let answer = vector.clone();
        let mock = start(Mock::builder().agent("golden", move |_| {
            let status = StatusCode::from_u16(u16::try_from(answer["status"].as_u64().unwrap()).unwrap()).unwrap();
            let mut refusal = AgentResponse::text(answer["body"].as_str().unwrap()).with_status(status);
            for (name, value) in answer["headers"].as_object().unwrap() {
                let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
                refusal = refusal.with_header(name.parse().unwrap(), value);
            }
            std::future::ready(refusal)
        }))
        .await;
        let call = agent(&mock, "golden").invoke(Payload::from("x")).retry(agentcore_client::RetryPolicy::off());
        let error = call.await.unwrap_err();
        let golden = &vector["botocore"]["error"];
        assert_eq!(u64::from(error.status().unwrap()), vector["status"].as_u64().unwrap(), "{name}");
        // Where no name came, botocore puts the status in its place.
        let code = golden["Code"].as_str().filter(|code| !code.starts_with(|c: char| c.is_ascii_digit()));
        assert_eq!(error.code(), code, "{name}");
        // Of a page of HTML botocore keeps nothing; here the status is said in words.
        // The fields that a validation names, which botocore leaves out, are shown.
        let message = match name {
            "html" => "Bad Gateway",
            "validation_header" => "bad (a: b)",
            _ => golden["Message"].as_str().unwrap(),
        };
        assert_eq!(error.message(), message, "{name}");
        let kind = match vector["status"].as_u64().unwrap() {
            401 => ErrorKind::Authentication,
            402 => ErrorKind::Quota,
            403 => ErrorKind::Authorization,
            404 => ErrorKind::NotFound,
            409 => ErrorKind::Conflict,
            424 => ErrorKind::Agent,
            429 => ErrorKind::Throttled,
            500 | 502 => ErrorKind::Service,
            400 => ErrorKind::Refused,
            other => panic!("{other} has no kind in this table"),
        };
        assert_eq!(error.kind(), kind, "{name}");
    }
}
