//! What a table comes to: how many rows, and a hash over all of them in the order of their key.

use std::fmt;

use sha2::{Digest, Sha256};

use super::Value;

/// Count and SHA-256 of rows.
#[derive(Clone, Default)]
pub struct Sum {
    rows: u64,
    hash: Sha256,
}

impl Sum {
    /// Adds a row. Every value goes in with its kind and length, so that no two rows read alike.
    pub fn add(&mut self, row: &[Value]) {
        self.rows += 1;
        for value in row {
            match value {
                Value::Absent => self.put(0, &[]),
                Value::Integer(number) => self.put(1, &number.to_le_bytes()),
                Value::Boolean(is_so) => self.put(2, &[u8::from(*is_so)]),
                Value::Text(text) => self.put(3, text.as_bytes()),
                Value::Bytes(bytes) => self.put(4, bytes),
                Value::Uuid(bytes) => self.put(5, bytes),
            }
        }
    }

    fn put(&mut self, kind: u8, bytes: &[u8]) {
        self.hash.update([kind]);
        self.hash.update((bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
    }

    /// How many rows there were.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The hash, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        let hash = self.hash.clone().finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl PartialEq for Sum {
    fn eq(&self, other: &Sum) -> bool {
        self.rows == other.rows && self.sha256() == other.sha256()
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} rows, {}", self.rows, self.sha256())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[&[Value]]) -> String {
        let mut sum = Sum::default();
        rows.iter().for_each(|row| sum.add(row));
        sum.sha256()
    }

    #[test]
    fn no_two_tables_of_different_rows_have_the_same_sum() {
        let text = |text: &str| Value::Text(text.to_owned());
        let tables = [
            of(&[]),
            of(&[&[Value::Absent]]),
            of(&[&[text("")]]),
            of(&[&[text("a"), text("bc")]]),
            of(&[&[text("ab"), text("c")]]),
            of(&[&[text("abc")]]),
            of(&[&[Value::Bytes(b"abc".to_vec())]]),
            of(&[&[Value::Integer(1)]]),
            of(&[&[Value::Boolean(true)]]),
            of(&[&[Value::Uuid([0; 16])]]),
            of(&[&[Value::Integer(1)], &[Value::Integer(2)]]),
            of(&[&[Value::Integer(2)], &[Value::Integer(1)]]),
        ];
        for (place, one) in tables.iter().enumerate() {
            assert!(!tables[..place].contains(one), "{place}");
        }
        assert_eq!(of(&[&[text("a")]]), of(&[&[text("a")]]));
    }
}
