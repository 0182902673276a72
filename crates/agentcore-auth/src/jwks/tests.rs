//! Tokens good and bad, against an issuer that publishes what a test wants and counts who asks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    future::Future,
    pin::pin,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::UNIX_EPOCH,
};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;
use tokio::sync::Semaphore;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;
use crate::{BoxError, BoxFuture, ManualClock};

const NOW: u64 = 2_000_000_000;
const ISSUER: &str = "https://idp.example/pool";

/// Publishes keys, when it is let.
#[derive(Debug)]
struct Idp {
    metadata: String,
    keys: Mutex<String>,
    down: Mutex<bool>,
    fetches: AtomicUsize,
    let_go: Semaphore,
}

impl Idp {
    fn publishing(keys: &[&Pair]) -> Arc<Self> {
        let idp = Self {
            metadata: format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"https://keys.example/set"}}"#),
            keys: Mutex::default(),
            down: Mutex::new(false),
            fetches: AtomicUsize::new(0),
            let_go: Semaphore::new(Semaphore::MAX_PERMITS),
        };
        idp.publish(keys);
        Arc::new(idp)
    }

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
            self.let_go.acquire().await?.forget();
            if *self.down.lock().unwrap() {
                return Err("no route".into());
            }
            let body = if metadata { self.metadata.clone() } else { self.keys.lock().unwrap().clone() };
            Ok(Response::new(body.into()))
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
        let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encoded(header), encoded(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A token like an access token of Cognito.
    fn token(&self) -> String {
        self.sign(&self.header(), &claims())
    }

    fn header(&self) -> Value {
        json!({"alg": "ES256", "kid": self.id})
    }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "ada", "client_id": "web", "exp": NOW + 3600})
}

/// Changed claims: a `null` removes one.
fn changed(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn clock() -> ManualClock {
    ManualClock::new(UNIX_EPOCH + Duration::from_secs(NOW))
}

fn bare(idp: &Arc<Idp>, clock: &ManualClock) -> Verifier {
    Verifier::new(ISSUER.parse().unwrap(), Arc::clone(idp) as _).clock(clock.clone())
}

fn verifier(idp: &Arc<Idp>, clock: &ManualClock) -> Verifier {
    bare(idp, clock).allow_client("web")
}

/// The subject, or what is said against the token.
async fn said(verifier: &Verifier, token: &str) -> String {
    match verifier.verify(token).await {
        Ok(claims) => claims["sub"].as_str().unwrap().to_owned(),
        Err(error) => {
            let said = error.to_string();
            assert_eq!(error.kind() == ErrorKind::UntrustedToken, said.starts_with(REFUSED), "{said}");
            said.strip_prefix(REFUSED).unwrap_or(&said).to_owned()
        }
    }
}

const REFUSED: &str = "the token was refused: ";

/// What comes of a future that has nothing to wait for.
fn at_once<F: Future>(future: F) -> F::Output {
    let Poll::Ready(outcome) = pin!(future).poll(&mut Context::from_waker(Waker::noop())) else { panic!("it waits") };
    outcome
}

#[tokio::test]
async fn what_a_token_must_say() {
    let key = Pair::new("one");
    let idp = Idp::publishing(&[&key]);
    let verifier = verifier(&idp, &clock());
    let leeway = bare(&idp, &clock()).allow_client("web").leeway(Duration::from_secs(10));
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
        let token = key.sign(&key.header(), &changed(&changes));
        assert_eq!(said(&verifier, &token).await, expected, "{changes}");
        assert_eq!(said(&leeway, &token).await, with_leeway, "{changes}");
    }
    assert_eq!(
        verifier.verify(&key.sign(&key.header(), &changed(&json!({"exp": 1})))).await.unwrap_err().kind(),
        ErrorKind::ExpiredToken
    );
}

#[tokio::test]
async fn whom_a_token_is_for() {
    let key = Pair::new("one");
    let idp = Idp::publishing(&[&key]);
    let nobody = bare(&idp, &clock());
    let anybody = bare(&idp, &clock()).allow_anybody();
    let clients = bare(&idp, &clock()).allow_client("cli").allow_client("web");
    let audiences = bare(&idp, &clock()).allow_audience("api").allow_audience("app");
    let both = bare(&idp, &clock()).allow_client("web").allow_audience("api");
    let strict = bare(&idp, &clock()).allow_client("cli").allow_anybody();
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
        let token = key.sign(&key.header(), &changed(&changes));
        assert_eq!(said(&clients, &token).await, in_clients, "{changes}");
        assert_eq!(said(&audiences, &token).await, in_audiences, "{changes}");
        assert_eq!(said(&both, &token).await, in_both, "{changes}");
        assert_eq!(said(&anybody, &token).await, "ada", "{changes}");
        assert_eq!(said(&nobody, &token).await, "no client and no audience is allowed", "{changes}");
        assert_eq!(said(&strict, &token).await, no_client, "{changes}: who is named is meant");
    }
}

