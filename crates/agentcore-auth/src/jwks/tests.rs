//! Tokens good and bad, against an issuer that publishes what a test wants and counts the fetches.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;
use tokio::sync::Semaphore;

use super::*;
use crate::{
    BoxError, BoxFuture, ManualClock,
    testing::{NOW, at_once, clock, failure, poll, secs},
};

const ISSUER: &str = "https://idp.example/pool";
const UNLIMITED: usize = Semaphore::MAX_PERMITS;

/// An identity provider that publishes keys. Each of its answers needs a permit; a fetch takes two.
#[derive(Debug)]
struct Idp {
    metadata: Mutex<String>,
    keys: Mutex<String>,
    down: Mutex<bool>,
    fetches: AtomicUsize,
    permits: Semaphore,
}

impl Idp {
    fn publish(&self, keys: &[&Pair]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.public()).collect();
        *self.keys.lock().unwrap() = json!({ "keys": keys }).to_string();
    }

    fn goes_down(&self, down: bool) {
        *self.down.lock().unwrap() = down;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }
}

impl Exchange for Idp {
    fn exchange(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, BoxError>> {
        Box::pin(async move {
            let metadata = request.uri() == "https://idp.example/pool/.well-known/openid-configuration";
            if metadata {
                self.fetches.fetch_add(1, Ordering::Relaxed);
            } else {
                assert_eq!(request.uri(), "https://keys.example/set");
            }
            self.permits.acquire().await?.forget();
            if *self.down.lock().unwrap() {
                return Err("no route".into());
            }
            let body = if metadata { &self.metadata } else { &self.keys };
            Ok(Response::new(body.lock().unwrap().clone().into()))
        })
    }
}

/// A key with its private half.
struct Pair {
    id: &'static str,
    pair: EcdsaKeyPair,
}

impl Pair {
    fn new(id: &'static str) -> Self {
        Self { id, pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap() }
    }

    fn public(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let coordinate = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
        json!({"kid": self.id, "kty": "EC", "crv": "P-256", "x": coordinate(1..33), "y": coordinate(33..65)})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Returns a token with changed claims: a `null` removes one.
    fn token_with(&self, changes: &Value) -> String {
        let mut claims = claims();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        self.sign(&json!({"alg": "ES256", "kid": self.id}), &claims)
    }

    /// Returns a token like an access token of Cognito.
    fn token(&self) -> String {
        self.token_with(&json!({}))
    }

    /// Returns a token that lives longer than any test.
    fn lasting_token(&self) -> String {
        self.token_with(&json!({"exp": NOW * 2}))
    }
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encoded(header), encoded(claims))
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "ada", "client_id": "web", "exp": NOW + 3600})
}

/// Returns a key, the provider that publishes it, and a verifier that allows its tokens.
fn setup(permits: usize) -> (Pair, Arc<Idp>, ManualClock, Verifier) {
    let idp = Arc::new(Idp {
        metadata: Mutex::new(json!({"issuer": ISSUER, "jwks_uri": "https://keys.example/set"}).to_string()),
        keys: Mutex::default(),
        down: Mutex::new(false),
        fetches: AtomicUsize::new(0),
        permits: Semaphore::new(permits),
    });
    let (key, clock) = (Pair::new("one"), clock());
    idp.publish(&[&key]);
    let verifier = bare(&idp, &clock).allow_client("web");
    (key, idp, clock, verifier)
}

/// Returns a verifier that allows nobody yet.
fn bare(idp: &Arc<Idp>, clock: &ManualClock) -> Verifier {
    Verifier::new(ISSUER.parse().unwrap(), Arc::clone(idp) as _).clock(clock.clone())
}

