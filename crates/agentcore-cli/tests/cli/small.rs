//! `mock`, `ping`, `completions` and help.

use std::collections::BTreeMap;

use crate::{
    process::lines_up_to,
    world::{World, acore, run},
};

#[test]
fn the_mock_says_how_to_reach_it() {
    let mut server = acore(["mock"]).spawn().unwrap();
    let lines = lines_up_to(&mut server, "  AGENTCORE_OAUTH_CLIENT_SECRET=");
    let url = lines[0].strip_prefix("ready ").unwrap();
    let port: u16 = url.strip_prefix("http://127.0.0.1:").unwrap().parse().unwrap();
    assert_ne!(port, 0);
    for agent in ["  echo  ", "  story  ", "  fail-midstream  "] {
        assert_eq!(lines.iter().filter(|line| line.starts_with(agent)).count(), 1, "{agent}: {lines:?}");
    }
    let exports: BTreeMap<&str, &str> =
        lines.iter().filter_map(|line| line.strip_prefix("export ")?.split_once('=')).collect();
    assert_eq!(exports["AWS_ENDPOINT_URL_BEDROCK_AGENTCORE"], url);

    let story = "Once upon a time";
    for args in [vec!["invoke", "hi"], vec!["invoke", "--sigv4", "hi"]] {
        let ended = run(acore(args).envs(&exports));
        assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.starts_with(story), "{}", ended.stdout);
    }
    let ended = run(&mut acore(["invoke", "--local", url, "hi"]));
    assert!(ended.stdout.starts_with("{\"payload\":"), "{}", ended.stdout);
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn a_mock_with_tls_endpoints_and_a_quota() {
    let file = std::env::temp_dir().join(format!("acore-mock-{}.pem", std::process::id()));
    let ca = file.to_str().unwrap();
    let args = [
        "mock",
        "--tls-ca",
        ca,
        "--endpoint",
        "prod",
        "--new-sessions-per-second",
        "0",
        "--pace",
        "0",
        "--http2-streams",
        "1",
    ];
    let mut server = acore(args).spawn().unwrap();
    let lines = lines_up_to(&mut server, "  AGENTCORE_OAUTH_CLIENT_SECRET=");
    let url = lines[0].strip_prefix("ready ").unwrap();
    let exports: BTreeMap<&str, &str> =
        lines.iter().filter_map(|line| line.strip_prefix("export ")?.split_once('=')).collect();
    assert_eq!((exports["SSL_CERT_FILE"], exports["AWS_ENDPOINT_URL_BEDROCK_AGENTCORE"]), (ca, url));
    for (args, exit, words) in [
        (vec!["invoke", "--local", url, "hi"], 0, ""),
        (vec!["invoke", "--no-retry", "--qualifier", "prod", "hi"], 4, "ThrottlingException"),
        (vec!["invoke", "--qualifier", "test", "hi"], 6, "ResourceNotFoundException"),
    ] {
        let ended = run(acore(args).envs(&exports));
        assert!(ended.exit == Some(exit) && ended.stderr.contains(words), "{exit}: {}", ended.stderr);
    }
    let ended = run(acore(["invoke", "--local", url, "hi"]).env("SSL_CERT_FILE", "/dev/null"));
    assert_eq!(ended.exit, Some(4), "{}", ended.stderr);
    server.kill().unwrap();
    server.wait().unwrap();
    std::fs::remove_file(file).unwrap();
    let ended = run(&mut acore(["mock", "--tls-ca", "/nonexistent/ca.pem"]));
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(2), ""));
}