#[tokio::test]
async fn headers_and_shapes() {
    let key = Pair::new("one");
    let idp = Idp::publishing(&[&key]);
    let verifier = verifier(&idp, &clock());
    let alien = "its algorithm is none of those that are taken";
    for (header, expected) in [
        (json!({"alg": "ES256", "kid": "one", "typ": "at+jwt"}), "ada"),
        (json!({"alg": "none", "kid": "one"}), alien),
        (json!({"alg": "HS256", "kid": "one"}), alien),
        (json!({"alg": ["ES256"], "kid": "one"}), alien),
        (json!({"kid": "one"}), alien),
        (json!({"alg": "RS256", "kid": "one"}), "its algorithm is not its key's"),
        (json!({"alg": "ES384", "kid": "one"}), "its algorithm is not its key's"),
        (json!({"alg": "ES256"}), "it does not name its key"),
        (json!({"alg": "ES256", "kid": 1}), "it does not name its key"),
        (json!({"alg": "ES256", "kid": "two"}), "its issuer has no key of that name"),
        (json!({"alg": "ES256", "kid": "one", "crit": ["x"], "x": 1}), "it has extensions that must be understood"),
        (json!(["alg"]), "it is not a signed JSON Web Token"),
    ] {
        assert_eq!(said(&verifier, &key.sign(&header, &claims())).await, expected, "{header}");
    }
    let good = key.token();
    let long = format!("{good}{}", "A".repeat(64 * 1024));
    for (token, expected) in [
        ("", "it is not a signed JSON Web Token"),
        ("opaque", "it is not a signed JSON Web Token"),
        ("..", "it is not a signed JSON Web Token"),
        ("e30.e30", "it is not a signed JSON Web Token"),
        (&format!("{good}.x"), "it is not a signed JSON Web Token"),
        (&format!("{good}="), "it is not a signed JSON Web Token"),
        (&long, "it is too long"),
        (&good[..=good.rfind('.').unwrap()], "its signature is wrong"),
    ] {
        assert_eq!(said(&verifier, token).await, expected);
    }
    let stranger = Pair::new("one");
    assert_eq!(said(&verifier, &stranger.token()).await, "its signature is wrong");
}

/// The forger knows the public key, and hopes that it is taken for a shared secret.
#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let key = Pair::new("one");
    let verifier = verifier(&Idp::publishing(&[&key]), &clock());
    let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", encoded(&json!({"alg": "HS256", "kid": "one"})), encoded(&claims()));
    for secret in [key.pair.public_key().as_ref(), key.public().to_string().as_bytes()] {
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
        let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(said(&verifier, &forged).await, "its algorithm is none of those that are taken");
    }
}

#[tokio::test]
async fn every_character_of_a_token_counts() {
    let key = Pair::new("one");
    let verifier = verifier(&Idp::publishing(&[&key]), &clock());
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
    let (old, new) = (Pair::new("old"), Pair::new("new"));
    let (idp, clock) = (Idp::publishing(&[&old]), clock());
    let verifier = verifier(&idp, &clock);
    assert_eq!(said(&verifier, &old.token()).await, "ada");
    idp.publish(&[&old, &new]);
    assert_eq!(said(&verifier, &new.token()).await, "its issuer has no key of that name", "it was asked just now");
    assert_eq!(idp.fetches(), 1);
    clock.advance(Duration::from_secs(30));
    assert_eq!(said(&verifier, &new.token()).await, "ada");
    assert_eq!(said(&verifier, &old.token()).await, "ada");
    assert_eq!(idp.fetches(), 2);
    // A key that was withdrawn is forgotten within the hour.
    idp.publish(&[&new]);
    clock.advance(Duration::from_secs(3599));
    let old_token = old.sign(&old.header(), &changed(&json!({"exp": NOW * 2})));
    assert_eq!(said(&verifier, &old_token).await, "ada");
    clock.advance(Duration::from_secs(1));
    assert_eq!(said(&verifier, &old_token).await, "its issuer has no key of that name");
    assert_eq!(idp.fetches(), 3);
}

