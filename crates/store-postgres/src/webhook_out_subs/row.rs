//! Reading subscriptions, and the lanes that they are for the delivery engine.

use std::str::FromStr;
use std::sync::Arc;

use domain::destination::CallbackUrl;
use domain::health::LaneRecord;
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::signature::{SigningSecret, SigningSecrets};
use domain::signing_key::{SigningKey, SigningKeys};
use domain::webhook_out_sub::{Ordering, Version, WebhookOutSub};
use serde::de::DeserializeOwned;
use store::rules::sealed_headers;
use store::{Fence, Lane, SecretKey};
use tokio_postgres::Row;

use super::secret;
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{moment, moment_if_any, number_if_any, one};

macro_rules! select_subscription {
    () => {
        "select s.id, s.integration_id, key, name, callback_url, statuses, events, \
         notification_emails, success_code, payload_render_view, active, notify, version, \
         ordering, timeout_seconds, max_in_flight, supersede, headers, sealed_headers, \
         retry_policy, rate_limit, filter, signing_secret, previous_signing_secret, \
         previous_signs_until, signing_key, previous_signing_key, public_key, catching_up, created_at, updated_at, \
         l.record as health, l.fence, l.node_id \
         from webhook_out_subs s left join lanes l on l.webhook_out_sub_id = s.id \
         where deleted_at is null "
    };
}

// primary keys
pub(crate) const BY_IDS: &str = concat!(select_subscription!(), "and s.id = any($1)");
// primary keys
pub(crate) const BY_ID: &str = concat!(select_subscription!(), "and s.id = $1");
// primary keys
pub(crate) const SHOW: &str = concat!(
    select_subscription!(),
    "and s.id = $1 and s.integration_id = $2"
);
// webhook_jobs_due
pub(crate) const NEXT_DUE_AT: &str = "select min(next_attempt_at) as next_due_at from webhook_jobs_waiting \
     where webhook_out_sub_id = $1 and next_attempt_at is not null";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[BY_IDS, BY_ID, SHOW, NEXT_DUE_AT];

/// A subscription of the integration that is not deleted.
pub(super) async fn show(
    connection: &Connection,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
) -> Result<Option<WebhookOutSub>, Fault> {
    let params: Params = &[&id.0, &integration_id.0];
    one(connection, SHOW, params, read).await
}

/// A subscription that is not deleted.
pub(crate) async fn of_id(
    connection: &Connection,
    id: i64,
) -> Result<Option<WebhookOutSub>, Fault> {
    one(connection, BY_ID, &[&id], read).await
}

/// The lane of a subscription that is not deleted, and the node that owns it.
pub(crate) async fn lane(
    connection: &Connection,
    key: &SecretKey,
    id: WebhookOutSubId,
) -> Result<Option<(Lane, Option<i64>)>, Fault> {
    let next_due_at = one(connection, NEXT_DUE_AT, &[&id.0], |row| {
        moment_if_any(row, "next_due_at")
    })
    .await;
    let next_due_at = next_due_at?.flatten();
    one(connection, BY_ID, &[&id.0], |row| {
        let fence: Option<i64> = row.try_get("fence")?;
        let lane = Lane {
            secrets: Arc::new(read_secrets(key, row)?),
            sub: Arc::new(read(row)?),
            headers: sealed_headers::open(key, row.try_get("sealed_headers")?)?,
            fence: Fence(fence.unwrap_or_default()),
            next_due_at,
        };
        Ok((lane, row.try_get("node_id")?))
    })
    .await
}

fn read_secrets(key: &SecretKey, row: &Row) -> Result<SigningSecrets, Fault> {
    let id = row.try_get("id")?;
    let open = |sealed: Vec<u8>| -> Result<SigningSecret, Fault> {
        let bytes = key.open(secret::PLACE, &sealed)?;
        SigningSecret::from_bytes(&bytes).map_err(|fault| corrupt(id, fault))
    };
    let open_key = |column: &str| -> Result<Option<SigningKey>, Fault> {
        let sealed: Option<Vec<u8>> = row.try_get(column)?;
        sealed
            .map(|sealed| secret::open_key(key, id, &sealed))
            .transpose()
    };
    let previous: Option<Vec<u8>> = row.try_get("previous_signing_secret")?;
    let until = moment_if_any(row, "previous_signs_until")?;
    Ok(SigningSecrets {
        current: open(row.try_get("signing_secret")?)?,
        previous: previous.map(open).transpose()?.zip(until),
        keys: SigningKeys {
            current: open_key("signing_key")?,
            previous: open_key("previous_signing_key")?,
        },
    })
}

/// As a row tells of it.
pub(super) fn read(row: &Row) -> Result<WebhookOutSub, Fault> {
    let id = row.try_get("id")?;
    let public_key: Option<String> = row.try_get("public_key")?;
    let words = |column: &str| -> Result<Vec<String>, Fault> {
        let words: String = row.try_get(column)?;
        serde_json::from_str(&words).map_err(|error| corrupt(id, error))
    };
    let callback_url: String = row.try_get("callback_url")?;
    let version: String = row.try_get("version")?;
    let ordering: String = row.try_get("ordering")?;
    let health: Option<String> = row.try_get("health")?;
    Ok(WebhookOutSub {
        id: WebhookOutSubId(id),
        integration_id: IntegrationId(row.try_get("integration_id")?),
        key: row.try_get("key")?,
        name: row.try_get("name")?,
        callback_url: CallbackUrl::parse(&callback_url).map_err(|fault| corrupt(id, fault))?,
        statuses: words("statuses")?,
        events: words("events")?,
        filter: row.try_get("filter")?,
        notification_emails: parsed(row, id, "notification_emails")?,
        success_code: parsed(row, id, "success_code")?,
        payload_render_view: parsed(row, id, "payload_render_view")?,
        active: row.try_get("active")?,
        notify: row.try_get("notify")?,
        version: Version::parse(&version).ok_or_else(|| corrupt(id, "unknown version"))?,
        ordering: Ordering::parse(&ordering).ok_or_else(|| corrupt(id, "unknown ordering"))?,
        timeout_seconds: number_if_any(row, "timeout_seconds")?,
        max_in_flight: number_if_any(row, "max_in_flight")?,
        supersede: row.try_get("supersede")?,
        headers: json(row, id, "headers")?.unwrap_or_default(),
        retry_policy: json(row, id, "retry_policy")?,
        rate_limit: json(row, id, "rate_limit")?,
        asymmetric_signature: public_key.is_some(),
        public_key,
        catching_up: row.try_get("catching_up")?,
        health: match health {
            Some(record) => {
                serde_json::from_str(&record).map_err(|error| Fault::corrupt("lanes", id, error))?
            }
            None => LaneRecord::default(),
        },
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
    })
}

fn json<T: DeserializeOwned>(row: &Row, id: i64, column: &str) -> Result<Option<T>, Fault> {
    let text: Option<String> = row.try_get(column)?;
    let read = text.map(|text| serde_json::from_str(&text)).transpose();
    read.map_err(|error| corrupt(id, error))
}

fn parsed<T>(row: &Row, id: i64, column: &str) -> Result<Option<T>, Fault>
where
    T: FromStr<Err: ToString>,
{
    let text: Option<String> = row.try_get(column)?;
    let parsed = text.map(|text| text.parse()).transpose();
    parsed.map_err(|fault| corrupt(id, fault))
}

fn corrupt(id: i64, reason: impl ToString) -> Fault {
    Fault::corrupt("webhook_out_subs", id, reason)
}
