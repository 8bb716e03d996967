//! Numbers of the price sheet, and numbers for the page.

use serde_json::Value;

/// A number of the sheet.
///
/// # Errors
/// If there is none.
pub(super) fn amount(sheet: &Value, group: &str, name: &str) -> Result<f64, String> {
    sheet[group][name].as_f64().ok_or_else(|| format!("infra/prices.json has no {group}.{name}"))
}

/// A whole number with commas between its thousands.
pub(super) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let with_commas =
        |(n, digit): (usize, char)| if n > 0 && (digits.len() - n) % 3 == 0 { format!(",{digit}") } else { digit.into() };
    digits.char_indices().map(with_commas).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_have_commas() {
        let written = [7.0, 730.4, 43_800.0, 1_000_000.0].map(grouped);
        assert_eq!(written, ["7", "730", "43,800", "1,000,000"]);
    }
}
