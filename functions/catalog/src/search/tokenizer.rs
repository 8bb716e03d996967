//! Splitting text into terms, for indexing and for queries.

use icu_normalizer::ComposingNormalizerBorrowed;
use tantivy::tokenizer::{AsciiFoldingFilter, Language, LowerCaser, RawTokenizer, Stemmer, TextAnalyzer};

use super::characters::{is_ignored, is_mark, is_unspaced, plain_symbol};

/// Minimum length for matching with one typo, in characters. Shorter words are too close to each other.
const MIN_TYPO_CHARS: usize = 4;
/// Minimum length for matching longer words by prefix, in characters. The last word of a query always does.
const MIN_PREFIX_CHARS: usize = 3;
/// Maximum number of terms that may match loosely. A word as written may have many parts, and each loose match is a search of its own.
const MAX_LOOSE_TERMS: usize = 10;
/// Maximum number of parts that are indexed as one word, too: `nodejs` for "Node.js".
const MAX_JOINED_PARTS: usize = 4;
/// A name that begins with a dot. The word after the dot is indexed, too.
const DOTTED: &str = ".net";

/// One term of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryTerm {
    /// The term in lower case, without accents.
    pub text: String,
    /// Its English stem.
    pub stem: String,
    /// Whether longer words that start with it match.
    pub is_prefix: bool,
    /// Whether words with one typo match.
    pub allows_typo: bool,
}

/// Consecutive letters, digits and marks, with the symbols that are part of a name (`c++`, `c#`, `.net`).
#[derive(Debug, Default)]
struct Run {
    text: String,
    /// Whether its script writes words without spaces.
    is_unspaced: bool,
    /// Whether one dot, hyphen, underscore or apostrophe separates it from the run before.
    is_joined: bool,
}

/// Splits text into terms. Creating one is costly: use one for many texts.
pub(crate) struct Tokenizer {
    compose: ComposingNormalizerBorrowed<'static>,
    fold: TextAnalyzer,
    stem: TextAnalyzer,
}

impl Tokenizer {
    /// A tokenizer that folds forms (NFKC), case and accents, and stems English.
    pub(crate) fn new() -> Self {
        let raw = || TextAnalyzer::builder(RawTokenizer::default());
        Self {
            compose: ComposingNormalizerBorrowed::new_nfkc(),
            fold: raw().filter(LowerCaser).filter(AsciiFoldingFilter).build(),
            stem: raw().filter(Stemmer::new(Language::English)).build(),
        }
    }

    /// The terms of a text to be indexed.
    ///
    /// Text of a script without spaces becomes overlapping pairs of characters, plus its last character, so that a query
    /// finds a word in the middle of others. Parts of a name are also indexed together, from each part on.
    pub(crate) fn index_terms(&mut self, text: &str) -> Vec<String> {
        let runs = self.runs(text);
        let mut words = Vec::with_capacity(runs.len());
        for (n, run) in runs.iter().enumerate() {
            if run.is_unspaced {
                words.extend(pairs(&run.text));
                words.extend(run.text.chars().next_back().map(String::from));
                continue;
            }
            words.push(run.text.clone());
            if run.text == DOTTED {
                words.push(DOTTED[1..].to_owned());
            }
            let parts: Vec<&str> = runs[n + 1..]
                .iter()
                .take(MAX_JOINED_PARTS - 1)
                .take_while(|part| part.is_joined && !part.is_unspaced)
                .map(|part| part.text.as_str())
                .collect();
            if !parts.is_empty() {
                words.push(format!("{}{}", run.text, parts.concat()));
            }
        }
        words
    }

