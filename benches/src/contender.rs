//! Those who are compared, and what they all are given. To add one, implement the trait in a file of its own and list it here.

mod by_hand;
mod floor;
mod ours;

use std::pin::Pin;

use agentcore_client::Credentials;
use futures_util::stream::LocalBoxStream;

pub use self::by_hand::text;
use crate::{
    Result,
    answer::Answer,
    place::{Place, Protocol},
    work::Work,
};

/// Somebody who can invoke an agent.
pub trait Contender {
    /// The heading of its column.
    fn name(&self) -> &'static str;

    /// Does the work once and returns how many bytes were read; `None` if it does no such work.
    fn run(&self, work: Work) -> Option<Running<'_>>;

    /// Opens the stream that an agent answers with, to be read as the work says; `None` if it does not read such.
    fn open(&self, work: Work, answer: Answer) -> Option<Opening<'_>>;
}

/// A stream that is being opened.
pub type Opening<'a> = Pin<Box<dyn Future<Output = Result<Opened>> + 'a>>;

/// A stream, an item for each event. The box costs all contenders the same.
pub type Opened = LocalBoxStream<'static, Result<()>>;

/// Work that goes on. The box costs all contenders the same.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<usize>> + 'a>>;

/// Every contender in the order of the columns, the floor first.
pub(crate) fn all(place: &Place, peers: Peers) -> Result<Vec<Box<dyn Contender>>> {
    let site = Site::new(place);
    let mut all: Vec<Box<dyn Contender>> = vec![
        Box::new(floor::Hyper::new(&site)?),
        Box::new(by_hand::ByHand::new(&site)?),
        Box::new(ours::Http::new(&site)?),
        Box::new(ours::Facade::new(&site)?),
    ];
    // They have no TLS.
    if site.root.is_none() {
        all.extend(peers(&site)?);
    }
    Ok(all)
}

/// Makes the contenders that stand in other packages.
pub type Peers = fn(&Site) -> Result<Vec<Box<dyn Contender>>>;

/// Where the server is, and who the caller is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Site {
    /// The server's URL without a path.
    pub base: String,
    /// A bearer token as long as an issuer's.
    pub token: String,
    /// Made up; nobody verifies what they sign.
    pub credentials: Credentials,
    /// Whether calls share a connection of HTTP/2.
    pub http2: bool,
    /// The certificate to trust, as PEM, where the server speaks TLS.
    pub root: Option<String>,
}

impl Site {
    pub(crate) fn new(place: &Place) -> Self {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        Self {
            base: place.url(),
            http2: place.protocol == Protocol::Http2,
            root: place.root.clone(),
            // {"alg":"RS256"}, {"exp":4102444800} and a signature of nobody.
            token: format!("eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.{}", "c2ln".repeat(200)),
            credentials: Credentials::new("AKIDEXAMPLE", secret, None, None, "benches"),
        }
    }
}

/// What all agents are asked.
pub const PROMPT: &str = "Hello, world!";
/// The header of the session id.
pub const SESSION_ID: &str = "x-amzn-bedrock-agentcore-runtime-session-id";

/// One of each for every answer.
///
/// # Errors
/// The first that `make` returns.
pub fn each<T>(make: impl Fn(Answer) -> Result<T>) -> Result<Vec<T>> {
    Answer::ALL.into_iter().map(make).collect()
}
