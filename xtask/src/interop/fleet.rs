//! A fleet that shares its tokens by a real server of Redis: the tests that start one for themselves.
//!
//! They are ordinary tests that do nothing until a variable names the server's program.

use std::ffi::OsStr;
use std::path::PathBuf;

use xshell::cmd;

use super::case::Tally;
use super::program::Answer;
use crate::workspace::Workspace;
use crate::{Outcome, report};

/// Returns where the server's program is.
pub(super) fn check(path: &OsStr) -> Outcome<PathBuf> {
    let mut places = std::env::split_paths(path).map(|directory| directory.join("redis-server"));
    places.find(|place| place.exists()).ok_or_else(|| NO_REDIS.into())
}

/// Runs the tests of the store and those of twenty processes, built as all tests are.
pub(super) fn run(workspace: &Workspace, tally: &mut Tally) -> Outcome {
    let program = check(&std::env::var_os("PATH").unwrap_or_default())?;
    report::heading("a fleet and its server of Redis");
    let shell = &workspace.shell;
    let output = cmd!(shell, "cargo test --workspace --all-features --lib --test cli --test integration -- token::store::redis fleet:: secrets::redis")
        .env("AGENTCORE_TEST_REDIS_SERVER", program)
        .quiet()
        .ignore_status()
        .output()?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let fault = (!output.status.success()).then(|| format!("a test failed: {stdout}"));
    let answer = Answer {
        exit: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    tally.count("one token for twenty processes, killed and paused ones too", fault.as_slice(), &answer);
    Ok(())
}

const NO_REDIS: &str = "there is no redis-server in PATH: install it, such as by `apt-get install redis-server`";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_machine_without_the_server_is_told() {
        let error = check(OsStr::new("/nonexistent")).unwrap_err();
        assert!(error.to_string().starts_with("there is no redis-server in PATH"), "{error}");
    }
}
