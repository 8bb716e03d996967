//! Splitting text into terms, for indexing and for queries.

use tantivy::tokenizer::{AsciiFoldingFilter, Language, LowerCaser, RawTokenizer, Stemmer, TextAnalyzer};

/// Minimum length for matching with one typo, in characters. Shorter words are too close to each other.
const MIN_TYPO_CHARS: usize = 4;
/// Minimum length for matching longer words by prefix, in characters. The last word of a query always does.
const MIN_PREFIX_CHARS: usize = 3;

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

/// Consecutive letters and digits.
#[derive(Debug, Default)]
struct Run {
    text: String,
    /// Whether its script writes words without spaces.
    is_unspaced: bool,
}

/// Splits text into terms. Creating one is costly: use one for many texts.
pub(crate) struct Tokenizer {
    fold: TextAnalyzer,
    stem: TextAnalyzer,
}

impl Tokenizer {
    /// A tokenizer that folds case and accents and stems English.
    pub(crate) fn new() -> Self {
        let raw = || TextAnalyzer::builder(RawTokenizer::default());
        Self {
            fold: raw().filter(LowerCaser).filter(AsciiFoldingFilter).build(),
            stem: raw().filter(Stemmer::new(Language::English)).build(),
        }
    }

    /// The terms of a text to be indexed.
    ///
    /// Text of a script without spaces becomes overlapping pairs of characters, plus its last character, so that a query
    /// finds a word in the middle of others.
    pub(crate) fn index_terms(&mut self, text: &str) -> Vec<String> {
        let mut words = Vec::new();
        for run in self.runs(text) {
            if run.is_unspaced {
                words.extend(pairs(&run.text));
                words.extend(run.text.chars().next_back().map(String::from));
            } else {
                words.push(run.text);
            }
        }
        words
    }

    /// The terms of a query, and its number of words as a person counts them.
    pub(crate) fn query_terms(&mut self, text: &str) -> (Vec<QueryTerm>, usize) {
        let runs = self.runs(text);
        let word_count = runs.len();
        let mut terms = Vec::with_capacity(word_count);
        for (n, Run { text, is_unspaced }) in runs.into_iter().enumerate() {
            let length = text.chars().count();
            if is_unspaced {
                // A single character matches every pair that starts with it.
                let parts = if length == 1 { vec![text] } else { pairs(&text).collect() };
                let exact = |text: String| QueryTerm { stem: text.clone(), text, is_prefix: length == 1, allows_typo: false };
                terms.extend(parts.into_iter().map(exact));
            } else {
                terms.push(QueryTerm {
                    stem: self.stem(&text),
                    text,
                    is_prefix: length >= MIN_PREFIX_CHARS || n + 1 == word_count,
                    allows_typo: length >= MIN_TYPO_CHARS,
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
        let mut runs: Vec<Run> = Vec::new();
        let mut in_run = false;
        for c in analyze(&mut self.fold, text).chars() {
            if is_combining(c) {
                continue;
            }
            let is_unspaced = is_unspaced(c);
            if !(is_unspaced || c.is_alphanumeric()) {
                in_run = false;
                continue;
            }
            match runs.last_mut() {
                Some(run) if in_run && run.is_unspaced == is_unspaced => run.text.push(c),
                _ => runs.push(Run { text: c.into(), is_unspaced }),
            }
            in_run = true;
        }
        runs
    }
}

fn analyze(analyzer: &mut TextAnalyzer, text: &str) -> String {
    let mut result = String::new();
    analyzer.token_stream(text).process(&mut |token| result.push_str(&token.text));
    result
}

fn pairs(text: &str) -> impl Iterator<Item = String> {
    text.chars().zip(text.chars().skip(1)).map(|(a, b)| String::from_iter([a, b]))
}

/// Combining accents, joiners and variation selectors: part of a word, but ignored when matching.
fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana and Han.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e01}'..='\u{edf}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17dd}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30fa}'
        | '\u{30fc}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_split_into_plain_terms() {
        let mut tokenizer = Tokenizer::new();
        assert_eq!(tokenizer.index_terms("Größe, Café-Crème & İstanbul v2!"), ["grosse", "cafe", "creme", "istanbul", "v2"]);
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
}
