//! The text index of a segment: which listings match the terms of a query, and how well.
//!
//! tantivy stores terms and postings. Relevance is computed here, in a few coarse steps, so that ties are common and the seller's
//! score decides them.

use std::collections::HashMap;
use std::path::Path;

use tantivy::directory::{Directory, RamDirectory};
use tantivy::postings::TermInfo;
use tantivy::query::{EnableScoring, FuzzyTermQuery, Query};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{DocSet, Index, IndexSettings, InvertedIndexReader, SegmentReader, TERMINATED, TantivyDocument, TantivyError, Term};

use super::tokenizer::{QueryTerm, Tokenizer};

/// Indexed fields, highest weight first.
const FIELDS: [&str; 4] = ["name", "tags", "category", "description"];
/// Weight of a match per field: exact, by prefix or stem, and with a typo. A better field outweighs a better kind of match, but a
/// match with a typo always ranks last.
const WEIGHTS: [[u8; 3]; 4] = [[200, 160, 8], [120, 100, 6], [60, 50, 4], [20, 15, 2]];
/// Maximum number of indexed words that one prefix expands to, per field.
const MAX_EXPANSIONS: usize = 10_000;
/// Maximum number of stems cached while an index is built.
const MAX_CACHED_STEMS: usize = 100_000;
/// Memory for tantivy's term table while a small index is built, in bytes.
const SMALL_TERM_TABLE_BYTES: usize = 300_000;
/// The same for a large index.
const LARGE_TERM_TABLE_BYTES: usize = 30_000_000;
/// Maximum number of listings in a small index.
const SMALL_INDEX_LISTINGS: usize = 200;

/// The searchable text of a listing, in the order of [`FIELDS`].
pub(crate) type SearchTexts = [String; 4];

/// An immutable index of texts, which are addressed by position.
pub(crate) struct TextIndex {
    directory: RamDirectory,
    /// None for an empty index.
    reader: Option<SegmentReader>,
    fields: [IndexedField; 4],
}

#[derive(Clone, Copy)]
struct IndexedField {
    words: Field,
    stems: Field,
}

impl TextIndex {
    /// Indexes these texts.
    pub(crate) fn build(texts: impl ExactSizeIterator<Item = SearchTexts>) -> Result<Self, TantivyError> {
        let (schema, fields) = schema();
        let directory = RamDirectory::create();
        let table_bytes = if texts.len() <= SMALL_INDEX_LISTINGS { SMALL_TERM_TABLE_BYTES } else { LARGE_TERM_TABLE_BYTES };
        // There are no stored fields to compress.
        let settings = IndexSettings { docstore_compression: tantivy::store::Compressor::None, ..IndexSettings::default() };
        let builder = Index::builder().schema(schema).settings(settings);
        // One segment, written by this thread: no background writer outlives a reply, and there is nothing to merge.
        let mut writer = builder.single_segment_index_writer::<TantivyDocument>(directory.clone(), table_bytes)?;
        let mut tokenizer = Tokenizer::new();
        let mut stems: HashMap<String, String> = HashMap::new();
        for texts in texts {
            let mut document = TantivyDocument::default();
            for (text, field) in texts.iter().zip(fields) {
                let words = tokenizer.index_terms(text);
                let stemmed = words.iter().map(|word| match stems.get(word) {
                    Some(stem) => stem.clone(),
                    None => {
                        let stem = tokenizer.stem(word);
                        if stems.len() < MAX_CACHED_STEMS {
                            stems.insert(word.clone(), stem.clone());
                        }
                        stem
                    }
                });
                let stemmed = tokens(stemmed.collect::<Vec<_>>());
                document.add_pre_tokenized_text(field.stems, stemmed);
                document.add_pre_tokenized_text(field.words, tokens(words));
            }
            writer.add_document(document)?;
        }
        Self::read(&writer.finalize()?, directory, fields)
    }

    /// Opens an index from the files that [`TextIndex::files`] returned.
    ///
    /// # Errors
    /// If the files are damaged, of another version, or hold another number of texts than `texts`.
    pub(crate) fn open(files: &[(String, bytes::Bytes)], texts: usize) -> Result<Self, TantivyError> {
        let (schema, fields) = schema();
        let directory = RamDirectory::create();
        for (name, content) in files {
            directory.atomic_write(Path::new(name), content)?;
        }
        let index = Index::open(directory.clone())?;
        if index.schema() != schema {
            return Err(TantivyError::SchemaError("the index has different fields".into()));
        }
        let opened = Self::read(&index, directory, fields)?;
        if opened.len() == texts {
            Ok(opened)
        } else {
            Err(TantivyError::InvalidArgument("the index has a different number of texts".into()))
        }
    }

    fn read(index: &Index, directory: RamDirectory, fields: [IndexedField; 4]) -> Result<Self, TantivyError> {
        let segments = index.searchable_segments()?;
        let reader = segments.first().map(SegmentReader::open).transpose()?;
        Ok(Self { directory, reader, fields })
    }

