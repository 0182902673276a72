//! The crates of this workspace as their users call them: agentcore-http and the facade.

use std::{
    future::{Ready, ready},
    hint::black_box,
    time::Duration,
};

use agentcore_auth::{Auth, CachedToken, Issued, StaticToken, Token, TokenSource as _, token};
use agentcore_client::{Client, Error, Runtime, ws::Expiry};
use agentcore_core::Target;
use agentcore_http::{
    Command, CommandEvent, CommandStream, HttpClient, Invocation, Payload, Response, event_stream::FrameDecoder,
    sse::Decoder,
};
use agentcore_transport::Transport;
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::{Contender, Opening, PROMPT, Running, Site, each};
use crate::{Result, answer::Answer, input::Input, work::Work};

fn target(site: &Site, answer: Answer) -> Result<Target> {
    Ok(Target::at(site.base.parse()?, answer.arn().parse()?))
}

/// The connections of a client as it comes, and what this server needs.
fn transport(site: &Site) -> Result<Transport> {
    let builder = Transport::builder().http2(site.http2);
    let builder = match &site.root {
        Some(root) => builder.system_roots(false).root_certificates(root.as_str()),
        None => builder,
    };
    Ok(builder.build()?)
}

fn bearer(site: &Site) -> Result<Auth> {
    Ok(Auth::bearer(StaticToken::parse(&site.token)?))
}

/// agentcore-http.
pub(super) struct Http {
    auth: Auth,
    bearer: HttpClient,
    signed: HttpClient,
    targets: Vec<Target>,
    cache: CachedToken<Made>,
}

impl Http {
    pub(super) fn new(site: &Site) -> Result<Self> {
        let auth = bearer(site)?;
        Ok(Self {
            bearer: HttpClient::builder(auth.clone()).transport(transport(site)?).build()?,
            signed: HttpClient::builder(Auth::sigv4(site.credentials.clone())).build()?,
            targets: each(|answer| target(site, answer))?,
            auth,
            cache: CachedToken::new(token::from_fn(issued)),
        })
    }

    async fn invoke(&self, work: Work) -> Result<Response> {
        let client = if work == Work::Signed { &self.signed } else { &self.bearer };
        let invocation = Invocation::new(Payload::prompt(PROMPT));
        Ok(client.invoke(&self.targets[work.answer() as usize], &invocation).await?)
    }
}

impl Contender for Http {
    fn name(&self) -> &'static str {
        "agentcore-http"
    }

    fn run(&self, work: Work) -> Option<Running<'_>> {
        Some(match work {
            // It looks into no answer, and opens no socket.
            Work::Reply | Work::StreamText | Work::Presign => return None,
            Work::Decode(input) => Box::pin(async move { decode(input) }),
            Work::Token => Box::pin(async {
                black_box(self.cache.token().await?);
                Ok(0)
            }),
            Work::Build => Box::pin(async {
                black_box(HttpClient::builder(self.auth.clone()).build()?);
                Ok(0)
            }),
            Work::Command => Box::pin(async {
                let target = &self.targets[Answer::Command as usize];
                output(self.bearer.run(target, &Command::new("build")?).await?).await
            }),
            _ => Box::pin(async move { read(self.invoke(work).await?, work).await }),
        })
    }

    fn open(&self, work: Work, answer: Answer) -> Option<Opening<'_>> {
        (work == Work::StreamEvents).then(|| -> Opening<'_> {
            Box::pin(async move {
                let invocation = Invocation::new(Payload::prompt(PROMPT));
                let events = self.bearer.invoke(&self.targets[answer as usize], &invocation).await?.events();
                Ok(events.map(|event| event.map(drop).map_err(Into::into)).boxed_local())
            })
        })
    }
}

type Made = token::FromFn<fn() -> Ready<Result<Issued, Error>>>;

fn issued() -> Ready<Result<Issued, Error>> {
    ready(Token::parse("opaque").map(|token| Issued::new(token).expires_in(Duration::from_secs(3_600))))
}

