//! The WebSocket credentials that the official Python SDK 1.25.0 makes under a frozen clock, made here again. Every vector has
//! its row in [`TABLE`]: equal, or why it is not.

use std::{error::Error as StdError, time::Duration};

use agentcore_auth::{ManualClock, SigV4, StaticToken, sigv4};
use agentcore_client::{Auth, Credentials};
use agentcore_core::{Arn, Region, SessionId, ShellId, Target, header, operation};
use agentcore_ws::{Expiry, Handshake, PresignedUrl, Subprotocol, WebSocket};
use bytes::Bytes;
use http::{HeaderMap, Request, header::AUTHORIZATION};
use serde_json::Value;

use crate::golden::{time, vectors};

/// How a vector is met.
enum Row {
    /// The same, byte for byte.
    Equal,
    /// The same URL, and the same signature over a request without the session header, which the SDK leaves unsigned. Ours
    /// covers it, and is this one of botocore's.
    SessionSigned(&'static str),
    /// Refused there, and here with these words.
    Refused(&'static str),
    /// Not followed, because the SDK is wrong: why, and what is done here.
    Unequal(&'static str, Instead),
}

enum Instead {
    /// This query with this signature of botocore's.
    Signed(&'static str, &'static str),
    /// This query with a bearer token.
    Bearer(&'static str),
    /// An error with these words.
    Refused(&'static str),
}

use Instead as I;
use Row as R;

const ODD_ID: &str = "the service makes no such ids, and what they hold could lead elsewhere";

const TABLE: &[(&str, Row)] = &[
    ("ws_basic", R::SessionSigned("c72823d7b57c7d2dc740da16ae0873fd03eadc5796b096c06f3811d2a34670bf")),
    ("ws_token", R::SessionSigned("202c6fd24e804b57211bd337becee4553657b0f930c0f18657890eb39ba26071")),
    ("ws_gov", R::SessionSigned("b79dc8dfefd4f5b4d7df210718746607c0b24cb155dd9dac6613f599f0a6b559")),
    ("ws_apne1_newyear", R::SessionSigned("b5171b663fb65cb91a0fdca981cb73651923913daed68d9bba0e7600988340e8")),
    (
        "ws_odd_id_space_pct",
        R::Unequal(
            ODD_ID,
            I::Refused(
                "invalid runtime ARN \"arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/a b%20c+d-AbC1234567\": \
                 the runtime id may hold only letters, digits, _ and -, found \"a b%20c+d-AbC1234567\"",
            ),
        ),
    ),
    (
        "ws_odd_id_nested_slash",
        R::Unequal(
            "the ARN is an endpoint's, and the SDK takes it for a runtime's",
            I::Signed("qualifier=DEFAULT", "6a7e41cadb288d1ff0a622ddf1b368cc1bf400d741cb8038ab7c6f62c6dc497c"),
        ),
    ),
    (
        "ws_odd_id_unicode",
        R::Unequal(
            ODD_ID,
            I::Refused(
                "invalid runtime ARN \"arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/agé😀-AbC1234567\": \
                 the runtime id may hold only letters, digits, _ and -, found \"agé😀-AbC1234567\"",
            ),
        ),
    ),
    (
        "ws_odd_id_dotdot",
        R::Unequal(
            ODD_ID,
            I::Refused(
                "invalid runtime ARN \"arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/../x\": \
                 the runtime id may hold only letters, digits, _ and -, found \"../x\"",
            ),
        ),
    ),
    (
        "ws_qualifier_space",
        R::Unequal(
            "the SDK writes a space as a plus and signs the plus, where SigV4 has %20",
            I::Signed("qualifier=my%20endpoint", "c5d6cce41fad9a19f9820714d62147c89c6cddb2806c01b8214176e3a5963cc3"),
        ),
    ),
    ("presign_basic", R::Equal),
    ("presign_expires_1", R::Equal),
    ("presign_expires_60", R::Equal),
    (
        "presign_expires_0",
        R::Unequal(
            "the SDK signs a URL that is dead when it is born",
            I::Refused("invalid expiry: a presigned URL lives 1 to 300 seconds, not 0"),
        ),
    ),
    ("presign_expires_301", R::Refused("invalid expiry: a presigned URL lives 1 to 300 seconds, not 301")),
    ("presign_token", R::Equal),
    ("presign_qualifier", R::Equal),
    ("presign_custom_slash_tilde_eq", R::Equal),
    ("presign_custom_reserved", R::Equal),
    (
        "presign_custom_header_like",
        R::Unequal(
            "the SDK lets a custom parameter name the user, as whom only some callers may speak",
            I::Refused(
                "invalid query parameter \"X-Amzn-Bedrock-AgentCore-Runtime-User-Id\": \
                 the service sets X-Amz- and X-Amzn- aside for itself",
            ),
        ),
    ),
    (
        "presign_custom_overrides_qualifier",
        R::Unequal(
            "the SDK lets a custom parameter override the endpoint that was asked for",
            I::Refused("invalid query parameter \"qualifier\": it is set by this client, not by hand"),
        ),
    ),
    ("presign_gov_token", R::Equal),
    ("presign_cn", R::Equal),
    ("oauth_qualifier", R::Unequal("the SDK writes a space as a plus", I::Bearer("qualifier=a%20b"))),
    ("shell_basic", R::Equal),
    (
        "shell_session_spaces",
        R::Unequal(
            "the SDK does not check the session id, which the service then refuses",
            I::Refused("invalid session id \"  padded   session\\tid  \": it may hold only visible ASCII characters"),
        ),
    ),
    ("shell_gov", R::Equal),
    (
        "shell_bad_id",
        R::Refused(
            "invalid shell id \"-bad\": it must be 1 to 128 letters, digits, _ or -, and begin with a letter or digit",
        ),
    ),
    (
        "shell_bad_id_newline",
        R::Refused(
            "invalid shell id \"ok\\n\": it must be 1 to 128 letters, digits, _ or -, and begin with a letter or digit",
        ),
    ),
    ("shell_id_128", R::Equal),
    ("shell_oauth", R::Equal),
    (
        "shell_oauth_unicode_token",
        R::Unequal(
            "the SDK checks neither the session id nor the token, which is ASCII (RFC 6750 section 2.1)",
            I::Refused("invalid session id \"s p+/~\": it may hold only visible ASCII characters"),
        ),
    ),
    (
        "shell_oauth_token_3073",
        R::Refused(
            "the bearer token is too long for a browser: it has 4098 characters when encoded for \
             Sec-WebSocket-Protocol, at most 4096 are allowed",
        ),
    ),
    (
        "arn_bad_service",
        R::Refused(
            "invalid runtime ARN \"arn:aws:bedrock:us-east-1:1:runtime/x\": \
             the service must be bedrock-agentcore, found \"bedrock\"",
        ),
    ),
    (
        "arn_bad_partition",
        R::Refused(
            "invalid runtime ARN \"arn:aws-xx:bedrock-agentcore:us-east-1:1:runtime/x\": unknown partition \"aws-xx\", \
             known are aws, aws-cn, aws-us-gov, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f, aws-eusc",
        ),
    ),
    (
        "arn_region_mismatch",
        R::Unequal(
            "the SDK sends to its client's region, where the runtime is not",
            I::Refused("invalid region \"us-west-2\": the ARN is of a runtime in us-east-1, and the ARN decides"),
        ),
    ),
];

/// What this workspace makes of a vector.
enum Made {
    Handshake(Handshake),
    Presigned(PresignedUrl),
    /// A shell's URL, and the headers signed for it.
    Shell(String, HeaderMap),
    /// A shell's URL, and the subprotocols of any socket.
    Browser(String, Subprotocol),
}

type Outcome<T> = Result<T, Box<dyn StdError>>;

struct Vector(Value);

impl Vector {
    fn text<'a>(&'a self, key: &str) -> &'a str {
        self.0[key].as_str().unwrap_or_default()
    }

    fn argument(&self, key: &str) -> Option<&str> {
        self.0["args"][key].as_str()
    }

    fn name(&self) -> &str {
        self.text("name")
    }

    fn keys(&self) -> Credentials {
        let token = self.0["session_token"].as_str().map(str::to_owned);
        Credentials::new(self.text("access_key"), self.text("secret_key"), token, None, "golden")
    }

    fn target(&self) -> Outcome<Target> {
        let arn: Arn = self.argument("runtime_arn").unwrap().parse()?;
        let target = Target::new(arn).in_region(&self.text("client_region").parse()?)?;
        Ok(match self.argument("endpoint_name") {
            Some(qualifier) => target.with_qualifier(qualifier.parse()?),
            None => target,
        })
    }

    fn session(&self) -> Outcome<SessionId> {
        Ok(self.argument("session_id").unwrap().parse()?)
    }

    fn socket(&self) -> Outcome<WebSocket> {
        let clock = ManualClock::new(time(self.text("time")));
        let mut socket = WebSocket::new(self.target()?).session(&self.session()?).clock(clock);
        let mut parameters: Vec<(&String, &Value)> =
            self.0["args"]["custom_headers"].as_object().into_iter().flatten().collect();
        // The order in which the SDK was given them is lost in JSON, and found in its URL.
        parameters.sort_by_key(|(name, _)| self.text("url").find(&format!("{name}=")));
        for (name, value) in parameters {
            socket = socket.param(name, value.as_str().unwrap())?;
        }
        Ok(socket)
    }

    fn shell(&self) -> Outcome<String> {
        let shell: ShellId = self.argument("shell_id").unwrap().parse()?;
        let url = self.target()?.url(&operation::SHELL)?.to_string();
        let separator = if url.contains('?') { '&' } else { '?' };
        Ok(format!("{url}{separator}shellId={shell}"))
    }

    /// Headers for a `GET` of `url`, signed as of the vector's time.
    fn signed(&self, url: &str, session: Option<&SessionId>) -> HeaderMap {
        let mut request = Request::get(url).body(Bytes::new()).unwrap();
        if let Some(session) = session {
            request.headers_mut().insert(header::SESSION_ID, session.as_str().parse().unwrap());
        }
        let region: Region = self.text("client_region").parse().unwrap();
        sigv4::sign(&mut request, &self.keys(), &region, time(self.text("time"))).unwrap();
        request.headers().clone()
    }

    async fn made(&self) -> Outcome<Made> {
        let source = || StaticToken::parse(self.argument("bearer_token").unwrap());
        Ok(match self.text("method") {
            "generate_ws_connection" => Made::Handshake(self.socket()?.handshake(&Auth::sigv4(self.keys())).await?),
            "generate_ws_connection_oauth" => {
                Made::Handshake(self.socket()?.handshake(&Auth::bearer(source()?)).await?)
            }
            "generate_presigned_url" => {
                let expiry = self.0["args"]["expires"].as_u64().map(Expiry::from_secs).transpose()?;
                let signer = SigV4::new(self.keys());
                Made::Presigned(self.socket()?.presign(&signer, expiry.unwrap_or_default()).await?)
            }
            "connect_shell" => {
                let url = self.shell()?;
                let headers = self.signed(&url, Some(&self.session()?));
                Made::Shell(url, headers)
            }
            "connect_shell_oauth" => {
                let subprotocol = self.socket()?.subprotocol(&source()?).await?;
                let session = self.session()?;
                let url = format!("{}&X-Amzn-Bedrock-AgentCore-Runtime-Session-Id={}", self.shell()?, session.as_str());
                Made::Browser(url, subprotocol)
            }
            other => panic!("{}: what is {other}?", self.name()),
        })
    }

    /// The SDK's headers, but for those that the WebSocket library sets: it must find none of them here.
    fn assert_headers(&self, headers: &HeaderMap) {
        let golden = self.0["headers"].as_object().unwrap();
        let (libraries, ours): (Vec<_>, Vec<_>) = golden.iter().partition(|(name, _)| {
            let name = name.to_ascii_lowercase();
            let exact = ["connection", "host", "upgrade", "user-agent"].contains(&name.as_str());
            exact || name.starts_with("sec-websocket-")
        });
        assert!(libraries.iter().all(|(name, _)| !headers.contains_key(name.as_str())), "{}", self.name());
        assert_eq!(headers.len(), ours.len(), "{}", self.name());
        for (name, value) in ours {
            assert_eq!(headers[name.as_str()], *value.as_str().unwrap(), "{}: {name}", self.name());
        }
    }

    /// A handshake at this URL, with this signature over the session too.
    fn assert_signed(&self, handshake: &Handshake, url: &str, signature: &str) {
        let name = self.name();
        assert_eq!(handshake.uri, *url, "{name}");
        let authorization = handshake.headers[AUTHORIZATION].to_str().unwrap();
        assert!(authorization.contains(";x-amzn-bedrock-agentcore-runtime-session-id, "), "{name}: {authorization}");
        assert!(authorization.ends_with(&format!(" Signature={signature}")), "{name}: {authorization}");
        // The rest is as the SDK has it.
        let mut headers = handshake.headers.clone();
        let golden = self.0["headers"]["Authorization"].as_str().unwrap();
        headers.insert(AUTHORIZATION, golden.parse().unwrap());
        self.assert_headers(&headers);
    }

    /// The SDK's URL, as far as the query, and this query.
    fn url_with(&self, query: &str) -> String {
        let url = self.text("url").replace("%2Fruntime-endpoint%2FDEFAULT", "");
        format!("{}?{query}", url.split('?').next().unwrap())
    }

    fn assert_row(&self, row: &Row, made: Outcome<Made>) {
        let (name, url) = (self.name(), self.text("url"));
        let refused_there = self.0.get("error").is_some();
        match (row, made) {
            (R::SessionSigned(signature), Ok(Made::Handshake(handshake))) => {
                self.assert_signed(&handshake, url, signature);
                let unsigned = self.signed(url, None);
                assert_eq!(unsigned[AUTHORIZATION], *self.0["headers"]["Authorization"].as_str().unwrap(), "{name}");
            }
            (R::Equal, Ok(Made::Presigned(presigned))) => assert_eq!(presigned.expose(), url, "{name}"),
            (R::Equal, Ok(Made::Shell(shell, headers))) => {
                assert_eq!(shell, url, "{name}");
                self.assert_headers(&headers);
            }
            (R::Equal, Ok(Made::Browser(shell, subprotocol))) => {
                assert_eq!(shell, url, "{name}");
                assert_eq!(Value::from(subprotocol.protocols().to_vec()), self.0["subprotocols"], "{name}");
            }
            (R::Unequal(_, I::Signed(query, signature)), Ok(Made::Handshake(handshake))) => {
                self.assert_signed(&handshake, &self.url_with(query), signature);
            }
            (R::Unequal(_, I::Bearer(query)), Ok(Made::Handshake(handshake))) => {
                assert_eq!(handshake.uri, *self.url_with(query), "{name}");
                self.assert_headers(&handshake.headers);
            }
            (R::Refused(words), Err(error)) if refused_there => assert_eq!(error.to_string(), *words, "{name}"),
            (R::Unequal(why, I::Refused(words)), Err(error)) if !refused_there => {
                assert_eq!(error.to_string(), *words, "{name}, because {why}");
            }
            (_, Err(error)) => panic!("{name}: the row does not expect that {error}"),
            (_, Ok(_)) => panic!("{name}: the row does not expect what was made"),
        }
    }
}

fn all() -> Vec<Vector> {
    vectors(include_str!("vectors/ws_vectors.json")).into_iter().map(Vector).collect()
}

/// What the SDK makes is made here, but where it is wrong.
#[tokio::test]
async fn credentials_equal_the_sdks() {
    let all = all();
    assert_eq!(all.len(), TABLE.len(), "every vector has a row, and every row a vector");
    for vector in all {
        let rows: Vec<&Row> = TABLE.iter().filter(|(name, _)| *name == vector.name()).map(|(_, row)| row).collect();
        let [row] = rows[..] else { panic!("{} has {} rows", vector.name(), rows.len()) };
        vector.assert_row(row, vector.made().await);
    }
}

/// All presigned URLs of the SDK's come out of the signer, also those that this client would not ask for.
#[test]
fn presigned_urls_equal_the_sdks() {
    let mut compared = 0;
    for vector in all().iter().filter(|vector| vector.text("method") == "generate_presigned_url") {
        let Some((unsigned, _)) = vector.text("url").split_once("&X-Amz-Algorithm=") else { continue };
        let region = vector.text("client_region").parse().unwrap();
        let expires = Duration::from_secs(vector.0["args"]["expires"].as_u64().unwrap_or(300));
        let at = time(vector.text("time"));
        let url = sigv4::presign(&unsigned.parse().unwrap(), &vector.keys(), &region, at, expires).unwrap();
        assert_eq!(url, vector.text("url"), "{}", vector.name());
        compared += 1;
    }
    assert_eq!(compared, 12);
}
