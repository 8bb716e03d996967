//! The form of filters, and the filters that are set, as links that remove them.

use crochet_domain::listing::CATEGORIES;
use maud::{Markup, html};

use super::query::{FILTERS, Query};
use super::rows::category_name;
use crate::{foreign, format};

/// The orders, as the form names them.
const ORDERS: [(&str, &str); 6] = [
    ("relevance", "Best match"),
    ("popular", "Most called"),
    ("rating", "Best rated"),
    ("price_low", "Cheapest first"),
    ("price_high", "Dearest first"),
    ("newest", "Newest"),
];
const DELIVERIES: [(&str, &str); 5] =
    [("api", "API"), ("webhook", "Webhook"), ("streaming", "Streaming"), ("batch", "Batch"), ("file", "File")];
const PAYMENTS: [(&str, &str, &str); 3] =
    [("pm1", "", "Free or per call"), ("pm2", "free", "Free"), ("pm3", "per_call", "Per call")];

/// The order of this search.
fn order_of(query: &Query) -> &str {
    match (query.get("sort"), query.get("q")) {
        ("", "") => "popular",
        ("", _) => "relevance",
        (sort, _) => sort,
    }
}

/// The order, as a sentence names it: `Most called first`.
pub(crate) fn order(query: &Query) -> String {
    let name = ORDERS.iter().find(|(order, _)| *order == order_of(query)).map_or("", |(_, name)| name);
    if name.ends_with("first") { name.to_owned() } else { format!("{name} first") }
}

/// A filter that is set, in words.
pub(crate) fn words(query: &Query, field: &str) -> String {
    let value = foreign::line(query.get(field));
    match field {
        "q" => format!("“{value}”"),
        "category" => category_name(&value).to_owned(),
        "pricing_model" => named(&PAYMENTS.map(|(_, slug, name)| (slug, name)), &value),
        "delivery_type" => format!("{} delivery", named(&DELIVERIES, &value)),
        "min_price" => format!("from ${value}"),
        "max_price" => format!("up to ${value}"),
        _ => "one seller".to_owned(),
    }
}

fn named(names: &[(&str, &str)], value: &str) -> String {
    names.iter().find(|(slug, _)| *slug == value).map_or(value, |(_, name)| name).to_owned()
}

/// The filters that are set, except the text, each as a link that removes it.
pub(crate) fn chips(query: &Query) -> Markup {
    let set: Vec<&str> = FILTERS.into_iter().filter(|field| *field != "q" && !query.get(field).is_empty()).collect();
    html! { @if !set.is_empty() {
        nav aria-label="Filters that are set" {
            ul.chips { @for field in set {
                li { a href=(query.with(field, "")) { (words(query, field)) " " span aria-hidden="true" { "×" } span.hide { "(remove)" } } }
            } }
        }
    } }
}

/// The form. `wrong` is the field that cannot be used.
pub(crate) fn form(query: &Query, categories: &[usize], wrong: Option<&str>) -> Markup {
    let set = FILTERS.iter().filter(|field| **field != "q" && !query.get(field).is_empty()).count();
    html! {
        details.filters open[wrong.is_some()] {
            summary { "Filters and order" @if set > 0 { " (" (set) " set)" } }
            form #filters action="/marketplace" method="get" aria-label="Filters" {
                @for hidden in ["q", "seller"] {
                    @if !query.get(hidden).is_empty() { input type="hidden" name=(hidden) value=(query.get(hidden)); }
                }
                div.field {
                    label for="sort" { "Order" }
                    select #sort name="sort" { @for (order, name) in ORDERS { option value=(order) selected[order == order_of(query)] { (name) } } }
                }
                div.field {
                    label for="category" { "Category" }
                    select #category name="category" {
                        option value="" selected[query.get("category").is_empty()] { "All" }
                        @for ((slug, name), count) in CATEGORIES.iter().zip(categories) {
                            option value=(slug) selected[query.get("category") == *slug] { (name) " (" (format::grouped(*count as u64)) ")" }
                        }
                    }
                }
                fieldset {
                    legend { "Price per call, USD" }
                    div.two { (price(query, "min_price", "from", wrong)) (price(query, "max_price", "to", wrong)) }
                }
                fieldset {
                    legend { "Payment" }
                    @for (id, value, name) in PAYMENTS { div.check {
                        input type="radio" name="pricing_model" id=(id) value=(value) checked[query.get("pricing_model") == value];
                        label for=(id) { (name) }
                    } }
                }
                div.field {
                    label for="delivery" { "Delivery" }
                    select #delivery name="delivery_type" {
                        option value="" selected[query.get("delivery_type").is_empty()] { "Any" }
                        @for (value, name) in DELIVERIES { option value=(value) selected[query.get("delivery_type") == value] { (name) } }
                    }
                }
                button.btn.quiet type="submit" { "Apply" }
            }
        }
    }
}

/// A bound of the price. It is text, because a number field of a browser drops what it does not understand, and says nothing.
fn price(query: &Query, field: &str, placeholder: &str, wrong: Option<&str>) -> Markup {
    let value = Some(query.get(field)).filter(|value| !value.is_empty());
    let label = if placeholder == "from" { "From, in USD" } else { "To, in USD" };
    html! {
        input type="text" inputmode="decimal" name=(field) maxlength="16" placeholder=(placeholder) aria-label=(label) value=[value]
            aria-invalid=[(wrong == Some(field)).then_some("true")];
    }
}
