//! The way to the service: its host, a proxy, a connection, and the service's clock. Invokes nothing.

use std::time::{Duration, Instant, SystemTime};

use agentcore_client::{
    Error, ErrorKind, Target, Transport,
    auth::{Exchange as _, Repeat},
    duration_in_words, operation, trusted_issuers,
};
use http::{Request, Uri, header::DATE};
use tokio::time::timeout;

use super::diagnosis::Diagnosis;
use crate::{
    context::transport,
    errors::{Exit, Failure, Mechanism},
};

/// Checks the way to a target, and returns the issuers that a runtime names.
pub(super) async fn check(
    diagnosis: &mut Diagnosis,
    target: &Target,
    http2: bool,
    patience: Duration,
) -> Result<Vec<String>, Failure> {
    let Some(transport) = diagnosis.take("proxy", transport(target.is_encrypted(), http2))? else {
        return Ok(Vec::new());
    };
    let Some(url) = diagnosis.take("endpoint", question(target))? else { return Ok(Vec::new()) };
    let (host, port) = place(&url);
    diagnosis.ok("endpoint", format!("{}://{host}:{port}", url.scheme_str().unwrap_or("https")))?;
    match transport.proxy_of(&url) {
        Some(proxy) => diagnosis.ok("proxy", format!("{proxy} resolves the host's name"))?,
        None => {
            let found = addresses(&host, port, patience).await;
            let Some(found) = diagnosis.take("dns", found)? else { return Ok(Vec::new()) };
            diagnosis.ok("dns", found)?;
        }
    }
    let begun = Instant::now();
    let answer = ask(&transport, url.clone(), patience).await.map_err(|error| Failure::call(error, mechanism(target)));
    let Some((status, date, body)) = diagnosis.take("connection", answer)? else { return Ok(Vec::new()) };
    let secure = if target.is_encrypted() { "encrypted, by a certificate that is trusted" } else { "not encrypted" };
    diagnosis.ok("connection", format!("HTTP {status} after {} ms, {secure}", begun.elapsed().as_millis()))?;
    clock(diagnosis, date)?;
    if target.is_local() && status != 200 {
        diagnosis.warn(
            "ping",
            format!("the container answered HTTP {status}"),
            "an agent container answers GET /ping",
        )?;
    }
    Ok(trusted_issuers(&body))
}

/// Returns the URL to ask: what says something and runs nothing.
fn question(target: &Target) -> Result<Uri, Failure> {
    if target.is_local() {
        return Ok(target.url(&operation::PING)?);
    }
    if let Ok(url) = target.url(&operation::RESOURCE_METADATA) {
        return Ok(url);
    }
    let url = target.url(&operation::HARNESS).or_else(|_| target.url(&operation::INVOKE))?;
    let mut parts = url.into_parts();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    Uri::from_parts(parts).map_err(|error| Failure::internal("the endpoint is no URL").caused_by(&error))
}

fn place(url: &Uri) -> (String, u16) {
    let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("http") { 80 } else { 443 });
    (url.host().unwrap_or_default().to_owned(), port)
}

/// Resolves the host's name.
async fn addresses(host: &str, port: u16, patience: Duration) -> Result<String, Failure> {
    let failed = |message: String| {
        Failure::new(Exit::Unavailable, message)
            .hint("check the network, --region and --endpoint-url, and HTTPS_PROXY if there is a proxy")
    };
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let found = match timeout(patience, tokio::net::lookup_host((name, port))).await {
        Err(_) => return Err(failed(format!("{host} was not resolved within {} s", patience.as_secs_f32()))),
        Ok(Err(error)) => return Err(failed(format!("{host} cannot be resolved")).caused_by(&error)),
        Ok(Ok(found)) => found,
    };
    let mut found: Vec<String> = found.map(|address| address.ip().to_string()).collect();
    found.dedup();
    Ok(format!("{host} is {}", found.join(", ")))
}

/// Asks for it once, without a credential.
async fn ask(transport: &Transport, url: Uri, patience: Duration) -> Result<(u16, Option<SystemTime>, Vec<u8>), Error> {
    let request = Request::get(url).extension(Repeat::Never).body(Vec::new().into());
    let request =
        request.map_err(|error| Error::new(ErrorKind::Input, "the URL cannot be asked").with_source(error))?;
    let Ok(answer) = timeout(patience, transport.exchange(request)).await else {
        let message = format!("no answer came within {} s", patience.as_secs_f32());
        return Err(Error::new(ErrorKind::Timeout, message));
    };
    // The exchange is made for issuers; an error of its own would be taken for one of theirs.
    let failed = |cause: Box<dyn std::error::Error + Send + Sync>| match cause.downcast::<Error>() {
        Ok(error) => *error,
        Err(cause) => Error::new(ErrorKind::Unavailable, "no connection could be made").with_source(cause),
    };
    let (head, body) = answer.map_err(failed)?.into_parts();
    let date = head.headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    Ok((head.status.as_u16(), date, body.to_vec()))
}

fn mechanism(target: &Target) -> Mechanism {
    if target.is_local() { Mechanism::None } else { Mechanism::Bearer }
}

/// Compares the clocks.
fn clock(diagnosis: &mut Diagnosis, date: Option<SystemTime>) -> Result<(), Failure> {
    let Some(date) = date else { return Ok(()) };
    let (apart, ahead) = match SystemTime::now().duration_since(date) {
        Ok(apart) => (apart, "ahead of"),
        Err(error) => (error.duration(), "behind"),
    };
    let message = format!("this clock is {} {ahead} the other's", duration_in_words(apart));
    let hint =
        "set the clock, such as by `timedatectl set-ntp true`: it decides when tokens expire and dates signatures";
    match apart {
        _ if apart < NOTABLE => diagnosis.ok("clock", message),
        _ if apart < REFUSED => diagnosis.warn("clock", message, hint),
        _ => diagnosis.fail("clock", &Failure::new(Exit::Refused, message).hint(hint)),
    }
}

/// An answer's date has whole seconds, and may have been a while on its way.
const NOTABLE: Duration = Duration::from_secs(30);
/// AWS refuses signatures whose date is further away (AWS General Reference, "Troubleshooting Signature Version 4").
const REFUSED: Duration = Duration::from_secs(5 * 60);
