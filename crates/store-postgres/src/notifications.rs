//! Notifications: what the operators must know.

use async_trait::async_trait;
use domain::id::{IntegrationId, NotificationId, WebhookOutSubId};
use domain::notification::{NewNotification, Notification, NotificationKind};
use futures_util::FutureExt;
use store::{Change, NotificationQuery, Notifications, Page, Rejection, StoreError};
use tokio_postgres::Row;

use crate::audit::{self, AuditEvent};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{Branch, Condition, ListPlan, moment, moment_if_any, of_ids, one};
use crate::open::PostgresStore;
use crate::writing::Writing;

macro_rules! select_notification {
    () => {
        "select id, kind, about, integration_id, webhook_out_sub_id, message, request_id, times, created_at, \
         updated_at, read_at from notifications "
    };
}

// notifications_unread
pub(crate) const RAISE: &str = "insert into notifications as n (kind, about, integration_id, webhook_out_sub_id, message, request_id, \
     times, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, 1, $7, $7) \
     on conflict (kind, about) where read_at is null do update set message = excluded.message, \
     request_id = excluded.request_id, times = n.times + 1, updated_at = excluded.updated_at";
// primary key
pub(crate) const BY_IDS: &str = concat!(select_notification!(), "where id = any($1)");
// primary key
pub(crate) const LOCK: &str = concat!(select_notification!(), "where id = $1 for update");
// notifications_unread
pub(crate) const UNREAD: &str =
    "select id from notifications where kind = $1 and about = $2 and read_at is null";
// primary key
pub(crate) const UPDATE_READ: &str = "update notifications set read_at = $2 where id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[RAISE, BY_IDS, LOCK, UNREAD, UPDATE_READ];

/// What notifications can be sorted by besides their id; unread ones are one per cause, so they are few.
const SORTED_BY: &[&str] = &["created_at", "updated_at"];

#[async_trait]
impl Notifications for PostgresStore {
    async fn raise_notification(&self, new: NewNotification) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        Ok(raise(&connection, &new).await?)
    }

    async fn notifications(
        &self,
        query: NotificationQuery,
    ) -> Result<Page<Notification>, StoreError> {
        let connection = self.connection().await?;
        let plan = plan(&query);
        let page = plan.page(&connection, &query.list, |connection, ids| {
            of_ids(connection, BY_IDS, ids, read).boxed()
        });
        Ok(page.await?)
    }

    async fn update_notification(
        &self,
        id: NotificationId,
        read: bool,
        change: Change,
    ) -> Result<Notification, Rejection> {
        self.write((id, read, change), |writing, (id, read, change)| {
            update(writing, *id, *read, change).boxed()
        })
        .await
    }
}

/// Tells the operators, in the transaction of what happened.
pub(crate) async fn raise(connection: &Connection, new: &NewNotification) -> Result<(), Fault> {
    connection
        .execute(
            RAISE,
            &[
                &new.kind.name(),
                &new.about,
                &new.integration_id.map(|id| id.0),
                &new.webhook_out_sub_id.map(|id| id.0),
                &new.message,
                &new.request_id,
                &new.at.microseconds(),
            ],
        )
        .await
        .map(|_| ())
}

async fn update(
    writing: &Writing,
    id: NotificationId,
    is_read: bool,
    change: &Change,
) -> Result<Notification, Fault> {
    let connection = &writing.connection;
    let before = one(connection, LOCK, &[&id.0], read).await?;
    let before = before.ok_or_else(|| Fault::refused("id", "does not exist"))?;
    if before.read_at.is_some() == is_read {
        return Ok(before);
    }
    let cause: Params = &[&before.kind.name(), &before.about];
    let unread = one(connection, UNREAD, cause, |_| Ok(())).await?;
    if !is_read && unread.is_some() {
        let message = "cannot be false: the same happened since, and that one is unread";
        return Err(Fault::refused("read", message));
    }
    let after = Notification {
        read_at: is_read.then_some(change.at),
        ..before.clone()
    };
    let read_at = after.read_at.map(|at| at.microseconds());
    connection.execute(UPDATE_READ, &[&id.0, &read_at]).await?;
    let event = AuditEvent {
        integration_id: after.integration_id,
        noun: "notification",
        record_id: id.0,
        action: "update",
        before: audit::json(&before)?,
        after: audit::json(&after)?,
    };
    audit::write(connection, change, event).await?;
    Ok(after)
}

fn read(row: &Row) -> Result<Notification, Fault> {
    let id = row.try_get("id")?;
    let kind = NotificationKind::parse(row.try_get("kind")?)
        .ok_or_else(|| Fault::corrupt("notifications", id, "unknown kind"))?;
    let integration_id: Option<i64> = row.try_get("integration_id")?;
    let webhook_out_sub_id: Option<i64> = row.try_get("webhook_out_sub_id")?;
    Ok(Notification {
        id: NotificationId(id),
        kind,
        about: row.try_get("about")?,
        integration_id: integration_id.map(IntegrationId),
        webhook_out_sub_id: webhook_out_sub_id.map(WebhookOutSubId),
        message: row.try_get("message")?,
        request_id: row.try_get("request_id")?,
        times: row.try_get("times")?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
        read_at: moment_if_any(row, "read_at")?,
    })
}

fn plan(query: &NotificationQuery) -> ListPlan {
    let mut conditions = Vec::new();
    if !query.kinds.is_empty() {
        let names: Vec<String> = query
            .kinds
            .iter()
            .map(|kind| kind.name().to_owned())
            .collect();
        conditions.push(Condition::among("kind", names));
    }
    conditions.extend(query.read.map(|read| match read {
        true => Condition::new("read_at is not null", []),
        false => Condition::new("read_at is null", []),
    }));
    let branch = Branch::new("notifications", Condition::new("true", []));
    ListPlan::new(vec![branch], conditions).sorted(query.list.sort, SORTED_BY)
}
