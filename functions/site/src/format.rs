//! How figures are written: rates with their samples, times, money and dates. English, UTC.

use crochet_domain::money::Micros;
use crochet_domain::timestamp::from_unix_ms;
use maud::{Markup, html};
use time::OffsetDateTime;

/// Calls below which there is no percentage.
const LEAST_SAMPLE: u64 = 50;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A whole number with commas: `1,284`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with the word for what is counted: `1 listing`, `2 listings`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A share and what it is of. Both are shown; the share never alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Share {
    /// `99.4 %`, or `19 of 31` for a small sample.
    pub(crate) value: String,
    /// `of 18,412`; `calls` where the value names the sample itself.
    pub(crate) of: String,
}

/// The share of calls that were delivered; `None` without calls.
pub(crate) fn delivered(delivered: u64, calls: u64) -> Option<Share> {
    match calls {
        0 => None,
        1..LEAST_SAMPLE => Some(Share { value: format!("{} of {calls}", grouped(delivered)), of: "calls".into() }),
        _ => Some(Share { value: percent(delivered, calls), of: format!("of {}", grouped(calls)) }),
    }
}

/// A percentage, rounded down. It has two decimals from 99.9 on, and is 100 only if nothing is missing.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    let hundredths = u128::from(part) * 10_000 / u128::from(whole.max(1));
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    match (hundredths, rest) {
        (10_000.., _) => "100 %".into(),
        (9_990.., _) => format!("{whole}.{rest:02} %"),
        (_, 0..10) => format!("{whole} %"),
        _ => format!("{whole}.{} %", rest / 10),
    }
}

/// A duration: `62 ms`, from a second on `1.84 s`, from ten on `11.4 s`.
pub(crate) fn duration(ms: u32) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 => format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10),
        _ => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
    }
}

/// An amount in dollars with two to six decimals: `$1.00`, `$0.0008`. A negative one has a true minus.
pub(crate) fn money(amount: Micros) -> String {
    let decimal = Micros(amount.0.saturating_abs()).decimal();
    let (whole, fraction) = decimal.split_once('.').unwrap_or((&decimal, ""));
    let sign = if amount.0 < 0 { "\u{2212}" } else { "" };
    format!("{sign}${}.{fraction:0<2}", grouped(whole.parse().unwrap_or(0)))
}

/// A rating in hundredths: `4.7`.
pub(crate) fn rating(hundredths: u32) -> String {
    format!("{}.{}", hundredths / 100, hundredths % 100 / 10)
}

/// A day: `28 Nov 2026`.
pub(crate) fn day(at: OffsetDateTime) -> String {
    format!("{} {} {}", at.day(), month(at), at.year())
}

/// A day without its year: `28 Nov`.
pub(crate) fn short_day(at: OffsetDateTime) -> String {
    format!("{} {}", at.day(), month(at))
}

fn month(at: OffsetDateTime) -> &'static str {
    MONTHS[usize::from(u8::from(at.month())) - 1]
}

/// A day as an element, from Unix milliseconds.
pub(crate) fn date(ms: i64) -> Markup {
    let at = from_unix_ms(ms);
    html! { time datetime=(at.date().to_string()) { (day(at)) } }
}

/// A day and a minute as an element, from Unix milliseconds.
pub(crate) fn minute(ms: i64) -> Markup {
    let at = from_unix_ms(ms);
    let clock = format!("{:02}:{:02}", at.hour(), at.minute());
    html! { time datetime=(format!("{}T{clock}Z", at.date())) { (day(at)) ", " (clock) " UTC" } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_stand_with_their_samples_and_are_rounded_down() {
        let shown = |done, calls| delivered(done, calls).map(|share| format!("{} {}", share.value, share.of));
        assert_eq!(shown(0, 0), None);
        assert_eq!(shown(19, 31).as_deref(), Some("19 of 31 calls"));
        assert_eq!(shown(49, 49).as_deref(), Some("49 of 49 calls"));
        assert_eq!(shown(50, 50).as_deref(), Some("100 % of 50"));
        assert_eq!(shown(18_302, 18_412).as_deref(), Some("99.4 % of 18,412"));
        assert_eq!(shown(99_951, 100_000).as_deref(), Some("99.95 % of 100,000"));
        assert_eq!(shown(999_999, 1_000_000).as_deref(), Some("99.99 % of 1,000,000"));
        assert_eq!(shown(97, 100).as_deref(), Some("97 % of 100"));
        assert_eq!(shown(0, 60).as_deref(), Some("0 % of 60"));
    }

    #[test]
    fn times_and_money_are_short_and_exact() {
        assert_eq!([62, 1_840, 11_400, 999, 10_000].map(duration), ["62 ms", "1.84 s", "11.4 s", "999 ms", "10.0 s"]);
        let amounts = [1_000_000, 60_000, 800, 1_234_567_000_000, -14_200_000, 0].map(|micros| money(Micros(micros)));
        assert_eq!(amounts, ["$1.00", "$0.06", "$0.0008", "$1,234,567.00", "\u{2212}$14.20", "$0.00"]);
        assert_eq!([0, 999, 1_000, 1_902_417].map(grouped), ["0", "999", "1,000", "1,902,417"]);
        assert_eq!((rating(479), rating(500)), ("4.7".into(), "5.0".into()));
    }

    #[test]
    fn dates_are_written_out() {
        assert_eq!(minute(0).into_string(), r#"<time datetime="1970-01-01T00:00Z">1 Jan 1970, 00:00 UTC</time>"#);
        assert_eq!(date(0).into_string(), r#"<time datetime="1970-01-01">1 Jan 1970</time>"#);
        assert_eq!(short_day(from_unix_ms(1_795_824_000_000)), "28 Nov");
    }
}
