//! What one page of rustdoc says of an interface: declarations, methods and implementations, without its markup.

/// The pages that the page of all items links to.
pub(super) fn links(all: &str) -> Vec<String> {
    between(all, "<li><a href=\"", "\"").map(str::to_owned).collect()
}

/// The declaration of an item, its own methods, and the traits that it implements.
pub(super) fn interface(page: &str) -> Vec<String> {
    let mut lines: Vec<_> =
        between(page, "<pre class=\"rust item-decl\"><code>", "</code></pre>").take(1).map(text).collect();
    for header in section(page, "implementations").split(" class=\"code-header\">").skip(1) {
        let line = text(header.split("</h").next().unwrap_or_default());
        let indent = if line.starts_with("impl") { "" } else { "    " };
        lines.push(format!("{indent}{line}"));
    }
    let mut traits: Vec<_> =
        between(section(page, "trait-implementations"), "<h3 class=\"code-header\">", "</h3>").map(text).collect();
    traits.sort();
    lines.extend(traits);
    lines
}

/// What a module re-exports without a page of its own.
pub(super) fn re_exports(page: &str) -> Vec<String> {
    between(page, "id=\"reexport.", "</dt>").filter_map(|it| Some(text(it.split_once('>')?.1))).collect()
}

/// What stands between a heading and the next of its kind; nothing where the page has no such heading.
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let after = page.split_once(&format!("<h2 id=\"{id}\"")).map_or("", |(_, after)| after);
    after.split("<h2 id=").next().unwrap_or_default()
}

/// Each text that stands between the two.
fn between<'a>(page: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    page.split(start).skip(1).filter_map(move |rest| rest.split_once(end).map(|(text, _)| text))
}

/// The text of a piece of HTML, on one line.
fn text(html: &str) -> String {
    let mut plain = String::with_capacity(html.len());
    for (index, piece) in html.split('<').enumerate() {
        plain.push_str(if index == 0 { piece } else { piece.split_once('>').map_or("", |(_, text)| text) });
    }
    let decoded = ENTITIES.iter().fold(plain, |plain, (entity, character)| plain.replace(entity, character));
    decoded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The last one last: it begins all others.
const ENTITIES: [(&str, &str); 7] =
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&nbsp;", " "), ("&amp;", "&")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_becomes_lines() {
        let page = concat!(
            "<h1>Struct B</h1><pre class=\"rust item-decl\"><code>pub struct <a>B</a>&lt;T&gt; {\n    <span>pub x: u8</span>,\n}</code></pre>",
            "<pre class=\"rust item-decl\"><code>no</code></pre>",
            "<h2 id=\"fields\" class=\"fields\">Fields</h2><span id=\"structfield.x\">x</span>",
            "<h2 id=\"implementations\" class=\"x\">Implementations</h2>",
            "<section><h3 class=\"code-header\">impl&lt;T&gt; <a>B</a>&lt;T&gt;</h3></section>",
            "<section><h4 class=\"code-header\">pub fn <a>f</a>(&amp;self) -&gt; &amp;'static str</h4></section>",
            "<h2 id=\"trait-implementations\">Trait Implementations</h2>",
            "<h3 class=\"code-header\">impl Debug for B</h3><h4 class=\"code-header\">fn fmt()</h4>",
            "<h3 class=\"code-header\">impl Clone for B</h3>",
            "<h2 id=\"synthetic-implementations\">Auto</h2><h3 class=\"code-header\">impl Send for B</h3>",
        );
        let expected = [
            "pub struct B<T> { pub x: u8, }",
            "impl<T> B<T>",
            "    pub fn f(&self) -> &'static str",
            "impl Clone for B",
            "impl Debug for B",
        ];
        assert_eq!(interface(page), expected);
        assert_eq!(interface("<pre class=\"rust item-decl\"><code>pub fn f()</code></pre>"), ["pub fn f()"]);
    }

    #[test]
    fn links_and_re_exports() {
        assert_eq!(
            links("<ul><li><a href=\"struct.A.html\">A</a></li><li><a href=\"b/fn.c.html\">c</a></li></ul>"),
            ["struct.A.html", "b/fn.c.html"]
        );
        let page = "<dl><dt id=\"reexport.ws\"><code>pub use <a>agentcore_ws</a> as <a>ws</a>;</code></dt></dl>";
        assert_eq!(re_exports(page), ["pub use agentcore_ws as ws;"]);
        assert_eq!(text("&amp;lt;"), "&lt;");
    }
}
