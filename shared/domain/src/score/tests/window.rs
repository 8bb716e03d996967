//! From the facts of days to what the formula reads.

use std::collections::BTreeMap;

use super::super::event::Event;
use super::super::facts::PayerFacts;
use super::super::fade::{DAYS, day_start_ms, week_of};
use super::super::review::Review;
use super::super::window::{Payers, Reviewed, Window, active_weeks};
use super::super::{Facts, Payer};
use crate::ids::{ListingId, ProfileId};
use crate::money::Micros;

const TODAY: i32 = 20_700;

fn profile(n: u8) -> ProfileId {
    ProfileId::from_bytes([n; 16])
}

fn listing(n: u8) -> ListingId {
    ListingId::from_bytes([n; 16])
}

fn day(rows: &[(u8, u8, Facts)]) -> PayerFacts {
    let mut facts = PayerFacts::default();
    for (of, payer, added) in rows {
        let event =
            Event { id: [0; 8], at_ms: 0, seller: profile(0), buyer: profile(*payer), listing: listing(*of), facts: *added };
        facts.add(&event);
    }
    facts
}

fn kept(milli: i64) -> Facts {
    Facts { kept: milli, bought: milli, fees: milli * 49 / 10, ..Facts::default() }
}

#[test]
fn the_worked_example() {
    let mut window = Window::default();
    let late = Facts { lost: 500, ..kept(1_000) };
    window.add_day(TODAY, &day(&[(1, 1, kept(12_000)), (1, 1, late)]), &Payers::default(), TODAY);
    window.add_day(TODAY - 21, &day(&[(2, 1, kept(1_600))]), &Payers::default(), TODAY);
    assert_eq!(window.rows[&profile(1)].payer(), Payer { kept: 13_952, lost: 500, owed: 0, grief: 0 });
    assert_eq!(window.fees, Micros(71_540));
}

#[test]
fn what_is_not_paid_back_for_three_days_is_owed() {
    let open = Facts { open: 1_000, open_half: 500, unserved: 1, ..Facts::default() };
    for (age, lost, owed, grief) in [(0, 500, 0, 500), (2, 500, 0, 500), (3, 0, 1_000, 1_000), (8, 0, 841, 841), (91, 0, 0, 0)] {
        let mut window = Window::default();
        window.add_day(TODAY - age, &day(&[(1, 1, open)]), &Payers::default(), TODAY);
        let payer = window.rows.get(&profile(1)).map(super::super::window::Row::payer).unwrap_or_default();
        assert_eq!(payer, Payer { kept: 0, lost, owed, grief }, "{age}");
    }
}

#[test]
fn profiles_of_one_operator_are_one_payer_and_some_do_not_count() {
    let mut payers = Payers { clusters: BTreeMap::from([(profile(1), profile(9)), (profile(2), profile(9))]), ..Payers::default() };
    payers.excluded.insert(profile(3));
    let mut window = Window::default();
    window.add_day(TODAY, &day(&[(1, 1, kept(300)), (1, 2, kept(200)), (1, 3, kept(9_000))]), &payers, TODAY);
    assert_eq!(window.rows.keys().collect::<Vec<_>>(), [&profile(9)]);
    assert_eq!(window.rows[&profile(9)].payer().kept, 500);
    let review = |by, stars, ago| Reviewed {
        listing: listing(1),
        by: profile(by),
        review: Review { at_ms: day_start_ms(TODAY - ago), voice: 500, accuracy_rating: stars },
    };
    let said = window.add_reviews(&[review(1, 1, 9), review(2, 2, 0), review(3, 1, 0)], &payers, TODAY);
    assert_eq!(
        said.iter().map(|said| (said.voice, said.accuracy_rating)).collect::<Vec<_>>(),
        [(500, 2)],
        "the newest of a cluster"
    );
    assert_eq!(window.rows[&profile(9)].grief, 1_000);
}

#[test]
fn a_review_fades_with_its_age() {
    let review = |ago, voice| Review { at_ms: day_start_ms(TODAY - ago), voice, accuracy_rating: 1 };
    assert_eq!([6, 7, 91].map(|ago| review(ago, 4_001).faded_voice(TODAY)), [4_001, 3_364, 0]);
    assert_eq!([6, 7, 91].map(|ago| review(ago, 1).grief(TODAY)), [1_000, 841, 0]);
    assert_eq!(review(0, 0).grief(TODAY), 0, "without a voice, it says nothing");
}

#[test]
fn weeks_are_remembered_for_a_year() {
    let mut older: BTreeMap<i32, i64> = BTreeMap::new();
    for today in TODAY..TODAY + 500 {
        let mut window = Window::default();
        for ago in 0..DAYS {
            window.add_day(today - ago, &day(&[(1, 1, kept(1_000))]), &Payers::default(), today);
        }
        older = window.remembered_weeks(&older, today);
        let weeks = active_weeks(&older);
        // The first and the current week may have too few days.
        let most = u32::try_from((today - TODAY + DAYS) / 7 + 2).expect("weeks").min(52);
        assert!((most - 3..=most).contains(&weeks), "{today}: {weeks} of {most}");
        assert!(older.keys().all(|week| *week > week_of(today) - 52));
        assert!(older.values().rev().skip(1).take(40).skip_while(|_| false).all(|sum| *sum <= 7_000));
    }
    assert_eq!(older.len(), 52);
}

#[test]
fn facts_are_read_as_they_were_written() {
    let facts = day(&[
        (1, 1, kept(1_000)),
        (1, 2, -kept(77)),
        (2, 1, Facts { kept: i64::MAX, lost: i64::MIN, unserved: 1, ..Facts::default() }),
        (9, 9, Facts::default()),
    ]);
    let bytes = facts.to_bytes();
    assert_eq!(PayerFacts::from_bytes(&bytes), Ok(facts));
    assert!(day(&[(9, 9, Facts::default()), (1, 1, kept(5)), (1, 1, -kept(5))]).is_empty(), "who has nothing has no row");
    assert_eq!(PayerFacts::from_bytes(&PayerFacts::default().to_bytes()), Ok(PayerFacts::default()));
    for cut in 0..bytes.len() {
        let _ = PayerFacts::from_bytes(&bytes[..cut]);
    }
    assert!(PayerFacts::from_bytes(&[5, 1]).is_err());
    let many: Vec<(u8, u8, Facts)> = (0..100).map(|payer| (1, payer, kept(1_000))).collect();
    let size = day(&many).to_bytes().len();
    println!("facts: {} bytes a payer", size / 100);
    assert!(size < 30 * 100, "{size} bytes");
}
