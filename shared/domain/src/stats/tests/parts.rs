//! Rows of parts: any number of events, each once, whoever adds them at the same time.

use super::*;

/// A row as it is stored: parts with their versions.
#[derive(Default)]
struct Row(Vec<(u32, Counted)>);

/// A run that has read the row, and writes what has changed part by part.
struct Run {
    parts: Parts,
    versions: Vec<u32>,
    to_write: Vec<(usize, Counted)>,
}

const MOST: usize = 3;

impl Row {
    /// Reads the row and counts these calls. `None` if it was read while another run wrote.
    fn read(&self, of: &[&Call]) -> Option<Run> {
        self.read_torn(of, &self.0)
    }

    /// The same, with the first parts as they were before.
    fn read_torn(&self, of: &[&Call], before: &[(u32, Counted)]) -> Option<Run> {
        let first = before.iter().take(1);
        let read: Vec<_> = first.chain(self.0.iter().skip(before.len().min(1))).cloned().collect();
        let mut parts = Parts::read(read.iter().map(|(_, part)| part.clone()).collect(), MOST)?;
        for call in of {
            for (n, event) in events(call, UNIT_FEE).into_iter().enumerate() {
                parts.count(&event, call, n == 0);
            }
        }
        let to_write = parts.changed().map(|(place, part)| (place, part.clone())).collect();
        Some(Run { parts, versions: read.iter().map(|(version, _)| *version).collect(), to_write })
    }

    /// Writes the next part of a run over the version that it has read. Whether nothing came first.
    fn write(&mut self, run: &mut Run) -> bool {
        let (place, part) = run.to_write.remove(0);
        let next = self.0.len();
        match (self.0.get_mut(place), run.versions.get(place)) {
            (Some((version, stored)), Some(read)) if version == read => {
                (*version, *stored) = (*version + 1, part);
                true
            }
            (None, None) if place == next => {
                self.0.push((1, part));
                true
            }
            _ => false,
        }
    }

    fn book(&self) -> Book {
        let mut book = Book::default();
        self.0.iter().for_each(|(_, part)| book.merge(&part.book));
        book
    }
}

#[test]
fn every_part_but_the_last_is_full_and_an_event_that_comes_again_changes_nothing() {
    let mut random = Random(3);
    let calls: Vec<Call> = (0..10).map(|n| ended(&mut random, day_start_ms(20_000) + n)).collect();
    let calls: Vec<&Call> = calls.iter().collect();
    let mut row = Row::default();
    for _ in 0..3 {
        let mut run = row.read(&calls).expect("a row");
        while !run.to_write.is_empty() {
            assert!(row.write(&mut run));
        }
        assert!(calls.iter().all(|call| events(call, UNIT_FEE).iter().all(|event| run.parts.knows(&event.id))));
        let sizes: Vec<usize> = row.0.iter().map(|(_, part)| part.seen.len()).collect();
        assert_eq!((sizes.as_slice(), row.0.iter().all(|(version, _)| *version == 1)), ([3, 3, 3, 1].as_slice(), true));
    }
}

#[test]
fn an_item_that_was_written_before_there_were_parts_is_a_full_part_with_more_events() {
    let known: Vec<[u8; 8]> = (0..51_000_u64).map(u64::to_be_bytes).collect();
    let old = Counted { seen: known.iter().copied().collect(), ..Counted::default() };
    let mut parts = Parts::read(vec![old], SLICE_EVENTS).expect("a row");
    assert!(!parts.note(known[0]) && !parts.note(known[50_999]) && parts.changed().next().is_none());
    assert!(parts.note([255; 8]) && !parts.note([255; 8]));
    assert_eq!(parts.changed().map(|(place, part)| (place, part.seen.len())).collect::<Vec<_>>(), [(1, 1)]);
}

/// A run reads the row at some moment, its parts perhaps at different ones, and writes at others. One that fails is repeated.
#[test]
fn runs_at_the_same_time_count_every_event_once() {
    for seed in 1..=500 {
        let mut random = Random(seed * 0x9e37_79b9);
        let calls: Vec<Call> = (0..12).map(|n| ended(&mut random, day_start_ms(20_000) + n)).collect();
        let mut row = Row::default();
        let mut before: Vec<(u32, Counted)> = Vec::new();
        let mut runs: [Option<Run>; 3] = [None, None, None];
        for _ in 0..60 {
            let n = usize::try_from(random.below(3)).unwrap_or(0);
            match &mut runs[n] {
                Some(run) if !run.to_write.is_empty() => {
                    before.clone_from(&row.0);
                    if !row.write(run) {
                        runs[n] = None;
                    }
                }
                _ => {
                    let from = usize::try_from(random.below(8)).unwrap_or(0);
                    let of: Vec<&Call> = calls[from..from + 5].iter().collect();
                    runs[n] = if random.below(3) == 0 { row.read_torn(&of, &before) } else { row.read(&of) };
                }
            }
        }
        let all: Vec<&Call> = calls.iter().collect();
        let mut last = row.read(&all).expect("a row");
        while !last.to_write.is_empty() {
            assert!(row.write(&mut last));
        }
        assert_eq!(Some(&row.book()), recomputed(&calls).get(&20_000), "seed {seed}");
    }
}