/// Returns the subject, or the reason why the token was refused.
async fn verdict(verifier: &Verifier, token: &str) -> String {
    match verifier.verify(token).await {
        Ok(claims) => claims["sub"].as_str().unwrap().to_owned(),
        Err(error) => {
            let message = error.to_string();
            assert_eq!(error.kind() == ErrorKind::UntrustedToken, message.starts_with(REFUSED), "{message}");
            message.strip_prefix(REFUSED).unwrap_or(&message).to_owned()
        }
    }
}

const REFUSED: &str = "the token was refused: ";
const UNKNOWN_KEY: &str = "its issuer has no key of that name";
const NOT_SIGNED: &str = "it is not a signed JSON Web Token";

#[tokio::test]
async fn what_a_token_must_say() {
    let (key, idp, clock, verifier) = setup(UNLIMITED);
    let leeway = bare(&idp, &clock).allow_client("web").leeway(secs(10));
    for (changes, expected, with_leeway) in [
        (json!({}), "ada", "ada"),
        (json!({"exp": NOW + 1}), "ada", "ada"),
        (json!({"exp": NOW}), "the token expired 0 s ago", "ada"),
        (json!({"exp": NOW - 9}), "the token expired 9 s ago", "ada"),
        (json!({"exp": NOW - 10}), "the token expired 10 s ago", "the token expired 10 s ago"),
        (json!({"exp": NOW as f64 + 0.5}), "ada", "ada"),
        (json!({"exp": null}), "it does not say when it expires", "it does not say when it expires"),
        (json!({"exp": "2000003600"}), "it does not say when it expires", "it does not say when it expires"),
        (json!({"nbf": NOW}), "ada", "ada"),
        (json!({"nbf": NOW + 10}), "it is not valid yet", "ada"),
        (json!({"nbf": NOW + 11}), "it is not valid yet", "it is not valid yet"),
        (json!({"nbf": "0"}), "it does not say since when it is valid", "it does not say since when it is valid"),
        (json!({"iss": "https://idp.example/other"}), "its issuer is another", "its issuer is another"),
        (json!({"iss": "https://idp.example/pool/"}), "its issuer is another", "its issuer is another"),
        (json!({"iss": [ISSUER]}), "its issuer is another", "its issuer is another"),
        (json!({"iss": null}), "its issuer is another", "its issuer is another"),
    ] {
        let token = key.token_with(&changes);
        assert_eq!(verdict(&verifier, &token).await, expected, "{changes}");
        assert_eq!(verdict(&leeway, &token).await, with_leeway, "{changes}");
    }
    assert_eq!(failure(verifier.verify(&key.token_with(&json!({"exp": 1}))).await).0, ErrorKind::ExpiredToken);
}

#[tokio::test]
async fn whom_a_token_is_for() {
    let (key, idp, clock, _) = setup(UNLIMITED);
    let bare = || bare(&idp, &clock);
    let (nobody, anybody) = (bare(), bare().allow_anybody());
    let clients = bare().allow_client("cli").allow_client("web");
    let audiences = bare().allow_audience("api").allow_audience("app");
    let both = bare().allow_client("web").allow_audience("api");
    let strict = bare().allow_client("cli").allow_anybody();
    let (no_client, no_audience) = ("its client is not allowed", "its audience is not allowed");
    for (changes, in_clients, in_audiences, in_both) in [
        (json!({}), "ada", no_audience, no_audience),
        (json!({"client_id": "other"}), no_client, no_audience, no_client),
        (json!({"client_id": ["web"]}), no_client, no_audience, no_client),
        (json!({"client_id": null}), no_client, no_audience, no_client),
        (json!({"client_id": null, "aud": "web"}), no_client, no_audience, no_client),
        (json!({"client_id": null, "aud": "api"}), no_client, "ada", no_client),
        (json!({"aud": "app"}), "ada", "ada", no_audience),
        (json!({"aud": ["x", "api"]}), "ada", "ada", "ada"),
        (json!({"aud": ["x"]}), "ada", no_audience, no_audience),
        (json!({"aud": {"api": 1}}), "ada", no_audience, no_audience),
    ] {
        let token = key.token_with(&changes);
        for (verifier, expected) in [
            (&clients, in_clients),
            (&audiences, in_audiences),
            (&both, in_both),
            (&anybody, "ada"),
            (&nobody, "no client and no audience is allowed"),
            (&strict, no_client),
        ] {
            assert_eq!(verdict(verifier, &token).await, expected, "{changes} {verifier:?}");
        }
    }
}

