//! Values as PostgreSQL has them, and many rows as one array for each column.

use std::mem;

use store::copy::{Column, Kind, Row, Value};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::fault::Fault;

/// The value of a placeholder.
pub(super) type Param = Box<dyn ToSql + Sync + Send>;

/// Reads a row of these columns.
pub(super) fn read(row: &tokio_postgres::Row, columns: &[Column]) -> Result<Row, Fault> {
    let values = columns.iter().enumerate();
    values
        .map(|(place, column)| {
            let value = match column.kind {
                Kind::Integer => row.try_get::<_, Option<i64>>(place)?.map(Value::Integer),
                Kind::Boolean => row.try_get::<_, Option<bool>>(place)?.map(Value::Boolean),
                Kind::Text => row.try_get::<_, Option<String>>(place)?.map(Value::Text),
                Kind::Bytes => row.try_get::<_, Option<Vec<u8>>>(place)?.map(Value::Bytes),
                Kind::Uuid => {
                    let uuid: Option<Uuid> = row.try_get(place)?;
                    uuid.map(|uuid| Value::Uuid(uuid.into_bytes()))
                }
            };
            Ok(value.unwrap_or(Value::Absent))
        })
        .collect()
}

/// A value of a key.
pub(super) fn param(value: &Value) -> Param {
    match value.clone() {
        Value::Absent => Box::new(None::<i64>),
        Value::Integer(number) => Box::new(number),
        Value::Boolean(is_so) => Box::new(is_so),
        Value::Text(text) => Box::new(text),
        Value::Bytes(bytes) => Box::new(bytes),
        Value::Uuid(bytes) => Box::new(Uuid::from_bytes(bytes)),
    }
}

/// An array for each column. The values are taken out of the rows.
pub(super) fn params(columns: &[Column], rows: &mut [Row]) -> Vec<Param> {
    let arrays = columns.iter().enumerate();
    arrays
        .map(|(place, column)| {
            let values = rows.iter_mut().map(|row| match row.get_mut(place) {
                Some(value) => mem::replace(value, Value::Absent),
                None => Value::Absent,
            });
            array(column.kind, values)
        })
        .collect()
}

fn array(kind: Kind, values: impl Iterator<Item = Value>) -> Param {
    match kind {
        Kind::Integer => of(values, |value| match value {
            Value::Integer(number) => Some(number),
            _ => None,
        }),
        Kind::Boolean => of(values, |value| match value {
            Value::Boolean(is_so) => Some(is_so),
            _ => None,
        }),
        Kind::Text => of(values, |value| match value {
            Value::Text(text) => Some(text),
            _ => None,
        }),
        Kind::Bytes => of(values, |value| match value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }),
        Kind::Uuid => of(values, |value| match value {
            Value::Uuid(bytes) => Some(Uuid::from_bytes(bytes)),
            _ => None,
        }),
    }
}

fn of<T: ToSql + Sync + Send + 'static>(
    values: impl Iterator<Item = Value>,
    read: impl Fn(Value) -> Option<T>,
) -> Param {
    Box::new(values.map(read).collect::<Vec<Option<T>>>())
}