/// Decodes a stream in memory.
fn decode(input: Input) -> Result<usize> {
    let mut read = 0;
    if input == Input::Frames {
        let mut decoder = FrameDecoder::new();
        for chunk in input.chunks() {
            decoder.push(chunk);
            while let Some(frame) = decoder.next_frame()? {
                read += frame.payload().len();
            }
        }
        return Ok(read);
    }
    let mut decoder = Decoder::new();
    for chunk in input.chunks() {
        decoder.push(chunk.clone());
        while let Some(event) = decoder.next_event()? {
            read += event.data.len();
        }
    }
    Ok(read)
}

/// agentcore-client.
pub(super) struct Facade {
    auth: Auth,
    bearer: Vec<Runtime>,
    signed: Vec<Runtime>,
    /// At the service's own address, since a local one takes no presigned URL.
    presigned: Runtime,
}

impl Facade {
    pub(super) fn new(site: &Site) -> Result<Self> {
        let auth = bearer(site)?;
        let bearer = Client::builder().auth(auth.clone()).transport(transport(site)?).build()?;
        let signed = Client::builder().auth(Auth::sigv4(site.credentials.clone())).build()?;
        Ok(Self {
            auth,
            bearer: each(|answer| Ok(bearer.target(target(site, answer)?)))?,
            presigned: signed.runtime(Answer::Small.arn().parse()?),
            signed: each(|answer| Ok(signed.target(target(site, answer)?)))?,
        })
    }

    async fn send(&self, work: Work) -> Result<Response> {
        let agents = if work == Work::Signed { &self.signed } else { &self.bearer };
        Ok(agents[work.answer() as usize].invoke(PROMPT).send().await?)
    }
}

impl Contender for Facade {
    fn name(&self) -> &'static str {
        "agentcore-client"
    }

    fn run(&self, work: Work) -> Option<Running<'_>> {
        let agent = &self.bearer[work.answer() as usize];
        Some(match work {
            Work::Build => Box::pin(async {
                black_box(Client::builder().auth(self.auth.clone()).build()?);
                Ok(0)
            }),
            Work::Decode(_) | Work::Token => return None,
            Work::Presign => Box::pin(async {
                black_box(self.presigned.websocket().presign(Expiry::default()).await?);
                Ok(0)
            }),
            Work::Reply => Box::pin(async move { Ok(agent.invoke(PROMPT).await?.text.len()) }),
            Work::StreamText => Box::pin(async move {
                let (mut events, mut read) = (agent.invoke(PROMPT).stream().await?, 0);
                while let Some(event) = events.try_next().await? {
                    read += event.text().map_or(0, str::len);
                }
                Ok(read)
            }),
            Work::Command => Box::pin(async move { output(agent.run("build").stream().await?).await }),
            _ => Box::pin(async move { read(self.send(work).await?, work).await }),
        })
    }

    fn open(&self, work: Work, answer: Answer) -> Option<Opening<'_>> {
        (work == Work::StreamText).then(|| -> Opening<'_> {
            Box::pin(async move {
                let events = self.bearer[answer as usize].invoke(PROMPT).stream().await?;
                Ok(events.map(|event| event.map(drop).map_err(Into::into)).boxed_local())
            })
        })
    }
}

/// Reads an answer to its end, as bytes or server-sent events.
async fn read(response: Response, work: Work) -> Result<usize> {
    let mut read = 0;
    match work {
        Work::StreamBytes => {
            let mut bytes = response.into_stream();
            while let Some(piece) = bytes.try_next().await? {
                read += piece.len();
            }
        }
        Work::StreamEvents => {
            let mut events = response.events();
            while let Some(event) = events.try_next().await? {
                read += event.data.len();
            }
        }
        _ => read = response.bytes().await?.len(),
    }
    Ok(read)
}

/// Reads the output of a command to its end.
async fn output(mut events: CommandStream) -> Result<usize> {
    let mut read = 0;
    while let Some(event) = events.try_next().await? {
        read += if let CommandEvent::Stdout(text) = event { text.len() } else { 0 };
    }
    Ok(read)
}