    /// The terms of a query, and its number of words as they are written: with spaces between them.
    pub(crate) fn query_terms(&mut self, text: &str) -> (Vec<QueryTerm>, usize) {
        let words: Vec<Vec<Run>> = text.split_whitespace().map(|word| self.runs(word)).filter(|runs| !runs.is_empty()).collect();
        let word_count = words.len();
        let runs: Vec<Run> = words.into_iter().flatten().collect();
        let run_count = runs.len();
        let mut terms = Vec::with_capacity(run_count);
        for (n, Run { text, is_unspaced, .. }) in runs.into_iter().enumerate() {
            let length = text.chars().count();
            if is_unspaced {
                // A single character matches every pair that starts with it.
                let parts = if length == 1 { vec![text] } else { pairs(&text).collect() };
                let exact = |text: String| QueryTerm { stem: text.clone(), text, is_prefix: length == 1, allows_typo: false };
                terms.extend(parts.into_iter().map(exact));
            } else {
                let may_be_loose = n < MAX_LOOSE_TERMS;
                terms.push(QueryTerm {
                    stem: self.stem(&text),
                    is_prefix: n + 1 == run_count || (length >= MIN_PREFIX_CHARS && may_be_loose),
                    // With a symbol left out, `.net` would be `net`.
                    allows_typo: length >= MIN_TYPO_CHARS && may_be_loose && !text.contains(['.', '+', '#']),
                    text,
                });
            }
        }
        (terms, word_count)
    }

    /// The English stem of a word. A word with other characters than a to z is returned as it is.
    pub(crate) fn stem(&mut self, word: &str) -> String {
        if word.bytes().all(|b| b.is_ascii_lowercase()) { analyze(&mut self.stem, word) } else { word.to_owned() }
    }

    fn runs(&mut self, text: &str) -> Vec<Run> {
        let text: String = text.chars().map(plain_symbol).collect();
        let folded = analyze(&mut self.fold, &self.compose.normalize(&text));
        let chars: Vec<char> = folded.chars().filter(|c| !is_ignored(*c)).collect();
        let mut runs: Vec<Run> = Vec::new();
        let mut in_run = false;
        let mut is_joined = false;
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            let rest = &chars[at..];
            let is_unspaced = is_unspaced(c);
            let mut used = 1;
            if is_unspaced || c.is_alphanumeric() || (in_run && is_mark(c)) {
                match runs.last_mut() {
                    Some(run) if in_run && (run.is_unspaced == is_unspaced || is_mark(c)) => run.text.push(c),
                    _ => runs.push(Run { text: c.into(), is_unspaced, is_joined }),
                }
                in_run = true;
                is_joined = false;
            } else if in_run {
                let suffix = symbols_of_name(rest);
                if let Some(run) = runs.last_mut().filter(|run| !run.is_unspaced) {
                    run.text.extend(&rest[..suffix]);
                }
                used = suffix.max(1);
                is_joined = suffix == 0 && matches!(c, '.' | '-' | '_' | '\'');
                in_run = false;
            } else {
                is_joined = false;
                if is_dotted_name(rest) {
                    runs.push(Run { text: DOTTED.into(), ..Run::default() });
                    used = DOTTED.len();
                }
            }
            at += used;
        }
        runs
    }
}

/// The number of symbols after a word that are part of its name: `++` (not before a letter) or `#` (at the end of the word).
fn symbols_of_name(rest: &[char]) -> usize {
    match rest {
        ['+', '+', after, ..] if after.is_alphabetic() || *after == '+' => 0,
        ['+', '+', ..] => 2,
        ['#', after, ..] if after.is_alphanumeric() || *after == '#' => 0,
        ['#', ..] => 1,
        _ => 0,
    }
}

fn is_dotted_name(rest: &[char]) -> bool {
    let mut rest = rest.iter();
    DOTTED.chars().all(|c| rest.next() == Some(&c)) && rest.next().is_none_or(|c| !c.is_alphanumeric())
}

fn analyze(analyzer: &mut TextAnalyzer, text: &str) -> String {
    let mut result = String::new();
    analyzer.token_stream(text).process(&mut |token| result.push_str(&token.text));
    result
}

