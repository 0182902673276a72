//! What is sent, by where it comes from; and what is not sent at all.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use Stdin::{Pipe, Terminal, Token};

use super::*;
use crate::{errors::Exit, flags::Source};

/// Where standard input leads to.
#[derive(Clone, Copy, Debug)]
enum Stdin {
    Terminal,
    Pipe(&'static [u8]),
    Token,
}

fn read(prompt: Option<&str>, payload: Option<(&str, bool)>, stdin: Stdin) -> Result<Payload, Failure> {
    let source = |typed| if typed { Source::Flag } else { Source::Variable("AGENTCORE_PAYLOAD".to_owned()) };
    let flags = PayloadFlags {
        prompt: prompt.map(str::to_owned),
        payload: payload.map(|(value, typed)| Sourced { value: value.to_owned(), source: source(typed) }),
    };
    match stdin {
        Terminal => flags.read(&b"not read"[..], true, false),
        Pipe(bytes) => flags.read(bytes, false, false),
        Token => flags.read(&b"not read"[..], false, true),
    }
}

#[test]
fn sources() {
    // A payload shows how long it is; the command line's tests see what arrives.
    for (prompt, payload, stdin, shown) in [
        (Some("hi"), None, Terminal, "prompt of 2 bytes"),
        (Some("hi"), None, Pipe(b"ignored"), "prompt of 2 bytes"),
        (Some("hi"), None, Token, "prompt of 2 bytes"),
        (Some("hi"), Some(("{}", false)), Terminal, "prompt of 2 bytes"),
        (Some("-"), None, Pipe(b"four"), "prompt of 4 bytes"),
        (None, None, Pipe(b"four\n"), "prompt of 4 bytes"),
        (None, None, Pipe(b"four\r\n"), "prompt of 4 bytes"),
        (None, None, Pipe(b"four\n\n"), "prompt of 5 bytes"),
        (None, None, Pipe(b"\n\n"), "prompt of 1 bytes"),
        (None, Some((" {\"a\": 1}\n", true)), Terminal, "10 bytes"),
        (None, Some(("[]", false)), Token, "2 bytes"),
        (None, Some(("-", true)), Pipe(b"  {}\n"), "5 bytes"),
    ] {
        let payload = read(prompt, payload, stdin).unwrap();
        assert_eq!(format!("{payload:?}"), format!("Payload({shown})"), "{prompt:?} {stdin:?}");
    }
}

#[test]
fn refusals() {
    let token = "standard input holds the token, so the";
    for (prompt, payload, stdin, message) in [
        (None, None, Terminal, "there is nothing to say to the agent"),
        (None, None, Token, "there is nothing to say to the agent"),
        (Some("-"), None, Token, token),
        (None, Some(("-", true)), Token, token),
        (Some("hi"), Some(("{}", true)), Terminal, "a prompt and --payload exclude each other"),
        (Some(""), None, Terminal, "the prompt is empty"),
        (None, None, Pipe(b""), "the prompt is empty"),
        (None, None, Pipe(b"\r\n"), "the prompt is empty"),
        (None, None, Pipe(b"\xff"), "the prompt is no text\n  caused by: it is not UTF-8 at byte 0"),
        (None, Some(("nope", true)), Terminal, "the payload is not JSON: expected ident at line 1 column 2"),
        (None, Some(("{} {}", true)), Terminal, "the payload is not JSON: trailing characters at line 1 column 4"),
        (None, Some(("", true)), Terminal, "the payload is not JSON"),
        (None, Some(("-", true)), Pipe(b""), "the payload is not JSON"),
        (None, Some(("@/nowhere/at all", true)), Terminal, "cannot read the payload from the file \"/nowhere/at all\""),
        (None, Some(("@/", true)), Terminal, "cannot read the payload from the file \"/\""),
    ] {
        let (exit, lines) = read(prompt, payload, stdin).unwrap_err().parts();
        assert_eq!(exit, Exit::Usage, "{message}");
        assert!(lines.starts_with(&format!("error: {message}")), "{lines}");
    }
}
