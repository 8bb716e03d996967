//! Which name was meant by one that does not exist.

use strsim::osa_distance;

/// Names that people use for ours, as [`folded`] writes them. What is not known in a place is passed over.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("address", &["wallet_address"]),
    ("amount", &["pricing_amount"]),
    ("after", &["cursor", "from"]),
    ("apikey", &["api_key"]),
    ("before", &["to", "cursor"]),
    ("body", &["example_request"]),
    ("callback", &["private_endpoint_url"]),
    ("callbackurl", &["private_endpoint_url"]),
    ("cost", &["pricing_amount"]),
    ("count", &["limit"]),
    ("desc", &["description"]),
    ("endpoint", &["private_endpoint_url"]),
    ("endpointurl", &["private_endpoint_url"]),
    ("end", &["to"]),
    ("enddate", &["to"]),
    ("expires", &["expires_at"]),
    ("expiresat", &["expires_at"]),
    ("expiry", &["expires_at"]),
    ("filter", &["q"]),
    ("intent", &["purpose"]),
    ("keyword", &["q"]),
    ("keywords", &["q", "tags"]),
    ("label", &["name"]),
    ("max", &["max_price"]),
    ("maxprice", &["max_price"]),
    ("min", &["min_price"]),
    ("minprice", &["min_price"]),
    ("model", &["pricing_model"]),
    ("name", &["display_name"]),
    ("nickname", &["display_name"]),
    ("offset", &["page", "cursor"]),
    ("order", &["sort"]),
    ("orderby", &["sort"]),
    ("owner", &["seller"]),
    ("pagesize", &["limit"]),
    ("perpage", &["limit"]),
    ("permissions", &["scopes", "capabilities"]),
    ("powsolution", &["pow_nonce"]),
    ("price", &["pricing_amount"]),
    ("priceusd", &["pricing_amount"]),
    ("pricing", &["pricing_model"]),
    ("pricingtype", &["pricing_model"]),
    ("proofofwork", &["pow_nonce"]),
    ("query", &["q"]),
    ("schema", &["input_schema"]),
    ("search", &["q"]),
    ("sellerid", &["seller"]),
    ("sig", &["signature"]),
    ("since", &["from"]),
    ("size", &["limit"]),
    ("solution", &["pow_nonce"]),
    ("sortby", &["sort"]),
    ("start", &["from"]),
    ("startdate", &["from"]),
    ("state", &["status"]),
    ("summary", &["description"]),
    ("targeturl", &["private_endpoint_url"]),
    ("term", &["q"]),
    ("text", &["q", "description"]),
    ("timeout", &["timeout_ms"]),
    ("title", &["name", "display_name"]),
    ("until", &["to"]),
    ("uri", &["private_endpoint_url"]),
    ("url", &["private_endpoint_url"]),
    ("username", &["display_name"]),
    ("usertype", &["role"]),
    ("wallet", &["wallet_address"]),
    ("webhookurl", &["private_endpoint_url"]),
];

/// The known name that was most likely meant: the same but for case and punctuation, a usual word for it, a part of it, or one or two
/// typing errors away.
#[must_use]
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let wanted = folded(name);
    if wanted.is_empty() {
        return None;
    }
    let same = known.iter().find(|known| folded(known) == wanted);
    let synonym = || {
        let (_, ours) = SYNONYMS.iter().find(|(theirs, _)| *theirs == wanted)?;
        ours.iter().find_map(|ours| known.iter().find(|known| *known == ours))
    };
    let mistyped = || {
        let allowed = match wanted.len() {
            0..=2 => 0,
            3..=5 => 1,
            _ => 2,
        };
        let near = known.iter().map(|known| (osa_distance(&wanted, &folded(known)), known)).filter(|(d, _)| *d <= allowed);
        near.min_by_key(|(d, _)| *d).map(|(_, known)| known)
    };
    // `pow` is a part of `pow_nonce`, and `listing_name` of nothing but has `name` as a part.
    let part = || {
        let words = words(name);
        let within = |known: &&&str| {
            let theirs = self::words(known);
            let all = |few: &[String], many: &[String]| few.iter().all(|word| many.contains(word));
            all(&words, &theirs) || all(&theirs, &words)
        };
        known.iter().filter(|known| known.len() > 1).find(within)
    };
    same.or_else(synonym).or_else(mistyped).or_else(part).copied()
}

/// A name without case and punctuation.
fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The words of a name in any of the usual spellings: `displayName`, `display-name`, `display_name`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut begins = true;
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            begins = true;
            continue;
        }
        begins |= was_lower && c.is_ascii_uppercase();
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        match words.last_mut() {
            Some(word) if !begins => word.push(c.to_ascii_lowercase()),
            _ => words.push(c.to_ascii_lowercase().to_string()),
        }
        begins = false;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_found() {
        let listing = ["name", "description", "pricing_model", "pricing_amount", "private_endpoint_url", "pow_nonce", "tags"];
        for (written, meant) in [
            ("pow", "pow_nonce"),
            ("powNonce", "pow_nonce"),
            ("Pow-Nonce", "pow_nonce"),
            ("price", "pricing_amount"),
            ("url", "private_endpoint_url"),
            ("endpoint_url", "private_endpoint_url"),
            ("descripton", "description"),
            ("desciption", "description"),
            ("nmae", "name"),
            ("tag", "tags"),
            ("listing_name", "name"),
            ("title", "name"),
        ] {
            assert_eq!(nearest(written, &listing), Some(meant), "{written}");
        }
        for other in ["colour", "x", "", "foo_bar", "ünïcode"] {
            assert_eq!(nearest(other, &listing), None, "{other}");
        }
        let filters = ["q", "category", "sort", "page", "limit", "seller", "min_price", "max_price"];
        for (written, meant) in [
            ("search", "q"),
            ("query", "q"),
            ("per_page", "limit"),
            ("sortBy", "sort"),
            ("Category", "category"),
            ("minPrice", "min_price"),
        ] {
            assert_eq!(nearest(written, &filters), Some(meant), "{written}");
        }
        let headers = ["X-Crochet-Origin-Currency", "X-Crochet-Rail-Request-Id", "Idempotency-Key"];
        for (written, meant) in
            [("x-crochet-currency", headers[0]), ("x-crochet-rail-id", headers[1]), ("x-idempotency-key", headers[2])]
        {
            assert_eq!(nearest(written, &headers), Some(meant), "{written}");
        }
        assert_eq!(nearest("displayName", &["display_name", "role"]), Some("display_name"));
        assert_eq!(nearest("name", &["display_name", "role"]), Some("display_name"));
        assert_eq!(nearest("wallet", &["wallet_address", "signature"]), Some("wallet_address"));
    }
}
