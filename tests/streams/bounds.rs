//! Where answers are cut, how long their lines may be, and what keeps them open.

use agentcore_client::{Auth, Client, ErrorKind, Event, Events, Target};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::oneshot,
};

use super::server::Server;

async fn events(client: &Client, url: &str) -> Events {
    client.target(Target::local(url).unwrap()).invoke("x").stream().await.unwrap()
}

fn client() -> Client {
    Client::builder().auth(Auth::None).build().unwrap()
}

/// Every piece is text by itself, and together they are the answer: no character is lost or doubled, whole or not.
#[tokio::test]
async fn a_text_answer_cut_at_every_byte() {
    let (client, server) = (client(), Server::start().await);
    for (bytes, expected) in [
        ("Hé €😀\n{\"a\": 1}".as_bytes(), "Hé €😀\n{\"a\": 1}"),
        (b"a\xffb\xf0\x9f\x98", "a\u{fffd}b\u{fffd}"),
        (b"\xe2\x82\xac\xe2\x82", "€\u{fffd}"),
        (b"\xf0\x9fab\xc3", "\u{fffd}ab\u{fffd}"),
    ] {
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                server.answer("text/plain", bytes, &[first, second - first, bytes.len() - second]);
                let mut events = events(&client, server.url()).await;
                let (mut said, mut has_ended) = (String::new(), false);
                while let Some(event) = events.next().await {
                    match event.unwrap() {
                        Event::Text(text) => said.push_str(&text),
                        Event::Done(_) => has_ended = true,
                        other => panic!("a text has nothing else: {other:?}"),
                    }
                }
                assert_eq!((&*said, has_ended), (expected, true), "{bytes:?} cut at {first} and {second}");
            }
        }
    }
}

#[tokio::test]
async fn a_json_line_longer_than_its_bound() {
    let client = Client::builder().auth(Auth::None).map(|http| http.max_event_bytes(64)).build().unwrap();
    let server = Server::start().await;
    let long = format!("{{\"data\": \"Hel\"}}\n{{\"data\": \"{}\"}}\n", "x".repeat(200));
    let within = format!("{{\"data\": \"Hel\"}}\n{{\"data\": \"{}\"}}\n", "x".repeat(40));
    for size in [1, 7, 20, 1000] {
        let sizes = |text: &str| vec![size; text.len().div_ceil(size)];
        server.answer("application/x-ndjson", within.as_bytes(), &sizes(&within));
        assert_eq!(events(&client, server.url()).await.into_reply().await.unwrap().text.len(), 43);

        server.answer("application/x-ndjson", long.as_bytes(), &sizes(&long));
        let mut events = events(&client, server.url()).await;
        let mut said = String::new();
        let error = loop {
            match events.next().await.unwrap() {
                Ok(event) => said.extend(event.text()),
                Err(error) => break error,
            }
        };
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::BrokenOff, "a line of the answer is longer than 64 bytes")
        );
        assert!(events.next().await.is_none(), "it is the last");
        assert_eq!(said, "Hel", "what came before it, in pieces of {size}");
    }
}

/// An elicitation is told while the answer waits for it, and the answer goes on to its result.
#[tokio::test]
async fn a_question_within_an_answer_keeps_it_open() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (answered, answer) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut vec![0; 16 * 1024]).await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        let asked = r#"{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{"message":"Which?","requestedSchema":{"type":"object"}}}"#;
        socket.write_all(format!("{head}data: {asked}\n\n").as_bytes()).await.unwrap();
        answer.await.unwrap();
        let result = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"3"}]}}"#;
        socket.write_all(format!("data: {result}\n\n").as_bytes()).await.unwrap();
    });
    let mut events = events(&client(), &url).await;
    let Some(Ok(Event::Interrupt(asked))) = events.next().await else { panic!("it asks") };
    assert_eq!((&*asked.id, &*asked.reason), ("7", "Which?"));
    answered.send(()).unwrap();
    let Some(Ok(Event::Text(text))) = events.next().await else { panic!("it goes on") };
    assert_eq!(text, "3");
    let Some(Ok(Event::Done(done))) = events.next().await else { panic!("it ends") };
    assert_eq!((done.events, done.texts, done.interrupts), (2, 1, 1));
}
