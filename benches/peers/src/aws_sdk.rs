//! The AWS SDK for Rust. It takes no bearer token for this operation, so that it signs whatever the others do.

use std::hint::black_box;

use agentcore_benches::{Answer, Contender, Opening, PROMPT, Result, Running, Site, Work, text};
use aws_sdk_bedrockagentcore::{
    Client,
    config::{Config, Credentials, Region},
    operation::invoke_agent_runtime::InvokeAgentRuntimeOutput,
    primitives::{Blob, ByteStream},
};
use aws_smithy_http_client::Builder;
use bytes::Bytes;
use eventsource_stream::Eventsource as _;
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::event_read;

pub(crate) struct Sdk {
    client: Client,
    config: Config,
}

impl Sdk {
    pub(crate) fn new(site: &Site) -> Self {
        let own = &site.credentials;
        let credentials = Credentials::new(own.access_key_id(), own.secret_access_key(), None, None, "benches");
        let config = Config::builder()
            .endpoint_url(&site.base)
            .region(Region::from_static("us-east-1"))
            .credentials_provider(credentials)
            .http_client(Builder::new().build_http())
            .build();
        Self { client: Client::from_conf(config.clone()), config }
    }

    async fn invoke(&self, answer: Answer) -> Result<InvokeAgentRuntimeOutput> {
        let session = Uuid::new_v4().to_string();
        let body = serde_json::to_vec(&json!({"prompt": PROMPT, "sessionId": session}))?;
        let call = self.client.invoke_agent_runtime().agent_runtime_arn(answer.arn()).runtime_session_id(session);
        let call = call.accept("text/event-stream, application/json").content_type("application/json");
        Ok(call.payload(Blob::new(body)).send().await?)
    }

    async fn read(&self, work: Work) -> Result<usize> {
        let mut body = self.invoke(work.answer()).await?.response;
        let mut read = 0;
        match work {
            Work::StreamBytes => {
                while let Some(piece) = body.try_next().await? {
                    read += piece.len();
                }
            }
            Work::StreamEvents | Work::StreamText => {
                let mut events = Box::pin(pieces(body).eventsource());
                while let Some(event) = events.next().await {
                    let data = event?.data;
                    read += if work == Work::StreamEvents { data.len() } else { text(&data)? };
                }
            }
            Work::Reply => {
                let answer: Value = serde_json::from_slice(&body.collect().await?.into_bytes())?;
                read = answer["result"].as_str().map_or(0, str::len);
            }
            _ => read = body.collect().await?.into_bytes().len(),
        }
        Ok(read)
    }
}

fn pieces(body: ByteStream) -> impl Stream<Item = Result<Bytes>> {
    stream::unfold(body, async |mut body| {
        let piece = body.next().await?;
        Some((piece.map_err(Into::into), body))
    })
}

impl Contender for Sdk {
    fn name(&self) -> &'static str {
        "AWS SDK, signing"
    }

    fn run(&self, work: Work) -> Option<Running<'_>> {
        Some(match work {
            Work::Command | Work::Decode(_) | Work::Presign | Work::Token => return None,
            Work::Build => Box::pin(async {
                black_box(Client::from_conf(self.config.clone()));
                Ok(0)
            }),
            _ => Box::pin(self.read(work)),
        })
    }

    fn open(&self, work: Work, answer: Answer) -> Option<Opening<'_>> {
        matches!(work, Work::StreamEvents | Work::StreamText).then(|| -> Opening<'_> {
            Box::pin(async move {
                let events = pieces(self.invoke(answer).await?.response).eventsource();
                Ok(events.map(move |event| event_read(work, &event?.data)).boxed_local())
            })
        })
    }
}
