//! Round trips, and damaged bytes.

use super::*;
use crate::search::tests::listing;

fn segment() -> Segment {
    let mut listings: Vec<_> = (0..5).map(|n| listing(&format!("Weather {n}"), n)).collect();
    listings[3].tags = vec!["日本".into()];
    Segment::build(&listings).expect("an index")
}

#[test]
fn a_segment_survives_encoding() {
    let segment = segment();
    let (listings, index) = encode(&segment).expect("encoded");
    let decoded = decode(listings.into(), index.into()).expect("decoded");
    assert_eq!(decoded.live_listings().expect("details"), segment.live_listings().expect("details"));
    let attributes = |segment: &Segment| segment.live_attributes().copied().collect::<Vec<_>>();
    assert_eq!(attributes(&decoded), attributes(&segment));
    let (terms, _) = crate::search::tokenizer::Tokenizer::new().query_terms("日本 wether");
    assert_eq!(decoded.index().relevance(&terms).expect("an index"), [0, 0, 0, 128, 0]);
}

#[test]
fn damaged_bytes_are_refused() {
    let (listings, index) = encode(&segment()).expect("encoded");
    let whole = || (Bytes::from(listings.clone()), Bytes::from(index.clone()));
    for cut in [0, 7, 8, 100, listings.len() - 1] {
        assert!(decode(whole().0.slice(..cut), whole().1).is_err(), "listings cut at {cut}");
    }
    for cut in [0, 7, 8, 100, index.len() - 1] {
        assert!(decode(whole().0, whole().1.slice(..cut)).is_err(), "index cut at {cut}");
    }
    let mut too_long = listings.clone();
    too_long[..8].fill(0xff);
    assert!(decode(too_long.into(), whole().1).is_err());
    assert!(decode(whole().1, whole().0).is_err());
}

#[test]
fn a_new_tantivy_format_needs_a_new_format_version() {
    // If this fails, increment FORMAT and update the figure.
    assert_eq!((FORMAT, tantivy::INDEX_FORMAT_VERSION), (3, 7));
}
