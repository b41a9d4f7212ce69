//! Orders: made with their first stage, changed in their fields, found.

use async_trait::async_trait;
use domain::id::{IntegrationId, OrderId};
use domain::order::Order;
use futures_util::FutureExt;
use serde::Serialize;
use store::{
    Change, Created, List, NewOrder, NewOrderStage, OrderQuery, OrderRef, OrderUpdate, Orders,
    Page, Reference, Rejection, StoreError, Target,
};
use tokio_postgres::Row;

use crate::accept::{accept_all, street};
use crate::audit::{self, AuditEvent};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{moment, of_ids, one};
use crate::open::PostgresStore;
use crate::writing::Writing;
use crate::{check, idempotency};

mod list;
mod search;

pub(crate) use self::search::{ids_of_address, ids_of_external_id};

macro_rules! select_order {
    () => {
        "select id, integration_id, external_order_id, status, sequence, fields, created_at, \
         updated_at from orders "
    };
}

// primary key
pub(crate) const BY_IDS: &str = concat!(select_order!(), "where id = any($1)");
// primary key
pub(crate) const BY_ID: &str = concat!(select_order!(), "where id = $1");
// primary key
pub(crate) const LOCK: &str = concat!(select_order!(), "where id = $1 for no key update");
// orders_by_external_order_id
pub(crate) const BY_EXTERNAL_ID: &str = concat!(
    select_order!(),
    "where integration_id = $1 and external_order_id = $2"
);
// primary key
pub(crate) const UPDATE: &str = "update orders set external_order_id = $2, fields = $3, address = $4, updated_at = $5 \
     where id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    &[BY_IDS, BY_ID, LOCK, BY_EXTERNAL_ID, UPDATE],
    list::STATEMENTS,
    search::STATEMENTS,
];

#[async_trait]
impl Orders for PostgresStore {
    async fn create_order(
        &self,
        new: NewOrder,
        change: Change,
    ) -> Result<Created<Order>, Rejection> {
        self.write((new, change), |writing, (new, change)| {
            create(writing, new, change).boxed()
        })
        .await
    }

    async fn update_order(&self, update: OrderUpdate, change: Change) -> Result<Order, Rejection> {
        self.write((update, change), |writing, (update, change)| {
            change_fields(writing, update, change).boxed()
        })
        .await
    }

    async fn order(
        &self,
        integration_id: IntegrationId,
        order: OrderRef,
    ) -> Result<Option<Order>, StoreError> {
        let connection = self.connection().await?;
        Ok(find(&connection, integration_id, &order).await?)
    }

    async fn orders(&self, query: OrderQuery) -> Result<Page<Order>, StoreError> {
        let connection = self.connection().await?;
        let plan = list::plan(&connection, &query).await?;
        let page = plan.page(&connection, &query.list, |connection, ids| {
            of_ids(connection, BY_IDS, ids, read).boxed()
        });
        Ok(page.await?)
    }
}

async fn create(
    writing: &mut Writing,
    new: &NewOrder,
    change: &Change,
) -> Result<Created<Order>, Fault> {
    let integration_id = new.integration_id;
    let key = new.idempotency.as_ref();
    if let Some(first) = idempotency::find(writing, integration_id.0, key, change.at).await? {
        return Ok(Created::replayed(first));
    }
    check::refuse(check::check(&writing.connection, &references(new)).await?)?;
    let external = new.external_order_id.clone();
    let stage = NewOrderStage {
        integration_id,
        // There is no order of this id: without an external one, nothing names it yet.
        order: external.map_or(OrderRef::Id(OrderId(0)), OrderRef::External),
        create_order: true,
        stage: new.status.clone(),
        event_slug: new.event_slug.clone(),
        update_status: true,
        stage_at: None,
        changes: new.fields.clone(),
        idempotency: None,
        at: change.at,
    };
    let accepted = accept_all(writing, &[stage]).await?.pop();
    let accepted = accepted.ok_or(Fault::Raced)??.record;
    let order = of_id(&writing.connection, accepted.order_id).await?;
    let order = order.ok_or(Fault::Raced)?;
    // It was made meanwhile, and this would be a further stage of it.
    if order.sequence > 1 {
        return Err(Fault::Raced);
    }
    write_event(&writing.connection, change, "create", None, &order).await?;
    idempotency::keep(writing, integration_id.0, key, &order, change.at).await?;
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

async fn change_fields(
    writing: &Writing,
    update: &OrderUpdate,
    change: &Change,
) -> Result<Order, Fault> {
    let connection = &writing.connection;
    let before = one(connection, LOCK, &[&update.id.0], read).await?;
    let before = before
        .filter(|order| order.integration_id == update.integration_id)
        .ok_or_else(|| Fault::refused("id", check::NOT_IN_INTEGRATION))?;
    let mut after = before.clone();
    if let Some(external) = &update.external_order_id {
        if let Some(external) = external
            && before.external_order_id.as_ref() != Some(external)
        {
            let reference = free_external_id(update.integration_id, external);
            check::refuse(check::check(connection, &[reference]).await?)?;
        }
        after.external_order_id.clone_from(external);
    }
    after.fields.merge(update.changes.clone());
    after.updated_at = change.at;
    let params: Params = &[
        &after.id.0,
        &after.external_order_id,
        &serde_json::to_string(&after.fields)?,
        &street(&after.fields),
        &after.updated_at.microseconds(),
    ];
    connection.execute(UPDATE, params).await?;
    write_event(connection, change, "update", Some(&before), &after).await?;
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

async fn write_event(
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
    audit::write(connection, change, event).await
}

async fn find(
    connection: &Connection,
    integration: IntegrationId,
    order: &OrderRef,
) -> Result<Option<Order>, Fault> {
    match order {
        OrderRef::Id(id) => {
            let order = of_id(connection, *id).await?;
            Ok(order.filter(|order| order.integration_id == integration))
        }
        OrderRef::External(external) => {
            one(
                connection,
                BY_EXTERNAL_ID,
                &[&integration.0, external],
                read,
            )
            .await
        }
    }
}

pub(crate) async fn of_id(connection: &Connection, id: OrderId) -> Result<Option<Order>, Fault> {
    one(connection, BY_ID, &[&id.0], read).await
}

fn read(row: &Row) -> Result<Order, Fault> {
    let id = row.try_get("id")?;
    let fields: &str = row.try_get("fields")?;
    let fields = serde_json::from_str(fields);
    Ok(Order {
        id: OrderId(id),
        integration_id: IntegrationId(row.try_get("integration_id")?),
        external_order_id: row.try_get("external_order_id")?,
        status: row.try_get("status")?,
        sequence: row.try_get("sequence")?,
        fields: fields.map_err(|error| Fault::corrupt("orders", id, error))?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
    })
}
