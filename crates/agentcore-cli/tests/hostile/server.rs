//! A server on loopback that sends whatever an attack writes, for each connection anew.

use std::{
    io::{self, Write as _},
    net::TcpListener,
    sync::Arc,
    thread,
};

use crate::wire::{Wire, http2, tls};

/// Answers the request whose head is given. Of HTTP/2 it is the stream.
pub(crate) type Answer = Arc<dyn Fn(&mut Wire, &str) -> io::Result<()> + Send + Sync>;

/// A running server. Its threads end with their connections.
pub(crate) struct Server {
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(http2: bool, answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if http2 { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = answer.clone();
                thread::spawn(move || -> io::Result<()> {
                    if !http2 {
                        let mut wire = Wire::Plain(stream);
                        let request = wire.request()?;
                        answer(&mut wire, &request)?;
                        wire.hold();
                        return Ok(());
                    }
                    let mut wire = tls::TRUSTED.accept(stream)?;
                    http2::greet(&mut wire)?;
                    loop {
                        let frame = http2::read(&mut wire)?;
                        if frame.kind == http2::DATA && frame.flags & http2::END_STREAM != 0 {
                            answer(&mut wire, &frame.stream.to_string())?;
                            wire.flush()?;
                            wire.hold();
                            return Ok(());
                        }
                    }
                });
            }
        });
        Self { url }
    }
}
