//! Round trips, and everything that can be wrong with the bytes.

use super::*;
use crate::model::tests::listing;

fn segment() -> Segment {
    let mut listings: Vec<_> = (0..5).map(|n| listing(&format!("Weather {n}"), n)).collect();
    listings[3].tags = vec!["日本".into()];
    Segment::build(&listings).expect("an index")
}

#[test]
fn a_segment_survives_its_own_spelling() {
    let segment = segment();
    let (listings, index) = spell(&segment).expect("spelled");
    let read = read(listings.into(), index.into()).expect("read");
    assert_eq!(read.live_listings().expect("cards"), segment.live_listings().expect("cards"));
    let facts = |segment: &Segment| segment.live_facts().copied().collect::<Vec<_>>();
    assert_eq!(facts(&read), facts(&segment));
    let (words, _) = crate::model::text::Cutter::new().wanted("日本 wether");
    assert_eq!(read.index().relevance(&words).expect("an index"), [0, 0, 0, 128, 0]);
}

#[test]
fn bytes_that_were_cut_off_or_are_others_are_unreadable() {
    let (listings, index) = spell(&segment()).expect("spelled");
    let whole = || (Bytes::from(listings.clone()), Bytes::from(index.clone()));
    for cut in [0, 7, 8, 100, listings.len() - 1] {
        assert!(read(whole().0.slice(..cut), whole().1).is_err(), "listings cut at {cut}");
    }
    for cut in [0, 7, 8, 100, index.len() - 1] {
        assert!(read(whole().0, whole().1.slice(..cut)).is_err(), "index cut at {cut}");
    }
    let mut endless = listings.clone();
    endless[..8].fill(0xff);
    assert!(read(endless.into(), whole().1).is_err());
    assert!(read(whole().1, whole().0).is_err());
}

#[test]
fn another_tantivy_means_another_format() {
    // Where this fails, FORMAT has to be counted up together with this figure.
    assert_eq!((FORMAT, tantivy::INDEX_FORMAT_VERSION), (1, 7));
}
