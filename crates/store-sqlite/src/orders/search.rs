//! Orders by what people know of them.

use domain::id::IntegrationId;
use rusqlite::{Connection, params};

use crate::fault::Fault;
use crate::list_query::{all, one, prefix_range};

/// Orders that a search goes on with: a term that begins more orders than this finds nobody his order, and
/// each of them is looked at for itself.
const ORDERS_FOUND_MAX: i64 = 200;

/// Where a branch that knows an order's id finds it.
pub(super) const BY_ID: &str = "orders not indexed";

// orders_by_external_order_id
pub(crate) const WITH_EXTERNAL_ID: &str =
    "select id from orders where integration_id = ?1 and external_order_id = ?2";
// orders_by_external_order_id; the last ones, since such ids mostly ascend
pub(crate) const EXTERNAL_ID_BETWEEN: &str = "select id from orders where integration_id = ?1 and external_order_id >= ?2 \
     and external_order_id < ?3 order by external_order_id desc limit ?4";
// orders_by_address; the newest
pub(crate) const WITH_ADDRESS: &str =
    "select id from orders where integration_id = ?1 and address = ?2 order by id desc limit ?3";
// orders_by_address
pub(crate) const ADDRESS_BETWEEN: &str = "select id from orders where integration_id = ?1 and address >= ?2 and address < ?3 \
     order by address limit ?4";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    WITH_EXTERNAL_ID,
    EXTERNAL_ID_BETWEEN,
    WITH_ADDRESS,
    ADDRESS_BETWEEN,
];

/// The orders with exactly these ids of the order system.
pub(super) fn ids_of_external_ids(
    connection: &Connection,
    integration: IntegrationId,
    external: &[String],
) -> Result<Vec<i64>, Fault> {
    let mut ids = Vec::new();
    for external in external {
        let params = params![integration.0, external];
        ids.extend(one(connection, WITH_EXTERNAL_ID, params, |row| {
            Ok(row.get::<_, i64>(0)?)
        })?);
    }
    Ok(ids)
}

/// The order whose id at the order system is the term, and up to [`ORDERS_FOUND_MAX`] whose id begins with
/// it.
pub(crate) fn ids_of_external_id(
    connection: &Connection,
    integration: IntegrationId,
    term: &str,
) -> Result<Vec<i64>, Fault> {
    let mut ids = ids_of_external_ids(connection, integration, &[term.to_owned()])?;
    ids.extend(ids_between(
        connection,
        EXTERNAL_ID_BETWEEN,
        integration,
        term,
    )?);
    Ok(ids)
}

/// Up to [`ORDERS_FOUND_MAX`] orders in exactly this street, and as many whose street begins with the term.
pub(crate) fn ids_of_address(
    connection: &Connection,
    integration: IntegrationId,
    term: &str,
) -> Result<Vec<i64>, Fault> {
    let params = params![integration.0, term, ORDERS_FOUND_MAX];
    let mut ids = all(connection, WITH_ADDRESS, params, |row| Ok(row.get(0)?))?;
    ids.extend(ids_between(connection, ADDRESS_BETWEEN, integration, term)?);
    Ok(ids)
}

fn ids_between(
    connection: &Connection,
    sql: &str,
    integration: IntegrationId,
    term: &str,
) -> Result<Vec<i64>, Fault> {
    let (from, until) = prefix_range(term);
    let params = params![integration.0, from, until, ORDERS_FOUND_MAX];
    all(connection, sql, params, |row| Ok(row.get(0)?))
}
