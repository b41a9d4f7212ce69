//! The orders of a batch: as they were found, as the changes leave them, and stored.

use domain::id::OrderId;
use domain::order::{Order, OrderField, OrderFields};
use domain::time::Moment;
use store::{NewOrderStage, OrderRef};
use tokio_postgres::Row;

use crate::connection::Connection;
use crate::fault::Fault;

pub(crate) const INSERT: &str = "insert into orders (id, integration_id, external_order_id, status, sequence, fields, address, created_at, \
     updated_at) select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], \
     $8::bigint[], $9::bigint[])";
// primary key
pub(crate) const UPDATE: &str = "update orders o set status = u.status, sequence = u.sequence, updated_at = u.updated_at \
     from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) as u (id, status, sequence, updated_at) where o.id = u.id";
// primary key
pub(crate) const UPDATE_FIELDS: &str = "update orders o set fields = u.fields, address = u.address \
     from unnest($1::bigint[], $2::text[], $3::text[]) as u (id, fields, address) where o.id = u.id";

/// What is sent together with others.
pub(super) const TOGETHER: &[&str] = &[INSERT, UPDATE, UPDATE_FIELDS];
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = TOGETHER;

/// An order of a batch.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) order: Order,
    pub(super) is_new: bool,
    pub(super) is_changed: bool,
    pub(super) has_new_fields: bool,
}

impl Known {
    /// As a row tells of it.
    pub(super) fn read(row: &Row) -> Result<Known, Fault> {
        let id = row.try_get("id")?;
        let fields: &str = row.try_get("fields")?;
        let fields = serde_json::from_str(fields);
        Ok(Known {
            order: Order {
                id: OrderId(id),
                integration_id: domain::id::IntegrationId(row.try_get("integration_id")?),
                external_order_id: row.try_get("external_order_id")?,
                status: row.try_get("status")?,
                sequence: row.try_get("sequence")?,
                fields: fields.map_err(|error| Fault::corrupt("orders", id, error))?,
                created_at: Moment::from_microseconds(row.try_get("created_at")?),
                updated_at: Moment::EPOCH,
            },
            is_new: false,
            is_changed: false,
            has_new_fields: false,
        })
    }

    /// One that is made with its first stage.
    pub(super) fn begin(id: OrderId, new: &NewOrderStage) -> Known {
        let mut order = Order {
            id,
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
        Known {
            order,
            is_new: true,
            is_changed: false,
            has_new_fields: false,
        }
    }

    /// A further stage of it.
    pub(super) fn advance(&mut self, new: &NewOrderStage) {
        self.is_changed = true;
        self.order.sequence += 1;
        self.order.updated_at = new.at;
        if new.update_status {
            self.order.status.clone_from(&new.stage);
        }
        if !new.changes.is_empty() {
            self.has_new_fields = true;
            self.order.fields.merge(new.changes.clone());
        }
    }
}

/// Stores what became of the orders.
pub(super) async fn store(connection: &Connection, orders: &[Known]) -> Result<(), Fault> {
    let (mut new, known): (Vec<&Known>, Vec<&Known>) = orders.iter().partition(|one| one.is_new);
    // Of two batches that make the same ones, neither waits for the other in a circle.
    new.sort_unstable_by_key(|one| (one.order.integration_id, &one.order.external_order_id));
    let changed: Vec<&Known> = known.into_iter().filter(|one| one.is_changed).collect();
    let of_fields = changed.iter().copied().filter(|one| one.has_new_fields);
    let of_fields: Vec<&Known> = of_fields.collect();
    let stored = (
        insert(connection, &new),
        update(connection, &changed),
        update_fields(connection, &of_fields),
    );
    let stored = futures_util::future::try_join3(stored.0, stored.1, stored.2);
    stored.await.map(|_| ())
}

async fn insert(connection: &Connection, orders: &[&Known]) -> Result<(), Fault> {
    if orders.is_empty() {
        return Ok(());
    }
    let fields = fields(orders)?;
    let external: Vec<Option<&str>> = orders
        .iter()
        .map(|one| one.order.external_order_id.as_deref())
        .collect();
    let integrations: Vec<i64> = orders
        .iter()
        .map(|one| one.order.integration_id.0)
        .collect();
    let created: Vec<i64> = orders
        .iter()
        .map(|one| one.order.created_at.microseconds())
        .collect();
    connection
        .execute(
            INSERT,
            &[
                &ids(orders),
                &integrations,
                &external,
                &statuses(orders),
                &sequences(orders),
                &fields,
                &streets(orders),
                &created,
                &updated(orders),
            ],
        )
        .await?;
    Ok(())
}

async fn update(connection: &Connection, orders: &[&Known]) -> Result<(), Fault> {
    if orders.is_empty() {
        return Ok(());
    }
    let params: crate::connection::Params = &[
        &ids(orders),
        &statuses(orders),
        &sequences(orders),
        &updated(orders),
    ];
    connection.execute(UPDATE, params).await.map(|_| ())
}

async fn update_fields(connection: &Connection, orders: &[&Known]) -> Result<(), Fault> {
    if orders.is_empty() {
        return Ok(());
    }
    let params: crate::connection::Params = &[&ids(orders), &fields(orders)?, &streets(orders)];
    connection.execute(UPDATE_FIELDS, params).await.map(|_| ())
}

fn ids(orders: &[&Known]) -> Vec<i64> {
    orders.iter().map(|one| one.order.id.0).collect()
}

fn statuses(orders: &[&Known]) -> Vec<String> {
    orders.iter().map(|one| one.order.status.clone()).collect()
}

fn sequences(orders: &[&Known]) -> Vec<i64> {
    orders.iter().map(|one| one.order.sequence).collect()
}

fn updated(orders: &[&Known]) -> Vec<i64> {
    orders
        .iter()
        .map(|one| one.order.updated_at.microseconds())
        .collect()
}

fn fields(orders: &[&Known]) -> Result<Vec<String>, Fault> {
    orders
        .iter()
        .map(|one| Ok(serde_json::to_string(&one.order.fields)?))
        .collect()
}

fn streets(orders: &[&Known]) -> Vec<Option<String>> {
    orders.iter().map(|one| street(&one.order.fields)).collect()
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