#[tokio::test]
async fn made_up_keys_cause_no_flood() {
    let key = Pair::new("one");
    let (idp, clock) = (Idp::publishing(&[&key]), clock());
    let verifier = bare(&idp, &clock).allow_client("web").refetch_interval(Duration::from_secs(5));
    assert_eq!(said(&verifier, &key.token()).await, "ada");
    for second in 0..20 {
        for n in 0..50 {
            let made_up = key.sign(&json!({"alg": "ES256", "kid": format!("{second}-{n}")}), &claims());
            assert_eq!(said(&verifier, &made_up).await, "its issuer has no key of that name");
            assert_eq!(said(&verifier, &key.token()).await, "ada");
        }
        assert_eq!(idp.fetches(), 1 + second / 5);
        clock.advance(Duration::from_secs(1));
    }
}

/// Without a runtime the caller that causes a fetch does it.
#[test]
fn a_thousand_tokens_cause_one_fetch_and_a_cancelled_one_is_handed_over() {
    let key = Pair::new("one");
    let idp = Idp { let_go: Semaphore::new(0), ..Arc::into_inner(Idp::publishing(&[&key])).unwrap() };
    let (idp, clock) = (Arc::new(idp), clock());
    let verifier = verifier(&idp, &clock);
    let token = key.token();
    let mut context = Context::from_waker(Waker::noop());
    let mut waiting: Vec<_> = (0..1000).map(|_| Box::pin(verifier.verify(&token))).collect();
    {
        let mut first = pin!(verifier.verify(&token));
        assert!(first.as_mut().poll(&mut context).is_pending());
        for future in &mut waiting {
            assert!(future.as_mut().poll(&mut context).is_pending());
        }
        assert_eq!(idp.fetches(), 1);
    }
    idp.let_go.add_permits(2);
    for future in waiting {
        assert_eq!(at_once(future).unwrap()["sub"], "ada");
    }
    assert_eq!(idp.fetches(), 2, "the cancelled one, and the one that was handed over");
}

/// Without a runtime, as above.
#[test]
fn a_renewal_makes_nobody_wait_but_one() {
    let key = Pair::new("one");
    let idp = Idp { let_go: Semaphore::new(2), ..Arc::into_inner(Idp::publishing(&[&key])).unwrap() };
    let (idp, clock) = (Arc::new(idp), clock());
    let verifier = verifier(&idp, &clock);
    let token = key.sign(&key.header(), &changed(&json!({"exp": NOW * 2})));
    assert_eq!(at_once(said(&verifier, &token)), "ada");
    clock.advance(Duration::from_secs(3600));
    let mut context = Context::from_waker(Waker::noop());
    let mut renewing = pin!(verifier.verify(&token));
    assert!(renewing.as_mut().poll(&mut context).is_pending());
    for _ in 0..10 {
        assert!(matches!(pin!(verifier.verify(&token)).poll(&mut context), Poll::Ready(Ok(_))));
    }
    idp.let_go.add_permits(2);
    assert!(at_once(renewing).is_ok());
    assert_eq!(idp.fetches(), 2);
}

/// On a runtime the fetch is a task of its own.
#[tokio::test]
async fn a_thousand_tokens_cause_one_fetch_and_giving_up_costs_none() {
    let key = Pair::new("one");
    let idp = Idp { let_go: Semaphore::new(0), ..Arc::into_inner(Idp::publishing(&[&key])).unwrap() };
    let (idp, clock) = (Arc::new(idp), clock());
    let verifier = verifier(&idp, &clock);
    let token = key.token();
    let mut context = Context::from_waker(Waker::noop());
    let waiting: Vec<_> = (0..1000).map(|_| Box::pin(verifier.verify(&token))).collect();
    assert!(pin!(verifier.verify(&token)).poll(&mut context).is_pending(), "and gives up");
    idp.let_go.add_permits(2);
    for future in waiting {
        assert_eq!(future.await.unwrap()["sub"], "ada");
    }
    assert_eq!(idp.fetches(), 1);
}

