//! The program as a whole, run as its users run it: arguments, environment and standard input in, exit code and output out.
//!
//! | file | what it is about |
//! |---|---|
//! | [`world`] | starts the program, with or without a mock that the test can look into |
//! | [`bad_input`] | what is refused before anything is sent |
//! | [`chat`] | conversations by a pipe, over both ways |
//! | [`network`] | certificates and proxies of the environment |
//! | [`outcome`] | exit codes, and what stands on standard error |
//! | [`output`] | the four formats |
//! | [`questions`] | what agents ask, and how a conversation answers it |
//! | [`request`] | what the flags make of a request; standard input; credentials |
//! | [`process`] | signals, closed pipes, logs without secrets |
//! | [`token`] | tokens for machines, tokens that a program prints, and `acore token` |
//! | [`user`] | users of a Cognito pool |
//! | [`websocket`] | `ws-url`, `ws-headers` and `connect` |
//! | [`terminal`] | conversations at a terminal: keys, what is rendered, how the terminal is left |
//! | [`small`] | `mock`, `ping`, `completions`, help |

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod chat;
mod network;
mod outcome;
mod output;
mod process;
mod questions;
mod request;
mod small;
#[cfg(unix)]
mod terminal;
mod token;
#[cfg(feature = "cognito")]
mod user;
mod websocket;
mod world;
