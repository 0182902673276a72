//! What every crate's manifest must say.

use super::Violation;

/// Checks that a crate takes the workspace's lints; a manifest that is no package passes.
pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    if !text.lines().any(|it| it == "[package]") {
        return Vec::new();
    }
    let mut lints = text.lines().skip_while(|it| *it != "[lints]").skip(1).take_while(|it| !it.starts_with('['));
    if lints.any(|it| it == "workspace = true") {
        return Vec::new();
    }
    vec![Violation::new(path, 1, "the workspace's lints do not apply: add `[lints]` with `workspace = true`")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_takes_the_lints_of_the_workspace() {
        let cases = [
            ("[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n", true),
            ("[workspace]\nmembers = []\n", true),
            ("[package]\nname = \"x\"\n", false),
            ("[package]\nname = \"x\"\n\n[lints]\n", false),
            ("[package]\nname = \"x\"\n\n[lints.rust]\nunsafe_code = \"warn\"\n", false),
            ("[package]\nname = \"x\"\n\n[lints]\n\n[dependencies.y]\nworkspace = true\n", false),
        ];
        for (text, passes) in cases {
            assert_eq!(check("x/Cargo.toml", text).is_empty(), passes, "{text}");
        }
    }
}
