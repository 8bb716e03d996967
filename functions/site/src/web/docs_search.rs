//! Search over the documentation: passages in which every word occurs.

use std::sync::OnceLock;

use crochet::config::Config;
use crochet::http::codes::Code;

use super::layout::cut;
use super::{docs_nav, operations, prose};
use crate::pages::PAGES;

/// Passages that are shown.
const MAX_HITS: usize = 20;
/// Characters of an excerpt, and those before the first word that was found.
const EXCERPT: usize = 220;
const BEFORE: usize = 60;

/// A passage that was found.
#[derive(Debug)]
pub(crate) struct Hit {
    pub(crate) url: String,
    pub(crate) title: String,
    pub(crate) heading: String,
    pub(crate) excerpt: String,
}

struct Entry {
    url: String,
    title: String,
    heading: String,
    text: String,
    /// Title, heading and text in lower case.
    folded: String,
}

/// Filled by the first search of the process. It has only one public URL.
static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();

/// The passages in which every word of the text occurs, those with a word in their heading first.
pub(crate) fn search(asked: &str, config: &Config) -> Vec<Hit> {
    let words: Vec<String> = asked.split_whitespace().take(10).map(str::to_lowercase).collect();
    let entries = ENTRIES.get_or_init(|| entries(config));
    let mut found: Vec<(usize, &Entry)> = entries
        .iter()
        .filter(|entry| words.iter().all(|word| entry.folded.contains(word.as_str())))
        .map(|entry| {
            let heading = format!("{} {}", entry.title, entry.heading).to_lowercase();
            (words.iter().filter(|word| heading.contains(word.as_str())).count(), entry)
        })
        .collect();
    found.sort_by_key(|(in_heading, _)| std::cmp::Reverse(*in_heading));
    found.into_iter().take(MAX_HITS).map(|(_, entry)| hit(entry, &words)).collect()
}

fn hit(entry: &Entry, words: &[String]) -> Hit {
    let lower = entry.text.to_lowercase();
    let at = words.iter().filter_map(|word| lower.find(word.as_str())).min().unwrap_or(0);
    let before = lower.get(..at).map_or(0, |text| text.chars().count()).saturating_sub(BEFORE);
    let rest: String = entry.text.chars().skip(before).collect();
    let rest = if before == 0 { rest } else { format!("…{}", rest.trim_start_matches(|c: char| !c.is_whitespace())) };
    Hit { url: entry.url.clone(), title: entry.title.clone(), heading: entry.heading.clone(), excerpt: cut(rest.trim(), EXCERPT) }
}

fn entries(config: &Config) -> Vec<Entry> {
    let public_url = config.absolute("");
    let mut entries = Vec::new();
    let in_navigation: Vec<&str> = docs_nav::all_paths().collect();
    for path in &in_navigation {
        let Some(page) = PAGES.iter().find(|page| page.path == docs_nav::text_path(path)) else { continue };
        // The long reference is searched route by route.
        if *path == "/docs/api-reference" {
            continue;
        }
        let text = page.source.replace("{PUBLIC_URL}", &public_url);
        for part in prose::render(&text, &public_url).parts {
            let url = if part.id.is_empty() { (*path).to_owned() } else { format!("{path}#{}", part.id) };
            entries.push(entry(url, docs_nav::title_of(path), &part.heading, &part.text));
        }
    }
    for operation in operations::operations() {
        let title = format!("{} {}", operation.method, operation.path);
        entries.push(entry(operation.page(), &title, operation.summary, operation.description));
    }
    for code in Code::ALL {
        let text = format!("{} {}", code.message(), code.recovery().summary);
        entries.push(entry(format!("/docs/errors/{}", code.as_str()), code.as_str(), "", &text));
    }
    entries
}

fn entry(url: String, title: &str, heading: &str, text: &str) -> Entry {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let folded = format!("{title} {heading} {text}").to_lowercase();
    Entry { url, title: title.to_owned(), heading: heading.to_owned(), text, folded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passages_routes_and_codes_are_found() {
        let config = Config::from_lookup(|_| None).expect("the defaults");
        let urls = |asked: &str| search(asked, &config).into_iter().map(|hit| hit.url).collect::<Vec<_>>();
        assert!(urls("verified mark").iter().any(|url| url == "/docs/trust-reviews#the-score"));
        assert!(urls("Create a listing").iter().any(|url| url == "/docs/api-reference/create_listing"));
        assert!(urls("payment_required").iter().any(|url| url == "/docs/errors/PAYMENT_REQUIRED"));
        assert!(urls("xyzzy").is_empty());
        assert!(search("payment", &config).len() <= MAX_HITS);
    }
}
