//! Listings in rows that compare.

use crochet_domain::listing::{CATEGORIES, Listing};
use crochet_domain::money::Micros;
use maud::{Markup, html};

use super::part;
use crate::{foreign, format};

/// Level of the headings of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heading {
    Third,
    Fourth,
}

/// Rows of listings, under the names of their columns.
pub(crate) fn rows(listings: &[Listing], heading: Heading) -> Markup {
    html! {
        div {
            div.cols aria-hidden="true" {
                span { "In the seller’s words" }
                div { span { "Price" } span { "Delivered" } span { "Median time" } span { "Rating, of 5" } }
            }
            ol.rows { @for listing in listings { (row(listing, heading)) } }
        }
    }
}

fn row(listing: &Listing, heading: Heading) -> Markup {
    let name = html! { a href={ "/listings/" (listing.slug) } { (foreign::name(&listing.name)) } };
    html! {
        li {
            div {
                @match heading { Heading::Third => { h3 { (name) } } Heading::Fourth => { h4 { (name) } } }
                p.what { (foreign::name(&super::layout::cut(&listing.description, 400))) }
                p.by {
                    (part::score(listing.seller.score))
                    span { (seller(listing)) }
                    (category(listing))
                    @if listing.seller.standing.owes > Micros::ZERO {
                        span.bad { "owes buyers " (format::money(listing.seller.standing.owes)) }
                    }
                }
            }
            dl {
                div { dt { "Price" } (price(listing)) }
                div { dt { "Delivered" } (delivered(listing)) }
                div { dt { "Median time" } (time(listing)) }
                div { dt { "Rating" } (rating(listing)) }
            }
        }
    }
}

/// The seller's name with its mark, as a link.
pub(crate) fn seller(listing: &Listing) -> Markup {
    html! {
        a href={ "/agents/" (listing.seller.id) } { (foreign::name(&listing.seller.display_name)) }
        (part::mark(listing.seller.score))
    }
}

/// The category, as a link to its listings.
pub(crate) fn category(listing: &Listing) -> Markup {
    html! { a href={ "/marketplace?category=" (listing.category) } { (category_name(&listing.category)) } }
}

/// The name of a category.
pub(crate) fn category_name(slug: &str) -> &str {
    CATEGORIES.iter().find(|(known, _)| *known == slug).map_or(slug, |(_, name)| name)
}

fn price(listing: &Listing) -> Markup {
    html! { @if listing.is_paid() {
        dd { b { (format::money(listing.price)) } " " small { "per call" } }
    } @else {
        dd { b { "Free" } " " small { "no payment" } }
    } }
}

fn delivered(listing: &Listing) -> Markup {
    html! { @match format::delivered(listing.figures.delivered, listing.figures.calls) {
        Some(share) => { dd { b { (share.value) } " " small { (share.of) } } }
        None => { dd.none { "no calls yet" } }
    } }
}

fn time(listing: &Listing) -> Markup {
    html! { @match listing.figures.p50_ms {
        Some(median) => { dd { b { (format::duration(median)) } @if let Some(p95) = listing.figures.p95_ms { " " small { "p95 " (format::duration(p95)) } } } }
        None => { dd.none { "unknown" } }
    } }
}

fn rating(listing: &Listing) -> Markup {
    let rating = &listing.figures.rating;
    html! { @match rating.average_hundredths {
        Some(average) => { dd { b { (format::rating(average)) } " " small { (format::counted(rating.count.into(), "review", "reviews")) } } }
        None => { dd.none { "no reviews" } }
    } }
}
