//! The call loop against a scripted network under a paused clock: budgets, deadlines, and what the error remembers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use agentcore_auth::{BoxFuture, SystemClock, Token, TokenSource};

use super::*;
use crate::testing::{Piece, Script, Step, answer, refusal};

/// A request that is sent with the credential of a mechanism; a 2xx is accepted.
struct Plain(Auth);

impl Call for Plain {
    type Body = Body;

    fn auth(&self) -> &Auth {
        &self.0
    }

    async fn prepare(&self, now: SystemTime) -> Result<(Request<Bytes>, AppliedCredential), Error> {
        let mut request = Request::post("https://host.example/x").body(Bytes::new()).unwrap();
        let credential = self.0.authorize(&mut request, None, now).await?;
        Ok((request, credential))
    }

    async fn send(&self, network: &dyn Network, request: Request<Bytes>) -> Result<Reception<Body>, SendError> {
        let response = network.send(request).await?;
        Ok(if response.status().is_success() { Reception::Accepted(response) } else { Reception::Refused(response) })
    }
}

/// Has a new token after each refused one, or never any.
#[derive(Debug)]
enum Tokens {
    Renewable,
    Pending,
}

impl TokenSource for Tokens {
    fn token(&self) -> BoxFuture<'_, Result<Token, Error>> {
        match self {
            Self::Renewable => Box::pin(std::future::ready(Token::parse("token"))),
            Self::Pending => Box::pin(std::future::pending()),
        }
    }

    fn reject(&self, _: &Token) -> bool {
        true
    }
}

type Outcome = Result<u16, (ErrorKind, bool)>;

/// Makes a call, and returns its status or the error's kind and whether the agent may have run, with the attempts and the time
/// in milliseconds.
async fn run(engine: CallEngine, spec: CallSpec<'_>, auth: Auth) -> (Outcome, u32, u128) {
    let started = Instant::now();
    let (outcome, attempts) = match engine.run(&spec, &Plain(auth)).await {
        Ok(called) => (Ok(called.response.status().as_u16()), called.attempts),
        Err(error) => {
            assert_eq!(error.elapsed(), started.elapsed());
            (Err((error.kind(), error.may_have_run())), error.attempts())
        }
    };
    (outcome, attempts, started.elapsed().as_millis())
}

fn engine(script: &Script) -> CallEngine {
    CallEngine::new(script.network(), Arc::new(SystemClock::default())).random(|| 0.0)
}

/// Pauses last 100 milliseconds.
fn spec<'a>(url: &'a Uri, retry: &'a RetryPolicy) -> CallSpec<'a> {
    CallSpec {
        operation: "test",
        url,
        arn: None,
        session_id: None,
        idempotent: false,
        first_byte: None,
        first_byte_missed: "",
        total: None,
        retry,
        waits_while_busy: false,
        pause: Duration::ZERO,
    }
}

fn ok() -> Step {
    answer(200, &[], "")
}

fn lost() -> Step {
    Step::SendError { sent: true, lasting: false }
}

fn unavailable(retry_after: &str) -> Step {
    answer(503, &[("retry-after", retry_after)], "")
}

