//! Public types of the libraries, each under a name of its own. Functions, constants and re-exports may share names.

use std::collections::BTreeMap;

use super::Violation;
use super::token::{self, Token};
use super::tree::Tree;

/// Checks that no two files declare a public type of the same name.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut places: BTreeMap<&str, Vec<Place>> = BTreeMap::new();
    for source in tree.sources().filter(|it| !PROGRAMS.contains(&it.package)) {
        for name in declared(&token::production(source.text)) {
            let places = places.entry(name.text).or_default();
            // One file declares a type twice where a `cfg` chooses between the two.
            if places.last().is_none_or(|it| it.path != source.path) {
                places.push(Place { package: source.package, path: source.path, line: name.line });
            }
        }
    }
    let mut violations = Vec::new();
    for (name, places) in &places {
        for (index, place) in places.iter().enumerate() {
            let once_a_crate = ONCE_A_CRATE.contains(name);
            let other = places[..index].iter().find(|it| !once_a_crate || it.package == place.package);
            let Some(other) = other else { continue };
            let message =
                format!("the public name `{name}` also stands in {}:{}: rename one of them", other.path, other.line);
            violations.push(Violation::new(place.path, place.line, message));
        }
    }
    violations
}

struct Place<'a> {
    package: &'a str,
    path: &'a str,
    line: usize,
}

/// The names of the types declared `pub` without a restriction.
fn declared<'a>(tokens: &[Token<'a>]) -> impl Iterator<Item = Token<'a>> {
    let starts = tokens.iter().enumerate().filter(|(_, it)| it.text == "pub");
    starts.filter_map(|(index, _)| {
        let mut words = tokens[index + 1..].iter().skip_while(|it| MODIFIERS.contains(&it.text));
        let keyword = words.next()?;
        // `pub union: T` is a field.
        let name = words.next().filter(|it| it.is_word())?;
        KINDS.contains(&keyword.text).then_some(*name)
    })
}

const KINDS: &[&str] = &["enum", "struct", "trait", "type", "union"];
const MODIFIERS: &[&str] = &["auto", "unsafe"];
/// The names that each crate may use for a type of its own.
const ONCE_A_CRATE: &[&str] = &["Error", "ErrorKind", "Result"];
/// The crates without a public interface.
const PROGRAMS: &[&str] = &["agentcore-cli"];

#[cfg(test)]
mod tests {
    use super::*;

    fn said(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_that_stand_once_pass() {
        let cases: &[&[(&str, &str)]] = &[
            &[("crates/a/src/lib.rs", "pub struct X;"), ("crates/b/src/lib.rs", "pub struct Y;")],
            &[("crates/a/src/lib.rs", "pub struct X;"), ("crates/b/src/lib.rs", "pub(crate) struct X; struct Y(X);")],
            &[("crates/a/src/lib.rs", "pub struct X;"), ("crates/b/src/lib.rs", "pub use a::X; pub fn X() {}")],
            &[
                ("crates/a/src/lib.rs", "pub struct X;"),
                ("crates/b/src/lib.rs", "// pub struct X;\n/* pub enum X {} */"),
            ],
            &[("crates/a/src/lib.rs", "pub struct X;"), ("crates/b/src/lib.rs", "const A: &str = \"pub struct X;\";")],
            &[("crates/a/src/lib.rs", "pub struct X;"), ("crates/a/src/x/tests.rs", "pub struct X;")],
            &[("crates/a/src/lib.rs", "pub struct X;"), ("crates/a/src/x/tests/y.rs", "pub struct X;")],
            &[("crates/a/src/lib.rs", "pub struct X;"), ("crates/a/tests/x.rs", "pub struct X;")],
            &[("crates/a/src/lib.rs", "pub struct X;"), ("crates/a/benches/x.rs", "pub struct X;")],
            &[("crates/a/src/lib.rs", "pub struct X;\n#[cfg(test)]\nmod tests { pub struct X; }")],
            &[("crates/a/src/lib.rs", "#[cfg(unix)] pub struct X;\n#[cfg(windows)] pub struct X;")],
            &[("crates/a/src/lib.rs", "pub struct X;"), ("crates/agentcore-cli/src/main.rs", "pub struct X;")],
            &[("crates/a/src/lib.rs", "pub struct Error;"), ("crates/b/src/lib.rs", "pub enum Error {}")],
            &[
                ("crates/a/src/lib.rs", "pub struct X { pub union: T }"),
                ("crates/b/src/lib.rs", "pub struct Y { pub union: X }"),
            ],
        ];
        for files in cases {
            assert_eq!(said(files), Vec::<String>::new(), "{files:?}");
        }
    }

    #[test]
    fn names_that_stand_twice_are_violations() {
        let first = "crates/a/src/lib.rs";
        let declarations =
            ["pub enum X {}", "pub trait X {}", "pub unsafe trait X {}", "pub type X = u8;", "pub union X {}"];
        for second in declarations {
            let expected =
                format!("crates/b/src/y.rs:2: the public name `X` also stands in {first}:1: rename one of them");
            assert_eq!(said(&[(first, "pub struct X;"), ("crates/b/src/y.rs", &format!("\n{second}"))]), [expected]);
        }
        assert_eq!(
            said(&[
                (first, "\npub struct Error;"),
                ("crates/a/src/b.rs", "pub enum Error {}"),
                ("crates/b/src/lib.rs", "pub struct Error;")
            ]),
            ["crates/a/src/lib.rs:2: the public name `Error` also stands in crates/a/src/b.rs:1: rename one of them"],
        );
    }
}
