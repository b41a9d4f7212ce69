//! Making a subscription.

use domain::id::WebhookOutSubId;
use domain::payload::template::filter::FilterText;
use domain::payload_render_view::ViewName;
use domain::signing_key::SigningKey;
use domain::vocabulary::folded;
use domain::webhook_out_sub::WebhookOutSub;
use serde::Serialize;
use store::rules::sealed_headers;
use store::{Change, Created, NewWebhookOutSub, WithSecret};

use super::{revisions, secret, write_event};
use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_query::one;
use crate::payload_render_views::save::hold_names;
use crate::writing::Writing;
use crate::{check, idempotency, locks};

pub(crate) const INSERT: &str = "insert into webhook_out_subs (integration_id, key, name, callback_url, statuses, events, \
     notification_emails, success_code, payload_render_view, active, notify, version, ordering, \
     timeout_seconds, max_in_flight, supersede, headers, sealed_headers, retry_policy, rate_limit, \
     signing_secret, created_at, updated_at, filter, signing_key, public_key) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
     $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $22, $23, $24, $25) returning id";
// webhook_out_subs_by_key
pub(crate) const COUNT: &str =
    "select count(*) from webhook_out_subs where integration_id = $1 and deleted_at is null";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT, COUNT];

pub(super) async fn create(
    writing: &mut Writing,
    new: &NewWebhookOutSub,
    change: &Change,
) -> Result<Created<WithSecret>, Fault> {
    let integration_id = new.integration_id;
    let key = new.idempotency.as_ref();
    if let Some(first) = idempotency::find(writing, integration_id.0, key, change.at).await? {
        return Ok(Created::replayed(first));
    }
    locks::hold_subscriptions(&writing.connection, integration_id).await?;
    if let Some(ViewName::Own { .. }) = new.payload_render_view {
        hold_names(&writing.connection).await?;
    }
    // Folded only now: refusals name the places of the lists as they were sent.
    refuse_bad(&writing.connection, new).await?;
    let new = NewWebhookOutSub {
        statuses: folded(new.statuses.clone()),
        events: folded(new.events.clone()),
        ..new.clone()
    };
    let secret_key = writing.key();
    let sealed = Sealed {
        signing_secret: secret_key.seal(secret::PLACE, new.signing_secret.as_bytes())?,
        headers: sealed_headers::seal(secret_key, &new.headers)?,
        signing_key: secret::seal_key(secret_key, new.signing_key.as_ref())?,
    };
    let signing_secret = new.signing_secret.to_text();
    let sub = insert(&writing.connection, new.clone(), &sealed, change).await?;
    write_event(&writing.connection, change, "create", None, &sub).await?;
    writing.open_lane(sub.id, integration_id).await?;
    revisions::keep(&writing.connection, integration_id, sub.id, change.at).await?;
    let made = WithSecret {
        sub,
        signing_secret,
    };
    idempotency::keep(writing, integration_id.0, key, &made, change.at).await?;
    Ok(Created::fresh(made))
}

async fn refuse_bad(connection: &Connection, new: &NewWebhookOutSub) -> Result<(), Fault> {
    let mut refusals = check::check(connection, &new.references()).await?;
    let count: Option<i64> = one(connection, COUNT, &[&new.integration_id.0], |row| {
        Ok(row.try_get(0)?)
    })
    .await?;
    let count = count.and_then(|count| usize::try_from(count).ok());
    refusals.extend(new.refusals(count.unwrap_or_default()));
    check::refuse(refusals)
}

/// What is kept sealed of a subscription.
struct Sealed {
    signing_secret: Vec<u8>,
    headers: Option<Vec<u8>>,
    signing_key: Option<Vec<u8>>,
}

async fn insert(
    connection: &Connection,
    new: NewWebhookOutSub,
    sealed: &Sealed,
    change: &Change,
) -> Result<WebhookOutSub, Fault> {
    let shown = sealed_headers::shown(&new.headers);
    let public_key = new.signing_key.as_ref().map(SigningKey::public_text);
    let inserted = one(
        connection,
        INSERT,
        &[
            &new.integration_id.0,
            &new.key,
            &new.name,
            &new.callback_url.as_str(),
            &serde_json::to_string(&new.statuses)?,
            &serde_json::to_string(&new.events)?,
            &new.notification_emails.as_ref().map(|one| one.as_str()),
            &new.success_code.as_ref().map(|code| code.as_str()),
            &new.payload_render_view.as_ref().map(ViewName::to_string),
            &new.active,
            &new.notify,
            &new.version.name(),
            &new.ordering.name(),
            &new.timeout_seconds.map(i64::from),
            &new.max_in_flight.map(i64::from),
            &new.supersede,
            &serde_json::to_string(&shown)?,
            &sealed.headers,
            &as_json(new.retry_policy.as_ref())?,
            &as_json(new.rate_limit.as_ref())?,
            &sealed.signing_secret,
            &change.at.microseconds(),
            &new.filter.as_ref().map(FilterText::as_str),
            &sealed.signing_key,
            &public_key,
        ],
        |row| Ok(WebhookOutSubId(row.try_get(0)?)),
    )
    .await?;
    Ok(new.into_sub(inserted.ok_or(Fault::Raced)?, change.at))
}

/// A structure as a column has it.
pub(super) fn as_json(value: Option<&impl Serialize>) -> Result<Option<String>, Fault> {
    Ok(value.map(serde_json::to_string).transpose()?)
}