#[tokio::test]
async fn headers_and_shapes() {
    let (key, _, _, verifier) = setup(UNLIMITED);
    let other_algorithm = "its algorithm is none of those that are taken";
    for (header, expected) in [
        (json!({"alg": "ES256", "kid": "one", "typ": "at+jwt"}), "ada"),
        (json!({"alg": "none", "kid": "one"}), other_algorithm),
        (json!({"alg": "HS256", "kid": "one"}), other_algorithm),
        (json!({"alg": ["ES256"], "kid": "one"}), other_algorithm),
        (json!({"kid": "one"}), other_algorithm),
        (json!({"alg": "RS256", "kid": "one"}), "its algorithm is not its key's"),
        (json!({"alg": "ES384", "kid": "one"}), "its algorithm is not its key's"),
        (json!({"alg": "ES256"}), "it does not name its key"),
        (json!({"alg": "ES256", "kid": 1}), "it does not name its key"),
        (json!({"alg": "ES256", "kid": "two"}), UNKNOWN_KEY),
        (json!({"alg": "ES256", "kid": "one", "crit": ["x"], "x": 1}), "it has extensions that must be understood"),
        (json!(["alg"]), NOT_SIGNED),
    ] {
        assert_eq!(verdict(&verifier, &key.sign(&header, &claims())).await, expected, "{header}");
    }
    let good = key.token();
    let long = format!("{good}{}", "A".repeat(64 * 1024));
    for (token, expected) in [
        ("", NOT_SIGNED),
        ("opaque", NOT_SIGNED),
        ("..", NOT_SIGNED),
        ("e30.e30", NOT_SIGNED),
        (&format!("{good}.x"), NOT_SIGNED),
        (&format!("{good}="), NOT_SIGNED),
        (&long, "it is too long"),
        (&good[..=good.rfind('.').unwrap()], "its signature is wrong"),
        (&Pair::new("one").token(), "its signature is wrong"),
    ] {
        assert_eq!(verdict(&verifier, token).await, expected);
    }
}

/// The forger knows the public key, and hopes that it is taken for a shared secret.
#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let (key, _, _, verifier) = setup(UNLIMITED);
    let signed = unsigned(&json!({"alg": "HS256", "kid": "one"}), &claims());
    for secret in [key.pair.public_key().as_ref(), key.public().to_string().as_bytes()] {
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
        let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(verdict(&verifier, &forged).await, "its algorithm is none of those that are taken");
    }
}

#[tokio::test]
async fn every_character_of_a_token_counts() {
    let (key, _, _, verifier) = setup(UNLIMITED);
    let token = key.token();
    for index in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let tampered = String::from_utf8(bytes).unwrap();
        let error = verifier.verify(&tampered).await.unwrap_err();
        assert!(!error.to_string().contains(&tampered[..9]), "{error}");
    }
}

#[tokio::test]
async fn keys_rotate() {
    let (old, idp, clock, verifier) = setup(UNLIMITED);
    let new = Pair::new("new");
    assert_eq!(verdict(&verifier, &old.token()).await, "ada");
    idp.publish(&[&old, &new]);
    assert_eq!(verdict(&verifier, &new.token()).await, UNKNOWN_KEY, "the keys were fetched just now");
    assert_eq!(idp.fetches(), 1);
    clock.advance(secs(30));
    assert_eq!(verdict(&verifier, &new.token()).await, "ada");
    assert_eq!(verdict(&verifier, &old.token()).await, "ada");
    assert_eq!(idp.fetches(), 2);
    // A key that was withdrawn is forgotten within the hour.
    idp.publish(&[&new]);
    clock.advance(secs(3599));
    assert_eq!(verdict(&verifier, &old.lasting_token()).await, "ada");
    clock.advance(secs(1));
    assert_eq!(verdict(&verifier, &old.lasting_token()).await, UNKNOWN_KEY);
    assert_eq!(idp.fetches(), 3);
}

