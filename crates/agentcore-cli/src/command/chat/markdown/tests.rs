//! What is shown of Markdown, as a whole and piece by piece. `{b}`, `{i}`, `{u}`, `{d}` and `{c}` stand for bold, italic,
//! underlined, dim and the colour of code, `{}` for the plain state.

use proptest::prelude::*;

use super::{span::MAX_SPAN_BYTES, *};

fn tags(shown: &str) -> String {
    let tags = [("1", "b"), ("3", "i"), ("4", "u"), ("2", "d"), ("36", "c"), ("0", "")];
    tags.iter()
        .fold(shown.to_owned(), |text, (code, tag)| text.replace(&format!("\u{1b}[{code}m"), &format!("{{{tag}}}")))
}

fn whole(text: &str) -> String {
    let mut markdown = Markdown::default();
    markdown.push(text) + &markdown.finish()
}

#[test]
fn what_is_shown() {
    for (text, shown) in [
        ("plain", "plain"),
        ("a **b** c", "a {b}b{} c"),
        ("*b*", "{i}b{}"),
        ("_b_ and __c__.", "{i}b{} and {b}c{}."),
        ("***b***", "{b}{i}b{}"),
        ("**b *c* d**", "{b}b {}{b}{i}c{}{b} d{}"),
        ("*a **b** c*", "{i}a {}{b}{i}b{}{i} c{}"),
        ("**`x`**", "{b}{c}x{}"),
        ("这是**重点**内容", "这是{b}重点{}内容"),
        ("**N:**b", "{b}N:{}b"),
        // No markers.
        ("2 * 3 * 4, 2*3*4, 2**3**4", "2 * 3 * 4, 2*3*4, 2**3**4"),
        ("f(*args, **kwargs)", "f(*args, **kwargs)"),
        ("*a\nb*", "*a\nb*"),
        ("*a\\\nb*", "*a\\\nb*"),
        ("* a*b *", "• a*b *"),
        ("snake_case_name and _a_b", "snake_case_name and _a_b"),
        ("a ** b** c", "a ** b** c"),
        ("**b*", "**b*"),
        ("*b**", "*b**"),
        ("****b****", "****b****"),
        ("**", "**"),
        ("***", "***"),
        ("---", "---"),
        (r"\*a\* \_b\_ \`c\` \[d\] C:\dir \", r"*a* _b_ `c` \[d\] C:\dir \"),
        (r"**a\** b**", "{b}a{}{b}*{}{b}*{}{b} b{}"),
        // Code.
        ("`**a**`, `` a`b `` `", "{c}**a**{}, {c} a`b {} `"),
        ("`a\n`b`", "`a\n{c}b{}"),
        ("```rust\nlet x = *y;\n``` \n*a*", "{d}```rust{}\n{c}let x = *y;{}\n{d}``` {}\n{i}a{}"),
        ("~~~~\n~~~\n```\n# a\n~~~~~", "{d}~~~~{}\n{c}~~~{}\n{c}```{}\n{c}# a{}\n{d}~~~~~{}"),
        ("```\n\n  a\n", "{d}```{}\n\n{c}  a{}\n"),
        ("- a\n  ```\n  b\n  ```\nc", "• a\n{d}  ```{}\n{c}  b{}\n{d}  ```{}\nc"),
        ("```a```", "{c}a{}"),
        ("``` a `b`", "``` a {c}b{}"),
        ("~~ a", "~~ a"),
        // Lines.
        ("# a *b*\nc", "{b}{u}a {}{b}{i}{u}b{}\nc"),
        ("###### a\n####### b\n#c\n#", "{b}a{}\n####### b\n#c\n#"),
        ("- a\n* b\n+ c\n  - d\n1. e\n-f\n-", "• a\n• b\n• c\n  • d\n1. e\n-f\n-"),
        ("- [ ] a\n> b\n| c |", "• [ ] a\n> b\n| c |"),
        ("  a\n\t\n  ", "  a\n\t\n  "),
        // Links.
        ("[a](b)", "{u}a{} {d}(b){}"),
        ("[*a*](https://b/c_(d)_e \"f\").", "{i}{u}a{} {d}(https://b/c_(d)_e \"f\"){}."),
        ("[a](a)", "{u}a{}"),
        ("**[a](b)**", "{b}{u}a{}{b} {}{d}(b){}"),
        ("[a] (b) [c [d](e) [f](g\n)", "[a] (b) [c {u}d{} {d}(e){} [f](g\n)"),
        ("x[1](2", "x[1](2"),
    ] {
        assert_eq!(tags(&whole(text)), shown, "{text:?}");
    }
}

#[test]
fn what_is_held_back() {
    let long = "x".repeat(MAX_SPAN_BYTES);
    let opened = format!("**{long}");
    let line = "y".repeat(MAX_FENCE_BYTES);
    let fence = format!("~~~{line}");
    for pieces in [
        &[("one", "one"), (" two", " two")][..],
        &[("a *", "a "), ("*", ""), ("b", ""), ("*", ""), ("*", ""), (" c", "{b}b{} c")],
        &[("a *", "a "), (" b", "* b")],
        &[("**b", ""), ("\nc", "**b\nc")],
        &[("`", ""), ("b", ""), ("`", ""), (".", "{c}b{}.")],
        &[("[a", ""), ("]", ""), ("(b", ""), (")", "{u}a{} {d}(b){}")],
        &[("[a]", ""), (" b", "[a] b")],
        &[("a\\", "a"), ("*", "*"), ("b", "b")],
        &[("#", ""), ("#", ""), (" ", ""), ("a", "{b}a{}"), ("b", "{b}b{}")],
        &[("-", ""), (" ", "• "), ("a", "a")],
        &[("-", ""), ("5", "-5")],
        &[("  ", ""), ("a", "  a")],
        &[("``", ""), ("`", ""), ("sh", ""), ("\n", "{d}```sh{}\n"), ("l", "{c}l{}"), ("s\n", "{c}s{}\n")],
        &[("```\n", "{d}```{}\n"), ("``", ""), ("`", ""), ("\n", "{d}```{}\n"), ("a", "a")],
        &[("```\n", "{d}```{}\n"), ("``", ""), ("a", "{c}``a{}")],
        &[("**", ""), (&long, &opened), ("** c", "** c")],
        &[("~~~", ""), (&line, &fence)],
    ] {
        let mut markdown = Markdown::default();
        for (piece, shown) in pieces {
            assert_eq!(tags(&markdown.push(piece)), *shown, "{piece:?} of {pieces:?}");
        }
        assert_eq!(markdown.finish(), "", "{pieces:?}");
    }
}

#[test]
fn what_is_finished_begins_a_new_line() {
    let mut markdown = Markdown::default();
    assert_eq!(markdown.push("a **b"), "a ");
    assert_eq!(markdown.finish(), "**b");
    assert_eq!(tags(&markdown.push("# c\n")), "{b}{u}c{}\n");
}

/// Every character with the styles it is shown in.
fn cells(shown: &str) -> Vec<(char, String)> {
    let (mut cells, mut style, mut rest) = (Vec::new(), String::new(), shown);
    while let Some(c) = rest.chars().next() {
        if let Some((code, after)) = rest.strip_prefix("\u{1b}[").and_then(|rest| rest.split_once('m')) {
            style = if code == "0" { String::new() } else { format!("{style}{code};") };
            rest = after;
        } else {
            cells.push((c, style.clone()));
            rest = &rest[c.len_utf8()..];
        }
    }
    assert_eq!(style, "", "the terminal is left in a state: {shown:?}");
    cells
}

/// Without what may be hidden, replaced or added.
fn letters(text: impl IntoIterator<Item = char>) -> String {
    text.into_iter().filter(|c| !"*_`#[]()\\-+• ".contains(*c)).collect()
}

fn markdown() -> impl Strategy<Value = Vec<String>> {
    let piece = prop_oneof![
        "[*_`\\[\\]()\\\\]{1,3}",
        "\n?[#~`>-]{1,4} ?",
        "[a-z 1世é]{1,6}",
        "\n",
        Just("**b**".to_owned()),
        Just("\n```\n".to_owned()),
        Just("[a](b)".to_owned()),
        Just("word ".repeat(60)),
    ];
    prop::collection::vec(piece, 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_however_it_is_cut(pieces in markdown(), cuts in prop::collection::vec(1_usize..7, 1..40)) {
        let text = pieces.concat();
        let expected = cells(&whole(&text));
        prop_assert_eq!(letters(expected.iter().map(|(c, _)| *c)), letters(text.chars()));

        let (mut markdown, mut shown, mut chars) = (Markdown::default(), String::new(), text.chars().peekable());
        for cut in cuts.iter().cycle() {
            if chars.peek().is_none() {
                break;
            }
            let piece: String = chars.by_ref().take(*cut).collect();
            shown.push_str(&markdown.push(&piece));
            prop_assert!(markdown.held.len() <= MOST_HELD, "{:?} is held back", markdown.held);
        }
        shown.push_str(&markdown.finish());
        prop_assert_eq!(cells(&shown), expected);
    }
}

/// A link's text and address.
const MOST_HELD: usize = MAX_SPAN_BYTES + 2_100;