fn pairs(text: &str) -> impl Iterator<Item = String> {
    text.chars().zip(text.chars().skip(1)).map(|(a, b)| String::from_iter([a, b]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_split_into_plain_terms() {
        let mut tokenizer = Tokenizer::new();
        assert_eq!(
            tokenizer.index_terms("Größe, Café-Crème & İstanbul v2!"),
            ["grosse", "cafe", "cafecreme", "creme", "istanbul", "v2"]
        );
        assert_eq!(tokenizer.index_terms("日本語API"), ["日本", "本語", "語", "api"]);
        assert_eq!(tokenizer.index_terms("한국어 서비스"), ["한국어", "서비스"]);
        assert!(tokenizer.index_terms(" \u{0}…🌦 — ").is_empty());
    }

    #[test]
    fn query_terms_say_how_they_may_match() {
        let mut tokenizer = Tokenizer::new();
        let (terms, word_count) = tokenizer.query_terms("Translating to 日本語 DE");
        let got: Vec<_> = terms.iter().map(|t| (t.text.as_str(), t.stem.as_str(), t.is_prefix, t.allows_typo)).collect();
        assert_eq!(word_count, 4);
        assert_eq!(
            got,
            [
                ("translating", "translat", true, true),
                ("to", "to", false, false),
                ("日本", "日本", false, false),
                ("本語", "本語", false, false),
                ("de", "de", true, false),
            ]
        );
        assert_eq!(
            tokenizer.query_terms("日").0,
            [QueryTerm { text: "日".into(), stem: "日".into(), is_prefix: true, allows_typo: false }]
        );
        assert_eq!(tokenizer.query_terms("?!").1, 0);
    }

    #[test]
    fn symbols_are_part_of_some_names() {
        let mut tokenizer = Tokenizer::new();
        assert_eq!(tokenizer.index_terms("C++, C#, F♯ and .NET"), ["c++", "c#", "f#", "and", ".net", "net"]);
        assert_eq!(tokenizer.index_terms("C++17 Notepad++"), ["c++", "17", "notepad++"]);
        assert_eq!(
            tokenizer.index_terms("a+b a++b a#b #5 1.2 ..network"),
            ["a", "b", "a", "b", "a", "b", "5", "1", "12", "2", "network"]
        );
        assert!(!tokenizer.query_terms(".net").0[0].allows_typo, "`net` is another word");
    }

    #[test]
    fn parts_are_indexed_together_too() {
        let mut tokenizer = Tokenizer::new();
        assert_eq!(tokenizer.index_terms("Node.js"), ["node", "nodejs", "js"]);
        assert_eq!(tokenizer.index_terms("openai gpt-4o-mini"), ["openai", "gpt", "gpt4omini", "4o", "4omini", "mini"]);
        assert_eq!(tokenizer.index_terms("one - two. Three"), ["one", "two", "three"]);
    }

    #[test]
    fn forms_and_marks_do_not_matter() {
        let mut tokenizer = Tokenizer::new();
        for (marked, plain) in [
            ("ＡＰＩ ｶﾞ ﬁne e\u{301}", "API ガ fine é"),
            ("שָׁלוֹם", "שלום"),
            ("\u{fb2a}", "ש"),
            ("العَرَبِيَّة", "العربية"),
            ("عـــربي", "عربي"),
        ] {
            assert_eq!(tokenizer.index_terms(marked), tokenizer.index_terms(plain), "{marked}");
        }
        assert_eq!(tokenizer.index_terms("हिन्दी। সংস্কৃত தமிழ்"), ["हिन्दी", "সংস্কৃত", "தமிழ்"]);
        assert_eq!(tokenizer.index_terms("Acme™ Ⓡ"), ["acme", "r"]);
    }

    #[test]
    fn words_count_as_they_are_written() {
        let mut tokenizer = Tokenizer::new();
        assert_eq!(tokenizer.query_terms("日本語API gpt-4o-mini – ﷺ").1, 3);
        let (terms, word_count) = tokenizer.query_terms(&"abcd-".repeat(20));
        assert_eq!((terms.len(), word_count), (20, 1));
        assert_eq!(terms.iter().filter(|term| term.allows_typo).count(), MAX_LOOSE_TERMS);
    }
}
