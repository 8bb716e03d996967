//! Words: how a text is cut up, on both sides of a search. Pure.

use tantivy::tokenizer::{AsciiFoldingFilter, Language, LowerCaser, RawTokenizer, Stemmer, TextAnalyzer};

/// A misspelt word is forgiven from this length on (characters): shorter ones are too close to each other.
const MIN_TYPO_CHARS: usize = 4;
/// Words from this length on also match longer ones that begin like them (characters); the last word always does.
const MIN_PREFIX_CHARS: usize = 3;

/// A word that is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// In lower case and without accents.
    pub text: String,
    /// Its English stem.
    pub stem: String,
    /// Whether longer words that begin like it match too.
    pub is_prefix: bool,
    /// Whether words that differ by one letter match too.
    pub may_be_misspelt: bool,
}

/// Letters and digits that stand together.
#[derive(Debug, Default)]
struct Run {
    text: String,
    /// The script does not put spaces between words.
    is_unspaced: bool,
}

/// Cuts texts into words. It keeps tables that are costly to make: use one for many texts.
pub(crate) struct Cutter {
    fold: TextAnalyzer,
    stem: TextAnalyzer,
}

impl Cutter {
    /// Lower case, without accents; English stems.
    pub(crate) fn new() -> Self {
        let raw = || TextAnalyzer::builder(RawTokenizer::default());
        Self {
            fold: raw().filter(LowerCaser).filter(AsciiFoldingFilter).build(),
            stem: raw().filter(Stemmer::new(Language::English)).build(),
        }
    }

    /// The words of a text that is searched.
    ///
    /// Scripts without spaces are cut into overlapping pairs of characters, and the last one alone, so that a search finds a
    /// word in the midst of others.
    pub(crate) fn words(&mut self, text: &str) -> Vec<String> {
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

    /// The words of a search, and how many its author wrote.
    pub(crate) fn wanted(&mut self, text: &str) -> (Vec<Word>, usize) {
        let runs = self.runs(text);
        let written = runs.len();
        let mut words = Vec::with_capacity(written);
        for (n, Run { text, is_unspaced }) in runs.into_iter().enumerate() {
            let length = text.chars().count();
            if is_unspaced {
                // A single character stands for every pair that begins with it.
                let parts = if length == 1 { vec![text] } else { pairs(&text).collect() };
                let exact = |text: String| Word { stem: text.clone(), text, is_prefix: length == 1, may_be_misspelt: false };
                words.extend(parts.into_iter().map(exact));
            } else {
                words.push(Word {
                    stem: self.stem(&text),
                    text,
                    is_prefix: length >= MIN_PREFIX_CHARS || n + 1 == written,
                    may_be_misspelt: length >= MIN_TYPO_CHARS,
                });
            }
        }
        (words, written)
    }

    /// The English stem of a word; a word of another script is its own.
    pub(crate) fn stem(&mut self, word: &str) -> String {
        if word.bytes().all(|b| b.is_ascii_lowercase()) { analysed(&mut self.stem, word) } else { word.to_owned() }
    }

    fn runs(&mut self, text: &str) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let mut goes_on = false;
        for c in analysed(&mut self.fold, text).chars() {
            if is_combining(c) {
                continue;
            }
            let is_unspaced = is_unspaced(c);
            if !(is_unspaced || c.is_alphanumeric()) {
                goes_on = false;
                continue;
            }
            match runs.last_mut() {
                Some(run) if goes_on && run.is_unspaced == is_unspaced => run.text.push(c),
                _ => runs.push(Run { text: c.into(), is_unspaced }),
            }
            goes_on = true;
        }
        runs
    }
}

fn analysed(analyzer: &mut TextAnalyzer, text: &str) -> String {
    let mut result = String::new();
    analyzer.token_stream(text).process(&mut |token| result.push_str(&token.text));
    result
}

fn pairs(text: &str) -> impl Iterator<Item = String> {
    text.chars().zip(text.chars().skip(1)).map(|(a, b)| String::from_iter([a, b]))
}

/// Accents that stand as characters of their own, and joiners: part of a word, and of no weight.
fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Thai, Lao, Burmese, Khmer, kana and Han characters.
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
    fn texts_are_cut_into_plain_words() {
        let mut cutter = Cutter::new();
        assert_eq!(cutter.words("Größe, Café-Crème & İstanbul v2!"), ["grosse", "cafe", "creme", "istanbul", "v2"]);
        assert_eq!(cutter.words("日本語API"), ["日本", "本語", "語", "api"]);
        assert_eq!(cutter.words("한국어 서비스"), ["한국어", "서비스"]);
        assert!(cutter.words(" \u{0}…🌦 — ").is_empty());
    }

    #[test]
    fn a_search_says_how_each_word_may_match() {
        let mut cutter = Cutter::new();
        let (words, written) = cutter.wanted("Translating to 日本語 DE");
        let told: Vec<_> = words.iter().map(|w| (w.text.as_str(), w.stem.as_str(), w.is_prefix, w.may_be_misspelt)).collect();
        assert_eq!(written, 4);
        assert_eq!(
            told,
            [
                ("translating", "translat", true, true),
                ("to", "to", false, false),
                ("日本", "日本", false, false),
                ("本語", "本語", false, false),
                ("de", "de", true, false),
            ]
        );
        assert_eq!(cutter.wanted("日").0, [Word { text: "日".into(), stem: "日".into(), is_prefix: true, may_be_misspelt: false }]);
        assert_eq!(cutter.wanted("?!").1, 0);
    }
}
