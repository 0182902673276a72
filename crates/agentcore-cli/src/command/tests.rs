//! The grammar as a whole, and where its values come from.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::flags::{OTHER_VARIABLES, Source, Sourced};

#[test]
fn the_grammar_is_sound() {
    grammar().debug_assert();
}

#[test]
fn every_flag_has_its_variable() {
    fn visit(grammar: &Grammar) {
        for arg in grammar.get_arguments() {
            let Some(flag) = arg.get_long().filter(|flag| !matches!(*flag, "help" | "version")) else { continue };
            let own = format!("AGENTCORE_{}", flag.to_uppercase().replace('-', "_"));
            let name = arg.get_env().unwrap().to_str().unwrap();
            assert!(name == own || OTHER_VARIABLES.contains(&(flag, name)), "{flag}: {name}");
            assert!(arg.is_hide_env_values_set() || arg.is_hide_env_set(), "{flag}");
        }
        grammar.get_subcommands().for_each(visit);
    }
    visit(&grammar());
}

#[test]
fn global_flags_stand_before_and_after_the_command() {
    for line in [
        &["acore", "--mock", "--arn", "echo", "invoke", "hi"][..],
        &["acore", "invoke", "--mock", "--arn", "echo", "hi"],
        &["acore", "--arn", "echo", "invoke", "hi", "--mock"],
    ] {
        let target = Cli::parse_line(line.iter().map(OsString::from)).unwrap().target;
        assert_eq!(target.arn, Some(Sourced { value: "echo".into(), source: Source::Flag }), "{line:?}");
        assert_eq!(target.mock, Sourced { value: true, source: Source::Flag }, "{line:?}");
    }
}

#[test]
fn every_value_knows_its_source() {
    // A variable that every test's environment has.
    let grammar = grammar().mut_arg("arn", |arg| arg.env("PATH")).mut_arg("sigv4", |arg| arg.env("PATH"));
    let line = ["acore", "--region", "us-east-1", "--bearer-token=t", "login"];
    let cli = Cli::from_arg_matches(&grammar.try_get_matches_from(line).unwrap()).unwrap();
    let path = std::env::var("PATH").unwrap();
    let variable = Source::Variable("PATH".to_owned());
    assert_eq!(cli.target.arn, Some(Sourced { value: path, source: variable.clone() }));
    assert_eq!(cli.target.region, Some(Sourced { value: "us-east-1".to_owned(), source: Source::Flag }));
    assert_eq!(cli.target.mock, Sourced { value: false, source: Source::Default });
    assert_eq!(cli.identity.sigv4, Sourced { value: true, source: variable });
    assert_eq!(cli.identity.bearer_token.map(|token| token.source), Some(Source::Flag));
}
