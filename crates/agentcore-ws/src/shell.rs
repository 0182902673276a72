//! What passes over a shell's socket: frames, and what the service says of the shell. Opens nothing.
//!
//! Source: the AWS developer guide, "Interactive shells", and the official Python SDK 1.25.0, whose frames these were checked against.

mod frame;
mod status;

pub use self::{
    frame::ShellFrame,
    status::{ShellExit, ShellStatus},
};
