//! The body of a change, formatted once; only digits differ from one change to the next.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::marker::{Marker, Run, write_digits};
use super::plan::Orders;

/// Longest remark of an order in characters (API, order_notes).
const NOTES_CHARS_MAX: usize = 1_000;
/// Longest value of an order's metadata in characters (API, metadata).
const METADATA_CHARS_MAX: usize = 500;
/// Most padding entries of the metadata: 50 in all (API, metadata), one holds the marker.
const PADDING_ENTRIES_MAX: usize = 49;
/// Digits of an order's number where orders are cycled.
const ORDER_DIGITS: usize = 8;

/// The stage that live subscriptions take; dead ones take it too, unless they have changes of their own.
pub const STAGE: &str = "scheduled";
/// The stage that only dead subscriptions with changes of their own take.
pub const DEAD_STAGE: &str = "canceled";

/// Who reports, and how.
#[derive(Clone, Copy, Debug)]
pub struct Reporter<'a> {
    /// The token of an application.
    pub token: &'a str,
    /// The integration whose orders change.
    pub integration_id: i64,
    /// Most changes of one request; more than one are a list (order_stages/create_many).
    pub batch: usize,
}

/// The bodies of one integration's changes.
#[derive(Clone, Debug)]
pub struct Template {
    /// What comes before the changes; nothing where the only one is the whole body.
    head: Vec<u8>,
    change: Vec<u8>,
    /// What comes after them.
    tail: &'static [u8],
    /// Where the digits of the marker begin.
    marker_at: usize,
    order: Option<OrderSlot>,
}

/// Where the number of a cycled order goes, and how many orders there are.
#[derive(Clone, Copy, Debug)]
struct OrderSlot {
    at: usize,
    count: u64,
}

