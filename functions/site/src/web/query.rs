//! The query of the marketplace's form.

use crochet::http::Result;
use crochet_catalog::Filters;
use crochet_catalog::search::{Search, Sort};
use url::form_urlencoded::{Serializer, parse};

/// The fields of the form, in the order of its links.
const FIELDS: [&str; 9] = ["q", "category", "pricing_model", "delivery_type", "min_price", "max_price", "seller", "sort", "page"];
/// Fields that leave out listings.
pub(crate) const FILTERS: [&str; 7] = ["q", "category", "pricing_model", "delivery_type", "min_price", "max_price", "seller"];

/// The fields that are set. An empty field of a form is not set; other parameters, such as those of campaigns, are passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(&'static str, String)>);

impl Query {
    /// The fields of a query string. The last of several with one name counts.
    pub(crate) fn of_form(text: &str) -> Self {
        let mut query = Self::default();
        for (name, value) in parse(text.as_bytes()) {
            if let Some(field) = FIELDS.iter().find(|field| **field == name) {
                query.set(field, value.trim());
            }
        }
        query
    }

    fn set(&mut self, field: &'static str, value: &str) {
        self.0.retain(|(known, _)| *known != field);
        if !value.is_empty() {
            self.0.push((field, value.to_owned()));
        }
    }

    /// A field; empty if it is not set.
    pub(crate) fn get(&self, field: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == field).map_or("", |(_, value)| value)
    }

    /// Whether nothing is set.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same with another value of one field, from its first page.
    pub(crate) fn changed(&self, field: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.set("page", "");
        if let Some(field) = FIELDS.iter().find(|known| **known == field) {
            changed.set(field, value);
        }
        changed
    }

    /// The path of the same with another value of one field.
    pub(crate) fn with(&self, field: &str, value: &str) -> String {
        self.changed(field, value).path()
    }

    /// The path of this search.
    pub(crate) fn path(&self) -> String {
        let mut pairs = Serializer::new(String::new());
        for field in FIELDS {
            if !self.get(field).is_empty() {
                pairs.append_pair(field, self.get(field));
            }
        }
        let pairs = pairs.finish();
        if pairs.is_empty() { "/marketplace".into() } else { format!("/marketplace?{pairs}") }
    }

    /// The search. Without an order, the best match comes first, or what is called most.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, naming the field.
    pub(crate) fn search(&self) -> Result<Search> {
        let field = |name: &str| Some(self.get(name)).filter(|value| !value.is_empty()).map(str::to_owned);
        let filters = Filters {
            q: field("q"),
            category: field("category"),
            pricing_model: field("pricing_model"),
            delivery_type: field("delivery_type"),
            min_price: field("min_price").map(|price| plain_price(&price)),
            max_price: field("max_price").map(|price| plain_price(&price)),
            seller: field("seller"),
            status: None,
            sort: field("sort"),
            page: field("page"),
            limit: None,
        };
        let mut search = filters.parse_public()?;
        if self.get("sort").is_empty() && !search.has_text() {
            search.sort = Sort::Popular;
        }
        Ok(search)
    }
}

/// A price as people write it: `$.5` is `0.5`.
fn plain_price(text: &str) -> String {
    let text = text.trim_start_matches('$');
    let text = if text.starts_with('.') { format!("0{text}") } else { text.to_owned() };
    text.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_a_search_and_a_link() {
        let query = Query::of_form("q=+receipt+&category=&sort=price_low&min_price=.5&page=3&utm_source=x&q=ocr+%26");
        assert_eq!((query.get("q"), query.get("category"), query.get("page")), ("ocr &", "", "3"));
        assert_eq!(query.path(), "/marketplace?q=ocr+%26&min_price=.5&sort=price_low&page=3");
        assert_eq!(query.with("q", ""), "/marketplace?min_price=.5&sort=price_low");
        let search = query.search().expect("a search");
        assert_eq!((search.page, search.sort, search.min_price.map(|price| price.0)), (3, Sort::PriceLow, Some(500_000)));
        assert_eq!(Query::default().search().expect("everything").sort, Sort::Popular);
        assert_eq!(Query::of_form("q=a").search().expect("a search").sort, Sort::Relevance);
        assert_eq!(Query::of_form("max_price=cheap").search().expect_err("no price").named_field(), Some("max_price"));
        assert!(Query::of_form("seller=me").search().is_err());
    }
}
