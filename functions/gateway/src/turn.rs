//! Turns: who comes first when there may be no time for all.

/// These in their order, beginning with another one each minute, so that none has to wait for ever behind one that takes all the time.
pub(crate) fn in_turn<T>(mut all: Vec<T>, now_ms: i64) -> Vec<T> {
    let first = usize::try_from(now_ms.div_euclid(60_000)).unwrap_or(0) % all.len().max(1);
    all.rotate_left(first);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_the_first_one_in_its_turn() {
        let mut first = Vec::new();
        for minute in 0..4 {
            let mut order = in_turn(vec![0, 1, 2, 3], minute * 60_000 + 59_999);
            first.push(order[0]);
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2, 3]);
        }
        first.sort_unstable();
        assert_eq!(first, [0, 1, 2, 3]);
        assert!(in_turn(Vec::<u8>::new(), 5).is_empty());
    }
}
