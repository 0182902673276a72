//! Files of one crate that use one another in a circle, so that none can be read, tested or moved without the rest.
//!
//! It reads the names in the text, not their types: a method's file is not known by a call of it.

mod component;
mod module;
mod resolve;
mod use_tree;

use std::collections::BTreeSet;

use super::Violation;
use super::tree::Tree;
use component::Edge;

/// Checks that the files of each crate form no circle.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut packages: Vec<_> = tree.sources().map(|it| it.package).collect();
    packages.dedup();
    let roots =
        packages.iter().flat_map(|package| ["lib.rs", "main.rs"].map(|it| format!("crates/{package}/src/{it}")));
    let mut violations = Vec::new();
    for root in roots {
        let edges = resolve::edges(&module::read(&root, |path| tree.entry(path)));
        violations.extend(component::circles(&edges).iter().filter_map(|it| report(&root, it)));
    }
    violations
}

/// Reports one circle by all uses within it, at the first.
fn report(root: &str, circle: &[Edge<'_>]) -> Option<Violation> {
    let first = circle.first()?;
    let folder = &root[..=root.rfind('/')?];
    let short = |path: &str| path.strip_prefix(folder).unwrap_or(path).to_owned();
    let mut files: Vec<_> = circle.iter().map(|it| short(it.from)).collect();
    files.dedup();
    let mut uses = String::new();
    for pair in circle.chunk_by(|one, other| (one.from, one.to) == (other.from, other.to)) {
        let mut paths: Vec<_> = pair.iter().map(|it| format!("`{}`", it.path)).collect();
        let mut seen = BTreeSet::new();
        paths.retain(|it| seen.insert(it.clone()));
        let (from, line, to) = (short(pair[0].from), pair[0].line, short(pair[0].to));
        uses += &format!("\n    {from}:{line} uses {to} by {}", paths.join(", "));
    }
    let message = format!(
        "{} files use one another in a circle ({}): move what both sides need to a file that uses neither{uses}",
        files.len(),
        files.join(", "),
    );
    Some(Violation::new(first.from, first.line, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Path and text of each file.
    type Files<'a> = &'a [(&'a str, &'a str)];

    /// Checks a crate of the given files; returns the first line of each violation.
    fn said(files: Files) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|(path, text)| (format!("crates/x/src/{path}"), *text)).collect();
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let said = check(&Tree::of(&files));
        said.iter().map(|it| it.to_string().lines().next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn files_without_a_circle_pass() {
        let cases: &[Files] = &[
            // The root declares and re-exports, and everybody uses what it re-exports.
            &[
                ("lib.rs", "mod a; mod b; pub use a::A; pub use self::b::B; pub use crate::b::C as D;"),
                ("a.rs", "use crate::B; pub struct A(B, crate::D);"),
                ("b.rs", "pub struct B; pub struct C;"),
            ],
            // Children use their parent, which only declares them, or re-exports what it does not use.
            &[
                ("lib.rs", "pub mod a; const LIMIT: usize = 1;"),
                ("a.rs", "mod b; mod c; pub(crate) use b::B; pub use c::*; use d::D; pub struct A;"),
                ("a/b.rs", "use super::A; pub struct B(A, [u8; crate::LIMIT]);"),
                ("a/c.rs", "use super::{A, B}; pub struct C(A, B);"),
            ],
            // The parent uses its children, which use one another through it.
            &[
                ("lib.rs", "mod a;"),
                ("a.rs", "mod b; mod c; use b::B; fn f(_: B) { c::f(); }"),
                ("a/b.rs", "use super::c; pub struct B; fn f() { c::f(); }"),
                ("a/c.rs", "pub fn f() {}"),
            ],
            // Tests, comments, texts, visibility and other crates' names are no uses.
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::B; pub struct A(B); #[cfg(test)] mod tests; #[cfg(test)] mod helper;"),
                (
                    "b.rs",
                    "/// [`crate::a::A`]\npub(in crate::a) struct B; fn f() { \"crate::a::A\"; ::a::A; x::a::A; it.a::<B>() } \
                          #[cfg(test)] mod tests { use crate::a::A; }",
                ),
                ("a/tests.rs", "use crate::a::A;"),
                ("a/helper.rs", "use crate::a::A;"),
            ],
            // A module of the same file.
            &[("main.rs", "mod a { use super::f; pub fn g() { f() } } fn f() { a::g() }")],
            // A local name like that of what is re-exported is no use of it.
            &[
                ("lib.rs", "mod a;"),
                (
                    "a.rs",
                    "mod b; pub use b::read; pub struct A; impl A { fn read(read: u8) -> u8 { it.read(); read } }",
                ),
                ("a/b.rs", "use super::A; pub fn read(_: A) {}"),
            ],
            // A module that is named is not used: what its name leads to is. A method of that name is something else.
            &[
                ("lib.rs", "mod a; mod c;"),
                ("a.rs", "pub mod b; use crate::c::C; impl A { fn b() {} }"),
                ("a/b.rs", "pub fn g() {}"),
                ("c.rs", "use crate::a::b; use crate::a; pub struct C; m!(crate::a); fn f() { b::g(); a::b::g(); }"),
            ],
            // A module and a function of one name.
            &[
                ("lib.rs", "mod a; mod c;"),
                ("a.rs", "pub mod b; pub fn b() {} use crate::c::C;"),
                ("a/b.rs", "pub fn g() {}"),
                ("c.rs", "pub struct C; fn f() { crate::a::b::g() }"),
            ],
            // Names that lead nowhere end.
            &[
                ("lib.rs", "mod a; pub use b::C; pub use c::C as b; use b as c; use self::lost::X;"),
                ("a.rs", "use crate::b::X;"),
            ],
        ];
        for files in cases {
            assert_eq!(said(files), Vec::<String>::new(), "{files:?}");
        }
    }

    #[test]
    fn each_circle_is_a_violation() {
        let cases: &[(Files, &[&str])] = &[
            (
                &[
                    ("lib.rs", "mod a; mod b;"),
                    ("a.rs", "\nuse crate::b::B; pub struct A(B);"),
                    ("b.rs", "fn f() { crate::a::A::new(); }"),
                ],
                &["a.rs:2: 2 files use one another in a circle (a.rs, b.rs)"],
            ),
            // The child uses the parent's type, and the parent the child's.
            (
                &[
                    ("lib.rs", "mod a;"),
                    ("a.rs", "mod b; use b::B; pub struct A(B);"),
                    ("a/b.rs", "use super::A; pub struct B(Box<A>);"),
                ],
                &["a.rs:1: 2 files use one another in a circle (a.rs, a/b.rs)"],
            ),
            // The same where the parent re-exports what it uses.
            (
                &[
                    ("lib.rs", "mod a;"),
                    ("a.rs", "mod b; pub use b::B; pub struct A(B);"),
                    ("a/b.rs", "pub struct B(Box<super::A>);"),
                ],
                &["a.rs:1: 2 files use one another in a circle (a.rs, a/b.rs)"],
            ),
            (
                &[
                    ("lib.rs", "mod a;"),
                    ("a.rs", "mod b; pub use b::read; pub fn f() { read() }"),
                    ("a/b.rs", "pub fn read() { super::f() }"),
                ],
                &["a.rs:1: 2 files use one another in a circle (a.rs, a/b.rs)"],
            ),
            // By what the parent and the root re-export, from file to file.
            (
                &[
                    ("lib.rs", "mod a; pub use a::{b::B, *};"),
                    ("a.rs", "pub mod b; mod c; pub use self::c::{C as D, f};"),
                    ("a/b.rs", "use super::D; pub struct B(D);"),
                    ("a/c.rs", "pub struct C(Box<crate::B>); pub fn f() {}"),
                ],
                &["a/b.rs:1: 2 files use one another in a circle (a/b.rs, a/c.rs)"],
            ),
            // By a glob of the root's, and by a module that was imported.
            (
                &[
                    ("lib.rs", "mod a; mod b; pub use a::*;"),
                    ("a.rs", "use crate::b; pub struct A; fn f() { b::f() }"),
                    ("b.rs", "pub fn f(_: crate::A) {}"),
                ],
                &["a.rs:1: 2 files use one another in a circle (a.rs, b.rs)"],
            ),
            // Everything of the parent's.
            (
                &[("main.rs", "mod a; fn f() { a::f() }"), ("a.rs", "use super::*; pub fn f() {}")],
                &["a.rs:1: 2 files use one another in a circle (a.rs, main.rs)"],
            ),
            // From within a module of the file's own, and by a function's own `use`.
            (
                &[
                    ("lib.rs", "mod a; mod b;"),
                    ("a.rs", "mod inner { fn f() { super::super::b::f() } } pub fn g() {}"),
                    ("b.rs", "pub fn f() { use crate::a::{self}; a::g() }"),
                ],
                &["a.rs:1: 2 files use one another in a circle (a.rs, b.rs)"],
            ),
            // A re-export of what is not below the module, and an import of a trait, which no code names.
            (
                &[
                    ("lib.rs", "mod a; mod b;"),
                    ("a.rs", "pub use crate::b::B; pub fn f() {}"),
                    ("b.rs", "pub struct B; fn g() { crate::a::f() }"),
                ],
                &["a.rs:1: 2 files use one another in a circle (a.rs, b.rs)"],
            ),
            (
                &[
                    ("lib.rs", "mod a;"),
                    ("a.rs", "mod b; use b::Help; pub struct A;"),
                    ("a/b.rs", "pub trait Help {} impl Help for super::A {}"),
                ],
                &["a.rs:1: 2 files use one another in a circle (a.rs, a/b.rs)"],
            ),
            // A function that shares its name with a module.
            (
                &[
                    ("lib.rs", "mod a; mod c;"),
                    ("a.rs", "pub mod b; pub fn b() {} use crate::c::C;"),
                    ("a/b.rs", ""),
                    ("c.rs", "use crate::a::b; pub struct C; fn f() { b() }"),
                ],
                &["a.rs:1: 2 files use one another in a circle (a.rs, c.rs)"],
            ),
            // What a glob brings from a module of the file's own, by whatever keywords it is declared.
            (
                &[
                    ("lib.rs", "mod a; mod c; pub use a::inner::*;"),
                    ("a.rs", "pub mod inner { pub struct X; pub fn f() {} } fn f() { crate::c::g() }"),
                    ("c.rs", "pub fn g(_: crate::X) {}"),
                ],
                &["a.rs:1: 2 files use one another in a circle (a.rs, c.rs)"],
            ),
            (
                &[
                    ("lib.rs", "mod a; mod c; pub use a::*;"),
                    ("a.rs", "pub const fn x() {} fn f() { crate::c::g() }"),
                    ("c.rs", "pub fn g() { crate::x() }"),
                ],
                &["a.rs:1: 2 files use one another in a circle (a.rs, c.rs)"],
            ),
            (
                &[
                    ("lib.rs", "mod a; mod c;"),
                    ("a.rs", "macro_rules! m { () => {} } pub(crate) use m; fn f() { crate::c::g() }"),
                    ("c.rs", "pub fn g() { crate::a::m!() }"),
                ],
                &["a.rs:1: 2 files use one another in a circle (a.rs, c.rs)"],
            ),
            // What stands behind an inner module and behind captured lifetimes.
            (
                &[
                    ("lib.rs", "mod a;"),
                    ("a.rs", "mod inner {} mod d; fn f<'a>() -> impl X + use<'a> { d::g() }"),
                    ("a/d.rs", "pub fn g() { super::f() }"),
                ],
                &["a.rs:1: 2 files use one another in a circle (a.rs, a/d.rs)"],
            ),
            // Two circles, and a tail that belongs to neither.
            (
                &[
                    ("lib.rs", "mod a; mod b; mod c; mod d; mod e; mod f;"),
                    ("a.rs", "use crate::b::B;"),
                    ("b.rs", "use crate::c::C;"),
                    ("c.rs", "use crate::a::A; use crate::d::D;"),
                    ("d.rs", "use crate::e::E; use crate::f::F;"),
                    ("e.rs", "use crate::d::D;"),
                    ("f.rs", "pub struct F;"),
                ],
                &[
                    "a.rs:1: 3 files use one another in a circle (a.rs, b.rs, c.rs)",
                    "d.rs:1: 2 files use one another in a circle (d.rs, e.rs)",
                ],
            ),
        ];
        for (files, expected) in cases {
            let expected: Vec<_> = expected
                .iter()
                .map(|it| format!("crates/x/src/{it}: move what both sides need to a file that uses neither"))
                .collect();
            assert_eq!(said(files), expected, "{files:?}");
        }
    }

    #[test]
    fn every_use_within_a_circle_is_told() {
        let files = [
            (
                "crates/x/src/a.rs",
                "\nuse crate::b::{B, C};\nuse crate::c::D;\nfn f() { B::new(); crate::b::f() }\nfn g() { crate::b::f() }",
            ),
            ("crates/x/src/b.rs", "pub struct B(crate::a::A);"),
            ("crates/x/src/c.rs", "pub struct D;"),
            ("crates/x/src/lib.rs", "mod a; mod b; mod c; use a::A;"),
        ];
        let said: Vec<_> = check(&Tree::of(&files)).iter().map(ToString::to_string).collect();
        let expected = "crates/x/src/a.rs:2: 2 files use one another in a circle (a.rs, b.rs): \
                        move what both sides need to a file that uses neither\n    \
                        a.rs:2 uses b.rs by `crate::b::B`, `crate::b::C`, `crate::b::f`\n    \
                        b.rs:1 uses a.rs by `crate::a::A`";
        assert_eq!(said, [expected]);
    }
}
