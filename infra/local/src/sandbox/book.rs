//! The book of payments in a file: one JSON line for each state of a payment. The last line about a payment counts.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::payment::Payment;

/// A file that payments are written to.
#[derive(Debug)]
pub(super) struct Book {
    file: File,
}

fn path(directory: &Path) -> PathBuf {
    directory.join("sandbox-payments.jsonl")
}

impl Book {
    /// The payments in the book of `directory`, oldest first. A line that was cut off by the end of its process is skipped.
    ///
    /// # Errors
    /// One sentence that names the file and the line.
    pub(super) fn read(directory: &Path) -> Result<Vec<Payment>, String> {
        let path = path(directory);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(format!("{} could not be read: {error}", path.display())),
        };
        let mut payments: Vec<Payment> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let payment: Payment = match serde_json::from_str(line) {
                Ok(payment) => payment,
                Err(_) if !line.ends_with('\n') => break,
                Err(error) => return Err(format!("{}, line {}: {error}", path.display(), number + 1)),
            };
            match places.get(&payment.id) {
                Some(place) => payments[*place] = payment,
                None => {
                    places.insert(payment.id.clone(), payments.len());
                    payments.push(payment);
                }
            }
        }
        Ok(payments)
    }

    /// A new book of `directory` with these payments, oldest first. It replaces the one before at once.
    ///
    /// # Errors
    /// One sentence that names the file.
    pub(super) fn create<'a>(directory: &Path, payments: impl Iterator<Item = &'a Payment>) -> Result<Self, String> {
        let path = path(directory);
        let new = path.with_extension("new");
        let failed = |error: std::io::Error| format!("{} could not be written: {error}", path.display());
        let mut book = Self { file: File::create(&new).map_err(failed)? };
        let mut lines = Vec::new();
        for payment in payments {
            lines.extend(line(payment).map_err(failed)?);
        }
        book.file.write_all(&lines).map_err(failed)?;
        fs::rename(&new, &path).map_err(failed)?;
        Ok(book)
    }

    /// Adds the state of a payment. A failure is logged: the sandbox goes on without it.
    pub(super) fn write(&mut self, payment: &Payment) {
        if let Err(error) = line(payment).and_then(|line| self.file.write_all(&line)) {
            tracing::error!(%error, "a payment of the sandbox could not be written to its file");
        }
    }
}

fn line(payment: &Payment) -> std::io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(payment)?;
    line.push(b'\n');
    Ok(line)
}
