//! What stands on standard error, word for word.

use std::fmt;

use super::*;

impl Failure {
    /// The exit code and the lines, for other files' tests.
    pub(crate) fn parts(&self) -> (Exit, String) {
        match self {
            Self::Unreported(report) => (report.exit, anstream::adapter::strip_str(&report.lines()).to_string()),
            Self::OutputClosed => (Exit::Done, String::new()),
            Self::Reported(exit) => (*exit, String::new()),
        }
    }
}

#[derive(Debug)]
struct Layer(&'static str, Option<Box<Self>>);

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Layer {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.1.as_deref().map(|layer| layer as _)
    }
}

fn layers(texts: &[&'static str]) -> Layer {
    let (first, rest) = (texts[0], &texts[1..]);
    Layer(first, (!rest.is_empty()).then(|| Box::new(layers(rest))))
}

#[test]
fn one_line_then_causes_then_a_hint() {
    let failure = Failure::usage("it is wrong").caused_by(&layers(&["a", "because of b", "b", "c\nd"])).hint("do e");
    let lines = "error: it is wrong\n  caused by: a\n  caused by: because of b\n  caused by: c d\n  hint: do e\n";
    assert_eq!(failure.parts(), (Exit::Usage, lines.to_owned()));
}

#[test]
fn a_cause_that_is_told_already_is_not_told_again() {
    let failure = Failure::internal("outer: inner").caused_by(&layers(&["inner", "core", "inner"]));
    assert_eq!(failure.parts(), (Exit::Internal, "error: outer: inner\n  caused by: core\n".to_owned()));
}

#[test]
fn a_terminal_is_not_commanded() {
    let failure = Failure::usage("a\r\n\u{1b}[31mb\tc");
    assert_eq!(failure.parts().1, "error: a   [31mb c\n");
}

#[test]
fn exit_codes_of_kinds() {
    for (kind, exit) in [
        (ErrorKind::Input, 2),
        (ErrorKind::Authentication, 3),
        (ErrorKind::Authorization, 3),
        (ErrorKind::Throttled, 4),
        (ErrorKind::Unavailable, 4),
        (ErrorKind::Timeout, 5),
        (ErrorKind::ExpiredToken, 3),
        (ErrorKind::UntrustedToken, 3),
        (ErrorKind::Challenge, 3),
        (ErrorKind::NotFound, 6),
        (ErrorKind::SessionLost, 6),
        (ErrorKind::Conflict, 6),
        (ErrorKind::Quota, 6),
        (ErrorKind::TooLarge, 6),
        (ErrorKind::Agent, 6),
        (ErrorKind::Refused, 6),
        (ErrorKind::Service, 6),
        (ErrorKind::BrokenOff, 7),
    ] {
        assert_eq!(Exit::from(kind).code(), exit, "{kind:?}");
    }
}
