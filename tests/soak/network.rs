//! A network that refuses connections, cuts them, and now and then cuts all of them.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

use crate::tally::Tally;

/// It ends with the runtime on which it was started.
pub(crate) struct Network {
    pub(crate) url: String,
}

impl Network {
    /// Stands before the server at this URL.
    pub(crate) async fn start(url: &str, seed: u64, tally: Arc<Tally>) -> Self {
        let (scheme, server) = url.split_once("://").unwrap();
        let server = server.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let (cut, _) = watch::channel(());
        let storms = cut.clone();
        let weather = Arc::clone(&tally);
        tokio::spawn(async move {
            let mut chance = Rng::with_seed(seed.rotate_left(7));
            loop {
                tokio::time::sleep(Duration::from_millis(chance.u64(3_000..9_000))).await;
                weather.count("all connections cut");
                storms.send_replace(());
            }
        });
        tokio::spawn(async move {
            let mut chance = Rng::with_seed(seed);
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                let (server, tally, mut storm, mut chance) =
                    (server.clone(), Arc::clone(&tally), cut.subscribe(), chance.fork());
                tokio::spawn(async move {
                    tally.count("connections");
                    let lifetime = match chance.u32(0..100) {
                        0..=2 => return tally.count("connections refused"),
                        3..=7 => Duration::from_millis(chance.u64(0..20)),
                        8..=19 => Duration::from_millis(chance.u64(0..3_000)),
                        _ => Duration::from_millis(chance.u64(5_000..30_000)),
                    };
                    let through = timeout(lifetime, pass(client, &server));
                    tokio::select! {
                        ended = through => if ended.is_err() { tally.count("connections cut") },
                        _ = storm.changed() => tally.count("connections cut"),
                    }
                });
            }
        });
        Self { url }
    }
}

async fn pass(mut client: TcpStream, server: &str) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    // How it ends is nobody's business here.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}
