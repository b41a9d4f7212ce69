//! Values as SQLite has them: yes and no are 1 and 0, UUIDs are bytes. Answers of receivers that were kept with U+0000 in them are read with
//! U+FFFD, as they are kept today: no other engine takes the former.

use rusqlite::types::Value as Sqlite;
use store::copy::{Column, Kind, Row, Value};

/// Reads a row of these columns.
pub(super) fn read(row: &rusqlite::Row<'_>, columns: &[Column]) -> Result<Row, rusqlite::Error> {
    let values = columns.iter().enumerate();
    values
        .map(|(place, column)| {
            let value = match column.kind {
                Kind::Integer => row.get::<_, Option<i64>>(place)?.map(Value::Integer),
                Kind::Boolean => row.get::<_, Option<bool>>(place)?.map(Value::Boolean),
                Kind::Text => {
                    let text: Option<String> = row.get(place)?;
                    text.map(|text| Value::Text(text.replace('\0', "\u{FFFD}")))
                }
                Kind::Bytes => row.get::<_, Option<Vec<u8>>>(place)?.map(Value::Bytes),
                Kind::Uuid => row.get::<_, Option<[u8; 16]>>(place)?.map(Value::Uuid),
            };
            Ok(value.unwrap_or(Value::Absent))
        })
        .collect()
}

/// A value to be written.
pub(super) fn written(value: Value) -> Sqlite {
    match value {
        Value::Absent => Sqlite::Null,
        Value::Integer(number) => Sqlite::Integer(number),
        Value::Boolean(is_so) => Sqlite::Integer(i64::from(is_so)),
        Value::Text(text) => Sqlite::Text(text),
        Value::Bytes(bytes) => Sqlite::Blob(bytes),
        Value::Uuid(bytes) => Sqlite::Blob(bytes.to_vec()),
    }
}
