//! Reading the records of the API for display.

use maud::{Markup, html};
use serde_json::Value;

/// The text of a member; empty where there is none.
pub(crate) fn text<'v>(record: &'v Value, name: &str) -> &'v str {
    record[name].as_str().unwrap_or_default()
}

/// The whole number of a member.
pub(crate) fn integer(record: &Value, name: &str) -> Option<i64> {
    record[name].as_i64()
}

/// Whether a member is true.
pub(crate) fn is(record: &Value, name: &str) -> bool {
    record[name].as_bool().unwrap_or_default()
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if number < 0 { format!("-{out}") } else { out }
}

/// A moment as the API writes it: in UTC for everybody; the script adds the reader's own zone, and how long ago it is.
pub(crate) fn moment(rfc3339: &str) -> Markup {
    let shown = rfc3339.get(..19).unwrap_or(rfc3339).replace('T', " ");
    html! {
        @if rfc3339.is_empty() { span.quiet { "–" } }
        @else { time datetime=(rfc3339) { (shown) " UTC" } }
    }
}

/// A duration in the largest unit that shows it well.
pub(crate) fn duration(microseconds: i64) -> String {
    match microseconds {
        0..1_000 => format!("{microseconds} µs"),
        1_000..10_000 => format!("{}.{} ms", microseconds / 1_000, microseconds % 1_000 / 100),
        10_000..1_000_000 => format!("{} ms", microseconds / 1_000),
        1_000_000..60_000_000 => format!(
            "{}.{:02} s",
            microseconds / 1_000_000,
            microseconds % 1_000_000 / 10_000
        ),
        _ => {
            let minutes = microseconds / 60_000_000;
            match minutes {
                0..120 => format!("{minutes} min"),
                120..2_880 => format!("{} h", minutes / 60),
                _ => format!("{} d", minutes / 1_440),
            }
        }
    }
}

/// JSON with line breaks and indents, its members in the order in which they were written.
pub(crate) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut signs = json.chars().peekable();
    while let Some(sign) = signs.next() {
        if in_string {
            out.push(sign);
            in_string = escaped || sign != '"';
            escaped = sign == '\\' && !escaped;
            continue;
        }
        match sign {
            ' ' | '\n' | '\r' | '\t' => {}
            '"' => {
                in_string = true;
                out.push(sign);
            }
            '{' | '[' => {
                out.push(sign);
                while signs.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                if let Some(end) = signs.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(sign);
            }
            ',' => {
                out.push(sign);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            sign => out.push(sign),
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_and_otherwise_left_alone() {
        let cases = [
            (r#"{"b":1,"a":[]}"#, "{\n  \"b\": 1,\n  \"a\": []\n}"),
            (r#"[ { } ,"a,\"{b"]"#, "[\n  {},\n  \"a,\\\"{b\"\n]"),
            (r#""\\""#, r#""\\""#),
        ];
        for (json, shown) in cases {
            assert_eq!(pretty(json), shown);
        }
    }

    #[test]
    fn numbers_and_durations_are_short() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(-12), "-12");
        let cases = [
            (950, "950 µs"),
            (1_250, "1.2 ms"),
            (81_000, "81 ms"),
            (1_500_000, "1.50 s"),
            (7_200_000_000, "2 h"),
        ];
        for (microseconds, shown) in cases {
            assert_eq!(duration(microseconds), shown);
        }
    }
}
