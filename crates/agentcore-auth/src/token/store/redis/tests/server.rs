//! A server of its own for each test, on loopback, which ends with the value.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
};

use redis::{Client, Cmd, FromRedisValue, cmd};

use super::*;

pub(super) struct Server {
    pub(super) port: u16,
    arguments: Vec<String>,
    program: PathBuf,
    running: Option<(Child, BufReader<ChildStdout>)>,
}

impl Server {
    /// Starts a server with these settings besides its port, if the tests are told which program it is.
    pub(super) fn start(settings: &[&str]) -> Option<Self> {
        let program = std::env::var_os("AGENTCORE_TEST_REDIS_SERVER").map(PathBuf::from)?;
        let port = free_port();
        let arguments = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let mut server = Self { port, arguments, program, running: None };
        server.resume();
        Some(server)
    }

    /// Starts it, again if it was killed.
    pub(super) fn resume(&mut self) {
        let mut command = Command::new(&self.program);
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]).args(&self.arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("Ready to accept connections") {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "the server did not start");
        }
        self.running = Some((child, lines));
    }

    pub(super) fn kill(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, name: &str) {
        let (child, _) = self.running.as_ref().unwrap();
        assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(super) fn store(&self) -> RedisStoreBuilder {
        patient(RedisStore::builder(&self.url(), key(1))).clock(clock())
    }

    /// Sends it a command by a connection that is not the store's.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> T {
        let mut connection = Client::open(self.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
        command.query_async(&mut connection).await.unwrap()
    }

    /// Lets the lease of `key` end, as if its holder had been paused for long.
    pub(super) async fn end_lease(&self) {
        let _: u8 = self.ask(cmd("HSET").arg(lease()).arg("until").arg(0)).await;
    }

    /// Returns when scripts have been run so many more times.
    pub(super) async fn wait_for_attempts(&self, more: u64) {
        let calls = || async {
            let all: String = self.ask(cmd("INFO").arg("commandstats")).await;
            let line = all.lines().find_map(|line| line.strip_prefix("cmdstat_eval:calls=")).unwrap().to_owned();
            line.split(',').next().unwrap().parse::<u64>().unwrap()
        };
        let before = calls().await;
        while calls().await < before + more {}
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Makes a store wait longer than any machine is busy, where its patience is not what is tested.
pub(super) fn patient(store: RedisStoreBuilder) -> RedisStoreBuilder {
    store.timeout(secs(60))
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
