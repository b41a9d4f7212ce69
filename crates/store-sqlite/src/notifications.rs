//! Notifications: what the operators must know.

use async_trait::async_trait;
use domain::id::{IntegrationId, NotificationId, WebhookOutSubId};
use domain::notification::{NewNotification, Notification, NotificationKind};
use rusqlite::{Connection, Row, params};
use store::{Change, ListQuery, NotificationQuery, Notifications, Page, Rejection, StoreError};

use crate::audit::{self, AuditEvent};
use crate::fault::Fault;
use crate::list_query::{Branch, Condition, ListPlan, moment, moment_if_any, one};
use crate::open::SqliteStore;
use crate::writing::Writing;

// notifications_unread
pub(crate) const RAISE: &str = "insert into notifications (kind, about, integration_id, webhook_out_sub_id, message, request_id, times, \
     created_at, updated_at) values (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7) \
     on conflict (kind, about) where read_at is null do update set message = excluded.message, \
     request_id = excluded.request_id, times = times + 1, updated_at = excluded.updated_at";
// primary key
pub(crate) const BY_ID: &str = "select id, kind, about, integration_id, webhook_out_sub_id, message, request_id, times, created_at, \
     updated_at, read_at from notifications where id = ?1";
// notifications_unread
pub(crate) const UNREAD: &str =
    "select id from notifications where kind = ?1 and about = ?2 and read_at is null";
// primary key
pub(crate) const UPDATE_READ: &str = "update notifications set read_at = ?2 where id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[RAISE, BY_ID, UNREAD, UPDATE_READ];

/// What notifications can be sorted by besides their id; unread ones are one per cause, so they are few.
const SORTED_BY: &[&str] = &["created_at", "updated_at"];

#[async_trait]
impl Notifications for SqliteStore {
    async fn raise_notification(&self, new: NewNotification) -> Result<(), StoreError> {
        let raised = self.write(move |writing| raise(&writing.connection, &new));
        raised.await.map_err(StoreError::from)
    }

    async fn notifications(
        &self,
        query: NotificationQuery,
    ) -> Result<Page<Notification>, StoreError> {
        self.read(move |connection| plan(&query)?.page(connection, &query.list, show))
            .await
    }

    async fn update_notification(
        &self,
        id: NotificationId,
        read: bool,
        change: Change,
    ) -> Result<Notification, Rejection> {
        self.write(move |writing| update(writing, id, read, &change))
            .await
    }
}

/// Tells the operators, in the transaction of what happened.
pub(crate) fn raise(connection: &Connection, new: &NewNotification) -> Result<(), Fault> {
    connection.prepare_cached(RAISE)?.execute(params![
        new.kind.name(),
        new.about,
        new.integration_id.map(|id| id.0),
        new.webhook_out_sub_id.map(|id| id.0),
        new.message,
        new.request_id,
        new.at.microseconds(),
    ])?;
    Ok(())
}

fn update(
    writing: &Writing,
    id: NotificationId,
    is_read: bool,
    change: &Change,
) -> Result<Notification, Fault> {
    let connection = &writing.connection;
    let before = show(connection, id.0)?.ok_or_else(|| Fault::refused("id", "does not exist"))?;
    if before.read_at.is_some() == is_read {
        return Ok(before);
    }
    let cause = [before.kind.name(), &before.about];
    if !is_read && one(connection, UNREAD, cause, |_| Ok(()))?.is_some() {
        let message = "cannot be false: the same happened since, and that one is unread";
        return Err(Fault::refused("read", message));
    }
    let after = Notification {
        read_at: is_read.then_some(change.at),
        ..before.clone()
    };
    let read_at = after.read_at.map(|at| at.microseconds());
    connection
        .prepare_cached(UPDATE_READ)?
        .execute(params![id.0, read_at])?;
    let event = AuditEvent {
        integration_id: after.integration_id,
        noun: "notification",
        record_id: id.0,
        action: "update",
        before: audit::json(&before)?,
        after: audit::json(&after)?,
    };
    audit::write(connection, change, event)?;
    Ok(after)
}

fn show(connection: &Connection, id: i64) -> Result<Option<Notification>, Fault> {
    one(connection, BY_ID, [id], read)
}

fn read(row: &Row<'_>) -> Result<Notification, Fault> {
    let id = row.get("id")?;
    let kind: String = row.get("kind")?;
    let kind = NotificationKind::parse(&kind)
        .ok_or_else(|| Fault::corrupt("notifications", id, "unknown kind"))?;
    Ok(Notification {
        id: NotificationId(id),
        kind,
        about: row.get("about")?,
        integration_id: row
            .get::<_, Option<i64>>("integration_id")?
            .map(IntegrationId),
        webhook_out_sub_id: row
            .get::<_, Option<i64>>("webhook_out_sub_id")?
            .map(WebhookOutSubId),
        message: row.get("message")?,
        request_id: row.get("request_id")?,
        times: row.get("times")?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
        read_at: moment_if_any(row, "read_at")?,
    })
}

fn plan(query: &NotificationQuery) -> Result<ListPlan, Fault> {
    let mut conditions = Vec::new();
    if !query.kinds.is_empty() {
        let names: Vec<&str> = query.kinds.iter().map(|kind| kind.name()).collect();
        conditions.push(Condition::among("kind", &names)?);
    }
    conditions.extend(query.read.map(|read| match read {
        true => Condition::new("read_at is not null", []),
        false => Condition::new("read_at is null", []),
    }));
    let list: &ListQuery = &query.list;
    let branch = Branch::new("notifications", Condition::new("true", []));
    Ok(ListPlan::new(vec![branch], conditions).sorted(list.sort, SORTED_BY))
}
