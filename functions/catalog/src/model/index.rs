//! The text index of a segment: which of its listings fit the words of a search, and how well.
//!
//! tantivy keeps terms and postings. Relevance is ours: a few steps that anybody can follow, so that equals are common and the
//! seller's score decides between them.

use std::collections::HashMap;
use std::path::Path;

use tantivy::directory::{Directory, RamDirectory};
use tantivy::postings::TermInfo;
use tantivy::query::{EnableScoring, FuzzyTermQuery, Query};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{DocSet, Index, IndexSettings, InvertedIndexReader, SegmentReader, TERMINATED, TantivyDocument, TantivyError, Term};

use super::text::{Cutter, Word};

/// Name, tags, category and description: what weighs most comes first.
const FIELDS: [&str; 4] = ["name", "tags", "category", "description"];
/// What a word weighs that occurs as it is, as a beginning or by its stem, or misspelt; for each field. A better field counts for
/// more than a better kind of match, but a misspelt word always comes last.
const WEIGHTS: [[u8; 3]; 4] = [[200, 160, 8], [120, 100, 6], [60, 50, 4], [20, 15, 2]];
/// Most words of the index that the beginning of a word stands for, in a field.
const MAX_EXPANSIONS: usize = 10_000;
/// Stems that are remembered while an index is built.
const REMEMBERED_STEMS: usize = 100_000;
/// So much may tantivy take for its table of terms (bytes): for a few listings, and for very many.
const TERM_TABLE_BYTES: (usize, usize) = (300_000, 30_000_000);
/// Up to so many listings are few.
const FEW: usize = 200;

/// What is searched of a listing, in the order of [`FIELDS`].
pub(crate) type Texts = [String; 4];

/// An index of texts, by their place. It never changes.
pub(crate) struct TextIndex {
    directory: RamDirectory,
    /// None where there is nothing to be found.
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
    ///
    /// # Errors
    /// None in practice: the index is written to memory.
    pub(crate) fn build(texts: impl ExactSizeIterator<Item = Texts>) -> Result<Self, TantivyError> {
        let (schema, fields) = schema();
        let directory = RamDirectory::create();
        let table_bytes = if texts.len() <= FEW { TERM_TABLE_BYTES.0 } else { TERM_TABLE_BYTES.1 };
        // Nothing is stored, so nothing is to be compressed.
        let settings = IndexSettings { docstore_compression: tantivy::store::Compressor::None, ..IndexSettings::default() };
        let builder = Index::builder().schema(schema).settings(settings);
        // One segment, written by this thread: no writer of tantivy's own that goes on after a reply, and nothing to merge.
        let mut writer = builder.single_segment_index_writer::<TantivyDocument>(directory.clone(), table_bytes)?;
        let mut cutter = Cutter::new();
        let mut stems: HashMap<String, String> = HashMap::new();
        for texts in texts {
            let mut document = TantivyDocument::default();
            for (text, field) in texts.iter().zip(fields) {
                let words = cutter.words(text);
                let stemmed = words.iter().map(|word| match stems.get(word) {
                    Some(stem) => stem.clone(),
                    None => {
                        let stem = cutter.stem(word);
                        if stems.len() < REMEMBERED_STEMS {
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

    /// An index of these files, as [`TextIndex::files`] gave them.
    ///
    /// # Errors
    /// Where they are not an index of this version, or not of so many texts.
    pub(crate) fn open(files: &[(String, bytes::Bytes)], texts: usize) -> Result<Self, TantivyError> {
        let (schema, fields) = schema();
        let directory = RamDirectory::create();
        for (name, content) in files {
            directory.atomic_write(Path::new(name), content)?;
        }
        let index = Index::open(directory.clone())?;
        if index.schema() != schema {
            return Err(TantivyError::SchemaError("the index has other fields".into()));
        }
        let opened = Self::read(&index, directory, fields)?;
        if opened.len() == texts { Ok(opened) } else { Err(TantivyError::InvalidArgument("another number of texts".into())) }
    }

    fn read(index: &Index, directory: RamDirectory, fields: [IndexedField; 4]) -> Result<Self, TantivyError> {
        let segments = index.searchable_segments()?;
        let reader = segments.first().map(SegmentReader::open).transpose()?;
        Ok(Self { directory, reader, fields })
    }

    fn len(&self) -> usize {
        self.reader.as_ref().map_or(0, |reader| reader.max_doc() as usize)
    }

    /// The files of this index, by name.
    ///
    /// # Errors
    /// None in practice: they lie in memory.
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

    /// How well each text fits all the words, by its place; 0 where one of them occurs nowhere in it.
    ///
    /// # Errors
    /// None in practice: the index lies in memory and its files were checked.
    pub(crate) fn relevance(&self, words: &[Word]) -> Result<Vec<u16>, TantivyError> {
        let mut total = vec![0_u16; self.len()];
        let Some(reader) = &self.reader else { return Ok(total) };
        let mut best = vec![0_u8; self.len()];
        for (n, word) in words.iter().enumerate() {
            best.fill(0);
            for (field, [exact, near, misspelt]) in self.fields.iter().zip(WEIGHTS) {
                let index = reader.inverted_index(field.words)?;
                if word.may_be_misspelt {
                    let term = Term::from_field_text(field.words, &word.text);
                    let weight = FuzzyTermQuery::new(term, 1, true).weight(EnableScoring::disabled_from_schema(reader.schema()))?;
                    let mut docs = weight.scorer(reader, 1.0)?;
                    while docs.doc() != TERMINATED {
                        raise(&mut best, docs.doc(), misspelt);
                        docs.advance();
                    }
                }
                let mut mark = |index: &InvertedIndexReader, info: &TermInfo, weight| mark_term(&mut best, index, info, weight);
                if word.is_prefix {
                    let mut terms = index.terms().range().ge(&word.text).lt(after_all_beginning_with(&word.text)).into_stream()?;
                    let mut left = MAX_EXPANSIONS;
                    while left > 0 && terms.advance() {
                        mark(&index, terms.value(), near)?;
                        left -= 1;
                    }
                }
                let stems = reader.inverted_index(field.stems)?;
                if let Some(info) = stems.terms().get(&word.stem)? {
                    mark(&stems, &info, near)?;
                }
                if let Some(info) = index.terms().get(&word.text)? {
                    mark(&index, &info, exact)?;
                }
            }
            for (total, best) in total.iter_mut().zip(&best) {
                // Who lacks one word is out, whatever the others say.
                *total = if *best == 0 || (n > 0 && *total == 0) { 0 } else { *total + u16::from(*best) };
            }
        }
        Ok(total)
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

/// Raises every text that has the term to this weight.
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

/// The least key above everything that begins like this: the last byte of UTF-8 text is never the greatest there is.
fn after_all_beginning_with(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last += 1;
    }
    bytes
}
