//! Programs that depend on one crate of the workspace (`tests/alone`): each is built by itself, runs, and has nothing in its tree that the
//! crate promises to do without.

use std::collections::BTreeSet;

use xshell::cmd;

use crate::workspace::Workspace;
use crate::{Outcome, report};

/// A program, what its tree has not, and what it prints.
struct Program {
    name: &'static str,
    without: &'static [&'static str],
    prints: &'static str,
}

const PROGRAMS: [Program; 3] = [
    Program {
        name: "alone-auth",
        without: &[
            "agentcore-client",
            "agentcore-http",
            "agentcore-transport",
            "agentcore-ws",
            "aws-config",
            "aws-lc-rs",
            "aws-sdk-cognitoidentityprovider",
            "clap",
            "hyper",
            "hyper-util",
            "mio",
            "redis",
            "reqwest",
            "rustls",
            "socket2",
        ],
        prints: "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/bedrock-agentcore/aws4_request",
    },
    Program {
        name: "alone-ws",
        without: &[
            "agentcore-client",
            "agentcore-http",
            "agentcore-transport",
            "aws-config",
            "aws-lc-rs",
            "aws-sdk-cognitoidentityprovider",
            "clap",
            "hyper",
            "hyper-util",
            "mio",
            "rustls",
            "socket2",
            "tokio-tungstenite",
            "tungstenite",
        ],
        prints: "wss://bedrock-agentcore.us-east-1.amazonaws.com/runtimes/\
                 arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fmy-agent/ws with Bearer bought",
    },
    Program {
        name: "alone-http",
        without: &[
            "agentcore-client",
            "agentcore-ws",
            "aws-config",
            "aws-sdk-cognitoidentityprovider",
            "axum",
            "clap",
            "moka",
            "native-tls",
            "opentelemetry",
            "redis",
            "rmcp",
            "tokio-tungstenite",
            "tungstenite",
        ],
        prints: "Unavailable, may have run: false",
    },
];

/// Checks each program.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let shell = &workspace.shell;
    let mut faults = Vec::new();
    for Program { name, without, prints } in &PROGRAMS {
        let tree = cmd!(shell, "cargo tree --package {name} --edges normal --prefix none --locked").quiet().read()?;
        let tree = packages(&tree);
        let unwanted: Vec<_> = without.iter().copied().filter(|it| tree.contains(it)).collect();
        if !unwanted.is_empty() {
            faults.push(format!("{name} has in its tree: {}", unwanted.join(", ")));
        }
        let said = cmd!(shell, "cargo run --quiet --locked --package {name}").quiet().read()?;
        if said != *prints {
            faults.push(format!("{name} said `{said}`, expected `{prints}`"));
        }
        report::line(format_args!("{name}: {} packages", tree.len()));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// The names in what `cargo tree` prints.
fn packages(tree: &str) -> BTreeSet<&str> {
    tree.lines().filter_map(|line| line.split(' ').next()).filter(|it| !it.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_names() {
        let tree = "alone v0.1.0 (here)\nbytes v1.12.1\nbytes v1.12.1 (*)\n\nserde v1.0.0\n";
        assert_eq!(packages(tree).into_iter().collect::<Vec<_>>(), ["alone", "bytes", "serde"]);
    }
}
