//! Orders: made with their first stage, changed in their fields, found.

use async_trait::async_trait;
use domain::id::{IntegrationId, OrderId};
use domain::order::Order;
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use store::{
    Change, Created, List, NewOrder, NewOrderStage, OrderQuery, OrderRef, OrderUpdate, Orders,
    Page, Reference, Rejection, StoreError, Target,
};

use crate::accept::{begin, street};
use crate::audit::{self, AuditEvent};
use crate::fault::Fault;
use crate::list_query::{moment, one};
use crate::open::SqliteStore;
use crate::writing::Writing;
use crate::{check, idempotency};

mod list;
mod search;

#[cfg(test)]
pub(crate) use self::list::plan;
pub(crate) use self::search::{ids_of_address, ids_of_external_id};

macro_rules! select_order {
    () => {
        "select id, integration_id, external_order_id, status, sequence, fields, created_at, \
         updated_at from orders "
    };
}

// primary key
pub(crate) const BY_ID: &str = concat!(select_order!(), "where id = ?1");
// orders_by_external_order_id
pub(crate) const BY_EXTERNAL_ID: &str = concat!(
    select_order!(),
    "where integration_id = ?1 and external_order_id = ?2"
);
// primary key
pub(crate) const UPDATE: &str = "update orders set external_order_id = ?2, fields = ?3, address = ?4, updated_at = ?5 \
     where id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    &[BY_ID, BY_EXTERNAL_ID, UPDATE],
    list::STATEMENTS,
    search::STATEMENTS,
];

#[async_trait]
impl Orders for SqliteStore {
    async fn create_order(
        &self,
        new: NewOrder,
        change: Change,
    ) -> Result<Created<Order>, Rejection> {
        self.write(move |writing| create(writing, new, &change))
            .await
    }

    async fn update_order(&self, update: OrderUpdate, change: Change) -> Result<Order, Rejection> {
        self.write(move |writing| change_fields(writing, update, &change))
            .await
    }

    async fn order(
        &self,
        integration_id: IntegrationId,
        order: OrderRef,
    ) -> Result<Option<Order>, StoreError> {
        self.read(move |connection| find(connection, integration_id, &order))
            .await
    }

    async fn orders(&self, query: OrderQuery) -> Result<Page<Order>, StoreError> {
        self.read(move |connection| {
            list::plan(connection, &query)?.page(connection, &query.list, show)
        })
        .await
    }
}

fn create(writing: &mut Writing, new: NewOrder, change: &Change) -> Result<Created<Order>, Fault> {
    let integration_id = new.integration_id;
    if let Some(idempotency) = &new.idempotency
        && let Some(first) = idempotency::find(writing, integration_id.0, idempotency, change.at)?
    {
        return Ok(Created::replayed(first));
    }
    check::refuse(check::check(&writing.connection, &references(&new))?)?;
    let stage = NewOrderStage {
        integration_id,
        // There is no order of this id: without an external one, nothing names it yet.
        order: new
            .external_order_id
            .map_or(OrderRef::Id(OrderId(0)), OrderRef::External),
        create_order: true,
        stage: new.status,
        event_slug: new.event_slug,
        update_status: true,
        stage_at: None,
        changes: new.fields,
        idempotency: None,
        at: change.at,
    };
    let (order, _) = begin(writing, &stage)?;
    write_event(&writing.connection, change, "create", None, &order)?;
    if let Some(idempotency) = &new.idempotency {
        idempotency::keep(writing, integration_id.0, idempotency, &order, change.at)?;
    }
    Ok(Created::fresh(order))
}

fn references(new: &NewOrder) -> Vec<Reference> {
    let word = |list, slug: &String| Target::ListItem {
        list,
        slug: slug.clone(),
    };
    let mut references = vec![
        Reference::new("integration_id", Target::Integration(new.integration_id)),
        Reference::new("status", word(List::OrderStatus, &new.status)),
    ];
    if let Some(event) = &new.event_slug {
        references.push(Reference::new("event_slug", word(List::OrderEvent, event)));
    }
    if let Some(external) = &new.external_order_id {
        references.push(free_external_id(new.integration_id, external));
    }
    references
}

fn free_external_id(integration_id: IntegrationId, external_order_id: &str) -> Reference {
    let target = Target::FreeExternalOrderId {
        integration_id,
        external_order_id: external_order_id.to_owned(),
    };
    Reference::new("external_order_id", target)
}

fn change_fields(writing: &Writing, update: OrderUpdate, change: &Change) -> Result<Order, Fault> {
    let connection = &writing.connection;
    let before = show(connection, update.id.0)?
        .filter(|order| order.integration_id == update.integration_id)
        .ok_or_else(|| Fault::refused("id", check::NOT_IN_INTEGRATION))?;
    let mut after = before.clone();
    if let Some(external) = update.external_order_id {
        if let Some(external) = &external
            && before.external_order_id.as_ref() != Some(external)
        {
            let reference = free_external_id(update.integration_id, external);
            check::refuse(check::check(connection, &[reference])?)?;
        }
        after.external_order_id = external;
    }
    after.fields.merge(update.changes);
    after.updated_at = change.at;
    connection.prepare_cached(UPDATE)?.execute(params![
        after.id.0,
        after.external_order_id,
        serde_json::to_string(&after.fields)?,
        street(&after.fields),
        after.updated_at.microseconds(),
    ])?;
    write_event(connection, change, "update", Some(&before), &after)?;
    Ok(after)
}

/// An order in the audit trail. Its fields are named only: they are large, and may hold the code of a door.
#[derive(Serialize)]
struct Audited<'a> {
    external_order_id: Option<&'a str>,
    status: &'a str,
    fields: Vec<&'static str>,
}

impl<'a> Audited<'a> {
    fn of(order: &'a Order) -> Audited<'a> {
        Audited {
            external_order_id: order.external_order_id.as_deref(),
            status: &order.status,
            fields: order
                .fields
                .known()
                .map(|(field, _)| field.name())
                .collect(),
        }
    }
}

fn write_event(
    connection: &Connection,
    change: &Change,
    action: &'static str,
    before: Option<&Order>,
    after: &Order,
) -> Result<(), Fault> {
    let event = AuditEvent {
        integration_id: Some(after.integration_id),
        noun: "order",
        record_id: after.id.0,
        action,
        before: audit::json_if_any(before.map(Audited::of).as_ref())?,
        after: audit::json(&Audited::of(after))?,
    };
    audit::write(connection, change, event)
}

fn find(
    connection: &Connection,
    integration: IntegrationId,
    order: &OrderRef,
) -> Result<Option<Order>, Fault> {
    match order {
        OrderRef::Id(id) => {
            let order = show(connection, id.0)?;
            Ok(order.filter(|order| order.integration_id == integration))
        }
        OrderRef::External(external) => one(
            connection,
            BY_EXTERNAL_ID,
            params![integration.0, external],
            read,
        ),
    }
}

pub(crate) fn show(connection: &Connection, id: i64) -> Result<Option<Order>, Fault> {
    one(connection, BY_ID, [id], read)
}

fn read(row: &Row<'_>) -> Result<Order, Fault> {
    let id = row.get("id")?;
    let fields: String = row.get("fields")?;
    Ok(Order {
        id: OrderId(id),
        integration_id: IntegrationId(row.get("integration_id")?),
        external_order_id: row.get("external_order_id")?,
        status: row.get("status")?,
        sequence: row.get("sequence")?,
        fields: serde_json::from_str(&fields)
            .map_err(|error| Fault::corrupt("orders", id, error))?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
    })
}
