//! Integers beyond 2^53. A double cannot tell them apart, so they are compared by their digits.

/// 2^53: the largest integer up to which doubles are exact.
const EXACT: &str = "9007199254740992";
/// Begins a text that stands for an integer. JSON texts of people do not begin so.
const MARK: &str = "\\u0001integer ";

/// The same JSON with each integer beyond 2^53 as a string of its digits, and how many there are. `None` if there is none.
///
/// `text` must be JSON.
pub(super) fn spelled_out(text: &str) -> Option<(String, usize)> {
    let bytes = text.as_bytes();
    let (mut spelled, mut count, mut copied, mut at) = (String::new(), 0, 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let end = at + bytes[at..].iter().take_while(|byte| b"+-.eE0123456789".contains(byte)).count();
                if is_beyond(&text[at..end]) {
                    spelled.push_str(&text[copied..at]);
                    spelled.push_str(&format!("\"{MARK}{}\"", &text[at..end]));
                    (count, copied) = (count + 1, end);
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    spelled.push_str(&text[copied..]);
    (count > 0).then_some((spelled, count))
}

/// The position after the string that begins here.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

fn is_beyond(number: &str) -> bool {
    let digits = number.trim_start_matches('-');
    digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits.len(), digits) > (EXACT.len(), EXACT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_integers_that_a_double_cannot_hold_are_spelled_out() {
        for text in [
            "1",
            "-9007199254740992",
            "9007199254740992",
            "9007199254740993.5",
            "1e300",
            "\"9007199254740993\"",
            "\"\\\"9007199254740993\"",
        ] {
            assert_eq!(spelled_out(text), None, "{text}");
        }
        let spelled = spelled_out("{\"a\":[9007199254740993,-12345678901234567890123],\"9007199254740999\":1}").expect("two");
        assert_eq!(spelled.1, 2);
        assert!(spelled.0.contains("integer 9007199254740993") && spelled.0.contains("integer -12345678901234567890123"));
    }
}
