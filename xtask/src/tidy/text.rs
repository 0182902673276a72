//! What no text of the project may hold: unfinished marks, one machine's paths, a registry's host.

use super::Violation;

/// Checks one text file. `Cargo.lock` passes: cargo writes the registry into it.
pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    if path.rsplit('/').next() == Some("Cargo.lock") {
        return Vec::new();
    }
    let mut violations = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(mark) = UNFINISHED.iter().find(|it| has_word(line, it)) {
            let message = format!("`{mark}` marks unfinished work: finish it, or leave it out");
            violations.push(Violation::new(path, index + 1, message));
        }
        if let Some(place) = MACHINE.iter().find(|it| begins_path(line, it)) {
            let message = format!("`{place}` is a path of one machine: make it relative");
            violations.push(Violation::new(path, index + 1, message));
        }
        if let Some(host) = HOSTS.iter().find(|it| has_word(line, it)) {
            let message = format!("`{host}` is a registry's host: name the package, its client knows the host");
            violations.push(Violation::new(path, index + 1, message));
        }
    }
    violations
}

/// Whether the word stands in the line by itself, not as a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let inside = |it: char| it.is_alphanumeric() || it == '_';
        !line[..start].ends_with(inside) && !line[start + word.len()..].starts_with(inside)
    })
}

/// Whether the line has an absolute path that begins so; `../work/` and `example.com/home/` are none.
fn begins_path(line: &str, beginning: &str) -> bool {
    line.match_indices(beginning)
        .any(|(start, _)| !line[..start].ends_with(|it: char| it.is_alphanumeric() || "._-~})".contains(it)))
}

// Each is split, so that this file passes its own check.
const UNFINISHED: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!"), concat!("un", "implemented!")];
const MACHINE: &[&str] = &[concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/")];
const HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".com"),
    concat!("npmjs", ".org"),
    concat!("debian", ".org"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_passes() {
        let texts = ["a to-do list", "see ../work/x, target/work/x, https://example.com/home/x and {base}/root/x"];
        for text in texts {
            assert_eq!(check("a.md", text), []);
        }
        for word in [UNFINISHED, HOSTS].concat() {
            assert_eq!(check("a.md", &format!("x{word} _{word}, {word}x")), [], "part of a longer word");
        }
        let all = [UNFINISHED, MACHINE, HOSTS].concat().join(" ");
        assert_eq!(check("Cargo.lock", &all), []);
        assert_eq!(check("a/Cargo.lock", &all), []);
    }

    #[test]
    fn each_word_is_a_violation_wherever_it_stands() {
        let cases = [
            (UNFINISHED, "marks unfinished work"),
            (MACHINE, "is a path of one machine"),
            (HOSTS, "is a registry's host"),
        ];
        for (words, expected) in cases {
            for word in words {
                for text in [format!("\n{word}"), format!("\n// {word}: x"), format!("\n(\"{word}\")")] {
                    let said: Vec<_> = check("a.rs", &text).iter().map(ToString::to_string).collect();
                    assert_eq!(said.len(), 1, "{text}: {said:?}");
                    assert!(said[0].starts_with(&format!("a.rs:2: `{word}` {expected}")), "{said:?}");
                }
            }
        }
        assert_eq!(check("a.toml", &format!("https://index.{}/x", HOSTS[0])).len(), 1, "a subdomain too");
    }
}
