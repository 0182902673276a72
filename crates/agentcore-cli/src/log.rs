//! Logging to standard error, for whoever asks for it. Lets no library log what may hold a secret, however it is asked.
//!
//! `RUST_LOG` chooses by target and level alone. Choosing by spans and their fields takes regular expressions, whose crates are a tenth of the
//! program's first build.

use std::io::IsTerminal;

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    Layer as _,
    filter::{self, Targets},
    fmt::{self, FmtContext, FormatEvent, FormatFields, format::Writer},
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::output;

/// Logs as `RUST_LOG` says, else as loud as `-v` was given often.
pub(crate) fn start(verbose: u8) {
    let asked = std::env::var(VARIABLE).ok().filter(|asked| !asked.is_empty());
    if asked.is_none() && verbose == 0 {
        return;
    }
    let default =
        if verbose > 1 { "debug,agentcore=trace,acore=trace" } else { "warn,agentcore_transport::engine=debug" };
    let (wanted, unknown) = wanted(asked.as_deref().unwrap_or(default));
    for directive in unknown {
        output::note(&format!("{VARIABLE}: `{directive}` is ignored: it must be LEVEL or TARGET=LEVEL"));
    }
    let harmless = filter::filter_fn(|event| is_harmless(event.target()));
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(colour);
    // It fails only where a logger is installed already, and there is none.
    let _ = if asked.is_none() && verbose == 1 {
        let lines = lines.event_format(Brief).with_filter(wanted).with_filter(harmless);
        tracing_subscriber::registry().with(lines).try_init()
    } else {
        tracing_subscriber::registry().with(lines.with_filter(wanted).with_filter(harmless)).try_init()
    };
}

/// A line of the event alone: neither when, nor where in the program, nor within what.
struct Brief;

impl<S, N> FormatEvent<S, N> for Brief
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        write!(writer, "{}: ", event.metadata().level().as_str().to_lowercase())?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// Reads directives, separated by commas; returns those that are none too.
fn wanted(directives: &str) -> (Targets, Vec<&str>) {
    let directives = directives.split(',').map(str::trim).filter(|it| !it.is_empty());
    let (known, unknown): (Vec<_>, Vec<_>) = directives.partition(|it| it.parse::<Targets>().is_ok());
    (known.join(",").parse().unwrap_or_default(), unknown)
}

fn is_harmless(target: &str) -> bool {
    !TELLTALES.iter().any(|library| target.starts_with(library))
}

const VARIABLE: &str = "RUST_LOG";

/// Libraries that log requests with their headers, or may begin to: signing, the AWS SDK's HTTP, and the two of HTTP itself.
const TELLTALES: &[&str] = &["aws_", "h2", "hyper::"];

#[cfg(test)]
mod tests {
    use tracing::Level;

    #[test]
    fn what_is_logged() {
        for (directives, unknown, debug, other) in [
            ("debug", &[][..], true, true),
            ("off", &[], false, false),
            ("warn, agentcore=debug,", &[], true, false),
            ("agentcore_http::call=trace", &[], true, false),
            ("agentcore", &[], true, false),
            (
                "warn,agentcore[call{x=1}]=trace,agentcore=loud,a=b=c",
                &["agentcore[call{x=1}]=trace", "agentcore=loud", "a=b=c"],
                false,
                false,
            ),
            ("", &[], false, false),
        ] {
            let (wanted, ignored) = super::wanted(directives);
            assert_eq!(ignored, unknown, "{directives}");
            assert_eq!(wanted.would_enable("agentcore_http::call", &Level::DEBUG), debug, "{directives}");
            assert_eq!(wanted.would_enable("rustls", &Level::DEBUG), other, "{directives}");
        }
    }

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
