//! The agents over an open WebSocket, driven by the library that others drive it with.

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        error::ProtocolError,
        protocol::{
            CloseFrame, Role, WebSocketConfig,
            frame::{
                Frame,
                coding::{Data, OpCode},
            },
        },
    },
};

use super::{
    handshake::{open, target},
    *,
};

type Socket = WebSocketStream<TcpStream>;

/// Opens a WebSocket to an agent in a session.
async fn connect(mock: &Mock, agent: &str) -> Socket {
    let headers = [("Authorization", &*bearer(mock)), (SESSION_HEADER, SESSION)];
    connect_to(mock, &target(agent), &headers).await
}

async fn connect_to(mock: &Mock, target: &str, headers: &[(&str, &str)]) -> Socket {
    let (answer, socket) = open(mock, target, headers).await;
    assert_eq!(answer.status, 101, "{target}: {}", answer.body);
    let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
    WebSocketStream::from_raw_socket(socket, Role::Client, Some(config)).await
}

/// Sends a message and receives the next.
async fn ask(socket: &mut Socket, message: impl Into<Message>) -> Message {
    socket.send(message.into()).await.unwrap();
    socket.next().await.unwrap().unwrap()
}

/// Receives a close, and after it the end of the connection.
async fn closed(socket: &mut Socket) -> (u16, String) {
    let close = socket.next().await.unwrap().unwrap();
    let Message::Close(Some(CloseFrame { code, reason })) = close else { panic!("{close:?}") };
    assert!(socket.next().await.is_none(), "the connection did not end");
    (code.into(), reason.as_str().to_owned())
}

/// Receives a message of JSON.
async fn receive_json(socket: &mut Socket) -> Value {
    serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap()
}

