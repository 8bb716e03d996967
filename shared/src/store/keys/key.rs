//! Keys of the table and its indexes.

/// Name of the partition key attribute.
pub const PK: &str = "PK";
/// Name of the sort key attribute.
pub const SK: &str = "SK";
/// Name of the attribute that says when DynamoDB may delete an item, in Unix seconds. Deletion is late, so conditions also compare
/// times themselves.
pub const TTL: &str = "ttl";
/// Name of the attribute that says what an item is; the indexes carry it.
pub const KIND: &str = "kind";
/// Index of buyers' history and accounts.
pub const GSI1: &str = "gsi1";
/// Index of sellers' history and accounts, by day, so that a busy seller's items do not all go to one partition.
pub const GSI2: &str = "gsi2";
/// Index of calls that need attention, and of the catalogue's changes.
pub const GSI3: &str = "gsi3";

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl Key {
    pub(super) fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }
}

/// A key in one of the indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexKey {
    /// [`GSI1`], [`GSI2`] or [`GSI3`].
    pub index: &'static str,
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl IndexKey {
    pub(super) fn new(index: &'static str, pk: String, sk: impl Into<String>) -> Self {
        Self { index, pk, sk: sk.into() }
    }
}

/// The keys of one partition between two sort keys, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// Partition key.
    pub pk: String,
    /// Smallest sort key.
    pub from: String,
    /// Largest sort key.
    pub to: String,
}

impl KeyRange {
    /// The sort keys that begin with `prefix`.
    pub(super) fn starting_with(pk: String, prefix: &str) -> Self {
        Self { pk, from: prefix.to_owned(), to: format!("{prefix}{ABOVE_ALL}") }
    }

    /// The part of the range above this sort key: the next page.
    #[must_use]
    pub fn after(self, sk: &str) -> Self {
        Self { from: just_after(sk), ..self }
    }
}

/// Above every character of a sort key: sort keys are ASCII.
pub const ABOVE_ALL: &str = "~";
/// Below every character of a sort key.
pub const BELOW_ALL: &str = "!";

/// The smallest sort key above this one. If another sort key begins with it, `#` comes next there.
#[must_use]
pub fn just_after(sk: &str) -> String {
    format!("{sk}{BELOW_ALL}")
}

/// Names of the attributes that hold an index key: (`gsi1pk`, `gsi1sk`) and so on.
#[must_use]
pub fn index_attributes(index: &str) -> (String, String) {
    (format!("{index}pk"), format!("{index}sk"))
}