#[tokio::test(start_paused = true)]
async fn a_budget_bounds_retries_and_nothing_else() {
    // The budget before the call and after it.
    type Case = (&'static str, Vec<Step>, u32, (Outcome, u32, u128), u32);
    let [s400, s401, s429, s503] = [400, 401, 429, 503].map(|status| move || refusal(status, ""));
    let cases: [Case; 7] = [
        ("first attempt", vec![ok()], 9, (Ok(200), 1, 0), 9),
        ("retried", vec![s429(), ok()], 9, (Ok(200), 2, 100), 9),
        ("used up", vec![s503()], 0, (Err((ErrorKind::Unavailable, false)), 1, 0), 0),
        ("used up midway", vec![s503(), s429()], 1, (Err((ErrorKind::Throttled, false)), 2, 100), 0),
        ("replayed", vec![s401(), ok()], 0, (Ok(200), 2, 0), 0),
        ("replayed and retried", vec![s401(), s503(), ok()], 9, (Ok(200), 3, 100), 9),
        ("final", vec![s400()], 9, (Err((ErrorKind::Refused, false)), 1, 0), 9),
    ];
    for (name, steps, before, expected, after) in cases {
        let script = Script::of(steps);
        let budget = RetryBudget::new(before);
        let (url, retry) = (Uri::from_static("https://host.example/x"), RetryPolicy::default());
        let found = run(engine(&script).budget(budget.clone()), spec(&url, &retry), Auth::bearer(Tokens::Renewable));
        assert_eq!(found.await, expected, "{name}");
        assert_eq!(script.left(), 0, "{name}");
        assert_eq!(budget.left(), after, "{name}");
    }
}

/// A session that is busy is waited for, however long the others' outage lasts.
#[tokio::test(start_paused = true)]
async fn a_wait_for_a_session_costs_no_budget() {
    let busy = || refusal(409, "RetryableConflictException");
    let script = Script::of(vec![busy(), busy(), busy(), busy(), busy(), ok()]);
    let (url, retry) = (Uri::from_static("https://host.example/x"), RetryPolicy::default());
    let budget = RetryBudget::new(0);
    let spec = CallSpec { waits_while_busy: true, ..spec(&url, &retry) };
    let found = run(engine(&script).budget(budget), spec, Auth::bearer(Tokens::Renewable)).await;
    assert_eq!((found.0, found.1), (Ok(200), 6));
}

/// The total time is 5 seconds.
#[tokio::test(start_paused = true)]
async fn the_total_time_bounds_attempts_and_pauses() {
    type Case = (&'static str, Vec<Step>, bool, u64, (Outcome, u32, u128));
    let timeout = |may_have_run| Err((ErrorKind::Timeout, may_have_run));
    let unsent = Err((ErrorKind::Unavailable, false));
    let cases: [Case; 8] = [
        ("one attempt", vec![Step::Hang], false, 0, (timeout(true), 1, 5_000)),
        ("one attempt, idempotent", vec![Step::Hang], true, 0, (timeout(true), 1, 5_000)),
        ("second attempt", vec![unavailable("3"), Step::Hang], false, 0, (timeout(true), 2, 5_000)),
        ("a pause within", vec![unavailable("4"), ok()], false, 0, (Ok(200), 2, 4_000)),
        ("a pause past it", vec![unavailable("5")], false, 0, (unsent, 1, 0)),
        ("a first pause", vec![Step::Hang], false, 3, (timeout(true), 1, 5_000)),
        ("a first pause, then another", vec![unavailable("2")], false, 3, (unsent, 1, 3_000)),
        ("a first pause past it", vec![Step::Hang], false, 9, (timeout(true), 1, 5_000)),
    ];
    let (url, retry) = (Uri::from_static("https://host.example/x"), RetryPolicy::default());
    let total = Some(Duration::from_secs(5));
    for (name, steps, idempotent, pause, expected) in cases {
        let script = Script::of(steps);
        let spec = CallSpec { total, idempotent, pause: Duration::from_secs(pause), ..spec(&url, &retry) };
        assert_eq!(run(engine(&script), spec, Auth::None).await, expected, "{name}");
        assert_eq!(script.left(), 0, "{name}");
    }
    let script = Script::of(vec![]);
    let spec = CallSpec { total, ..spec(&url, &retry) };
    let found = run(engine(&script), spec, Auth::bearer(Tokens::Pending)).await;
    assert_eq!(found, (timeout(false), 1, 5_000), "nothing is sent before there is a token");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_may_have_run_is_remembered() {
    let throttled = || refusal(429, "");
    let unreached = || Step::SendError { sent: false, lasting: true };
    for (name, steps, expected) in [
        ("none", vec![throttled(), throttled(), throttled()], (ErrorKind::Throttled, false)),
        ("lost first", vec![lost(), throttled(), throttled()], (ErrorKind::Throttled, true)),
        ("lost second", vec![throttled(), lost(), throttled()], (ErrorKind::Throttled, true)),
        ("lost last", vec![throttled(), throttled(), lost()], (ErrorKind::Unavailable, true)),
        ("failed, then not reached", vec![refusal(500, ""), unreached()], (ErrorKind::Unavailable, true)),
        ("not reached", vec![unreached()], (ErrorKind::Unavailable, false)),
    ] {
        let (script, attempts) = (Script::of(steps), 3);
        let (url, retry) = (Uri::from_static("https://host.example/x"), RetryPolicy::default().max_attempts(attempts));
        let spec = CallSpec { idempotent: true, ..spec(&url, &retry) };
        assert_eq!(run(engine(&script), spec, Auth::None).await.0, Err(expected), "{name}");
        assert_eq!(script.left(), 0, "{name}");
    }
}

/// The status of a refusal is what went wrong, however slowly its body comes. The total time is 5 seconds, or none.
#[tokio::test(start_paused = true)]
async fn a_refusal_whose_body_drips_keeps_its_status() {
    let pause = Piece::Pause(Duration::from_secs(3));
    let drip = || std::iter::repeat_n([Piece::Data("no "), pause], 60).flatten().collect::<Vec<_>>();
    let refusal = |body| Step::Answer { status: 403, headers: vec![], body };
    for (name, body, total, message, millis) in [
        ("whole", vec![Piece::Data("no")], None, "no", 0),
        ("slow", vec![Piece::Data("no"), pause, Piece::Data("!")], None, "no!", 3_000),
        ("drips", drip(), None, "no no no no", 10_000),
        ("drips past the total time", drip(), Some(5), "no no", 5_000),
        ("stalls", vec![Piece::Hang], None, "Forbidden", 10_000),
        ("stalls past the total time", vec![Piece::Data("no"), Piece::Hang], Some(5), "no", 5_000),
        ("breaks off", vec![Piece::Data("no"), Piece::Break], None, "no", 0),
    ] {
        let script = Script::of(vec![refusal(body)]);
        let (url, retry) = (Uri::from_static("https://host.example/x"), RetryPolicy::default());
        let spec = CallSpec { total: total.map(Duration::from_secs), ..spec(&url, &retry) };
        let started = Instant::now();
        let error = engine(&script).run(&spec, &Plain(Auth::None)).await.unwrap_err();
        assert_eq!((error.status(), error.message()), (Some(403), message), "{name}");
        assert_eq!(started.elapsed().as_millis(), millis, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_repeats_the_token_is_shown_without_it() {
    const TOKEN: &str = "e30.eyJzdWIiOiJ4In0.c2ln";
    let body = r#"{"message":"Bearer e30.eyJzdWIiOiJ4In0.c2ln is no token of ours"}"#;
    let script = Script::of(vec![answer(403, &[("x-amzn-errortype", "No#e30.eyJzdWIiOiJ4In0.c2ln")], body)]);
    let (url, retry) = (Uri::from_static("https://host.example/x"), RetryPolicy::default());
    let auth = Auth::bearer(agentcore_auth::StaticToken::parse(TOKEN).unwrap());
    let error = engine(&script).run(&spec(&url, &retry), &Plain(auth)).await.unwrap_err();
    assert_eq!(error.to_string(), "Bearer [secret] is no token of ours (HTTP 403 [secret])");
    assert!(!format!("{error:?}").contains(TOKEN));
}

/// That a token is opaque is said where the token was looked at, and not where a proxy answers with a page.
#[tokio::test(start_paused = true)]
async fn a_refusal_of_an_opaque_token_says_so() {
    for (kind, said) in [("application/json", true), ("text/html; charset=utf-8", false)] {
        let script = Script::of(vec![answer(403, &[("content-type", kind)], "no")]);
        let (url, retry) = (Uri::from_static("https://host.example/x"), RetryPolicy::default());
        let auth = Auth::bearer(agentcore_auth::StaticToken::parse("opaque-token").unwrap());
        let error = engine(&script).run(&spec(&url, &retry), &Plain(auth)).await.unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(source, said.then(|| "the token is no JSON Web Token".to_owned()), "{kind}");
    }
}

/// A bound that no clock can hold is none.
#[tokio::test(start_paused = true)]
async fn bounds_without_end() {
    let (url, retry) = (Uri::from_static("https://host.example/x"), RetryPolicy::default());
    let retry = retry.max_elapsed(Duration::MAX).pauses(Duration::ZERO, Duration::MAX);
    let ever = Some(Duration::MAX);
    for (name, steps, expected) in [
        ("answered", vec![ok()], Ok(200)),
        ("refused", vec![refusal(403, "")], Err((ErrorKind::Authorization, false))),
        ("retried", vec![unavailable("0"), ok()], Ok(200)),
    ] {
        let script = Script::of(steps);
        let spec = CallSpec { total: ever, first_byte: ever, ..spec(&url, &retry) };
        assert_eq!(run(engine(&script), spec, Auth::None).await.0, expected, "{name}");
    }
    // Longer than we wait, so the call ends at once, with the attempt that it had.
    let script = Script::of(vec![unavailable("99999999999999999999999")]);
    let found = run(engine(&script), spec(&url, &RetryPolicy::default()), Auth::None).await;
    assert_eq!(found, (Err((ErrorKind::Unavailable, false)), 1, 0));
}
