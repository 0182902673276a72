//! Streams and sockets by the thousand, over a network that fails, with tokens that die: nothing is lost, nothing runs twice, nothing stays.
//!
//! It runs for `AGENTCORE_SOAK_SECONDS` with a load of `AGENTCORE_SOAK_LOAD` hundredths, or for some seconds with a little one. A failure
//! prints the `AGENTCORE_SOAK_SEED` with which agents, network and callers decide the same again; who is first stays chance. A program of
//! its own, because it counts the tasks, the descriptors and the memory of its process.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "a table for who runs it by hand")]

/// The agent, which knows what it ran.
mod agent;

/// Who invokes, and who talks over a socket.
mod callers;

/// The network between the two.
mod network;

/// What is counted, and the table of it.
mod tally;

use std::{
    env, fs,
    sync::Arc,
    time::{Duration, Instant},
};

use agentcore_client::{
    Client, Credentials, RetryPolicy, Timeouts, Transport,
    auth::{
        cognito::{CognitoConfig, Login, PoolId},
        oauth::ClientCredentialsConfig,
    },
    ws::Settings,
};
use agentcore_mock::{Mock, MockBuilder, User};
use tokio::runtime::{Builder, Handle, Runtime};

use self::{agent::Runs, callers::Plan, network::Network, tally::Tally};

#[test]
fn nothing_is_lost_and_nothing_stays() {
    let number = |name: &str, default: u64| env::var(name).map_or(default, |text| text.parse().unwrap());
    let seconds = number("AGENTCORE_SOAK_SECONDS", 5);
    let load = number("AGENTCORE_SOAK_LOAD", if seconds > 5 { 100 } else { 10 });
    let seed = number("AGENTCORE_SOAK_SEED", fastrand::u64(..));
    println!("seed {seed}, {seconds} s, load {load} %");
    let clients = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let descriptors = descriptors();
    let tasks = clients.metrics().num_alive_tasks();
    let tally = Arc::new(Tally::default());
    let servers = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let worlds: Vec<World> = [Way::Direct, Way::Http1, Way::Http2]
        .into_iter()
        .map(|way| servers.block_on(World::start(way, seed, Arc::clone(&tally))))
        .collect();
    let until = Instant::now() + Duration::from_secs(seconds);
    let forgetting = servers.spawn(forget(worlds.iter().map(|world| Arc::clone(&world.mock)).collect()));
    clients.block_on(async {
        let clients: Vec<Client> = worlds.iter().map(World::client).collect();
        let mut callers = Vec::new();
        let mut worker = 0;
        for (world, client) in worlds.iter().zip(&clients) {
            for count in 0..(world.way.streams() + world.way.sockets()) * load / 100 {
                worker += 1;
                let plan = Plan { worker, seed, until, is_exact: world.way == Way::Direct, tally: Arc::clone(&tally) };
                let runtime = client.runtime(world.mock.arn("agent"));
                callers.push(match count < world.way.streams() * load / 100 {
                    true => tokio::spawn(callers::invoke(plan, runtime)),
                    false => tokio::spawn(callers::talk(plan, client.runtime(world.mock.arn("echo")))),
                });
            }
        }
        let measuring = tokio::spawn(measure(Arc::clone(&tally), until));
        for caller in callers {
            caller.await.unwrap();
        }
        measuring.await.unwrap();
        for client in clients {
            client.shutdown(Duration::from_secs(10)).await.expect("no call is under way");
            tally.client(&client.metrics());
        }
    });
    let tasks_left = settled(&clients, tasks);
    forgetting.abort();
    // It holds the runtime.
    drop(forgetting);
    drop(worlds);
    servers.shutdown_timeout(Duration::from_secs(10));
    let (left, peak) = (self::descriptors(), peak_memory());
    print!("{}", tally.table(peak, (descriptors.len(), left.len()), (tasks, tasks_left)));
    let failures = tally.failures();
    assert!(failures.is_empty(), "with AGENTCORE_SOAK_SEED={seed}:\n{}", failures.join("\n"));
    assert_eq!((tasks_left, left.len()), (tasks, descriptors.len()), "back to the start: {left:?}");
    assert!(tally.memory_is_flat(), "memory grows: {:?}", tally.memory());
}

/// How the agents of a world are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Without a network between, so that all that was sent arrives; signed.
    Direct,
    /// HTTP/1.1, with tokens of a machine.
    Http1,
    /// HTTP/2 over TLS, with tokens of a user.
    Http2,
}

