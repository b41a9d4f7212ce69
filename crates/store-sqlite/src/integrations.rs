//! Integrations: whose orders and subscriptions belong together.

use async_trait::async_trait;
use domain::id::IntegrationId;
use domain::records::Integration;
use rusqlite::{Connection, Row, params};
use store::{
    Change, Created, IntegrationChanges, Integrations, ListQuery, NewIntegration, Page, Reference,
    Rejection, StoreError, Target,
};

use crate::audit::{self, AuditEvent};
use crate::fault::Fault;
use crate::list_query::{Branch, Condition, ListPlan, moment, one};
use crate::open::SqliteStore;
use crate::writing::Writing;
use crate::{check, idempotency};

macro_rules! select_integration {
    () => {
        "select id, key, name, retention_days, created_at, updated_at from integrations "
    };
}

// primary key
pub(crate) const BY_ID: &str = concat!(select_integration!(), "where id = ?1");
// unique (key)
pub(crate) const BY_KEY: &str = concat!(select_integration!(), "where key = ?1");
pub(crate) const INSERT: &str = "insert into integrations (key, name, retention_days, created_at, updated_at) values (?1, ?2, ?3, ?4, ?4)";
// primary key
pub(crate) const UPDATE: &str = "update integrations set key = ?2, name = ?3, retention_days = ?4, updated_at = ?5 where id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[BY_ID, BY_KEY, INSERT, UPDATE];

/// What integrations can be sorted by besides their id; there are few enough to be sorted each time.
const SORTED_BY: &[&str] = &["key", "name", "created_at", "updated_at"];

#[async_trait]
impl Integrations for SqliteStore {
    async fn create_integration(
        &self,
        new: NewIntegration,
        change: Change,
    ) -> Result<Created<Integration>, Rejection> {
        self.write(move |writing| create(writing, new, &change))
            .await
    }

    async fn update_integration(
        &self,
        id: IntegrationId,
        changes: IntegrationChanges,
        change: Change,
    ) -> Result<Integration, Rejection> {
        self.write(move |writing| update(writing, id, changes, &change))
            .await
    }

    async fn integration(&self, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
        self.read(move |connection| show(connection, id.0)).await
    }

    async fn integration_of_key(&self, key: String) -> Result<Option<Integration>, StoreError> {
        self.read(move |connection| one(connection, BY_KEY, [key], read))
            .await
    }

    async fn integrations(
        &self,
        query: ListQuery,
        only: Option<Vec<IntegrationId>>,
    ) -> Result<Page<Integration>, StoreError> {
        self.read(move |connection| plan(&query, only.as_deref())?.page(connection, &query, show))
            .await
    }
}

fn create(
    writing: &Writing,
    new: NewIntegration,
    change: &Change,
) -> Result<Created<Integration>, Fault> {
    let connection = &writing.connection;
    idempotency::once(writing, new.idempotency.as_ref(), change.at, || {
        refuse_taken_key(connection, &new.key, None)?;
        connection.prepare_cached(INSERT)?.execute(params![
            new.key,
            new.name,
            new.retention_days,
            change.at.microseconds()
        ])?;
        let integration = Integration {
            id: IntegrationId(connection.last_insert_rowid()),
            key: new.key,
            name: new.name,
            retention_days: new.retention_days,
            created_at: change.at,
            updated_at: change.at,
        };
        write_event(connection, change, "create", None, &integration)?;
        Ok(integration)
    })
}

fn update(
    writing: &Writing,
    id: IntegrationId,
    changes: IntegrationChanges,
    change: &Change,
) -> Result<Integration, Fault> {
    let connection = &writing.connection;
    let before = show(connection, id.0)?.ok_or_else(|| Fault::refused("id", "does not exist"))?;
    if let Some(key) = &changes.key {
        refuse_taken_key(connection, key, Some(id))?;
    }
    let after = Integration {
        key: changes.key.unwrap_or_else(|| before.key.clone()),
        name: changes.name.unwrap_or_else(|| before.name.clone()),
        retention_days: changes.retention_days.unwrap_or(before.retention_days),
        updated_at: change.at,
        ..before
    };
    connection.prepare_cached(UPDATE)?.execute(params![
        id.0,
        after.key,
        after.name,
        after.retention_days,
        after.updated_at.microseconds(),
    ])?;
    write_event(connection, change, "update", Some(&before), &after)?;
    Ok(after)
}

fn refuse_taken_key(
    connection: &Connection,
    key: &str,
    except: Option<IntegrationId>,
) -> Result<(), Fault> {
    let target = Target::FreeIntegrationKey {
        key: key.to_owned(),
        except,
    };
    check::refuse(check::check(connection, &[Reference::new("key", target)])?)
}

fn write_event(
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
    audit::write(connection, change, event)
}

fn show(connection: &Connection, id: i64) -> Result<Option<Integration>, Fault> {
    one(connection, BY_ID, [id], read)
}

fn read(row: &Row<'_>) -> Result<Integration, Fault> {
    Ok(Integration {
        id: IntegrationId(row.get("id")?),
        key: row.get("key")?,
        name: row.get("name")?,
        retention_days: row.get("retention_days")?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
    })
}

fn plan(query: &ListQuery, only: Option<&[IntegrationId]>) -> Result<ListPlan, Fault> {
    let visible = match only {
        Some(ids) => Condition::among("id", ids)?,
        None => Condition::new("true", []),
    };
    let conditions = query.search.iter().map(Condition::found).collect();
    let branch = Branch::new("integrations", visible);
    Ok(ListPlan::new(vec![branch], conditions).sorted(query.sort, SORTED_BY))
}
