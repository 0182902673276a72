//! The program as a whole, run as its users run it: arguments, environment and standard input in, exit code and output out.
//!
//! | file | what it is about |
//! |---|---|
//! | [`world`] | starts the program, with or without a mock that the test can look into |
//! | [`bad_files`] | contexts, profiles, lines and journals that are damaged |
//! | [`bad_input`] | what is refused before anything is sent |
//! | [`batch`] | many invocations: rows, refusals, and what is kept whatever ends the program |
//! | [`config`] | contexts of the configuration file, the last login, and what is in force |
//! | [`chat`] | conversations by a pipe, over both ways |
//! | [`doctor`] | what a call needs, checked step by step |
//! | [`exec`] | commands in a session, and its end |
//! | [`fleet`] | many processes and one token, by a server of Redis that some tests need |
//! | [`gate`] | a proxy that holds an issuer's answers back |
//! | [`network`] | certificates and proxies of the environment |
//! | [`outcome`] | exit codes, and what stands on standard error |
//! | [`output`] | the four formats |
//! | [`output_that_fails`] | readers that go, full disks, closed outputs and signals, in each command |
//! | [`prompt`] | prompts at a terminal: typed, ahead of time, kept, and waited for |
//! | [`questions`] | what agents ask, and how a conversation answers it |
//! | [`request`] | what the flags make of a request; standard input; credentials |
//! | [`process`] | signals, closed pipes, logs without secrets |
//! | [`secrets`] | nothing secret in what is printed, kept and seen of the program |
//! | [`shell`] | shells at a terminal and by a pipe: escapes, sizes, losses, how the terminal is left |
//! | [`token`] | tokens for machines, tokens that a program prints, and `acore token` |
//! | [`user`] | users of a Cognito pool |
//! | [`websocket`] | `ws-url`, `ws-headers` and `connect` |
//! | [`terminal`] | conversations at a terminal: keys, how the terminal is left |
//! | [`layout`] | what a conversation shows on terminals of several widths and abilities |
//! | [`small`] | `mock`, `ping`, `completions`, help |

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(unix)]
mod bad_files;
mod bad_input;
mod batch;
mod chat;
mod config;
mod doctor;
mod exec;
#[cfg(all(unix, feature = "cognito", feature = "redis"))]
mod fleet;
#[cfg(all(unix, feature = "cognito", feature = "redis"))]
mod gate;
#[cfg(unix)]
mod layout;
mod network;
mod outcome;
mod output;
mod output_that_fails;
mod process;
#[cfg(unix)]
mod prompt;
mod questions;
mod request;
mod secrets;
#[cfg(unix)]
mod shell;
mod small;
#[cfg(unix)]
mod terminal;
mod token;
#[cfg(feature = "cognito")]
mod user;
mod websocket;
mod world;
