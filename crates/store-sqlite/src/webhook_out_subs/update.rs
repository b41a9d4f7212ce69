//! Changing a subscription.

use domain::callback_header::CallbackHeader;
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::webhook_out_sub::WebhookOutSub;
use rusqlite::{Connection, params};
use store::rules::{sealed_headers, webhook_out_subs as rules};
use store::{Change, Reference, WebhookOutSubChanges};

use super::create::as_json;
use super::{find, revisions, row, secret, write_event};
use crate::fault::Fault;
use crate::record::put_lane;
use crate::writing::Writing;
use crate::{check, release};

// primary key
pub(crate) const UPDATE: &str = "update webhook_out_subs set key = ?2, name = ?3, callback_url = ?4, statuses = ?5, events = ?6, \
     notification_emails = ?7, success_code = ?8, payload_render_view = ?9, active = ?10, \
     notify = ?11, version = ?12, ordering = ?13, timeout_seconds = ?14, max_in_flight = ?15, \
     updated_at = ?16, supersede = ?17, retry_policy = ?18, rate_limit = ?19, filter = ?20 where id = ?1";
// primary key
pub(crate) const UPDATE_HEADERS: &str =
    "update webhook_out_subs set headers = ?2, sealed_headers = ?3 where id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[UPDATE, UPDATE_HEADERS];

pub(super) fn update(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
    changes: WebhookOutSubChanges,
    change: &Change,
) -> Result<WebhookOutSub, Fault> {
    let before = find(&writing.connection, integration_id, id)?;
    let references = changes.references(&before);
    let new_headers = changes.headers.clone();
    let new_key = changes.signing_key.clone();
    let mut after = changes.apply(before.clone(), change.at);
    refuse_bad(&writing.connection, &references, &after)?;
    store(&writing.connection, &after)?;
    if let Some(new) = new_headers {
        store_headers(writing, &after, &new)?;
    }
    match new_key {
        Some(Some(_)) if before.asymmetric_signature => {}
        Some(new) => secret::put_key(writing, &mut after, new.as_ref())?,
        None => {}
    }
    if rules::is_switched(&before, &after) {
        rules::switch(&mut after, change.at);
        put_lane(&writing.connection, id, &after.health)?;
    }
    write_event(&writing.connection, change, "update", Some(&before), &after)?;
    if rules::is_matched_otherwise(&before, &after) {
        revisions::keep(writing, integration_id, id, change.at)?;
    } else {
        writing.known.forget_subscribers(integration_id);
    }
    if after.ordering != before.ordering {
        release::release_all_free(&writing.connection, id, after.ordering, change.at)?;
    }
    if let Some(lane) = row::lane(&writing.connection, &writing.key, id)? {
        writing.changed(lane);
    }
    Ok(after)
}

fn refuse_bad(
    connection: &Connection,
    references: &[Reference],
    after: &WebhookOutSub,
) -> Result<(), Fault> {
    let mut refusals = check::check(connection, references)?;
    refusals.extend(rules::refusals(after));
    check::refuse(refusals)
}

fn store(connection: &Connection, sub: &WebhookOutSub) -> Result<(), Fault> {
    connection.prepare_cached(UPDATE)?.execute(params![
        sub.id.0,
        sub.key,
        sub.name,
        sub.callback_url.as_str(),
        serde_json::to_string(&sub.statuses)?,
        serde_json::to_string(&sub.events)?,
        sub.notification_emails
            .as_ref()
            .map(|emails| emails.as_str()),
        sub.success_code.as_ref().map(|code| code.as_str()),
        sub.payload_render_view.as_ref().map(ToString::to_string),
        sub.active,
        sub.notify,
        sub.version.name(),
        sub.ordering.name(),
        sub.timeout_seconds,
        sub.max_in_flight,
        sub.updated_at.microseconds(),
        sub.supersede,
        as_json(sub.retry_policy.as_ref())?,
        as_json(sub.rate_limit.as_ref())?,
        sub.filter,
    ])?;
    Ok(())
}

fn store_headers(
    writing: &Writing,
    sub: &WebhookOutSub,
    new: &[CallbackHeader],
) -> Result<(), Fault> {
    let mut update = writing.connection.prepare_cached(UPDATE_HEADERS)?;
    let shown = serde_json::to_string(&sub.headers)?;
    update.execute(params![
        sub.id.0,
        shown,
        sealed_headers::seal(&writing.key, new)?
    ])?;
    Ok(())
}
