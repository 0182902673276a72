//! Logging to standard error, for whoever asks for it. Lets no library log what may hold a secret, however it is asked.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, Layer as _, filter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Logs as `RUST_LOG` says, else as loud as `-v` was given often.
pub(crate) fn start(verbose: u8) {
    let asked = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|asked| !asked.is_empty());
    if asked.is_none() && verbose == 0 {
        return;
    }
    let default = if verbose > 1 { "debug,agentcore=trace,acore=trace" } else { "warn,agentcore=debug,acore=debug" };
    let wanted = EnvFilter::builder().parse_lossy(asked.as_deref().unwrap_or(default));
    let harmless = filter::filter_fn(|event| is_harmless(event.target()));
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()))
        .with_filter(wanted)
        .with_filter(harmless);
    // Fails only where a logger is installed already, and there is none.
    let _ = tracing_subscriber::registry().with(lines).try_init();
}

fn is_harmless(target: &str) -> bool {
    !TELLTALES.iter().any(|library| target.starts_with(library))
}

/// Libraries that log requests with their headers, or may begin to: signing, the AWS SDK's HTTP, and the two of HTTP itself.
const TELLTALES: &[&str] = &["aws_", "h2", "hyper::"];

#[cfg(test)]
mod tests {
    #[test]
    fn who_may_log() {
        for (target, harmless) in [
            ("agentcore_transport::engine", true),
            ("acore::flags::source", true),
            ("hyper_util::client::legacy::pool", true),
            ("hyper::proto::h1::io", false),
            ("h2::codec::framed_write", false),
            ("aws_sigv4::http_request::sign", false),
            ("aws_smithy_runtime::client", false),
        ] {
            assert_eq!(super::is_harmless(target), harmless, "{target}");
        }
    }
}