/// Waits until the mock has let go of every connection.
async fn released(mock: &Mock) {
    while mock.server.open() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn echo_gives_back_every_byte() {
    let mock = start().await;
    let mut socket = connect(&mock, "echo").await;
    let bytes: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
    for message in [
        Message::text("Grüße 🌍"),
        Message::text(""),
        Message::binary(bytes.clone()),
        Message::binary(Vec::new()),
        Message::text("x".repeat(64 * 1024)),
    ] {
        assert_eq!(ask(&mut socket, message.clone()).await, message);
    }
    // A message of several frames, with a ping between them.
    let frame = |payload: &[u8], opcode, is_final| Message::Frame(Frame::message(payload.to_vec(), opcode, is_final));
    socket.feed(frame(&bytes, OpCode::Data(Data::Binary), false)).await.unwrap();
    socket.feed(Message::Ping("p".into())).await.unwrap();
    socket.send(frame(&bytes, OpCode::Data(Data::Continue), true)).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("p".into()));
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::binary([bytes.clone(), bytes].concat()));

    let goodbye = CloseFrame { code: 1000.into(), reason: "bye".into() };
    socket.close(Some(goodbye)).await.unwrap();
    assert_eq!(closed(&mut socket).await, (1000, "bye".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_story_is_a_conversation() {
    let mock = Mock::builder().pace(Duration::from_millis(40)).start().await.unwrap();
    let mut socket = connect(&mock, "story").await;
    for (prompt, quoted) in [
        ("Hi", "“Hi”"),
        (r#"{"prompt": "Who are you?"}"#, "“Who are you?”"),
        (r#"{"inputText": "And now?"}"#, "“And now?”"),
    ] {
        let before = tokio::time::Instant::now();
        socket.send(Message::text(prompt)).await.unwrap();
        let mut words = Vec::new();
        let end = loop {
            let message = receive_json(&mut socket).await;
            match message.as_str() {
                Some(word) => words.push(word.to_owned()),
                None => break message,
            }
        };
        assert_eq!(end, json!({"type": "done"}));
        assert_eq!(words[..2], ["Once", " upon"]);
        assert!(words.concat().contains(quoted), "{words:?}");
        assert_eq!(before.elapsed().as_millis(), 40 * (words.len() as u128 - 1));
    }
}

/// The pace is so slow that no second word would come within a test's life.
#[tokio::test]
async fn a_story_is_interrupted_but_not_by_a_prompt() {
    let mock = Mock::builder().pace(Duration::from_secs(100_000)).start().await.unwrap();
    let mut socket = connect(&mock, "story").await;
    assert_eq!(ask(&mut socket, "One").await, Message::text("\"Once\""));
    socket.send(Message::text("Two")).await.unwrap();
    assert_eq!(ask(&mut socket, Message::Ping("p".into())).await, Message::Pong("p".into()));
    socket.close(None).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(None)))));
    assert!(socket.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn prompts_wait_for_the_end_of_a_story() {
    let mock = Mock::builder().pace(Duration::from_millis(40)).start().await.unwrap();
    let mut socket = connect(&mock, "story").await;
    for prompt in ["One", "Two"] {
        socket.send(Message::text(prompt)).await.unwrap();
    }
    let mut told = String::new();
    while told.matches("done").count() < 2 {
        told += &receive_json(&mut socket).await.to_string();
    }
    let [first, second, rest] = told.split(r#"{"type":"done"}"#).collect::<Vec<_>>().try_into().unwrap();
    assert!(first.contains("“One”") && second.contains("“Two”") && rest.is_empty(), "{told}");
}

#[tokio::test]
async fn headers_as_the_agent_sees_them() {
    let mock = Mock::builder().endpoint("a b").start().await.unwrap();
    let line = format!("{}?qualifier=a%20b&tenant=blue+green&tenant=2&empty", target("headers"));
    let headers = [("Authorization", &*bearer(&mock)), ("X-Tenant", "blue")];
    let mut socket = connect_to(&mock, &line, &headers).await;
    assert_eq!(
        receive_json(&mut socket).await,
        json!({
            "headers": [
                ["host", "x"], ["upgrade", "websocket"], ["connection", "Upgrade"],
                ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="], ["sec-websocket-version", "13"],
                ["authorization", "…"], ["x-tenant", "blue"],
            ],
            "query": [["qualifier", "a b"], ["tenant", "blue+green"], ["tenant", "2"], ["empty", ""]],
            "credential_form": "bearer",
        })
    );
    assert_eq!(ask(&mut socket, "and on").await, Message::text("and on"));
}

#[tokio::test]
async fn a_local_agent_sees_the_query_without_its_secrets() {
    let mock = Mock::builder().local_agent("headers").start().await.unwrap();
    let query = "X-Amz-Signature=secret&X-Amz-Security-Token=secret&X-Amz-Expires=300";
    let headers = [("Sec-WebSocket-Protocol", "secret")];
    let greeting = receive_json(&mut connect_to(&mock, &format!("/ws?{query}"), &headers).await).await;
    assert_eq!(greeting["credential_form"], json!(null));
    assert_eq!(
        greeting["query"],
        json!([["X-Amz-Signature", "…"], ["X-Amz-Security-Token", "…"], ["X-Amz-Expires", "300"]])
    );
    assert!(!greeting.to_string().contains("secret"), "{greeting}");
}

#[tokio::test]
async fn closes_by_any_code() {
    let mock = start().await;
    for code in [1000, 1001, 1008, 1011, 3000, 4000, 4999] {
        let mut socket = connect(&mock, &format!("close-{code}")).await;
        assert_eq!(ask(&mut socket, "Hi").await, Message::text("Hi"));
        assert_eq!(closed(&mut socket).await, (code, "the agent hangs up".to_owned()));
        let mut socket = connect(&mock, &format!("close-{code}-now")).await;
        assert_eq!(closed(&mut socket).await, (code, "the agent hangs up".to_owned()));
    }
}

#[tokio::test]
async fn a_close_waits_for_the_answer() {
    let mock = start().await;
    let mut socket = connect(&mock, "close-1000-now").await;
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
    // The library answers when it is asked for the next message.
    hears_nothing(socket.get_mut()).await;
    assert!(socket.next().await.is_none());
}

#[tokio::test]
async fn drops_without_a_word() {
    let mock = start().await;
    for agent in ["drop", "drop", "drop-2", "drop-2"] {
        let mut socket = connect(&mock, agent).await;
        assert_eq!(ask(&mut socket, "Hi").await, Message::text("Hi"), "{agent}");
        let end = socket.next().await.unwrap().unwrap_err();
        assert!(matches!(end, Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)), "{agent}: {end:?}");
    }
    let mut socket = connect(&mock, "drop-2").await;
    for message in ["Hi", "again"] {
        assert_eq!(ask(&mut socket, message).await, Message::text(message));
    }
}

#[tokio::test]
async fn silent_answers_nothing_and_ends_with_the_client() {
    let mock = start().await;
    let mut socket = connect(&mock, "silent").await;
    for message in [Message::text("Hi"), Message::Ping("p".into()), Message::binary(vec![0; 16 * 1024 * 1024])] {
        socket.send(message).await.unwrap();
    }
    socket.close(None).await.unwrap();
    hears_nothing(socket.get_mut()).await;
    drop(socket);
    released(&mock).await;
}

#[tokio::test]
async fn no_close_answers_all_but_the_close() {
    let mock = start().await;
    let mut socket = connect(&mock, "no-close").await;
    assert_eq!(ask(&mut socket, "Hi").await, Message::text("Hi"));
    assert_eq!(ask(&mut socket, Message::Ping("p".into())).await, Message::Pong("p".into()));
    socket.close(None).await.unwrap();
    hears_nothing(socket.get_mut()).await;
    drop(socket);
    released(&mock).await;
}

#[tokio::test]
async fn deaf_reads_nothing_until_the_mock_ends() {
    let mock = start().await;
    let mut socket = connect(&mock, "deaf").await;
    tokio::time::pause();
    let flood = async {
        loop {
            socket.send(Message::binary(vec![0; 60 * 1024])).await.unwrap();
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(3600), flood).await.is_err());
    tokio::time::resume();
    drop(mock);
    let mut rest = Vec::new();
    let end = socket.get_mut().read_to_end(&mut rest).await;
    assert!(matches!(&end, Ok(0)) || end.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn frames_and_messages_that_are_too_big() {
    let mock = start().await;
    let frame = |bytes: usize, opcode, is_final| Message::Frame(Frame::message(vec![0; bytes], opcode, is_final));
    let first = OpCode::Data(Data::Binary);
    let next = OpCode::Data(Data::Continue);
    let frame_bytes = 64 * 1024;
    // 160 frames of 64 KiB make 10 MiB.
    let begun: Vec<_> =
        (0..159).map(|index| frame(frame_bytes, if index == 0 { first } else { next }, false)).collect();
    let whole = [&begun[..], &[frame(frame_bytes, next, true)]].concat();
    // It need not end to be too big.
    let parts = [&begun[..], &[frame(frame_bytes, next, false), frame(1, next, false)]].concat();
    for (frames, is_too_big) in [
        (vec![frame(frame_bytes, first, true)], false),
        (vec![frame(frame_bytes + 1, first, true)], true),
        (vec![frame(16 * 1024 * 1024, first, true)], true),
        (whole, false),
        (parts, true),
    ] {
        let count = frames.len();
        let mut socket = connect(&mock, "echo").await;
        for frame in frames {
            socket.send(frame).await.unwrap();
        }
        if is_too_big {
            assert_eq!(closed(&mut socket).await, (1009, "a frame or a message is too big".to_owned()), "{count}");
        } else {
            assert_eq!(socket.next().await.unwrap().unwrap().len(), count * frame_bytes, "{count}");
        }
    }
}

#[tokio::test]
async fn frames_that_are_announced_or_none() {
    let mock = start().await;
    // The header of a frame of 65,537 bytes, of which none needs to come.
    let mut socket = connect(&mock, "echo").await;
    let header = b"\x82\xff\0\0\0\0\0\x01\0\x01\0\0\0\0";
    socket.get_mut().write_all(header).await.unwrap();
    assert_eq!(closed(&mut socket).await.0, 1009);

    let mut socket = connect(&mock, "echo").await;
    // A text frame without a mask (RFC 6455 section 5.1).
    socket.get_mut().write_all(b"\x81\x02Hi").await.unwrap();
    assert_eq!(closed(&mut socket).await.0, 1002);
}

#[tokio::test(start_paused = true)]
async fn frames_in_a_second() {
    let mock = start().await;
    let mut socket = connect(&mock, "echo").await;
    for _ in 0..3 {
        for _ in 0..250 {
            assert_eq!(ask(&mut socket, "Hi").await, Message::text("Hi"));
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    for _ in 0..250 {
        socket.feed(Message::Ping("".into())).await.unwrap();
    }
    socket.send(Message::text("one too many")).await.unwrap();
    let close = loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Pong(_) => {}
            message => break message,
        }
    };
    let Message::Close(Some(close)) = close else { panic!("{close:?}") };
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1008, "too many frames in a second"));
    assert!(socket.next().await.is_none());
}
