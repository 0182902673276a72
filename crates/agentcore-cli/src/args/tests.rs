//! The grammar as a whole, and how flags and environment weigh against each other.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::report::Exit;

#[test]
fn the_grammar_is_sound() {
    grammar().debug_assert();
}

#[test]
fn every_flag_has_its_variable() {
    fn visit(grammar: &Grammar) {
        for arg in grammar.get_arguments() {
            let Some(flag) = arg.get_long().filter(|flag| !matches!(*flag, "help" | "version")) else { continue };
            let names = OTHER_VARIABLES.iter().find(|(name, _)| *name == flag).map_or(&[][..], |(_, names)| names);
            let own = format!("AGENTCORE_{}", flag.to_uppercase().replace('-', "_"));
            let name = arg.get_env().unwrap().to_str().unwrap();
            assert!(name == own || names.contains(&name), "{flag}: {name}");
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
        let (cli, matches) = parse(line.iter().map(OsString::from)).unwrap();
        let (_, matches) = matches.subcommand().unwrap();
        let target = cli.target.choice(matches);
        assert_eq!(target.arn, Some(Given { value: "echo".into(), explicit: true }), "{line:?}");
        assert_eq!(target.mock, Some(Given { value: (), explicit: true }), "{line:?}");
    }
}

#[test]
fn the_one_choice() {
    let explicit = |value| Some(Given { value, explicit: true });
    let ambient = |value| Some(Given { value, explicit: false });
    for (a, b, chosen) in [
        (None, None, Ok(None)),
        (explicit(1), None, Ok(Some(1))),
        (None, ambient(2), Ok(Some(2))),
        (explicit(1), ambient(2), Ok(Some(1))),
        (ambient(1), explicit(2), Ok(Some(2))),
        (explicit(1), explicit(2), Err("error: --a and --b exclude each other, and both are given\n")),
        (
            ambient(1),
            ambient(2),
            Err("error: --a and --b exclude each other, and both are given, by the environment\n"),
        ),
    ] {
        let made = one_of([("--a", a), ("--b", b)]).map(|given| given.map(|given| given.value));
        match (made, chosen) {
            (Ok(made), Ok(chosen)) => assert_eq!(made, chosen),
            (Err(failure), Err(lines)) => assert_eq!(failure.parts(), (Exit::Usage, lines.to_owned())),
            (made, chosen) => panic!("{made:?} is not {chosen:?}"),
        }
    }
}

#[test]
fn seconds_have_fractions_and_an_end() {
    for (text, duration) in [
        ("1", Some(Duration::from_secs(1))),
        ("0.25", Some(Duration::from_millis(250))),
        ("1e3", Some(Duration::from_secs(1000))),
        ("0", None),
        ("-0", None),
        ("1e-12", None),
        ("-1", None),
        ("inf", None),
        ("NaN", None),
        ("1e300", None),
        ("", None),
        ("1s", None),
    ] {
        assert_eq!(seconds(text).ok(), duration, "{text}");
    }
}
