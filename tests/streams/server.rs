//! A server that answers with given bytes in given pieces, each an HTTP chunk of its own, so that a client meets them as such.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

pub(super) struct Server {
    url: String,
    answer: Arc<Mutex<Vec<u8>>>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new(Vec::new()));
        let answers = answer.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let answer = answers.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let mut request = vec![0; 16 * 1024];
                let read = socket.read(&mut request).await.unwrap();
                assert!(request[..read].starts_with(b"POST /invocations HTTP/1.1\r\n"));
                socket.write_all(&answer).await.unwrap();
                socket.shutdown().await.unwrap();
            }
        });
        Self { url, answer }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// From now on every request is answered so.
    pub(super) fn answer(&self, content_type: &str, bytes: &[u8], sizes: &[usize]) {
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n";
        let mut answer = format!("{head}content-type: {content_type}\r\n\r\n").into_bytes();
        let mut rest = bytes;
        for size in sizes {
            let (piece, later) = rest.split_at((*size).min(rest.len()));
            if piece.is_empty() {
                // An empty chunk would be the end.
                continue;
            }
            answer.extend(format!("{:x}\r\n", piece.len()).into_bytes());
            answer.extend_from_slice(piece);
            answer.extend_from_slice(b"\r\n");
            rest = later;
        }
        assert!(rest.is_empty(), "the sizes cover all bytes");
        answer.extend_from_slice(b"0\r\n\r\n");
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }
}
