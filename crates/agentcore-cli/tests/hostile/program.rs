//! Runs the program against an attack, and reads its peak of memory from the kernel while it runs.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    attacks::{Attack, Expected, Size, Way},
    server::Server,
    wire::tls,
};

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
    let timeout = size.timeout.as_secs_f64().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_acore"));
    match attack.way {
        Way::Http1 => command.args(["invoke", "hi", "--output", expected.output, "--timeout", &timeout]),
        Way::Http2 => command.args(["--http2", "invoke", "hi", "--output", expected.output, "--timeout", &timeout]),
        Way::Issuer => command.args(["invoke", "hi", "--timeout", &timeout, "--oauth-client-id", "id", "--oauth-token-url"]).arg(format!("{}/token", server.url)),
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
    let roots = std::env::temp_dir().join(format!("acore-hostile-{}.pem", std::process::id()));
    if attack.way == Way::Http2 {
        fs::write(&roots, &tls::TRUSTED.root_pem).unwrap();
        command.env("SSL_CERT_FILE", &roots);
    }
    let begun = Instant::now();
    let mut child = command.spawn().unwrap();
    if let (Some(mut stdin), Some(token)) = (child.stdin.take(), &attack.token) {
        // A program that refuses it does not read it.
        let _ = stdin.write_all(token.as_bytes());
    }
    let stderr = child.stderr.take().unwrap();
    let reading = thread::spawn(move || -> io::Result<String> {
        let mut text = Vec::new();
        let mut stderr = stderr;
        (&mut stderr).take(64 * 1024).read_to_end(&mut text)?;
        io::copy(&mut stderr, &mut io::sink())?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    });
    let (mut peak_mb, mut was_killed) = (0.0, false);
    let status = loop {
        peak_mb = peak(child.id()).unwrap_or_default().max(peak_mb);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > size.patience {
            was_killed = true;
            child.kill().unwrap();
        }
        // The kernel announces no new peak.
        thread::sleep(Duration::from_millis(5));
    };
    Ended { exit: status.code(), stderr: reading.join().unwrap().unwrap(), peak_mb, took: begun.elapsed(), was_killed }
}

/// Returns the most memory that a process has had, in MB; none once it has ended.
fn peak(id: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<f64>().ok()? / 1024.0)
}
