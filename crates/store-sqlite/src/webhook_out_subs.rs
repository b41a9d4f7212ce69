//! Outgoing webhook subscriptions: what is asked of them, and who answers.

use std::time::Duration;

use async_trait::async_trait;
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::webhook_job::WebhookJob;
use domain::webhook_out_sub::WebhookOutSub;
use rusqlite::Connection;
use store::{
    Change, Created, ListQuery, NewSigning, NewWebhookOutSub, Page, Rejection, StoreError,
    WebhookOutSubChanges, WebhookOutSubs, WithSecret,
};

use crate::audit::{self, AuditEvent};
use crate::check;
use crate::fault::Fault;
use crate::open::SqliteStore;
use crate::writing::Writing;

mod create;
pub(crate) mod delete;
mod list;
pub(crate) mod revisions;
mod row;
mod secret;
mod send_test;
mod update;

pub(crate) use self::list::ids;
pub(crate) use self::row::{lane, lanes, of_id};
pub(crate) use self::secret::opens_newest;

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    create::STATEMENTS,
    delete::STATEMENTS,
    revisions::STATEMENTS,
    row::STATEMENTS,
    secret::STATEMENTS,
    send_test::STATEMENTS,
    update::STATEMENTS,
];

#[async_trait]
impl WebhookOutSubs for SqliteStore {
    async fn create_webhook_out_sub(
        &self,
        new: NewWebhookOutSub,
        change: Change,
    ) -> Result<Created<WithSecret>, Rejection> {
        self.write(move |writing| create::create(writing, new, &change))
            .await
    }

    async fn update_webhook_out_sub(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
        changes: WebhookOutSubChanges,
        change: Change,
    ) -> Result<WebhookOutSub, Rejection> {
        self.write(move |writing| update::update(writing, integration_id, id, changes, &change))
            .await
    }

    async fn delete_webhook_out_sub(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
        change: Change,
    ) -> Result<WebhookOutSub, Rejection> {
        delete::delete(self, integration_id, id, change).await
    }

    async fn rotate_webhook_out_sub_secret(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
        new: NewSigning,
        overlap: Duration,
        change: Change,
    ) -> Result<WithSecret, Rejection> {
        self.write(move |writing| {
            secret::rotate(writing, integration_id, id, &new, overlap, &change)
        })
        .await
    }

    async fn webhook_out_sub_secret(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
        change: Change,
    ) -> Result<WithSecret, Rejection> {
        self.write(move |writing| secret::show(writing, integration_id, id, &change))
            .await
    }

    async fn send_test(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
        change: Change,
    ) -> Result<WebhookJob, Rejection> {
        self.write(move |writing| send_test::send_test(writing, integration_id, id, &change))
            .await
    }

    async fn webhook_out_sub(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
    ) -> Result<Option<WebhookOutSub>, StoreError> {
        self.read(move |connection| row::show(connection, integration_id, id))
            .await
    }

    async fn webhook_out_subs(
        &self,
        integration_id: IntegrationId,
        active: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<WebhookOutSub>, StoreError> {
        self.read(move |connection| {
            list::plan(integration_id, active, &query).page(connection, &query, row::of_id)
        })
        .await
    }
}

/// Switches a subscription on.
///
/// # Errors
/// Refused where it does not exist.
pub(crate) fn switch_on(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
    change: &Change,
) -> Result<WebhookOutSub, Fault> {
    let on = WebhookOutSubChanges {
        active: Some(true),
        ..WebhookOutSubChanges::default()
    };
    update::update(writing, integration_id, id, on, change)
}

/// The subscription that is to be changed.
///
/// # Errors
/// Refused where it does not exist.
fn find(
    connection: &Connection,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
) -> Result<WebhookOutSub, Fault> {
    row::show(connection, integration_id, id)?
        .ok_or_else(|| Fault::refused("id", check::NOT_IN_INTEGRATION))
}

fn write_event(
    connection: &Connection,
    change: &Change,
    action: &'static str,
    before: Option<&WebhookOutSub>,
    after: &WebhookOutSub,
) -> Result<(), Fault> {
    let event = AuditEvent {
        integration_id: Some(after.integration_id),
        noun: "webhook_out_sub",
        record_id: after.id.0,
        action,
        before: audit::json_if_any(before)?,
        after: audit::json(after)?,
    };
    audit::write(connection, change, event)
}