#[tokio::test]
async fn made_up_keys_cause_no_flood() {
    let (key, idp, clock, verifier) = setup(UNLIMITED);
    let verifier = verifier.refetch_interval(secs(5));
    assert_eq!(verdict(&verifier, &key.token()).await, "ada");
    for second in 0..20 {
        for n in 0..50 {
            let made_up = key.sign(&json!({"alg": "ES256", "kid": format!("{second}-{n}")}), &claims());
            assert_eq!(verdict(&verifier, &made_up).await, UNKNOWN_KEY);
            assert_eq!(verdict(&verifier, &key.token()).await, "ada");
        }
        assert_eq!(idp.fetches(), 1 + second / 5);
        clock.advance(secs(1));
    }
}

/// Without a runtime the caller that causes a fetch does it.
#[test]
fn a_thousand_tokens_cause_one_fetch_and_a_cancelled_one_is_handed_over() {
    let (key, idp, _, verifier) = setup(0);
    let token = key.token();
    let mut waiting: Vec<_> = (0..1000).map(|_| Box::pin(verifier.verify(&token))).collect();
    {
        let mut first = Box::pin(verifier.verify(&token));
        assert!(poll(&mut first).is_pending());
        assert!(waiting.iter_mut().all(|future| poll(future).is_pending()));
        assert_eq!(idp.fetches(), 1);
    }
    idp.permits.add_permits(2);
    for future in waiting {
        assert_eq!(at_once(future).unwrap()["sub"], "ada");
    }
    assert_eq!(idp.fetches(), 2, "the cancelled one, and the one that was handed over");
}

/// Without a runtime, as above.
#[test]
fn a_renewal_makes_nobody_wait_but_one() {
    let (key, idp, clock, verifier) = setup(2);
    let token = key.lasting_token();
    assert_eq!(at_once(verdict(&verifier, &token)), "ada");
    clock.advance(secs(3600));
    let mut renewing = Box::pin(verifier.verify(&token));
    assert!(poll(&mut renewing).is_pending());
    for _ in 0..10 {
        assert!(at_once(verifier.verify(&token)).is_ok());
    }
    idp.permits.add_permits(2);
    assert!(at_once(renewing).is_ok());
    assert_eq!(idp.fetches(), 2);
}

/// On a runtime the fetch is a task.
#[tokio::test]
async fn a_thousand_tokens_cause_one_fetch_and_giving_up_costs_none() {
    let (key, idp, _, verifier) = setup(0);
    let token = key.token();
    let waiting: Vec<_> = (0..1000).map(|_| Box::pin(verifier.verify(&token))).collect();
    assert!(poll(verifier.verify(&token)).is_pending(), "and gives up");
    idp.permits.add_permits(2);
    for future in waiting {
        assert_eq!(future.await.unwrap()["sub"], "ada");
    }
    assert_eq!(idp.fetches(), 1);
}

#[tokio::test]
async fn a_renewal_makes_nobody_wait() {
    let (old, idp, clock, verifier) = setup(2);
    let new = Pair::new("new");
    assert_eq!(verdict(&verifier, &old.lasting_token()).await, "ada");
    idp.publish(&[&new]);
    clock.advance(secs(3600));
    for _ in 0..10 {
        assert_eq!(at_once(verdict(&verifier, &old.lasting_token())), "ada");
    }
    idp.permits.add_permits(2);
    assert_eq!(verdict(&verifier, &new.lasting_token()).await, "ada", "an unknown key waits for the fetch");
    assert_eq!(verdict(&verifier, &old.lasting_token()).await, UNKNOWN_KEY);
    assert_eq!(idp.fetches(), 2);
}

