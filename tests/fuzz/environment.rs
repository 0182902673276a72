//! What the machine says: variables, and the profile files of AWS, which the SDK reads in a process of its own.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use agentcore_client::{
    Endpoints, InputDigest, Journal,
    auth::{SystemClock, credentials, default_chain::DefaultChain, token},
    ws::{Proxy, Transport},
};
use aws_credential_types::provider::ProvideCredentials as _;
use bytes::Bytes;
use fastrand::Rng;

use super::{Target, cut, issuers::Hostile, texts};

pub(crate) fn targets() -> Vec<Target> {
    let variables = Target {
        name: "variables",
        seeds: texts(["https://user:pass@[::1]:8080", "AKIDEXAMPLE", "eyJh.e30.c2ln", "true", "us-east-1, *.aws:443"]),
        inputs: 3000,
        read: Box::new(variables),
    };
    let profiles = Target { name: "aws profiles", seeds: texts(PROFILES), inputs: 30, read: Box::new(profiles) };
    let journal = Target { name: "journal", seeds: texts(JOURNAL), inputs: 300, read: Box::new(journal) };
    vec![variables, profiles, journal]
}

/// The two files of a journal, of which what was written may be anything.
fn journal(input: &[u8], random: &mut Rng) {
    let home = Home::new();
    let (path, inputs) = (home.0.join("answers"), InputDigest::from_iter(["a", "b", "c"]));
    drop(Journal::create(&path, &inputs).unwrap());
    let started = home.0.join("answers.started");
    let header = fs::read(&started).unwrap();
    let pieces = cut(input, random);
    fs::write(&path, random.choice(&pieces).unwrap()).unwrap();
    let begins = if random.bool() { &header } else { random.choice(&pieces).unwrap() };
    fs::write(&started, [begins, &random.choice(&pieces).unwrap()[..]].concat()).unwrap();
    let Ok(journal) = Journal::resume(&path, &inputs) else { return };
    let counts = (journal.succeeded(), journal.uncertain(), journal.interrupted());
    let skips: Vec<_> = (0..4).map(|index| journal.skips(index)).collect();
    drop(journal);
    // What was read once is read again.
    let again = Journal::resume(&path, &inputs).unwrap();
    assert_eq!((again.succeeded(), again.uncertain(), again.interrupted()), counts);
    assert_eq!((0..4).map(|index| again.skips(index)).collect::<Vec<_>>(), skips);
}

/// Each variable is a piece of the input.
fn variables(input: &[u8], random: &mut Rng) {
    let pieces = cut(input, random);
    let chances = random.clone();
    let lookup = |name: &str| {
        let mut random = chances.clone();
        (0..name.len()).for_each(|_| _ = random.u8(..));
        Some(String::from_utf8_lossy(random.choice(&pieces)?).into_owned())
    };
    let _ = (credentials::from_env(lookup), token::from_env(lookup), Endpoints::from_env(None, lookup));
    let text = String::from_utf8_lossy(input);
    let url = String::from_utf8_lossy(random.choice(&pieces).unwrap()).into_owned();
    let _ = Transport::builder().proxy(Proxy::Url { url, except: text.into_owned() }).build();
}

/// A process whose variables are pieces of the input, and whose profile files are the input, asks the chain.
fn profiles(input: &[u8], random: &mut Rng) {
    // A profile may name a program to run.
    if input.windows(PROCESS.len()).any(|name| name.eq_ignore_ascii_case(PROCESS)) {
        return;
    }
    let home = Home::new();
    let pieces = cut(input, random);
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "environment::a_process_asks_the_chain", "--nocapture"]).env_clear();
    child.env("HOME", &home.0).env(CHILD, &home.0).env("AWS_EC2_METADATA_DISABLED", "true");
    for (name, file) in [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")] {
        fs::write(home.0.join(file), if random.bool() { input } else { random.choice(&pieces).unwrap() }).unwrap();
        child.env(name, home.0.join(file));
    }
    for name in VARIABLES {
        let value: Vec<u8> = random.choice(&pieces).unwrap().iter().copied().filter(|byte| *byte != 0).collect();
        if random.u8(..4) == 0 {
            child.env(name, OsString::from_vec(value));
        }
    }
    let ended = child.stdin(Stdio::null()).output().unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// The other process; alone it does nothing.
#[tokio::test]
async fn a_process_asks_the_chain() {
    let Some(home) = env::var_os(CHILD).map(PathBuf::from) else { return };
    let body = fs::read(home.join("config")).unwrap();
    let named = env::var("AWS_PROFILE").ok();
    for (profile, status) in [(None, 200), (Some("default"), 200), (Some("p"), 400), (named.as_deref(), 200)] {
        let port = Arc::new(Hostile { status, body: Bytes::copy_from_slice(&body) });
        let chain = DefaultChain::new(port, Arc::new(SystemClock::default()), None, profile).await;
        let found = chain.provide_credentials().await;
        drop((format!("{found:?}"), found.map_err(|error| error.to_string())));
    }
}

/// A directory that is removed.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("agentcore-fuzz-{:016x}", fastrand::u64(..)));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(Path::new(&self.0));
    }
}

const CHILD: &str = "AGENTCORE_FUZZ_CHILD";
const PROCESS: &[u8] = b"credential_process";
const VARIABLES: &[&str] = &[
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_SDK_UA_APP_ID",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_RETRY_MODE",
    "AWS_MAX_ATTEMPTS",
];
const JOURNAL: [&str; 3] = [
    "{\"line\":1,\"error\":null}\n{\"line\":2,\"error\":{\"may_have_run\":true}}\n{\"line\":3,\"error\":{\"may_have_run\":false}}\n",
    "1\n2\n3\n1\n",
    "{\"line\":2,\"error\":null}\n{\"line\":",
];
const PROFILES: [&str; 6] = [
    "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = hush\naws_session_token = t # a comment\n",
    "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = default\nregion = us-west-2\nduration_seconds = 900\n",
    "[profile p]\nsource_profile = p\nrole_arn = arn:aws:iam::123456789012:role/r\nmfa_serial = x\n",
    "[profile p]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n[sso-session s]\nsso_start_url = https://example.com/start\nsso_region = us-east-1\nsso_registration_scopes = sso:account:access\n",
    "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\ncredential_source = Environment\nexternal_id = e\n",
    "[default]\ns3 =\n  max_concurrent_requests = 20\n; a comment\n[services x]\nsts =\n  endpoint_url = https://example.com\n[ profile \"p q\" ]\nregion=\\u0000\n",
];
