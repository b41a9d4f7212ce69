//! Reading rows.

use domain::time::Moment;
use tokio_postgres::Row;

use crate::connection::{Connection, Params};
use crate::fault::Fault;

/// Reads the row that a statement finds, if there is one.
pub(crate) async fn one<T>(
    connection: &Connection,
    sql: &str,
    params: Params<'_>,
    read: impl Fn(&Row) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let rows = connection.query(sql, params).await?;
    rows.first().map(read).transpose()
}

/// Reads the rows that a statement finds.
pub(crate) async fn all<T>(
    connection: &Connection,
    sql: &str,
    params: Params<'_>,
    read: impl Fn(&Row) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let rows = connection.query(sql, params).await?;
    rows.iter().map(read).collect()
}

/// Reads the records with these ids, which the statement takes as its only parameter.
pub(crate) async fn of_ids<T>(
    connection: &Connection,
    sql: &str,
    ids: &[i64],
    read: impl Fn(&Row) -> Result<T, Fault>,
) -> Result<Vec<(i64, T)>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    all(connection, sql, &[&ids], |row| {
        Ok((row.try_get("id")?, read(row)?))
    })
    .await
}

/// A time, as every table has it.
pub(crate) fn moment(row: &Row, column: &str) -> Result<Moment, Fault> {
    Ok(Moment::from_microseconds(row.try_get(column)?))
}

/// A time that may be absent.
pub(crate) fn moment_if_any(row: &Row, column: &str) -> Result<Option<Moment>, Fault> {
    let microseconds: Option<i64> = row.try_get(column)?;
    Ok(microseconds.map(Moment::from_microseconds))
}

/// A number that is small and never negative.
pub(crate) fn number(row: &Row, column: &str) -> Result<u32, Fault> {
    to_number(row.try_get(column)?)
}

/// The same, which may be absent.
pub(crate) fn number_if_any(row: &Row, column: &str) -> Result<Option<u32>, Fault> {
    let number: Option<i64> = row.try_get(column)?;
    number.map(to_number).transpose()
}

fn to_number(number: i64) -> Result<u32, Fault> {
    u32::try_from(number).map_err(|_| Fault::corrupt("numbers", number, "is out of range"))
}
