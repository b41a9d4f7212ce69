//! Outgoing webhook subscriptions: what is asked of them, and who answers.

use std::time::Duration;

use async_trait::async_trait;
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::webhook_job::WebhookJob;
use domain::webhook_out_sub::WebhookOutSub;
use futures_util::FutureExt;
use store::{
    Change, Created, ListQuery, NewSigning, NewWebhookOutSub, Page, Rejection, StoreError,
    WebhookOutSubChanges, WebhookOutSubs, WithSecret,
};

use crate::audit::{self, AuditEvent};
use crate::check;
use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_query::of_ids;
use crate::locks;
use crate::open::PostgresStore;
use crate::writing::Writing;

mod create;
mod delete;
mod list;
pub(crate) mod revisions;
mod row;
mod secret;
mod send_test;
mod update;

pub(crate) use self::delete::cancel_leftovers;
pub(crate) use self::list::ids;
pub(crate) use self::row::{lane, of_id};
pub(crate) use self::secret::opens_newest;

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    create::STATEMENTS,
    delete::STATEMENTS,
    revisions::STATEMENTS,
    row::STATEMENTS,
    secret::STATEMENTS,
    update::STATEMENTS,
];

#[async_trait]
impl WebhookOutSubs for PostgresStore {
    async fn create_webhook_out_sub(
        &self,
        new: NewWebhookOutSub,
        change: Change,
    ) -> Result<Created<WithSecret>, Rejection> {
        self.write((new, change), |writing, (new, change)| {
            create::create(writing, new, change).boxed()
        })
        .await
    }

    async fn update_webhook_out_sub(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
        changes: WebhookOutSubChanges,
        change: Change,
    ) -> Result<WebhookOutSub, Rejection> {
        let asked = (integration_id, id, changes, change);
        self.write(asked, |writing, (integration_id, id, changes, change)| {
            update::update(writing, *integration_id, *id, changes, change).boxed()
        })
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
        let rotation = secret::Rotation { new, overlap };
        let asked = (integration_id, id, rotation, change);
        self.write(asked, |writing, (integration_id, id, rotation, change)| {
            secret::rotate(writing, *integration_id, *id, rotation, change).boxed()
        })
        .await
    }

    async fn webhook_out_sub_secret(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
        change: Change,
    ) -> Result<WithSecret, Rejection> {
        let asked = (integration_id, id, change);
        self.write(asked, |writing, (integration_id, id, change)| {
            secret::show(writing, *integration_id, *id, change).boxed()
        })
        .await
    }

    async fn send_test(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
        change: Change,
    ) -> Result<WebhookJob, Rejection> {
        let asked = (integration_id, id, change);
        self.write(asked, |writing, (integration_id, id, change)| {
            send_test::send_test(writing, *integration_id, *id, change).boxed()
        })
        .await
    }

    async fn webhook_out_sub(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
    ) -> Result<Option<WebhookOutSub>, StoreError> {
        let connection = self.connection().await?;
        Ok(row::show(&connection, integration_id, id).await?)
    }

    async fn webhook_out_subs(
        &self,
        integration_id: IntegrationId,
        active: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<WebhookOutSub>, StoreError> {
        let connection = self.connection().await?;
        let plan = list::plan(integration_id, active, &query);
        let page = plan.page(&connection, &query, |connection, ids| {
            of_ids(connection, row::BY_IDS, ids, row::read).boxed()
        });
        Ok(page.await?)
    }
}

/// Switches a subscription on.
///
/// # Errors
/// Refused where it does not exist.
pub(crate) async fn switch_on(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
    change: &Change,
) -> Result<WebhookOutSub, Fault> {
    let on = WebhookOutSubChanges {
        active: Some(true),
        ..WebhookOutSubChanges::default()
    };
    update::update(writing, integration_id, id, &on, change).await
}

/// The subscription that is to be changed. Nobody makes jobs by it, nor changes one of its integration, until this transaction ends.
///
/// # Errors
/// Refused where it does not exist.
async fn hold(
    connection: &Connection,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
) -> Result<WebhookOutSub, Fault> {
    locks::hold_subscriptions(connection, integration_id).await?;
    find(connection, integration_id, id).await
}

/// A subscription that is not deleted.
///
/// # Errors
/// Refused where it does not exist.
async fn find(
    connection: &Connection,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
) -> Result<WebhookOutSub, Fault> {
    let found = row::show(connection, integration_id, id).await?;
    found.ok_or_else(|| Fault::refused("id", check::NOT_IN_INTEGRATION))
}

async fn write_event(
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
    audit::write(connection, change, event).await
}
