//! Runs the program against an attack, and reads its peak of memory from the kernel while it runs.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{LazyLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use crate::{
    attacks::{Attack, Expected, Size, Way},
    server::Server,
    wire::tls,
};

/// A file that names the authority of the servers.
static ROOTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile.pem");
    fs::write(&path, &tls::TRUSTED.root_pem).unwrap();
    path
});

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) exit: Option<i32>,
    pub(crate) stderr: String,
    pub(crate) peak_mb: f64,
    pub(crate) took: Duration,
    pub(crate) was_killed: bool,
}

impl Ended {
    pub(crate) fn first_line(&self) -> &str {
        self.stderr.lines().next().unwrap_or_default()
    }
}

pub(crate) fn run(attack: &Attack, expected: &Expected, size: &Size) -> Ended {
    let server = Server::start(attack.way == Way::Http2, attack.answer.clone());
    // What ends by itself is given the time that it takes.
    let timeout = if expected.exit == 5 { size.timeout } else { size.patience }.as_secs_f64().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_acore"));
    match attack.way {
        Way::Http1 => command.args(["invoke", "hi", "--output", expected.output, "--timeout", &timeout]),
        Way::Http2 => command.args(["--http2", "invoke", "hi", "--output", expected.output, "--timeout", &timeout]),
        Way::Issuer => command
            .args(["invoke", "hi", "--timeout", &timeout, "--oauth-client-id", "id", "--oauth-token-url"])
            .arg(format!("{}/token", server.url)),
        Way::Token => command.args(["token", "--claims", "--bearer-token", "-"]),
        Way::WebSocket => command.args(["connect", "--wait", "1", "--output", expected.output]),
    };
    command
        .env_clear()
        .env("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", &server.url)
        .env("AGENTCORE_RUNTIME_ARN", "arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/a")
        .stdin(if attack.token.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    match attack.way {
        Way::Issuer => command.env("AGENTCORE_OAUTH_CLIENT_SECRET", "secret"),
        Way::Token => &mut command,
        _ => command.env("AGENTCORE_BEARER_TOKEN", "t"),
    };
    if attack.way == Way::Http2 {
        command.env("SSL_CERT_FILE", &*ROOTS);
    }
    let begun = Instant::now();
    let mut child = command.spawn().unwrap();
    if let (Some(mut stdin), Some(token)) = (child.stdin.take(), &attack.token) {
        // A program that refuses it does not read it.
        let _ = stdin.write_all(token.as_bytes());
    }
    let stderr = child.stderr.take().unwrap();
    let (sender, read) = mpsc::channel();
    thread::spawn(move || {
        let (mut text, mut stderr) = (Vec::new(), stderr);
        let all = (&mut stderr).take(64 * 1024).read_to_end(&mut text);
        let _ = all.and_then(|_| io::copy(&mut stderr, &mut io::sink()));
        let _ = sender.send(String::from_utf8_lossy(&text).into_owned());
    });
    let (mut peak_mb, mut was_killed) = (0.0, false);
    // The kernel announces no new peak. Standard error ends with the program.
    let stderr = loop {
        peak_mb = peak(child.id()).unwrap_or_default().max(peak_mb);
        if let Ok(stderr) = read.recv_timeout(Duration::from_millis(5)) {
            break stderr;
        }
        if begun.elapsed() > size.patience {
            was_killed = true;
            child.kill().unwrap();
        }
    };
    let status = child.wait().unwrap();
    Ended { exit: status.code(), stderr, peak_mb, took: begun.elapsed(), was_killed }
}

/// Returns the most memory that a process has had, in MB; none once it has ended.
fn peak(id: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<f64>().ok()? / 1024.0)
}
