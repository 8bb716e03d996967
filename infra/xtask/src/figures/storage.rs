//! What a paid call leaves in the table for ever, and what that costs.

use serde_json::Value;

use super::numbers::{amount, grouped};

/// What a paid call leaves, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kept {
    table: f64,
    indexes: f64,
}

impl Kept {
    /// Adds up the items of the sheet. Each item, and each entry in an index, has AWS's overhead.
    ///
    /// # Errors
    /// A size that is missing.
    pub(super) fn read(sheet: &Value) -> Result<Self, String> {
        let overhead = amount(sheet, "kept", "overhead_bytes")?;
        let mut kept = Self { table: 0.0, indexes: 0.0 };
        for item in items(sheet) {
            kept.table += overhead + item["bytes"].as_f64().ok_or_else(|| format!("infra/prices.json: no bytes of {item}"))?;
            kept.indexes += entries(item).map(|bytes| overhead + bytes).sum::<f64>();
        }
        Ok(kept)
    }

    /// Gigabytes that so many calls leave.
    pub(super) fn gigabytes(&self, calls: f64) -> f64 {
        calls * (self.table + self.indexes) / 1e9
    }

    /// USD a month for what so many calls have left. Point-in-time recovery is billed for the table without its indexes.
    ///
    /// # Errors
    /// A price that is missing.
    pub(super) fn usd_a_month(&self, sheet: &Value, calls: f64) -> Result<f64, String> {
        let backup = calls * self.table / 1e9 * amount(sheet, "usd", "pitr_gb_month")?;
        Ok(self.gigabytes(calls) * amount(sheet, "usd", "storage_gb_month")? + backup)
    }

    /// The section.
    ///
    /// # Errors
    /// A price that is missing.
    pub(super) fn section(&self, sheet: &Value) -> Result<String, String> {
        let mut section = "| item | bytes | entries in indexes | bytes of these |\n|---|---|---|---|\n".to_owned();
        for item in items(sheet) {
            let (name, bytes) = (item["item"].as_str().unwrap_or_default(), &item["bytes"]);
            section.push_str(&format!(
                "| {name} | {bytes} | {} | {} |\n",
                entries(item).count(),
                entries(item).fold(0.0, |sum, bytes| sum + bytes)
            ));
        }
        section.push_str(&format!(
            "\nWith AWS's overhead of {} bytes for each item and each entry, a paid call leaves {} bytes in the table and {} in indexes.\nA million \
             calls add {:.2} GB, which cost {:.2} USD a month from then on: storage, and point-in-time recovery of the table without \
             its indexes.\n\n{}\n",
            sheet["kept"]["overhead_bytes"],
            grouped(self.table),
            grouped(self.indexes),
            self.gigabytes(1e6),
            self.usd_a_month(sheet, 1e6)?,
            sheet["kept"]["from"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        ));
        Ok(section)
    }
}

fn items(sheet: &Value) -> impl Iterator<Item = &Value> {
    sheet["kept"]["by_a_paid_call"].as_array().into_iter().flatten()
}

/// Sizes of an item's entries in the indexes.
fn entries(item: &Value) -> impl Iterator<Item = f64> {
    item["index_bytes"].as_array().into_iter().flatten().filter_map(Value::as_f64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stays_is_billed_with_its_indexes_and_backed_up_without() {
        let sheet = json!({
            "usd": { "storage_gb_month": 0.25, "pitr_gb_month": 0.5 },
            "kept": {
                "overhead_bytes": 100,
                "by_a_paid_call": [{ "item": "call", "bytes": 900, "index_bytes": [150, 250] }, { "item": "record", "bytes": 900 }],
            },
        });
        let kept = Kept::read(&sheet).expect("sizes");
        assert_eq!(kept, Kept { table: 2_000.0, indexes: 600.0 });
        assert!((kept.gigabytes(1e6) - 2.6).abs() < 1e-9);
        assert!((kept.usd_a_month(&sheet, 1e6).expect("prices") - (0.65 + 1.0)).abs() < 1e-9);
        let incomplete = json!({ "kept": { "overhead_bytes": 100, "by_a_paid_call": [{ "item": "call" }] } });
        assert!(Kept::read(&incomplete).is_err());
        assert!(Kept::read(&json!({})).is_err());
        assert!(kept.usd_a_month(&json!({}), 1e6).is_err());
    }
}
