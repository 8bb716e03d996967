//! Texts in Markdown as pages. The texts are ours or the operator's; HTML in them is shown as text all the same.

use std::collections::BTreeSet;

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::part;

/// A rendered text.
#[derive(Debug)]
pub(crate) struct Prose {
    /// The text of its first heading.
    pub(crate) title: String,
    /// The rest.
    pub(crate) body: Markup,
    /// The second-level headings, with their ids.
    pub(crate) headings: Vec<(String, String)>,
    /// Each heading's part as plain text: id (empty for what comes before the first), heading, text.
    pub(crate) parts: Vec<Passage>,
}

/// What stands under one heading, as plain text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Passage {
    pub(crate) id: String,
    pub(crate) heading: String,
    pub(crate) text: String,
}

/// Renders a text. Links that begin with `public_url` stay within the site. Links to Markdown beside it lead to pages.
pub(crate) fn render(text: &str, public_url: &str) -> Prose {
    let mut writer = Writer { public_url, ..Writer::default() };
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        writer.take(event);
    }
    let mut body = String::new();
    pulldown_cmark::html::push_html(&mut body, writer.events.into_iter());
    writer.passages.push(writer.passage);
    Prose { title: writer.title, body: PreEscaped(body), headings: writer.headings, parts: writer.passages }
}

#[derive(Default)]
struct Writer<'a> {
    public_url: &'a str,
    events: Vec<Event<'a>>,
    title: String,
    headings: Vec<(String, String)>,
    passages: Vec<Passage>,
    passage: Passage,
    ids: BTreeSet<String>,
    /// The heading that is being read: its level, the number of events before it, its text.
    heading: Option<(HeadingLevel, usize, String)>,
    /// The code that is being read: its language and text.
    code: Option<(String, String)>,
    blocks: usize,
}

