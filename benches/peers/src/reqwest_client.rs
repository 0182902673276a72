//! reqwest, with eventsource-stream and `serde_json::Value`. It signs nothing.

use std::{convert::Infallible, hint::black_box, time::Duration};

use agentcore_benches::{Answer, Contender, Input, Opening, PROMPT, Result, Running, SESSION_ID, Site, Work, text};
use eventsource_stream::Eventsource as _;
use futures_util::{StreamExt as _, stream};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Response, header::ACCEPT};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::event_read;

pub(crate) struct Reqwest {
    client: Client,
    base: String,
    token: String,
}

impl Reqwest {
    pub(crate) fn new(site: &Site) -> Self {
        Self { client: client(), base: site.base.clone(), token: site.token.clone() }
    }

    async fn invoke(&self, answer: Answer) -> Result<Response> {
        let arn = utf8_percent_encode(answer.arn(), NON_ALPHANUMERIC);
        let session = Uuid::new_v4().to_string();
        let body = serde_json::to_vec(&json!({"prompt": PROMPT, "sessionId": session}))?;
        let request = self
            .client
            .post(format!("{}/runtimes/{arn}/invocations", self.base))
            .bearer_auth(&self.token)
            .header(ACCEPT, "text/event-stream, application/json")
            .header("content-type", "application/json")
            .header(SESSION_ID, session)
            .body(body);
        Ok(request.send().await?.error_for_status()?)
    }

    async fn read(&self, work: Work) -> Result<usize> {
        let response = self.invoke(work.answer()).await?;
        let mut read = 0;
        match work {
            Work::StreamBytes => {
                let mut bytes = response.bytes_stream();
                while let Some(piece) = bytes.next().await {
                    read += piece?.len();
                }
            }
            Work::StreamEvents | Work::StreamText => {
                let mut events = response.bytes_stream().eventsource();
                while let Some(event) = events.next().await {
                    let data = event?.data;
                    read += if work == Work::StreamEvents { data.len() } else { text(&data)? };
                }
            }
            Work::Reply => {
                let answer: Value = serde_json::from_slice(&response.bytes().await?)?;
                read = answer["result"].as_str().map_or(0, str::len);
            }
            _ => read = response.bytes().await?.len(),
        }
        Ok(read)
    }
}

/// Decodes a stream in memory.
async fn decode(input: Input) -> Result<usize> {
    let mut events = stream::iter(input.chunks()).map(|chunk| Ok::<_, Infallible>(chunk.clone())).eventsource();
    let mut read = 0;
    while let Some(event) = events.next().await {
        read += event?.data.len();
    }
    Ok(read)
}

fn client() -> Client {
    Client::builder().read_timeout(Duration::from_secs(120)).build().expect("it has no TLS to set up")
}

impl Contender for Reqwest {
    fn name(&self) -> &'static str {
        "reqwest + eventsource-stream"
    }

    fn run(&self, work: Work) -> Option<Running<'_>> {
        Some(match work {
            Work::Signed | Work::Command | Work::Presign | Work::Token | Work::Decode(Input::Frames) => return None,
            Work::Decode(input) => Box::pin(decode(input)),
            Work::Build => Box::pin(async {
                black_box(client());
                Ok(0)
            }),
            _ => Box::pin(self.read(work)),
        })
    }

    fn open(&self, work: Work, answer: Answer) -> Option<Opening<'_>> {
        matches!(work, Work::StreamEvents | Work::StreamText).then(|| -> Opening<'_> {
            Box::pin(async move {
                let events = self.invoke(answer).await?.bytes_stream().eventsource();
                Ok(events.map(move |event| event_read(work, &event?.data)).boxed_local())
            })
        })
    }
}