impl Template {
    /// Bodies with changes of `size` bytes, or of the least size that is possible.
    ///
    /// The marker is the name of the order where each change has its own; that is in every payload.
    /// Where orders are cycled, it is an entry of the order's metadata.
    pub fn new(
        run: &Run,
        stage: &str,
        reporter: Reporter<'_>,
        orders: Orders,
        size: usize,
    ) -> Template {
        let token = serde_json::Value::from(reporter.token);
        let from = format!(
            r#"{{"token":{token},"integration_id":{},"#,
            reporter.integration_id
        );
        let (head, mut text, tail): (_, _, &[u8]) = match reporter.batch {
            1 => (String::new(), from, b""),
            _ => (from + r#""stages":["#, "{".to_owned(), b"]}"),
        };
        text.push_str(&format!(
            r#""create_order":true,"stage":"{stage}","external_order_id":"{}"#,
            run.prefix()
        ));
        let blank = &run.blank()[run.prefix().len()..];
        let mut marker_at = text.len();
        let mut order = None;
        match orders {
            Orders::OneEach => text.push_str(blank),
            Orders::Cycled(count) => {
                text.push_str("order-");
                order = Some(OrderSlot {
                    at: text.len(),
                    count,
                });
                text.push_str(&"0".repeat(ORDER_DIGITS));
            }
        }
        text.push_str(r#"","order":{"metadata":{"source":"postrider load""#);
        if order.is_some() {
            text.push_str(&format!(r#","change":"{}"#, run.prefix()));
            marker_at = text.len();
            text.push_str(blank);
            text.push('"');
        }
        pad(&mut text, size);
        Template {
            head: head.into_bytes(),
            change: text.into_bytes(),
            tail,
            marker_at,
            order,
        }
    }

    /// The body of a request with these changes: one, unless the template is of lists.
    pub fn body(&self, markers: &[Marker]) -> Vec<u8> {
        let changes = markers.len() * (self.change.len() + 1);
        let mut bytes = Vec::with_capacity(self.head.len() + changes + self.tail.len());
        bytes.extend_from_slice(&self.head);
        for (index, marker) in markers.iter().enumerate() {
            if index > 0 {
                bytes.push(b',');
            }
            let start = bytes.len();
            bytes.extend_from_slice(&self.change);
            self.fill(&mut bytes[start..], *marker);
        }
        bytes.extend_from_slice(self.tail);
        bytes
    }

    fn fill(&self, change: &mut [u8], marker: Marker) {
        marker.write(&mut change[self.marker_at..]);
        if let Some(order) = self.order {
            let digits = &mut change[order.at..][..ORDER_DIGITS];
            write_digits(digits, marker.number % order.count);
        }
    }
}

/// Closes metadata, order and body, with as much padding as brings them to the size.
fn pad(text: &mut String, size: usize) {
    const NOTES: &str = r#"},"order_notes":"#;
    const END: &str = "}}";
    let mut room = size.saturating_sub(text.len() + NOTES.len() + 2 + END.len());
    let notes = room.min(NOTES_CHARS_MAX);
    room -= notes;
    for entry in 2..=PADDING_ENTRIES_MAX {
        let key = format!(r#","padding_{entry:02}":"#);
        let Some(value) = room.checked_sub(key.len() + 2) else {
            break;
        };
        let value = value.min(METADATA_CHARS_MAX);
        text.push_str(&format!(r#"{key}"{}""#, filler(value)));
        room -= key.len() + 2 + value;
    }
    text.push_str(&format!(r#"{NOTES}"{}"{END}"#, filler(notes)));
}

/// So many characters of made-up words, which nothing shortens as well as what people write.
fn filler(chars: usize) -> String {
    const VOWELS: &[u8] = b"aeiouy";
    const CONSONANTS: &[u8] = b"bcdfghjklmnpqrstvwxz";
    let mut chance = StdRng::seed_from_u64(0);
    let mut text = String::with_capacity(chars);
    while text.len() < chars {
        for _ in 0..chance.random_range(1..=4) {
            for letters in [CONSONANTS, VOWELS] {
                text.push(letters[chance.random_range(0..letters.len())].into());
            }
        }
        text.push(' ');
    }
    text.truncate(chars);
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;

    const MARKER: Marker = Marker {
        number: 25,
        sent: Duration::from_micros(1_000_001),
    };

    fn reporter(token: &str, batch: usize) -> Reporter<'_> {
        Reporter {
            token,
            integration_id: 7,
            batch,
        }
    }

    #[test]
    fn bodies_are_json_of_the_size_and_hold_the_marker() {
        let run = Run::new("cafe1");
        for orders in [Orders::OneEach, Orders::Cycled(10)] {
            for size in [1, 400, 1_024, 2_000, 24_000] {
                let template = Template::new(&run, STAGE, reporter("a \"token\"", 1), orders, size);
                let body = template.body(&[MARKER]);
                let value: Value = serde_json::from_slice(&body).expect("JSON");
                assert_eq!(value["token"], "a \"token\"");
                assert_eq!(run.find(&body), Some(MARKER), "{orders:?} {size}");
                let missing = size.abs_diff(body.len());
                assert!(size == 1 || missing < 20, "{} for {size}", body.len());
                let notes = value["order"]["order_notes"].as_str().expect("text");
                assert!(notes.len() <= NOTES_CHARS_MAX);
                let metadata = value["order"]["metadata"].as_object().expect("an object");
                assert!(metadata.len() <= 50);
            }
        }
    }

    #[test]
    fn cycled_orders_have_names_of_their_own() {
        let run = Run::new("cafe1");
        let template = Template::new(&run, STAGE, reporter("t", 1), Orders::Cycled(10), 500);
        let value: Value = serde_json::from_slice(&template.body(&[MARKER])).expect("JSON");
        assert_eq!(value["external_order_id"], "load-cafe1-order-00000005");
    }

    #[test]
    fn changes_of_a_batch_stand_beside_token_and_integration() {
        let run = Run::new("cafe1");
        let template = Template::new(&run, STAGE, reporter("t", 2), Orders::OneEach, 500);
        let second = Marker {
            number: 26,
            ..MARKER
        };
        let body = template.body(&[MARKER, second]);
        let value: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(
            (&value["token"], &value["integration_id"]),
            (&"t".into(), &7.into())
        );
        let stages = value["stages"].as_array().expect("changes");
        let found: Vec<_> = stages
            .iter()
            .map(|stage| run.find(stage["external_order_id"].to_string().as_bytes()))
            .collect();
        assert_eq!(found, [Some(MARKER), Some(second)]);
        assert!(stages.iter().all(|stage| stage["token"].is_null()));
    }
}
