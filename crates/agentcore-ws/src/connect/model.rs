//! Sockets and shells under `shuttle`, which tries out thousands of orders in which the program, the socket's task, the timers and
//! the agent may run. The agent is the library's server at the other end of a pipe that holds less than a message.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod shells;
mod sockets;

use std::{
    future::{Future, pending, poll_fn},
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
    time::Duration,
};

use agentcore_core::{SessionId, ShellId, Target};
use futures_util::{SinkExt as _, StreamExt as _};
use shuttle::{
    Config, Runner,
    future::{block_on, yield_now},
    rand::{Rng as _, thread_rng},
    scheduler::{PctScheduler, RandomScheduler},
    thread,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex},
    sync::watch,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self,
        protocol::{CloseFrame, Role},
    },
};

use super::{Settings, Socket, supervisor::Reopen, sync::step};
use crate::{Error, ErrorKind, RetryPolicy, WebSocket};

/// How an agent ends a connection, unless the program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// It waits for the program.
    Never,
    /// It drops the connection, with all that it has not read.
    Drop,
    /// It closes with this code, and drops what it reads after that, until the end.
    Close(u16),
}

/// What an agent reads of the program's.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Text(String),
    Bytes(Vec<u8>),
    Close(u16),
}

/// One connection, as the agent has it.
#[derive(Debug, Default)]
struct Connection {
    seen: Vec<Seen>,
    /// How many messages it said, and whether it read until the end, so that none of them was lost.
    said: u32,
    clean: bool,
}

/// What all threads share.
struct World {
    settings: Settings,
    /// How the agent ends the first connections; it does not end those after them.
    endings: Vec<Ending>,
    /// How many connections there are. Whoever wants another waits for ever.
    most_connections: usize,
    /// What the agent says on each connection.
    says: Vec<tungstenite::Message>,
    state: Mutex<State>,
    /// How many tasks run: one for the socket, and one for the agent of each connection.
    tasks: watch::Sender<u32>,
}

#[derive(Debug, Default)]
struct State {
    connections: Vec<Connection>,
}

impl World {
    fn new(settings: Settings, endings: Vec<Ending>, says: Vec<tungstenite::Message>) -> Arc<Self> {
        Self::with_connections(usize::MAX, settings, endings, says)
    }

    fn with_connections(
        most_connections: usize,
        settings: Settings,
        endings: Vec<Ending>,
        says: Vec<tungstenite::Message>,
    ) -> Arc<Self> {
        let (state, tasks) = (Mutex::default(), watch::Sender::new(0));
        Arc::new(Self { settings, endings, most_connections, says, state, tasks })
    }

    /// Never held while another thread may run.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Opens a socket, or that of a shell.
    fn socket(self: &Arc<Self>, shell: Option<&ShellId>) -> Socket {
        let target = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap());
        let socket = match shell {
            Some(shell) => WebSocket::shell(target, shell),
            None => WebSocket::new(target),
        };
        let source = Pipes { _runs: self.begin(), world: Arc::clone(self), socket };
        let connection = source.pipe();
        Socket::start(source, connection, SessionId::random())
    }

    fn begin(self: &Arc<Self>) -> Runs {
        self.tasks.send_modify(|tasks| *tasks += 1);
        Runs(Arc::clone(self))
    }

    /// Waits until the socket's task and all agents have ended. If one does not, `shuttle` says that all threads wait.
    fn settle(&self) {
        block_on(async { drop(self.tasks.subscribe().wait_for(|tasks| *tasks == 0).await) });
    }

    /// Returns all that the agents read, in order.
    fn seen(&self) -> Vec<Seen> {
        self.state().connections.iter().flat_map(|connection| connection.seen.clone()).collect()
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + 'static>(
        self: &Arc<Self>,
        task: impl FnOnce(Arc<Self>) -> F + Send + 'static,
    ) -> thread::JoinHandle<T> {
        let world = Arc::clone(self);
        thread::spawn(move || block_on(task(world)))
    }
}

/// A task that runs.
struct Runs(Arc<World>);

impl Drop for Runs {
    fn drop(&mut self) {
        self.0.tasks.send_modify(|tasks| *tasks -= 1);
    }
}

/// Opens pipes to agents.
struct Pipes {
    world: Arc<World>,
    socket: WebSocket,
    _runs: Runs,
}

impl Pipes {
    fn pipe(&self) -> Near {
        let (near, far) = duplex(PIPE);
        let mut state = self.world.state();
        let number = state.connections.len();
        state.connections.push(Connection::default());
        drop(state);
        let (world, runs) = (Arc::clone(&self.world), self.world.begin());
        shuttle::future::spawn(async move {
            agent(&world, number, far).await;
            drop(runs);
        });
        Near(near)
    }
}

impl Reopen for Pipes {
    type Connection = Near;

