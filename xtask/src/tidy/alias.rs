//! The names that users of the Python clients search for, each kept as the name of a type or as a `doc(alias)` of the item that
//! replaces it. Looks at lines, not at syntax: an attribute or a type in a line's middle does not count.

use super::Violation;
use super::tree::Tree;

/// Checks that some type of the libraries has each name, or some item has it as an alias.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    missing(tree)
        .map(|name| {
            let message = format!(
                "no item has the alias `{name}`, which users of the Python clients search for: \
                 add `{}` to the item that replaces it",
                attribute(name)
            );
            Violation::new(FACADE, 1, message)
        })
        .collect()
}

fn missing(tree: &Tree) -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied().filter(|name| {
        let attribute = attribute(name);
        let has = |line: &str| line.trim_start().starts_with(&attribute) || is_type(line, name);
        !tree.sources().any(|source| source.text.lines().any(has))
    })
}

/// Returns whether the line declares a public type of this name. Such a type needs no alias, and rustdoc forbids one.
fn is_type(line: &str, name: &str) -> bool {
    let declared = || {
        let rest = line.trim_start().strip_prefix("pub ")?;
        let rest = TYPES.iter().find_map(|keyword| rest.strip_prefix(keyword))?;
        rest.trim_start().strip_prefix(name)
    };
    declared().is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

fn attribute(name: &str) -> String {
    format!("#[doc(alias = \"{name}\")]")
}

const FACADE: &str = "crates/agentcore-client/src/lib.rs";
const TYPES: [&str; 4] = ["struct ", "enum ", "trait ", "type "];
const NAMES: &[&str] = &[
    "generate_ws_connection",
    "generate_ws_connection_oauth",
    "generate_presigned_url",
    "AgentRuntimeClient",
    "AgentCoreRuntimeClient",
    "AuthenticationManager",
    "CognitoConfig",
    "create_agentcore_client_with_jwt",
    "create_agentcore_client_with_auth_manager",
    "invoke_agent",
    "invoke_agent_with_streaming",
    "endpoint_name",
    "custom_headers",
    "chunk_text",
    "is_final",
    "AuthenticationError",
    "AgentTimeoutError",
    "AgentUnavailableError",
    "AgentInvocationError",
    "invoke_agent_runtime",
    "open_shell",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_counts_where_an_item_has_it() {
        let cases = [
            ("crates/a/src/lib.rs", "#[doc(alias = \"invoke_agent\")]\npub fn f() {}", true),
            ("crates/a/src/x/y.rs", "impl X {\n    #[doc(alias = \"invoke_agent\")]\n    pub fn f() {}\n}", true),
            ("crates/a/src/lib.rs", "enum X { Y }\n#[doc(alias = \"invoke_agent\")] enum Z {}", true),
            ("crates/a/src/lib.rs", "#[doc(alias = \"invoke_agent_with_streaming\")]\npub fn f() {}", false),
            (
                "crates/a/src/lib.rs",
                "/// `invoke_agent`, #[doc(alias = \"invoke_agent\")]\npub fn invoke_agent() {}",
                false,
            ),
            ("crates/a/src/x/tests.rs", "#[doc(alias = \"invoke_agent\")]\nfn f() {}", false),
            ("crates/a/tests/x.rs", "#[doc(alias = \"invoke_agent\")]\nfn f() {}", false),
            ("xtask/src/main.rs", "#[doc(alias = \"invoke_agent\")]\nfn f() {}", false),
        ];
        for (path, text, counts) in cases {
            let tree = Tree::of(&[(path, text)]);
            assert_eq!(!missing(&tree).any(|it| it == "invoke_agent"), counts, "{path}: {text}");
        }
    }

    #[test]
    fn a_type_of_the_name_counts_as_its_own_alias() {
        let cases = [
            ("crates/a/src/lib.rs", "pub struct CognitoConfig {", true),
            ("crates/a/src/lib.rs", "pub struct CognitoConfig;", true),
            ("crates/a/src/lib.rs", "pub struct CognitoConfig(u8);", true),
            ("crates/a/src/lib.rs", "pub struct CognitoConfig<T> {", true),
            ("crates/a/src/lib.rs", "pub enum CognitoConfig {", true),
            ("crates/a/src/lib.rs", "pub trait CognitoConfig: Send {", true),
            ("crates/a/src/lib.rs", "pub type CognitoConfig = u8;", true),
            ("crates/a/src/lib.rs", "mod m {\n    pub struct CognitoConfig {\n    }\n}", true),
            ("crates/a/src/lib.rs", "pub struct CognitoConfigs {", false),
            ("crates/a/src/lib.rs", "pub struct CognitoConfig2;", false),
            ("crates/a/src/lib.rs", "pub struct CognitoConfig_;", false),
            ("crates/a/src/lib.rs", "pub struct MyCognitoConfig {", false),
            ("crates/a/src/lib.rs", "struct CognitoConfig {", false),
            ("crates/a/src/lib.rs", "pub(crate) struct CognitoConfig {", false),
            ("crates/a/src/lib.rs", "pub fn CognitoConfig() {}", false),
            ("crates/a/src/lib.rs", "/// pub struct CognitoConfig {", false),
            ("crates/a/src/x/tests.rs", "pub struct CognitoConfig {", false),
            ("crates/a/tests/x.rs", "pub struct CognitoConfig {", false),
            ("xtask/src/main.rs", "pub struct CognitoConfig {", false),
        ];
        for (path, text, counts) in cases {
            let tree = Tree::of(&[(path, text)]);
            assert_eq!(!missing(&tree).any(|it| it == "CognitoConfig"), counts, "{path}: {text}");
        }
    }

    #[test]
    fn each_missing_alias_is_a_violation() {
        let all: String = NAMES.iter().map(|name| format!("{}\nfn f() {{}}\n", attribute(name))).collect();
        assert_eq!(check(&Tree::of(&[("crates/a/src/lib.rs", &all)])), []);
        let without = all.replace("\"chunk_text\"", "\"chunk\"").replace("\"is_final\"", "\"last\"");
        let said: Vec<_> =
            check(&Tree::of(&[("crates/a/src/lib.rs", &without)])).iter().map(ToString::to_string).collect();
        let expected = [
            "crates/agentcore-client/src/lib.rs:1: no item has the alias `chunk_text`, which users of the Python clients \
             search for: add `#[doc(alias = \"chunk_text\")]` to the item that replaces it",
            "crates/agentcore-client/src/lib.rs:1: no item has the alias `is_final`, which users of the Python clients \
             search for: add `#[doc(alias = \"is_final\")]` to the item that replaces it",
        ];
        assert_eq!(said, expected);
        assert_eq!(check(&Tree::of(&[])).len(), 21);
    }
}
