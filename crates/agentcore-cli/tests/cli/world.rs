//! Starts the program in an empty environment, and mocks that a test can look into.

use std::{
    convert::Infallible,
    io::Write,
    process::{Child, Command, Stdio},
};

use agentcore_mock::{AgentResponse, Mock, MockBuilder};
use tokio::runtime::Runtime;

pub(crate) const SESSION: &str = "session-0123456789-0123456789-0123456789";

const NOWHERE: &str = "/dev/null/nowhere";

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Standard error without the ids of calls, which are new each time.
    pub(crate) fn lines(&self) -> String {
        self.stderr.split_inclusive('\n').filter(|line| !line.starts_with("  ids: session ")).collect()
    }
}

/// The program with these arguments, and nothing in its environment.
pub(crate) fn acore<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_acore"));
    // Nobody's own contexts and logins get into a test: below a device nothing can be.
    command
        .args(args)
        .env_clear()
        .env("XDG_CONFIG_HOME", NOWHERE)
        .env("XDG_STATE_HOME", NOWHERE)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs it to its end.
pub(crate) fn run(command: &mut Command) -> Ended {
    ended(command.spawn().unwrap())
}

/// Runs it to its end with this on its standard input.
pub(crate) fn run_with(command: &mut Command, stdin: &[u8]) -> Ended {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // A program that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    ended(child)
}

/// Waits for its end.
pub(crate) fn ended(child: Child) -> Ended {
    let output = child.wait_with_output().unwrap();
    Ended {
        exit: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Sends a signal to the program.
#[cfg(unix)]
pub(crate) fn signal(name: &str, child: &Child) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// An agent that answers with exactly these server-sent events.
pub(crate) fn sse<R>(bytes: &'static str) -> impl Fn(R) -> std::future::Ready<AgentResponse> {
    move |_| {
        let pieces = futures_util::stream::iter([Ok::<_, Infallible>(bytes.into())]);
        std::future::ready(AgentResponse::stream("text/event-stream", pieces))
    }
}

/// A mock beside the program, which runs as long as this is held.
pub(crate) struct World {
    pub(crate) mock: Mock,
    _runtime: Runtime,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Mock::builder())
    }

    pub(crate) fn with(builder: MockBuilder) -> Self {
        let runtime = Runtime::new().unwrap();
        let mock = runtime.block_on(builder.start()).unwrap();
        Self { mock, _runtime: runtime }
    }

    /// The program, told where the mock is and which agent of it is meant.
    pub(crate) fn acore<'a>(&self, agent: &str, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = acore(args);
        command
            .env("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", self.mock.url())
            .env("AGENTCORE_RUNTIME_ARN", self.mock.arn(agent).as_str());
        command
    }

    /// The same, with a good token.
    pub(crate) fn invoke<'a>(&self, agent: &str, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.acore(agent, ["invoke"].into_iter().chain(args));
        command.env("AGENTCORE_BEARER_TOKEN", self.mock.token());
        command
    }

    /// The environment that holds the mock's AWS credentials.
    pub(crate) fn keys(&self) -> [(&'static str, &str); 3] {
        let keys = self.mock.credentials();
        [
            ("AWS_ACCESS_KEY_ID", keys.access_key_id()),
            ("AWS_SECRET_ACCESS_KEY", keys.secret_access_key()),
            ("AWS_SESSION_TOKEN", keys.session_token().unwrap()),
        ]
    }

    /// The body of the only request there was.
    pub(crate) fn body(&self) -> String {
        let requests = self.mock.take_requests();
        let [request] = &requests[..] else { panic!("{} requests", requests.len()) };
        String::from_utf8(request.body.to_vec()).unwrap()
    }
}
