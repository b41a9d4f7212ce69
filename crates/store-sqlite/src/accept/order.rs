//! The order of a stage: found, made, or moved on.

use domain::id::OrderId;
use domain::order::{AcceptedStage, Order, OrderChanges, OrderField, OrderFields};
use domain::time::Moment;
use rusqlite::{Connection, OptionalExtension, params};
use store::{NewOrderStage, OrderRef};

use super::jobs::add_stage;
use crate::fault::Fault;
use crate::writing::Writing;

// orders_by_external_order_id
pub(crate) const ORDER_BY_EXTERNAL_ID: &str = "select id, external_order_id, status, sequence, fields, created_at from orders \
     where integration_id = ?1 and external_order_id = ?2";
// primary key
pub(crate) const ORDER_BY_ID: &str = "select id, external_order_id, status, sequence, fields, created_at from orders \
     where id = ?2 and integration_id = ?1";
pub(crate) const INSERT_ORDER: &str = "insert into orders (integration_id, external_order_id, status, sequence, fields, address, \
     created_at, updated_at) values (?1, ?2, ?3, 1, ?4, ?5, ?6, ?6)";
pub(crate) const UPDATE_ORDER_STATUS: &str =
    "update orders set status = ?2, sequence = ?3, updated_at = ?4 where id = ?1";
pub(crate) const UPDATE_ORDER: &str = "update orders set status = ?2, sequence = ?3, updated_at = ?4, fields = ?5, address = ?6 \
     where id = ?1";
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    ORDER_BY_EXTERNAL_ID,
    ORDER_BY_ID,
    INSERT_ORDER,
    UPDATE_ORDER_STATUS,
    UPDATE_ORDER,
];

/// The order that a stage names, if there is one.
pub(super) fn find_order(
    connection: &Connection,
    new: &NewOrderStage,
) -> Result<Option<Order>, Fault> {
    let integration = new.integration_id;
    let read = |row: &rusqlite::Row<'_>| {
        let fields: String = row.get(4)?;
        Ok((
            fields,
            Order {
                id: OrderId(row.get(0)?),
                integration_id: integration,
                external_order_id: row.get(1)?,
                status: row.get(2)?,
                sequence: row.get(3)?,
                fields: OrderFields::default(),
                created_at: Moment::from_microseconds(row.get(5)?),
                updated_at: Moment::EPOCH,
            },
        ))
    };
    let found = match &new.order {
        OrderRef::Id(id) => connection
            .prepare_cached(ORDER_BY_ID)?
            .query_row(params![integration.0, id.0], read),
        OrderRef::External(id) => connection
            .prepare_cached(ORDER_BY_EXTERNAL_ID)?
            .query_row(params![integration.0, id], read),
    };
    let Some((fields, mut order)) = found.optional()? else {
        return Ok(None);
    };
    order.fields = serde_json::from_str(&fields)
        .map_err(|error| Fault::corrupt("orders", order.id.0, error))?;
    Ok(Some(order))
}

/// The first stage of an order that is made with it.
pub(crate) fn begin(
    writing: &mut Writing,
    new: &NewOrderStage,
) -> Result<(Order, AcceptedStage), Fault> {
    let mut order = Order {
        id: OrderId(0),
        integration_id: new.integration_id,
        external_order_id: match &new.order {
            OrderRef::External(id) => Some(id.clone()),
            OrderRef::Id(_) => None,
        },
        status: new.stage.clone(),
        sequence: 1,
        fields: OrderFields::default(),
        created_at: new.at,
        updated_at: new.at,
    };
    order.fields.merge(new.changes.clone());
    let fields = serde_json::to_string(&order.fields)?;
    writing
        .connection
        .prepare_cached(INSERT_ORDER)?
        .execute(params![
            order.integration_id.0,
            order.external_order_id,
            order.status,
            fields,
            street(&order.fields),
            order.created_at.microseconds(),
        ])?;
    order.id = OrderId(writing.connection.last_insert_rowid());
    let accepted = add_stage(writing, &order, new)?;
    Ok((order, accepted))
}

/// A further stage of an order.
pub(super) fn advance(
    writing: &mut Writing,
    mut order: Order,
    new: &NewOrderStage,
) -> Result<AcceptedStage, Fault> {
    order.sequence += 1;
    if new.update_status {
        order.status.clone_from(&new.stage);
    }
    update_order(&writing.connection, &mut order, &new.changes, new.at)?;
    add_stage(writing, &order, new)
}

fn update_order(
    connection: &Connection,
    order: &mut Order,
    changes: &OrderChanges,
    at: Moment,
) -> Result<(), Fault> {
    let (id, at) = (order.id.0, at.microseconds());
    if changes.is_empty() {
        connection
            .prepare_cached(UPDATE_ORDER_STATUS)?
            .execute(params![id, order.status, order.sequence, at])?;
        return Ok(());
    }
    order.fields.merge(changes.clone());
    let fields = serde_json::to_string(&order.fields)?;
    let address = street(&order.fields);
    connection.prepare_cached(UPDATE_ORDER)?.execute(params![
        id,
        order.status,
        order.sequence,
        at,
        fields,
        address
    ])?;
    Ok(())
}

/// The street of the order's address, if there is one.
pub(crate) fn street(fields: &OrderFields) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Address {
        street: Option<String>,
    }
    let address = fields.get(OrderField::Address)?;
    serde_json::from_str::<Address>(address.get()).ok()?.street
}