impl<'a> Writer<'a> {
    fn take(&mut self, event: Event<'a>) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => self.heading = Some((level, self.events.len(), String::new())),
            Event::End(TagEnd::Heading(_)) => self.end_heading(),
            Event::Start(Tag::CodeBlock(kind)) => {
                let language = match kind {
                    CodeBlockKind::Fenced(language) => language.into_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some((language, String::new()));
            }
            Event::End(TagEnd::CodeBlock) => self.end_code(),
            Event::Start(Tag::Table(alignments)) => {
                let name = self.passage.heading.clone();
                let name = if name.is_empty() { self.title.clone() } else { name };
                self.blocks += 1;
                let open = html! { (PreEscaped(format!(r#"<section class="scroll" tabindex="0" aria-label="Table {}: "#, self.blocks))) (name) (PreEscaped("\">")) };
                self.html(open.into_string());
                self.events.push(Event::Start(Tag::Table(alignments)));
            }
            Event::End(TagEnd::Table) => {
                self.events.push(Event::End(TagEnd::Table));
                self.html("</section>".into());
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let dest_url = self.local(dest_url);
                self.events.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
            }
            Event::Html(text) | Event::InlineHtml(text) => self.text(text, Event::Text),
            Event::Text(text) => self.text(text, Event::Text),
            Event::Code(text) => self.text(text, Event::Code),
            Event::SoftBreak | Event::HardBreak => {
                self.passage.text.push(' ');
                self.events.push(event);
            }
            other => {
                if matches!(other, Event::End(_)) {
                    self.passage.text.push(' ');
                }
                self.events.push(other);
            }
        }
    }

    fn html(&mut self, html: String) {
        self.events.push(Event::Html(html.into()));
    }

    fn text(&mut self, text: CowStr<'a>, event: fn(CowStr<'a>) -> Event<'a>) {
        if let Some((_, code)) = &mut self.code {
            code.push_str(&text);
            return;
        }
        match &mut self.heading {
            Some((_, _, heading)) => heading.push_str(&text),
            None => self.passage.text.push_str(&text),
        }
        self.events.push(event(text));
    }

    /// The first heading of the first level is the title. Each other one gets an id and a link to itself.
    fn end_heading(&mut self) {
        let Some((level, start, text)) = self.heading.take() else { return };
        let inner: Vec<Event<'a>> = self.events.split_off(start);
        if level == HeadingLevel::H1 && self.title.is_empty() {
            self.title = text;
            return;
        }
        let id = self.unique(&text);
        let level = if level == HeadingLevel::H1 { HeadingLevel::H2 } else { level };
        if level == HeadingLevel::H2 {
            self.headings.push((id.clone(), text.clone()));
        }
        self.html(format!("<{level} id=\"{id}\">"));
        self.events.extend(inner);
        let link = html! { " " a href={ "#" (id) } aria-label={ "Link to " (text) } { "#" } };
        self.html(format!("{}</{level}>\n", link.into_string()));
        let passage = Passage { id, heading: text, text: String::new() };
        self.passages.push(std::mem::replace(&mut self.passage, passage));
    }

    fn unique(&mut self, text: &str) -> String {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let base = format!("s-{}", words.collect::<Vec<_>>().join("-").to_ascii_lowercase());
        let mut id = base.trim_start_matches("s-").to_owned();
        if id.is_empty()
            || id.starts_with(|c: char| c.is_ascii_digit())
            || matches!(id.as_str(), "main" | "q" | "find" | "edging" | "end")
        {
            id.clone_from(&base);
        }
        let mut n = 2;
        while !self.ids.insert(id.clone()) {
            id = format!("{base}-{n}");
            n += 1;
        }
        id
    }

    fn end_code(&mut self) {
        let Some((language, code)) = self.code.take() else { return };
        self.blocks += 1;
        self.passage.text.push_str(&code);
        let caption = match language.as_str() {
            "" | "text" => "Text",
            "bash" | "sh" | "shell" => "Shell",
            "json" => "JSON",
            "http" => "HTTP",
            "python" => "Python",
            "javascript" | "js" => "JavaScript",
            "ts" | "typescript" => "TypeScript",
            other => other,
        };
        let shown = part::with_placeholders(code.trim_end_matches('\n'), &["am_k_YOUR_API_KEY"]);
        let figure = part::code(&format!("code-{}", self.blocks), &html! { (caption) }, &shown);
        self.html(figure.into_string());
    }

    fn local(&self, url: CowStr<'a>) -> CowStr<'a> {
        let is_beside = !url.starts_with('/') && !url.contains([':', '#']);
        if let (true, Some(page)) = (is_beside, url.strip_suffix(".md")) {
            return page.to_owned().into();
        }
        match url.strip_prefix(self.public_url) {
            Some("") => "/".into(),
            Some(path) if path.starts_with('/') || path.starts_with('#') => path.to_owned().into(),
            _ => url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_a_page() {
        let text = "# Title\n\nFirst <b>words</b>, [here](https://h.example/docs), [beside](a/b.md).\n\n## One `a`\n\n```bash\ncurl <x>\n```\n\n## One a\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n## 2 of\n";
        let prose = render(text, "https://h.example");
        assert_eq!(prose.title, "Title");
        assert_eq!(
            prose.headings,
            [("one-a", "One a"), ("s-one-a-2", "One a"), ("s-2-of", "2 of")].map(|(id, text)| (id.to_owned(), text.to_owned()))
        );
        let body = prose.body.into_string();
        assert!(!body.contains("<h1") && !body.contains("<b>") && body.contains("&lt;b&gt;"), "{body}");
        assert!(body.contains(r#"<a href="/docs">here</a>, <a href="a/b">beside</a>"#), "{body}");
        assert!(
            body.contains(r##"<h2 id="one-a">One <code>a</code> <a href="#one-a" aria-label="Link to One a">#</a></h2>"##),
            "{body}"
        );
        assert!(body.contains("curl &lt;x&gt;</pre>") && body.contains(r#"aria-label="Table 2: One a""#), "{body}");
        assert_eq!(prose.parts.len(), 4);
        assert!(prose.parts[1].text.contains("curl <x>"));
    }
}
