//! Changing a subscription.

use domain::callback_header::CallbackHeader;
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::payload_render_view::ViewName;
use domain::webhook_out_sub::WebhookOutSub;
use store::rules::{sealed_headers, webhook_out_subs as rules};
use store::{Change, Reference, WebhookOutSubChanges};

use super::create::as_json;
use super::{hold, revisions, secret, write_event};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::payload_render_views::save::hold_names;
use crate::record::put_lane;
use crate::writing::Writing;
use crate::{check, known, release};

// primary key
pub(crate) const UPDATE: &str = "update webhook_out_subs set key = $2, name = $3, callback_url = $4, statuses = $5, events = $6, \
     notification_emails = $7, success_code = $8, payload_render_view = $9, active = $10, \
     notify = $11, version = $12, ordering = $13, timeout_seconds = $14, max_in_flight = $15, \
     updated_at = $16, supersede = $17, retry_policy = $18, rate_limit = $19, filter = $20 where id = $1";
// primary key
pub(crate) const UPDATE_HEADERS: &str =
    "update webhook_out_subs set headers = $2, sealed_headers = $3 where id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[UPDATE, UPDATE_HEADERS];

pub(super) async fn update(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
    changes: &WebhookOutSubChanges,
    change: &Change,
) -> Result<WebhookOutSub, Fault> {
    let before = hold(&writing.connection, integration_id, id).await?;
    if let Some(Some(ViewName::Own { .. })) = changes.payload_render_view {
        hold_names(&writing.connection).await?;
    }
    let references = changes.references(&before);
    let mut after = changes.clone().apply(before.clone(), change.at);
    refuse_bad(&writing.connection, &references, &after).await?;
    store(&writing.connection, &after).await?;
    if let Some(new) = &changes.headers {
        store_headers(writing, &after, new).await?;
    }
    match &changes.signing_key {
        Some(Some(_)) if before.asymmetric_signature => {}
        Some(new) => secret::put_key(writing, &mut after, new.as_ref()).await?,
        None => {}
    }
    let connection = &writing.connection;
    if rules::is_switched(&before, &after) {
        rules::switch(&mut after, change.at);
        put_lane(connection, id, &after.health).await?;
    }
    write_event(connection, change, "update", Some(&before), &after).await?;
    if rules::is_matched_otherwise(&before, &after) {
        revisions::keep(connection, integration_id, id, change.at).await?;
    } else {
        known::subscribers_changed(connection, Some(integration_id)).await?;
    }
    if after.ordering != before.ordering {
        release::release_all_free(connection, id, after.ordering, change.at).await?;
    }
    writing.changed(id);
    Ok(after)
}

async fn refuse_bad(
    connection: &Connection,
    references: &[Reference],
    after: &WebhookOutSub,
) -> Result<(), Fault> {
    let mut refusals = check::check(connection, references).await?;
    refusals.extend(rules::refusals(after));
    check::refuse(refusals)
}

async fn store(connection: &Connection, sub: &WebhookOutSub) -> Result<(), Fault> {
    let params: Params = &[
        &sub.id.0,
        &sub.key,
        &sub.name,
        &sub.callback_url.as_str(),
        &serde_json::to_string(&sub.statuses)?,
        &serde_json::to_string(&sub.events)?,
        &sub.notification_emails.as_ref().map(|one| one.as_str()),
        &sub.success_code.as_ref().map(|code| code.as_str()),
        &sub.payload_render_view.as_ref().map(ToString::to_string),
        &sub.active,
        &sub.notify,
        &sub.version.name(),
        &sub.ordering.name(),
        &sub.timeout_seconds.map(i64::from),
        &sub.max_in_flight.map(i64::from),
        &sub.updated_at.microseconds(),
        &sub.supersede,
        &as_json(sub.retry_policy.as_ref())?,
        &as_json(sub.rate_limit.as_ref())?,
        &sub.filter,
    ];
    connection.execute(UPDATE, params).await.map(|_| ())
}

async fn store_headers(
    writing: &Writing,
    sub: &WebhookOutSub,
    new: &[CallbackHeader],
) -> Result<(), Fault> {
    let shown = serde_json::to_string(&sub.headers)?;
    let sealed = sealed_headers::seal(writing.key(), new)?;
    let params: Params = &[&sub.id.0, &shown, &sealed];
    writing.connection.execute(UPDATE_HEADERS, params).await?;
    Ok(())
}
