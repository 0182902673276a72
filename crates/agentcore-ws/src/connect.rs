//! Opens sockets, keeps them alive, reconnects and closes them. Feature `connect`; makes no URL.

mod connection;
mod connection_source;
mod connector;
mod keep_alive;
mod message;
#[cfg(test)]
mod model;
mod rate_limit;
pub mod reconnect;
mod settings;
mod shell;
mod socket;
mod supervisor;
mod sync;
mod upgrade_check;

pub use self::{
    connection_source::AuthMode,
    connector::Connector,
    message::{Close, Incoming, Message, Reconnected},
    settings::Settings,
    shell::{Shell, ShellEvent, ShellInput},
    socket::{Receiver, Sender, Socket},
};
