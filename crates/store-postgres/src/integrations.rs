//! Integrations: whose orders and subscriptions belong together.

use async_trait::async_trait;
use domain::id::IntegrationId;
use domain::records::Integration;
use futures_util::FutureExt;
use store::{
    Change, Created, IntegrationChanges, Integrations, ListQuery, NewIntegration, Page, Reference,
    Rejection, StoreError, Target,
};
use tokio_postgres::Row;

use crate::audit::{self, AuditEvent};
use crate::check;
use crate::connection::Connection;
use crate::fault::Fault;
use crate::idempotency::{self, NO_INTEGRATION};
use crate::list_query::{Branch, Condition, ListPlan, moment, number_if_any, of_ids, one};
use crate::open::PostgresStore;
use crate::writing::Writing;

macro_rules! select_integration {
    () => {
        "select id, key, name, retention_days, created_at, updated_at from integrations "
    };
}

// primary key
pub(crate) const BY_IDS: &str = concat!(select_integration!(), "where id = any($1)");
// primary key
pub(crate) const BY_ID: &str = concat!(select_integration!(), "where id = $1");
// primary key
pub(crate) const LOCK: &str = concat!(select_integration!(), "where id = $1 for no key update");
// unique (key)
pub(crate) const BY_KEY: &str = concat!(select_integration!(), "where key = $1");
pub(crate) const INSERT: &str = "insert into integrations (key, name, retention_days, created_at, updated_at) \
     values ($1, $2, $3, $4, $4) returning id";
// primary key
pub(crate) const UPDATE: &str = "update integrations set key = $2, name = $3, retention_days = $4, updated_at = $5 where id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[BY_IDS, BY_ID, LOCK, BY_KEY, INSERT, UPDATE];

/// What integrations can be sorted by besides their id; there are few enough to be sorted each time.
const SORTED_BY: &[&str] = &["key", "name", "created_at", "updated_at"];

#[async_trait]
impl Integrations for PostgresStore {
    async fn create_integration(
        &self,
        new: NewIntegration,
        change: Change,
    ) -> Result<Created<Integration>, Rejection> {
        self.write((new, change), |writing, (new, change)| {
            create(writing, new, change).boxed()
        })
        .await
    }

    async fn update_integration(
        &self,
        id: IntegrationId,
        changes: IntegrationChanges,
        change: Change,
    ) -> Result<Integration, Rejection> {
        self.write((id, changes, change), |writing, (id, changes, change)| {
            update(writing, *id, changes, change).boxed()
        })
        .await
    }

    async fn integration(&self, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
        let connection = self.connection().await?;
        Ok(one(&connection, BY_ID, &[&id.0], read).await?)
    }

    async fn integration_of_key(&self, key: String) -> Result<Option<Integration>, StoreError> {
        let connection = self.connection().await?;
        Ok(one(&connection, BY_KEY, &[&key], read).await?)
    }

    async fn integrations(
        &self,
        query: ListQuery,
        only: Option<Vec<IntegrationId>>,
    ) -> Result<Page<Integration>, StoreError> {
        let connection = self.connection().await?;
        let plan = plan(&query, only.as_deref());
        let page = plan.page(&connection, &query, |connection, ids| {
            of_ids(connection, BY_IDS, ids, read).boxed()
        });
        Ok(page.await?)
    }
}

async fn create(
    writing: &Writing,
    new: &NewIntegration,
    change: &Change,
) -> Result<Created<Integration>, Fault> {
    let idempotency = new.idempotency.as_ref();
    if let Some(first) = idempotency::find(writing, NO_INTEGRATION, idempotency, change.at).await? {
        return Ok(Created::replayed(first));
    }
    let connection = &writing.connection;
    refuse_taken_key(connection, &new.key, None).await?;
    let integration = Integration {
        id: one(
            connection,
            INSERT,
            &[
                &new.key,
                &new.name,
                &new.retention_days.map(i64::from),
                &change.at.microseconds(),
            ],
            |row| Ok(IntegrationId(row.try_get(0)?)),
        )
        .await?
        .ok_or(Fault::Raced)?,
        key: new.key.clone(),
        name: new.name.clone(),
        retention_days: new.retention_days,
        created_at: change.at,
        updated_at: change.at,
    };
    write_event(connection, change, "create", None, &integration).await?;
    idempotency::keep(
        writing,
        NO_INTEGRATION,
        idempotency,
        &integration,
        change.at,
    )
    .await?;
    Ok(Created::fresh(integration))
}

async fn update(
    writing: &Writing,
    id: IntegrationId,
    changes: &IntegrationChanges,
    change: &Change,
) -> Result<Integration, Fault> {
    let connection = &writing.connection;
    let before = one(connection, LOCK, &[&id.0], read).await?;
    let before = before.ok_or_else(|| Fault::refused("id", "does not exist"))?;
    if let Some(key) = &changes.key {
        refuse_taken_key(connection, key, Some(id)).await?;
    }
    let after = Integration {
        key: changes.key.clone().unwrap_or_else(|| before.key.clone()),
        name: changes.name.clone().unwrap_or_else(|| before.name.clone()),
        retention_days: changes.retention_days.unwrap_or(before.retention_days),
        updated_at: change.at,
        ..before
    };
    connection
        .execute(
            UPDATE,
            &[
                &id.0,
                &after.key,
                &after.name,
                &after.retention_days.map(i64::from),
                &after.updated_at.microseconds(),
            ],
        )
        .await?;
    write_event(connection, change, "update", Some(&before), &after).await?;
    Ok(after)
}

async fn refuse_taken_key(
    connection: &Connection,
    key: &str,
    except: Option<IntegrationId>,
) -> Result<(), Fault> {
    let target = Target::FreeIntegrationKey {
        key: key.to_owned(),
        except,
    };
    check::refuse(check::check(connection, &[Reference::new("key", target)]).await?)
}

async fn write_event(
    connection: &Connection,
    change: &Change,
    action: &'static str,
    before: Option<&Integration>,
    after: &Integration,
) -> Result<(), Fault> {
    let event = AuditEvent {
        integration_id: Some(after.id),
        noun: "integration",
        record_id: after.id.0,
        action,
        before: audit::json_if_any(before)?,
        after: audit::json(after)?,
    };
    audit::write(connection, change, event).await
}

fn read(row: &Row) -> Result<Integration, Fault> {
    Ok(Integration {
        id: IntegrationId(row.try_get("id")?),
        key: row.try_get("key")?,
        name: row.try_get("name")?,
        retention_days: number_if_any(row, "retention_days")?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
    })
}

fn plan(query: &ListQuery, only: Option<&[IntegrationId]>) -> ListPlan {
    let visible = match only {
        Some(ids) => Condition::among("id", ids.iter().map(|id| id.0).collect::<Vec<_>>()),
        None => Condition::new("true", []),
    };
    let conditions = query.search.iter().map(Condition::found).collect();
    let branch = Branch::new("integrations", visible);
    ListPlan::new(vec![branch], conditions).sorted(query.sort, SORTED_BY)
}
