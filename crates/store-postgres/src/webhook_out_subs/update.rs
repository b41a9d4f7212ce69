//! Changing a subscription.

use domain::callback_header::CallbackHeader;
use domain::health::LaneHealth;
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::payload_render_view::ViewName;
use domain::time::Moment;
use domain::vocabulary::folded;
use domain::webhook_out_sub::WebhookOutSub;
use store::{Change, List, Reference, Target, WebhookOutSubChanges};

use super::create::{as_json, no_address, view, words};
use super::{headers, hold, revisions, secret, write_event};
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
    let references = references(&before, changes);
    let mut after = changed(before.clone(), changes.clone());
    after.updated_at = change.at;
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
    if after.active != before.active || (after.active && before.health.is_off()) {
        switch(connection, &mut after, change.at).await?;
    }
    write_event(connection, change, "update", Some(&before), &after).await?;
    if is_matched_otherwise(&before, &after) {
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

/// Whether what it wants, or by which rule it is sent to, is another than before.
fn is_matched_otherwise(before: &WebhookOutSub, after: &WebhookOutSub) -> bool {
    let wants = |sub: &WebhookOutSub| {
        let health = sub.health.reason;
        (
            sub.active,
            health,
            sub.ordering,
            sub.statuses.clone(),
            sub.events.clone(),
            sub.filter.clone(),
        )
    };
    wants(before) != wants(after)
}

/// What the changes say of others; what is not changed is not looked at, so that a word that went out of
/// use does not stand in the way of other changes.
fn references(before: &WebhookOutSub, changes: &WebhookOutSubChanges) -> Vec<Reference> {
    let mut references = Vec::new();
    if let Some(key) = &changes.key {
        let target = Target::FreeSubscriptionKey {
            integration_id: before.integration_id,
            key: key.clone(),
            except: Some(before.id),
        };
        references.push(Reference::new("key", target));
    }
    if let Some(statuses) = &changes.statuses {
        references.extend(words("statuses", List::OrderStatus, statuses));
    }
    if let Some(events) = &changes.events {
        references.extend(words("events", List::OrderEvent, events));
    }
    if let Some(Some(name)) = &changes.payload_render_view {
        references.push(view(before.integration_id, name));
    }
    references
}

async fn refuse_bad(
    connection: &Connection,
    references: &[Reference],
    after: &WebhookOutSub,
) -> Result<(), Fault> {
    let mut refusals = check::check(connection, references).await?;
    refusals.extend(no_address(
        after.notify,
        after.notification_emails.is_some(),
    ));
    check::refuse(refusals)
}

fn changed(sub: WebhookOutSub, changes: WebhookOutSubChanges) -> WebhookOutSub {
    WebhookOutSub {
        key: changes.key.unwrap_or(sub.key),
        name: changes.name.unwrap_or(sub.name),
        callback_url: changes.callback_url.unwrap_or(sub.callback_url),
        statuses: changes.statuses.map_or(sub.statuses, folded),
        events: changes.events.map_or(sub.events, folded),
        filter: match changes.filter {
            Some(changed) => changed.map(|filter| filter.as_str().to_owned()),
            None => sub.filter,
        },
        notification_emails: changes
            .notification_emails
            .unwrap_or(sub.notification_emails),
        success_code: changes.success_code.unwrap_or(sub.success_code),
        payload_render_view: changes
            .payload_render_view
            .unwrap_or(sub.payload_render_view),
        active: changes.active.unwrap_or(sub.active),
        notify: changes.notify.unwrap_or(sub.notify),
        version: changes.version.unwrap_or(sub.version),
        ordering: changes.ordering.unwrap_or(sub.ordering),
        timeout_seconds: changes.timeout_seconds.unwrap_or(sub.timeout_seconds),
        max_in_flight: changes.max_in_flight.unwrap_or(sub.max_in_flight),
        supersede: changes.supersede.unwrap_or(sub.supersede),
        headers: changes
            .headers
            .map_or(sub.headers, |new| headers::shown(&new)),
        retry_policy: changes.retry_policy.unwrap_or(sub.retry_policy),
        rate_limit: changes.rate_limit.unwrap_or(sub.rate_limit),
        ..sub
    }
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
    let sealed = headers::seal(writing.key(), new)?;
    let params: Params = &[&sub.id.0, &shown, &sealed];
    writing.connection.execute(UPDATE_HEADERS, params).await?;
    Ok(())
}

/// Somebody switched it on or off by hand. While it is off, the clock by which jobs are given up stands
/// still; on again, its lane is healthy and the clock goes on from where it stood.
async fn switch(connection: &Connection, sub: &mut WebhookOutSub, at: Moment) -> Result<(), Fault> {
    let mut health = LaneHealth::from_record(sub.health.clone());
    if sub.active {
        health.switched_on(at);
    } else {
        health.switched_off_by_hand(at);
    }
    sub.health = health.record().clone();
    put_lane(connection, sub.id, &sub.health).await
}