impl Way {
    fn streams(self) -> u64 {
        match self {
            Self::Direct => 300,
            Self::Http1 => 500,
            Self::Http2 => 400,
        }
    }

    fn sockets(self) -> u64 {
        match self {
            Self::Direct | Self::Http2 => 50,
            Self::Http1 => 200,
        }
    }
}

/// A mock, and the network before it.
struct World {
    way: Way,
    mock: Arc<Mock>,
    network: Option<Network>,
}

impl World {
    async fn start(way: Way, seed: u64, tally: Arc<Tally>) -> Self {
        let runs = Arc::new(Runs::new(seed, Arc::clone(&tally)));
        let mock: MockBuilder = Mock::builder()
            .tls(way == Way::Http2)
            .token_lifetime(Duration::from_secs(10))
            .user(User::new("ada", "Pa55-w0rd!"))
            .agent("agent", move |request| Arc::clone(&runs).answer(request));
        let mock = Arc::new(mock.start().await.unwrap());
        let network = match way {
            Way::Direct => None,
            _ => Some(Network::start(mock.url(), seed, tally).await),
        };
        Self { way, mock, network }
    }

    fn client(&self) -> Client {
        let url = match &self.network {
            None => self.mock.url().to_owned(),
            Some(network) => network.url.clone(),
        };
        let transport = Transport::builder().connect_timeout(Duration::from_secs(3));
        let transport = match self.mock.root_certificate_pem() {
            None => transport,
            Some(pem) => transport.root_certificates(pem).system_roots(false).http2(true),
        };
        let client = Client::builder().endpoints(url.parse::<agentcore_client::Endpoint>().unwrap());
        let client = client.transport(transport.build().unwrap());
        let client = match self.way {
            Way::Direct => {
                let keys = self.mock.credentials();
                let token = keys.session_token().map(str::to_owned);
                client.credentials(Credentials::new(
                    keys.access_key_id(),
                    keys.secret_access_key(),
                    token,
                    None,
                    "mock",
                ))
            }
            Way::Http1 => {
                let endpoint = format!("{url}/oauth2/token").parse().unwrap();
                let (id, secret) = (self.mock.client_id(), self.mock.client_secret());
                client.oauth(ClientCredentialsConfig::new(endpoint, id, secret))
            }
            Way::Http2 => {
                let pool = self.mock.cognito();
                let id: PoolId = pool.id().parse().unwrap();
                let user = CognitoConfig::new(id, pool.client_id(), Login::user_password("ada", "Pa55-w0rd!"));
                client.cognito(user.client_secret(pool.client_secret()).endpoint(url.parse().unwrap()))
            }
        };
        let quick = RetryPolicy::default().pauses(Duration::from_millis(10), Duration::from_millis(200));
        let timeouts = Timeouts::default().first_byte(Duration::from_secs(10)).idle(Duration::from_secs(5));
        let sockets = Settings::default()
            .open_timeout(Duration::from_secs(10))
            .open_deadline(Duration::from_secs(30))
            .close_timeout(Duration::from_secs(1))
            .ping_interval(Duration::from_secs(1))
            .pong_timeout(Duration::from_secs(2))
            .retry(quick.clone())
            .reconnect(quick.clone());
        let client = client.retry(quick).timeouts(timeouts.total(Duration::from_secs(60)));
        client.sockets(sockets).build().unwrap()
    }
}

/// A mock remembers every request, which is more than an hour has room for.
async fn forget(mocks: Vec<Arc<Mock>>) {
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        mocks.iter().for_each(|mock| drop(mock.take_requests()));
    }
}

/// Notes the memory of the process, once a second.
async fn measure(tally: Arc<Tally>, until: Instant) {
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_secs(1)).await;
        tally.memory_is(status("VmRSS:"));
    }
}

/// Waits until the tasks are back to the start, or as long as anything may take that ends by itself; returns how many there are.
fn settled(runtime: &Runtime, start: usize) -> usize {
    let deadline = Instant::now() + Duration::from_secs(20);
    runtime.block_on(async {
        loop {
            let now = Handle::current().metrics().num_alive_tasks();
            if now == start || Instant::now() > deadline {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
}

/// Returns what the process has open, but for what it looks with.
fn descriptors() -> Vec<String> {
    let entries = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    let all = entries.map(|path| path.display().to_string()).filter(|path| !path.starts_with("/proc/"));
    all.collect()
}

fn peak_memory() -> u64 {
    status("VmHWM:")
}

/// Returns a number of KiB that the kernel knows of this process.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
