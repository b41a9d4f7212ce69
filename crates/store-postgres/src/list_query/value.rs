//! The values of a statement that is put together for once.

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Bool(bool),
    Integer(i64),
    Text(String),
    Integers(Vec<i64>),
    Texts(Vec<String>),
}

impl Value {
    /// The value with its type: PostgreSQL need not guess.
    pub(crate) fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
        let kind = match self {
            Value::Bool(_) => Type::BOOL,
            Value::Integer(_) => Type::INT8,
            Value::Text(_) => Type::TEXT,
            Value::Integers(_) => Type::INT8_ARRAY,
            Value::Texts(_) => Type::TEXT_ARRAY,
        };
        (self, kind)
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Value::Bool(value) => value.to_sql(kind, out),
            Value::Integer(value) => value.to_sql(kind, out),
            Value::Text(value) => value.to_sql(kind, out),
            Value::Integers(values) => values.to_sql(kind, out),
            Value::Texts(values) => values.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        let kinds = [
            Type::BOOL,
            Type::INT8,
            Type::TEXT,
            Type::INT8_ARRAY,
            Type::TEXT_ARRAY,
        ];
        kinds.contains(kind)
    }

    to_sql_checked!();
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(value)
    }
}

impl From<Vec<i64>> for Value {
    fn from(values: Vec<i64>) -> Value {
        Value::Integers(values)
    }
}

impl From<Vec<String>> for Value {
    fn from(values: Vec<String>) -> Value {
        Value::Texts(values)
    }
}