    fn settings(&self) -> &Settings {
        &self.world.settings
    }

    fn socket(&self) -> &WebSocket {
        &self.socket
    }

    async fn reopen(&self, _: &RetryPolicy) -> Result<(Near, u32), Error> {
        pause().await;
        if self.world.state().connections.len() == self.world.most_connections {
            return pending().await;
        }
        Ok((self.pipe(), 1))
    }
}

/// The program's end of a pipe. It takes its time: what was written may have arrived before the writer knows.
struct Near(DuplexStream);

impl AsyncRead for Near {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        step();
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Near {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        step();
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        step();
        if happens(3) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Says what it has to say and reads, in any order, and ends the connection at any time.
async fn agent(world: &World, number: usize, far: DuplexStream) {
    let mut server = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
    let ending = world.endings.get(number).copied().unwrap_or(Ending::Never);
    let mut steps_left = if ending == Ending::Never { u32::MAX } else { thread_rng().gen_range(0..16) };
    let mut says = world.says.iter();
    let mut is_closed = false;
    loop {
        step();
        if steps_left == 0 {
            match ending {
                Ending::Drop => return,
                Ending::Close(code) => {
                    let frame = CloseFrame { code: code.into(), reason: "".into() };
                    is_closed = server.close(Some(frame)).await.is_ok();
                }
                Ending::Never => {}
            }
            steps_left = u32::MAX;
            says = [].iter();
        }
        steps_left -= u32::from(steps_left < u32::MAX);
        if says.len() > 0 && thread_rng().gen_ratio(1, 2) {
            let Some(message) = says.next() else { continue };
            if server.send(message.clone()).await.is_err() {
                return;
            }
            world.state().connections[number].said += 1;
            continue;
        }
        let waits = says.len() == 0 && steps_left == u32::MAX;
        let frame = match poll_once(server.next()).await {
            Poll::Ready(frame) => frame,
            Poll::Pending if waits => server.next().await,
            Poll::Pending => {
                yield_now().await;
                continue;
            }
        };
        let seen = match frame {
            Some(Ok(tungstenite::Message::Text(text))) => Seen::Text(text.to_string()),
            Some(Ok(tungstenite::Message::Binary(bytes))) => {
                if bytes[..] == KILL {
                    steps_left = u32::MAX;
                    says = [].iter();
                    let _ = server.close(Some(CloseFrame { code: 1000.into(), reason: "".into() })).await;
                }
                Seen::Bytes(bytes.to_vec())
            }
            Some(Ok(tungstenite::Message::Close(frame))) => {
                // What it has not said yet, it cannot say any more.
                says = [].iter();
                steps_left = u32::MAX;
                Seen::Close(frame.map_or(1005, |frame| frame.code.into()))
            }
            Some(Ok(_)) => continue,
            Some(Err(_)) | None => {
                world.state().connections[number].clean = true;
                return;
            }
        };
        if ending == Ending::Drop && happens(2) {
            // At once: nobody has seen yet that it was read.
            steps_left = 0;
        }
        if !is_closed || matches!(seen, Seen::Close(_)) {
            world.state().connections[number].seen.push(seen);
        }
    }
}

async fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// Waits for a future for so many looks, and drops it then.
async fn give_up<F: Future>(future: F, looks: u32) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..looks {
        match poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await {
            Poll::Ready(output) => return Some(output),
            Poll::Pending => yield_now().await,
        }
    }
    None
}

async fn pause() {
    step();
    for _ in 0..thread_rng().gen_range(0..4) {
        yield_now().await;
    }
}

/// One of these in so many cases.
fn happens(one_in: u32) -> bool {
    one_in > 0 && thread_rng().gen_ratio(1, one_in)
}

/// Settings under which nothing is due, so that a wake that is lost stays lost. Messages of more than eight bytes leave in pieces.
fn without_timers() -> Settings {
    let settings = Settings::default().ping_interval(None).pong_timeout(None).close_timeout(Duration::MAX);
    settings.max_frame_bytes(8).reconnect(RetryPolicy::default())
}

/// Settings under which each timer may be due at any time.
fn with_timers() -> Settings {
    Settings::default().max_frame_bytes(8).reconnect(RetryPolicy::default())
}

fn explore(scenario: fn()) {
    let mut config = Config::new();
    // A connection's futures are larger than the stacks that threads have there.
    config.stack_size = 256 * 1024;
    Runner::new(RandomScheduler::new(ITERATIONS), config.clone()).run(scenario);
    Runner::new(PctScheduler::new(3, ITERATIONS), config).run(scenario);
}

/// The frame by which the program ends a shell.
const KILL: [u8; 1] = [0xff];
/// Less than a message of the program's.
const PIPE: usize = 16;
const ITERATIONS: usize = 200;