#[tokio::test]
async fn a_renewal_makes_nobody_wait() {
    let (old, new) = (Pair::new("old"), Pair::new("new"));
    let idp = Idp { let_go: Semaphore::new(2), ..Arc::into_inner(Idp::publishing(&[&old])).unwrap() };
    let (idp, clock) = (Arc::new(idp), clock());
    let verifier = verifier(&idp, &clock);
    let token = |key: &Pair| key.sign(&key.header(), &changed(&json!({"exp": NOW * 2})));
    assert_eq!(said(&verifier, &token(&old)).await, "ada");
    idp.publish(&[&new]);
    clock.advance(Duration::from_secs(3600));
    for _ in 0..10 {
        assert_eq!(at_once(said(&verifier, &token(&old))), "ada");
    }
    idp.let_go.add_permits(2);
    assert_eq!(said(&verifier, &token(&new)).await, "ada", "whose key is unknown waits for the fetch");
    assert_eq!(said(&verifier, &token(&old)).await, "its issuer has no key of that name");
    assert_eq!(idp.fetches(), 2);
}

#[tokio::test]
async fn outages() {
    let key = Pair::new("one");
    let (idp, clock) = (Idp::publishing(&[&key]), clock());
    let verifier = verifier(&idp, &clock);
    let token = key.sign(&key.header(), &changed(&json!({"exp": NOW * 2})));
    idp.goes_down(true);
    for _ in 0..3 {
        let error = verifier.verify(&token).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::Unavailable, "the issuer's keys could not be fetched")
        );
    }
    assert_eq!(idp.fetches(), 1, "it is left alone for a second");
    idp.goes_down(false);
    clock.advance(Duration::from_secs(1));
    assert_eq!(said(&verifier, &token).await, "ada");
    assert_eq!(idp.fetches(), 2);

    idp.goes_down(true);
    for (seconds, expected, fetches) in [
        (3600, "ada", 3),
        (0, "ada", 3),
        (1, "ada", 4),
        (82_798, "ada", 5),
        (1, "the issuer's keys could not be fetched", 6),
    ] {
        clock.advance(Duration::from_secs(seconds));
        assert_eq!(said(&verifier, &token).await, expected, "{seconds}");
        assert_eq!(idp.fetches(), fetches, "{seconds}");
    }
}

#[tokio::test]
async fn what_issuers_publish() {
    let key = Pair::new("one");
    let one = key.public();
    let many = |count: usize| json!({"keys": vec![json!({"kid": "other", "kty": "EC", "crv": "P-256", "x": one["x"], "y": one["y"]}); count]});
    let mut crowded = many(100);
    crowded["keys"][99] = one.clone();
    let mut overcrowded = many(101);
    overcrowded["keys"][100] = one.clone();
    let long = format!("{}{}", " ".repeat(256 * 1024), json!({"keys": [one]}));
    for (keys, expected) in [
        (json!({"keys": [one]}).to_string(), "ada"),
        (json!({"keys": [null, {"kty": "OKP"}, {"kid": "one", "kty": "oct", "k": "AA"}, one]}).to_string(), "ada"),
        (crowded.to_string(), "ada"),
        (overcrowded.to_string(), "its issuer has no key of that name"),
        (json!({"keys": []}).to_string(), "the issuer's keys are of no use: none of them verifies tokens"),
        (json!({"keys": {"one": one}}).to_string(), "the issuer's keys are of no use: they are not a key set"),
        (json!([one]).to_string(), "the issuer's keys are of no use: they are not a key set"),
        ("<html>".to_owned(), "the issuer's keys are of no use: they are not JSON"),
        (long, "the issuer's keys are of no use: they are too long"),
    ] {
        let idp = Idp::publishing(&[]);
        idp.keys.lock().unwrap().clone_from(&keys);
        assert_eq!(said(&verifier(&idp, &clock()), &key.token()).await, expected);
    }
    for (metadata, expected) in [
        (r#"{"issuer":"https://idp.example/other"}"#, "the issuer's metadata is of no use: it is another issuer's"),
        (r#"{"issuer":"https://idp.example/pool"}"#, "the issuer's metadata is of no use: it names no key set"),
        (
            r#"{"issuer":"https://idp.example/pool","jwks_uri":"http://keys.example/set"}"#,
            "invalid key set: secrets travel over https only, or to loopback",
        ),
    ] {
        let idp = Idp { metadata: metadata.to_owned(), ..Arc::into_inner(Idp::publishing(&[&key])).unwrap() };
        assert_eq!(said(&verifier(&Arc::new(idp), &clock()), &key.token()).await, expected);
    }
}

#[test]
fn debug_is_short() {
    let verifier = verifier(&Idp::publishing(&[]), &clock());
    assert_eq!(
        format!("{verifier:?}"),
        r#"Verifier { issuer: Issuer("https://idp.example/pool"), clients: ["web"], audiences: [], anybody: false, leeway: 0ns, .. }"#
    );
}