#[tokio::test]
async fn outages() {
    let (key, idp, clock, verifier) = setup(UNLIMITED);
    let token = key.lasting_token();
    let unreached = "the issuer's keys could not be fetched";
    idp.goes_down(true);
    for _ in 0..3 {
        assert_eq!(failure(verifier.verify(&token).await), (ErrorKind::Unavailable, unreached.to_owned()));
    }
    assert_eq!(idp.fetches(), 1, "it is left alone for a second");
    idp.goes_down(false);
    clock.advance(secs(1));
    assert_eq!(verdict(&verifier, &token).await, "ada");
    assert_eq!(idp.fetches(), 2);

    idp.goes_down(true);
    for (seconds, expected, fetches) in
        [(3600, "ada", 3), (0, "ada", 3), (1, "ada", 4), (82_798, "ada", 5), (1, unreached, 6)]
    {
        clock.advance(secs(seconds));
        assert_eq!(verdict(&verifier, &token).await, expected, "{seconds}");
        assert_eq!(idp.fetches(), fetches, "{seconds}");
    }
}

#[tokio::test]
async fn what_issuers_publish() {
    let key = Pair::new("one");
    let one = key.public();
    let after = |others: usize| {
        let other = json!({"kid": "other", "kty": "EC", "crv": "P-256", "x": one["x"], "y": one["y"]});
        let keys = [vec![other; others], vec![one.clone()]].concat();
        json!({ "keys": keys }).to_string()
    };
    let padded = |bytes: usize| {
        let keys = json!({"keys": [one]}).to_string();
        " ".repeat(bytes - keys.len()) + &keys
    };
    for (keys, expected) in [
        (json!({"keys": [one]}).to_string(), "ada"),
        (json!({"keys": [null, {"kty": "OKP"}, {"kid": "one", "kty": "oct", "k": "AA"}, one]}).to_string(), "ada"),
        (after(99), "ada"),
        (after(100), UNKNOWN_KEY),
        (json!({"keys": []}).to_string(), "the issuer's keys are of no use: none of them verifies tokens"),
        (json!({"keys": {"one": one}}).to_string(), "the issuer's keys are of no use: they are not a key set"),
        (json!([one]).to_string(), "the issuer's keys are of no use: they are not a key set"),
        ("<html>".to_owned(), "the issuer's keys are of no use: they are not JSON"),
        (padded(256 * 1024), "ada"),
        (padded(256 * 1024 + 1), "the issuer's keys are of no use: they are too long"),
    ] {
        let (_, idp, _, verifier) = setup(UNLIMITED);
        *idp.keys.lock().unwrap() = keys;
        assert_eq!(verdict(&verifier, &key.token()).await, expected);
    }
    for (metadata, expected) in [
        (r#"{"issuer":"https://idp.example/other"}"#, "the issuer's metadata is of no use: it is another issuer's"),
        (r#"{"issuer":"https://idp.example/pool"}"#, "the issuer's metadata is of no use: it names no key set"),
        (
            r#"{"issuer":"https://idp.example/pool","jwks_uri":"http://keys.example/set"}"#,
            "the issuer's metadata is of no use: the key set that it names is none",
        ),
    ] {
        let (key, idp, _, verifier) = setup(UNLIMITED);
        *idp.metadata.lock().unwrap() = metadata.to_owned();
        assert_eq!(verdict(&verifier, &key.token()).await, expected);
    }
}

#[test]
fn debug_is_short() {
    let (.., verifier) = setup(UNLIMITED);
    assert_eq!(
        format!("{verifier:?}"),
        r#"Verifier { issuer: Issuer("https://idp.example/pool"), clients: ["web"], audiences: [], anybody: false, leeway: 0ns, .. }"#
    );
}
