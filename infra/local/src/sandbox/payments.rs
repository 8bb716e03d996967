//! All payments, and where they are kept.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use super::book::Book;
use super::payment::Payment;

/// Maximum number of kept payments. The oldest is dropped first.
const CAPACITY: usize = 50_000;

/// All payments.
#[derive(Debug, Default)]
pub(super) struct Payments {
    by_id: HashMap<String, Payment>,
    /// Ids, oldest first.
    order: VecDeque<String>,
    /// Where they are kept, if anywhere.
    book: Option<Book>,
}

impl Payments {
    /// The payments of a directory. From now on, every change is written there.
    ///
    /// Webhooks of changes before `now_ms` are not sent again.
    ///
    /// # Errors
    /// One sentence, if the book cannot be read or written.
    pub(super) fn open(directory: &Path, now_ms: i64) -> Result<Self, String> {
        let mut payments = Self::default();
        for mut payment in Book::read(directory)? {
            payment.announce(now_ms);
            payments.add(payment);
        }
        payments.book = Some(Book::create(directory, payments.newest().collect::<Vec<_>>().into_iter().rev())?);
        Ok(payments)
    }

    /// Adds a payment, or replaces it. Drops the oldest if there are too many.
    pub(super) fn add(&mut self, payment: Payment) {
        if let Some(book) = &mut self.book {
            book.write(&payment);
        }
        let id = payment.id.clone();
        if self.by_id.insert(id.clone(), payment).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }

    /// Changes a payment. Returns false if it is unknown.
    pub(super) fn update(&mut self, id: &str, change: impl FnOnce(&mut Payment)) -> bool {
        let Some(payment) = self.by_id.get_mut(id) else {
            return false;
        };
        change(payment);
        if let Some(book) = &mut self.book {
            book.write(payment);
        }
        true
    }

    pub(super) fn get(&self, id: &str) -> Option<&Payment> {
        self.by_id.get(id)
    }

    /// Newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = &Payment> {
        self.order.iter().rev().filter_map(|id| self.by_id.get(id))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Takes every change that is in effect and was not announced, and marks it as announced.
    ///
    /// Each is a copy of its payment and the moment of the change.
    pub(super) fn take_unannounced(&mut self, now_ms: i64) -> Vec<(Payment, i64)> {
        let mut due = Vec::new();
        for payment in self.by_id.values_mut() {
            let moments = payment.announce(now_ms);
            due.extend(moments.into_iter().map(|at_ms| (payment.clone(), at_ms)));
        }
        due.sort_by_key(|(_, at_ms)| *at_ms);
        due
    }
}