    fn len(&self) -> usize {
        self.reader.as_ref().map_or(0, |reader| reader.max_doc() as usize)
    }

    /// The files of this index, sorted by name.
    pub(crate) fn files(&self) -> Result<Vec<(String, Vec<u8>)>, TantivyError> {
        let index = Index::open(self.directory.clone())?;
        let mut names = vec!["meta.json".to_owned()];
        for meta in index.searchable_segment_metas()? {
            names.extend(meta.list_files().into_iter().filter_map(|path| path.to_str().map(str::to_owned)));
        }
        names.sort();
        let mut files = Vec::with_capacity(names.len());
        for name in names {
            let path = Path::new(&name);
            if self.directory.exists(path).unwrap_or(false) {
                let bytes = self.directory.open_read(path)?.read_bytes()?;
                files.push((name.clone(), bytes.as_slice().to_vec()));
            }
        }
        Ok(files)
    }

    /// The relevance of each text, by position; 0 unless every term occurs in it.
    pub(crate) fn relevance(&self, terms: &[QueryTerm]) -> Result<Vec<u16>, TantivyError> {
        let mut totals = vec![0_u16; self.len()];
        // Tantivy panics on a typo in an index without documents.
        let Some(reader) = self.reader.as_ref().filter(|_| !totals.is_empty()) else { return Ok(totals) };
        let mut best = vec![0_u8; self.len()];
        for (n, term) in terms.iter().enumerate() {
            best.fill(0);
            for (field, [exact, similar, typo]) in self.fields.iter().zip(WEIGHTS) {
                let index = reader.inverted_index(field.words)?;
                if term.allows_typo {
                    let text = Term::from_field_text(field.words, &term.text);
                    let weight = FuzzyTermQuery::new(text, 1, true).weight(EnableScoring::disabled_from_schema(reader.schema()))?;
                    let mut docs = weight.scorer(reader, 1.0)?;
                    while docs.doc() != TERMINATED {
                        raise(&mut best, docs.doc(), typo);
                        docs.advance();
                    }
                }
                let mut mark = |index: &InvertedIndexReader, info: &TermInfo, weight| mark_term(&mut best, index, info, weight);
                if term.is_prefix {
                    let mut matches = index.terms().range().ge(&term.text).lt(end_of_prefix_range(&term.text)).into_stream()?;
                    let mut left = MAX_EXPANSIONS;
                    while left > 0 && matches.advance() {
                        mark(&index, matches.value(), similar)?;
                        left -= 1;
                    }
                }
                let stems = reader.inverted_index(field.stems)?;
                if let Some(info) = stems.terms().get(&term.stem)? {
                    mark(&stems, &info, similar)?;
                }
                if let Some(info) = index.terms().get(&term.text)? {
                    mark(&index, &info, exact)?;
                }
            }
            for (total, best) in totals.iter_mut().zip(&best) {
                // A text that lacks one term is out.
                *total = if *best == 0 || (n > 0 && *total == 0) { 0 } else { *total + u16::from(*best) };
            }
        }
        Ok(totals)
    }
}

impl std::fmt::Debug for TextIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextIndex").field("texts", &self.len()).finish_non_exhaustive()
    }
}

fn schema() -> (Schema, [IndexedField; 4]) {
    let mut builder = Schema::builder();
    let indexing =
        TextFieldIndexing::default().set_tokenizer("raw").set_index_option(IndexRecordOption::Basic).set_fieldnorms(false);
    let options = TextOptions::default().set_indexing_options(indexing);
    let fields = FIELDS.map(|name| IndexedField {
        words: builder.add_text_field(name, options.clone()),
        stems: builder.add_text_field(&format!("{name}_stems"), options.clone()),
    });
    (builder.build(), fields)
}

fn tokens(words: Vec<String>) -> PreTokenizedString {
    let token = |(position, text)| Token { position, text, ..Token::default() };
    PreTokenizedString { text: String::new(), tokens: words.into_iter().enumerate().map(token).collect() }
}

/// Raises every text that contains the term to at least this weight.
fn mark_term(best: &mut [u8], index: &InvertedIndexReader, info: &TermInfo, weight: u8) -> Result<(), TantivyError> {
    let mut postings = index.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    while !postings.docs().is_empty() {
        for doc in postings.docs() {
            raise(best, *doc, weight);
        }
        postings.advance();
    }
    Ok(())
}

fn raise(best: &mut [u8], doc: u32, weight: u8) {
    if let Some(best) = best.get_mut(doc as usize) {
        *best = (*best).max(weight);
    }
}

/// The smallest key above every key with this prefix. The last byte of UTF-8 text is never 0xFF, so adding one cannot overflow.
fn end_of_prefix_range(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last += 1;
    }
    bytes
}