/// Method, operation, agent, caller, status, milliseconds.
#[test]
fn the_mock_logs_a_line_a_request() {
    let mut server = acore(["mock", "--pace", "0"]).spawn().unwrap();
    let lines = lines_up_to(&mut server, "  AGENTCORE_OAUTH_CLIENT_SECRET=");
    let url = lines[0].strip_prefix("ready ").unwrap().to_owned();
    let exports: BTreeMap<&str, &str> =
        lines.iter().filter_map(|line| line.strip_prefix("export ")?.split_once('=')).collect();
    let arn = exports["AGENTCORE_RUNTIME_ARN"];
    for (args, exit) in [
        (vec!["invoke", "hi"], 0),
        (vec!["invoke", "hi", "--sigv4", "--arn", "error-500"], 2),
        (vec!["invoke", "hi", "--sigv4", "--no-retry"], 0),
        (vec!["invoke", "hi", "--qualifier", "nope"], 6),
        (vec!["invoke", "hi", "--arn", &arn.replace("us-east-1", "eu-west-1")], 6),
        (vec!["invoke", "hi", "--bearer-token", "opaque"], 3),
        (vec!["ping", "--local", &url], 0),
    ] {
        let ended = run(acore(args.iter().copied()).envs(&exports));
        assert_eq!(ended.exit, Some(exit), "{args:?}: {}", ended.stderr);
    }
    server.kill().unwrap();
    let logged = crate::world::ended(server).stderr;
    let key = exports["AWS_ACCESS_KEY_ID"];
    let expected = [
        "POST invocations story 5d0b3a52-7f0e-4d6c-9a7e-2f5a1c8b9e01 200 ",
        &format!("POST invocations story {key} 200 "),
        "POST invocations - 5d0b3a52-7f0e-4d6c-9a7e-2f5a1c8b9e01 404 ",
        "POST invocations - 5d0b3a52-7f0e-4d6c-9a7e-2f5a1c8b9e01 400 ",
        "POST invocations - - 401 ",
        "GET oauth-protected-resource - - 200 ",
        "GET ping - - 200 ",
    ];
    let lines: Vec<_> = logged.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{logged}");
    for (line, beginning) in lines.iter().zip(expected) {
        let millis = line.strip_prefix(beginning).and_then(|rest| rest.strip_suffix(" ms"));
        assert!(millis.is_some_and(|millis| millis.parse::<u32>().is_ok()), "{line}");
    }
    assert!(!logged.contains(exports["AGENTCORE_BEARER_TOKEN"]));
}

#[cfg(unix)]
#[test]
fn the_mock_ends_by_ctrl_c() {
    let mut server = acore(["mock"]).spawn().unwrap();
    lines_up_to(&mut server, "ready ");
    crate::world::signal("-INT", &server);
    assert_eq!(server.wait().unwrap().code(), Some(130));
}

#[test]
fn a_port_that_is_taken() {
    let world = World::new();
    let port = world.mock.url().rsplit(':').next().unwrap();
    let ended = run(&mut acore(["mock", "--port", port]));
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(2), ""));
    let line = format!("error: the mock did not start\n  caused by: cannot listen on port {port} of 127.0.0.1\n");
    assert!(ended.stderr.starts_with(&line), "{}", ended.stderr);
}

#[test]
fn ping() {
    let world = World::new();
    let ended = run(&mut acore(["ping", "--local", world.mock.url()]));
    assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), ""));
    let health: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(health["status"], "Healthy");
    assert!(health["time_of_last_update"].is_u64());
    assert_eq!(ended.stdout.lines().count(), 1);
}

#[test]
fn completions() {
    for (shell, beginning) in [
        ("bash", "_acore() {"),
        ("zsh", "#compdef acore"),
        ("fish", "# Print an optspec"),
        ("powershell", "\nusing namespace"),
        ("elvish", "\nuse builtin;"),
    ] {
        let ended = run(&mut acore(["completions", shell]));
        assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), ""), "{shell}");
        assert!(ended.stdout.starts_with(beginning), "{shell}: {:.80}", ended.stdout);
        assert!(ended.stdout.contains("--session-name") || ended.stdout.contains("session-name"), "{shell}");
    }
}

#[test]
fn help_and_version() {
    for (args, says) in [
        (vec!["version"], concat!("acore ", env!("CARGO_PKG_VERSION"), "\n")),
        (vec!["--version"], concat!("acore ", env!("CARGO_PKG_VERSION"), "\n")),
        (vec!["--help"], "acore --mock invoke \"Tell me a story\""),
        (vec!["invoke", "--help"], "--payload <JSON|@FILE|->"),
        (vec!["help", "mock"], "--port <PORT>"),
    ] {
        let ended =
            run(acore(args.iter().copied()).env("AGENTCORE_BEARER_TOKEN", "hush").env("AGENTCORE_PAYLOAD", "hush"));
        assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), ""), "{args:?}");
        assert!(ended.stdout.contains(says), "{args:?}: {}", ended.stdout);
        assert!(!ended.stdout.contains("hush"), "{args:?}: {}", ended.stdout);
    }
}

#[test]
fn manual_pages() {
    let ended = run(&mut acore(["man"]));
    assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains(".TH acore 1") && ended.stdout.contains("acore\\-invoke(1)"), "{}", ended.stdout);
    let dir = std::env::temp_dir().join(format!("acore-man-{}", std::process::id()));
    let ended = run(&mut acore(["man", "--dir", dir.to_str().unwrap()]));
    assert_eq!((ended.exit, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""));
    let page = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    assert!(page("acore-invoke.1").contains("\\-\\-bearer\\-token"));
    assert!(!page("acore-mock.1").contains("\\-\\-arn"), "a page has what the command can use");
    std::fs::remove_dir_all(dir).unwrap();
    let ended = run(&mut acore(["man", "--dir", "/dev/null/x"]));
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(2), ""));
}
