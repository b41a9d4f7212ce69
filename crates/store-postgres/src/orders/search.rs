//! Orders by what people know of them.

use domain::id::IntegrationId;

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{all, prefix_end};

/// Orders that a search goes on with: a term that begins more orders than this finds nobody his order, and
/// each of them is looked at for itself.
const ORDERS_FOUND_MAX: i64 = 200;

// orders_by_external_order_id
pub(crate) const WITH_EXTERNAL_IDS: &str =
    "select id from orders where integration_id = $1 and external_order_id = any($2)";
// orders_by_external_order_id; the last ones, since such ids mostly ascend
pub(crate) const EXTERNAL_ID_BETWEEN: &str = "select id from orders where integration_id = $1 and external_order_id >= $2 \
     and ($3::text is null or external_order_id < $3) order by external_order_id desc limit $4";
// orders_by_address; the newest
pub(crate) const WITH_ADDRESS: &str =
    "select id from orders where integration_id = $1 and address = $2 order by id desc limit $3";
// orders_by_address
pub(crate) const ADDRESS_BETWEEN: &str = "select id from orders where integration_id = $1 and address >= $2 \
     and ($3::text is null or address < $3) order by address limit $4";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    WITH_EXTERNAL_IDS,
    EXTERNAL_ID_BETWEEN,
    WITH_ADDRESS,
    ADDRESS_BETWEEN,
];

/// The orders with exactly these ids of the order system.
pub(super) async fn ids_of_external_ids(
    connection: &Connection,
    integration: IntegrationId,
    external: &[String],
) -> Result<Vec<i64>, Fault> {
    ids(connection, WITH_EXTERNAL_IDS, &[&integration.0, &external]).await
}

/// The order whose id at the order system is the term, and up to [`ORDERS_FOUND_MAX`] whose id begins with
/// it.
pub(crate) async fn ids_of_external_id(
    connection: &Connection,
    integration: IntegrationId,
    term: &str,
) -> Result<Vec<i64>, Fault> {
    let exact = [term.to_owned()];
    let mut found = ids_of_external_ids(connection, integration, &exact).await?;
    found.extend(between(connection, EXTERNAL_ID_BETWEEN, integration, term).await?);
    Ok(found)
}

/// Up to [`ORDERS_FOUND_MAX`] orders in exactly this street, and as many whose street begins with the term.
pub(crate) async fn ids_of_address(
    connection: &Connection,
    integration: IntegrationId,
    term: &str,
) -> Result<Vec<i64>, Fault> {
    let params: Params = &[&integration.0, &term, &ORDERS_FOUND_MAX];
    let mut found = ids(connection, WITH_ADDRESS, params).await?;
    found.extend(between(connection, ADDRESS_BETWEEN, integration, term).await?);
    Ok(found)
}

async fn between(
    connection: &Connection,
    sql: &str,
    integration: IntegrationId,
    term: &str,
) -> Result<Vec<i64>, Fault> {
    let params: Params = &[&integration.0, &term, &prefix_end(term), &ORDERS_FOUND_MAX];
    ids(connection, sql, params).await
}

async fn ids(connection: &Connection, sql: &str, params: Params<'_>) -> Result<Vec<i64>, Fault> {
    all(connection, sql, params, |row| Ok(row.try_get(0)?)).await
}
