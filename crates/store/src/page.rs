//! Lists: which records, in which order, from where, how many.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};

/// Records on a page when the caller states no size.
pub const PAGE_SIZE_DEFAULT: u32 = 50;
/// Most records on a page: what a person scrolls through, and what is quickly written as JSON.
pub const PAGE_SIZE_MAX: u32 = 200;
/// Most rows that a page number may skip: skipping costs time, following a cursor does not.
pub const OFFSET_ROWS_MAX: u32 = 10_000;
/// Up to so many records are counted exactly; more are not counted.
pub const COUNT_MAX: u64 = 10_000;

/// What every list can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// Only records in which this is found.
    pub search: Option<Search>,
    /// In which order.
    pub sort: Sort,
    /// Which page.
    pub page: PageRequest,
    /// Whether to count all records that match.
    pub count: bool,
}

/// A search for whole values and prefixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// What is looked for, not empty.
    pub term: String,
    /// Where; names of the list's own declaration, never empty.
    pub attributes: Vec<&'static str>,
}

/// The order of a list; ties are broken by the id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// A name of the list's own declaration.
    pub by: &'static str,
    /// Whether the largest come first.
    pub descending: bool,
}

/// Which page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Records on it, 1 to [`PAGE_SIZE_MAX`].
    pub size: u32,
    /// Where it begins.
    pub start: Start,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// After so many rows, at most [`OFFSET_ROWS_MAX`].
    Offset(u32),
    /// After the record that a cursor names.
    After(Cursor),
}

/// The last record of a page, and the order in which it was the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What the list is sorted by; a name of its own declaration.
    pub by: String,
    /// Whether the largest come first.
    pub descending: bool,
    /// The value of the sorted column.
    pub value: SortKey,
    /// The record.
    pub id: i64,
}

/// A value that a list is sorted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortKey {
    /// An id or a time.
    Integer(i64),
    /// A name.
    Text(String),
}

/// One page of records.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// Where the next page begins; none at the end.
    pub next: Option<Cursor>,
    /// How many there are, if that was asked for.
    pub count: Option<Count>,
}

/// How many records there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// So many, at most [`COUNT_MAX`].
    pub count: u64,
    /// Whether there are more.
    pub capped: bool,
}

/// Opaque to callers: base64 of the cursor as JSON.
impl fmt::Display for Cursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = (&self.by, self.descending, &self.value, self.id);
        let json = serde_json::to_vec(&parts).map_err(|_| fmt::Error)?;
        out.write_str(&BASE64.encode(json))
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Cursor, &'static str> {
        const UNKNOWN: &str = "is no cursor; take it from `next` of the page before";
        let json = BASE64.decode(text).map_err(|_| UNKNOWN)?;
        let parts = serde_json::from_slice(&json).map_err(|_| UNKNOWN)?;
        let (by, descending, value, id) = parts;
        Ok(Cursor {
            by,
            descending,
            value,
            id,
        })
    }
}

impl Cursor {
    /// Whether it comes from a list that is sorted like this.
    pub fn is_of(&self, sort: Sort) -> bool {
        self.by == sort.by && self.descending == sort.descending
    }
}

impl<T> Page<T> {
    /// The page of records of which one more than its size was read, where there are more.
    pub fn cut(mut items: Vec<T>, size: u32, cursor: impl Fn(&T) -> Cursor) -> Page<T> {
        let size = size as usize;
        let more = items.len() > size;
        items.truncate(size);
        Page {
            next: items.last().filter(|_| more).map(cursor),
            items,
            count: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_being_text() {
        for value in [SortKey::Integer(-7), SortKey::Text("ä \"b\"".to_owned())] {
            let cursor = Cursor {
                by: "name".to_owned(),
                descending: true,
                value,
                id: 12,
            };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in ["", "abc", "e30", "WzEsMiwzXQ"] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_page_ends_with_a_cursor_only_where_more_follows() {
        let cursor = |id: &i64| Cursor {
            by: "id".to_owned(),
            descending: false,
            value: SortKey::Integer(*id),
            id: *id,
        };
        let cases = [(vec![], None), (vec![1, 2], None), (vec![1, 2, 3], Some(2))];
        for (items, next) in cases {
            let page = Page::cut(items, 2, cursor);
            assert_eq!(page.next.map(|cursor| cursor.id), next);
            assert!(page.items.len() <= 2);
        }
    }
}
