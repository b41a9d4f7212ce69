//! Reading rows.

use domain::time::Moment;
use rusqlite::{Connection, Params, Row};

use crate::fault::Fault;

/// Reads the row that a statement finds, if there is one.
pub(crate) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

/// Reads the rows that a statement finds.
pub(crate) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut read_rows = Vec::new();
    while let Some(row) = rows.next()? {
        read_rows.push(read(row)?);
    }
    Ok(read_rows)
}

/// A time, as every table has it.
pub(crate) fn moment(row: &Row<'_>, column: &str) -> Result<Moment, Fault> {
    Ok(Moment::from_microseconds(row.get(column)?))
}

/// A time that may be absent.
pub(crate) fn moment_if_any(row: &Row<'_>, column: &str) -> Result<Option<Moment>, Fault> {
    let microseconds: Option<i64> = row.get(column)?;
    Ok(microseconds.map(Moment::from_microseconds))
}
