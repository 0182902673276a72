//! Standard input, files and secrets of the environment, within bounds. Knows nothing of what they hold.

use std::io::Read;

use agentcore_client::{Payload, Token};

use crate::errors::Failure;

/// Reads the token from standard input.
pub(crate) async fn token() -> Result<String, Failure> {
    let bytes = blocking(|| all(std::io::stdin().lock(), "cannot read the token from standard input")).await?;
    Ok(Token::read(&bytes)?.expose().to_owned())
}

/// Reads a file to its end.
pub(crate) fn file(path: &str, failed: &str) -> Result<Vec<u8>, Failure> {
    let file = std::fs::File::open(path).map_err(|error| Failure::usage(failed).caused_by(&error))?;
    all(file, failed)
}

/// Reads to the end, but not more than one byte over what can be sent.
pub(crate) fn all(source: impl Read, failed: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let bound = Payload::MAX_BYTES as u64 + 1;
    source.take(bound).read_to_end(&mut bytes).map_err(|error| Failure::usage(failed).caused_by(&error))?;
    Ok(bytes)
}

/// Returns a line without the line break that ends it.
pub(crate) fn without_line_break(line: &str) -> &str {
    line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line))
}

/// Reads on a thread of its own, so that a signal is heard meanwhile.
pub(crate) async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(read).await {
        Ok(result) => result,
        Err(error) => Err(Failure::internal("cannot read").caused_by(&error)),
    }
}

/// Returns a secret of the environment; one that is empty counts as not set.
pub(crate) fn secret(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|secret| !secret.is_empty())
}
