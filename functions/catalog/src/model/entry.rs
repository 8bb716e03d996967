//! A listing, prepared for searching.

use std::sync::Arc;

use crochet::domain::listing::{CATEGORIES, Listing};

/// A listing without schemas and examples, and its words in lower case.
#[derive(Debug)]
pub(super) struct Entry {
    /// The listing, as lists show it.
    pub(super) listing: Arc<Listing>,
    /// Name, tags, category and description: what weighs most comes first.
    fields: [String; 4],
}

/// What a word weighs in each field. A better field counts for more than any kind of match in a lesser one.
const WEIGHTS: [u32; 4] = [1_000, 100, 10, 1];

impl Entry {
    pub(super) fn new(mut listing: Listing) -> Self {
        for heavy in
            [&mut listing.input_schema, &mut listing.output_schema, &mut listing.example_request, &mut listing.example_response]
        {
            *heavy = None;
        }
        let category = CATEGORIES.iter().find(|(slug, _)| *slug == listing.category).map_or("", |(_, name)| name);
        let fields = [
            listing.name.to_lowercase(),
            listing.tags.join("\n").to_lowercase(),
            format!("{}\n{category}", listing.category).to_lowercase(),
            listing.description.to_lowercase(),
        ];
        Self { listing: Arc::new(listing), fields }
    }

    /// How well it fits the words (lower case); `None` where one of them does not occur.
    pub(super) fn relevance(&self, words: &[String]) -> Option<u32> {
        words.iter().map(|word| self.fields.iter().zip(WEIGHTS).find_map(|(field, weight)| Some(weight * fit(field, word)?))).sum()
    }
}

/// 3 for a whole word, 2 for the beginning of one, 1 for a part of one.
fn fit(field: &str, word: &str) -> Option<u32> {
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let kinds = field.match_indices(word).map(|(at, _)| {
        match (inside(field[..at].chars().next_back()), inside(field[at + word.len()..].chars().next())) {
            (false, false) => 3,
            (false, true) => 2,
            (true, _) => 1,
        }
    });
    kinds.max()
}
