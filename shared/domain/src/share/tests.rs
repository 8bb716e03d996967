//! The rule, by examples and for every small limit.

use super::*;

fn holder(n: u32) -> Holder {
    Holder::stored(&n.to_string())
}

fn held(counts: &[u32]) -> Held {
    let mut held = Held::default();
    for (n, count) in (0..).zip(counts) {
        held.add(holder(n), *count);
    }
    held
}

/// The most that holder `n` may hold.
fn most(held: &Held, limit: u32, n: u32) -> u32 {
    (0..=limit + 1).take_while(|count| *count == 0 || held.allows(limit, &holder(n), *count)).last().unwrap_or(0)
}

#[test]
fn half_of_what_the_others_leave_and_one_while_there_is_room() {
    for (limit, others, expected) in
        [(50, 0, 25), (50, 25, 12), (50, 47, 1), (50, 49, 1), (50, 50, 1), (1, 0, 1), (2, 1, 1), (3, 0, 1)]
    {
        assert_eq!(share(limit, others), expected, "{limit}, {others}");
    }
    assert_eq!(most(&held(&[]), 50, 0), 25);
    assert_eq!(most(&held(&[25]), 50, 1), 12);
    // The last place is anybody's, and then the limit is reached.
    assert_eq!(most(&held(&[25, 12, 6, 3, 1, 1, 1]), 50, 7), 1);
    assert_eq!(most(&held(&[25, 12, 6, 3, 1, 1, 1, 1]), 50, 8), 0);
    assert_eq!(most(&held(&[1]), 1, 1), 0);
}

#[test]
fn what_somebody_holds_beyond_the_largest_share_is_at_nobody_elses_expense() {
    assert_eq!(most(&held(&[25]), 50, 1), most(&held(&[1_000]), 50, 1));
    assert_eq!(most(&held(&[5]), 5, 1), 1);
    assert_eq!(held(&[1_000, 3]).total(), 1_003);
}

#[test]
fn the_sweeper_gets_a_quarter_or_half_of_what_the_others_leave_and_only_what_is_left() {
    let sweeper = holder(9);
    assert!(held(&[]).allows_sweeper(200, &sweeper, 100) && !held(&[]).allows_sweeper(200, &sweeper, 101), "nobody else asks");
    assert!(held(&[40]).allows_sweeper(200, &sweeper, 80) && !held(&[40]).allows_sweeper(200, &sweeper, 81));
    assert!(held(&[100]).allows_sweeper(200, &sweeper, 50) && !held(&[100]).allows_sweeper(200, &sweeper, 51));
    assert!(held(&[100, 40]).allows_sweeper(200, &sweeper, 50) && !held(&[100, 40]).allows_sweeper(200, &sweeper, 51), "a quarter");
    assert!(!held(&[100, 50, 25, 12]).allows_sweeper(200, &sweeper, 14), "187 are gone");
    assert!(held(&[100, 50, 25, 12]).allows_sweeper(200, &sweeper, 13));
    assert!(held(&[]).allows_sweeper(3, &sweeper, 1));
}

/// Buyers come in any order and take one at a time, as long as they may.
#[test]
fn in_every_order_the_limit_holds_and_whoever_comes_first_leaves_half() {
    for limit in 1..=9_u32 {
        // Each digit of `order`, in base 3, is the buyer that asks next.
        for order in 0..3_u32.pow(9) {
            let mut held = Held::default();
            for step in 0..9 {
                let buyer = holder(order / 3_u32.pow(step) % 3);
                let wanted = held.by(&buyer) + 1;
                if held.allows(limit, &buyer, wanted) {
                    held.add(buyer.clone(), 1);
                    let others = held.total() - wanted;
                    assert!(wanted <= share(limit, others), "{limit}, {order}");
                }
                assert!(held.total() <= limit);
                assert!(held.by(&buyer) <= share(limit, 0));
            }
        }
    }
}

/// Whatever one buyer holds, by whatever means, five others that have nothing get one each.
#[test]
fn nobody_keeps_five_others_from_one_each() {
    for limit in 10..=60 {
        for greedy in [0, 1, limit / 2, limit, 10 * limit] {
            let mut held = held(&[greedy]);
            for n in 1..=5 {
                assert!(held.allows(limit, &holder(n), 1), "{limit}, {greedy}, {n}");
                held.add(holder(n), 1);
            }
        }
    }
}

#[test]
fn holders_are_short_and_groups_change_with_the_minute() {
    let profile = |n: u8| format!("00000000-0000-7000-8000-0000000000{n:02}").parse().expect("an id");
    assert_eq!(Holder::of(profile(1)).as_str().len(), 8);
    assert_ne!(Holder::of(profile(1)), Holder::of(profile(2)));
    let groups: Vec<Holder> = (0..20).map(|minute| Holder::group_of(profile(1), minute)).collect();
    assert!(groups.iter().all(|group| group.as_str().len() == 2) && groups.iter().any(|group| *group != groups[0]));
    assert_eq!(groups[3], Holder::group_of(profile(1), 3));
}
