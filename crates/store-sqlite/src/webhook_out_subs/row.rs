//! Reading subscriptions, and the lanes that they are for the delivery engine.

use std::str::FromStr;
use std::sync::Arc;

use domain::destination::CallbackUrl;
use domain::health::LaneRecord;
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::signature::{SigningSecret, SigningSecrets};
use domain::signing_key::{SigningKey, SigningKeys};
use domain::webhook_out_sub::{Ordering, Version, WebhookOutSub};
use rusqlite::{Connection, Row, params};
use serde::de::DeserializeOwned;
use store::rules::sealed_headers;
use store::{Fence, Lane, SecretKey};

use super::secret;
use crate::fault::Fault;
use crate::list_query::{all, moment, moment_if_any, one};

macro_rules! select_subscription {
    () => {
        "select s.id, integration_id, key, name, callback_url, statuses, events, \
         notification_emails, success_code, payload_render_view, active, notify, version, \
         ordering, timeout_seconds, max_in_flight, supersede, headers, sealed_headers, \
         retry_policy, rate_limit, filter, signing_secret, previous_signing_secret, \
         previous_signs_until, signing_key, previous_signing_key, public_key, catching_up, created_at, updated_at, l.record as health \
         from webhook_out_subs s left join lanes l on l.webhook_out_sub_id = s.id \
         where deleted_at is null "
    };
}

// primary keys
pub(crate) const BY_ID: &str = concat!(select_subscription!(), "and s.id = ?1");
// primary keys
pub(crate) const SHOW: &str = concat!(
    select_subscription!(),
    "and s.id = ?1 and integration_id = ?2"
);
// all of them, once when a server starts
pub(crate) const ALL: &str = concat!(select_subscription!(), "order by s.id");
// webhook_jobs_due
pub(crate) const NEXT_DUE_AT: &str = "select min(next_attempt_at) as next_due_at from webhook_jobs where webhook_out_sub_id = ?1 \
     and next_attempt_at is not null";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[BY_ID, SHOW, ALL, NEXT_DUE_AT];

/// The embedded store gives every lane to its only process.
const ONLY_OWNER: Fence = Fence(0);

/// A subscription of the integration that is not deleted.
pub(super) fn show(
    connection: &Connection,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
) -> Result<Option<WebhookOutSub>, Fault> {
    one(connection, SHOW, params![id.0, integration_id.0], read)
}

/// A subscription that is not deleted.
pub(crate) fn of_id(connection: &Connection, id: i64) -> Result<Option<WebhookOutSub>, Fault> {
    one(connection, BY_ID, [id], read)
}

/// The lane of a subscription that is not deleted.
pub(crate) fn lane(
    connection: &Connection,
    key: &SecretKey,
    id: WebhookOutSubId,
) -> Result<Option<Lane>, Fault> {
    one(connection, BY_ID, [id.0], |row| {
        read_lane(connection, key, row)
    })
}

/// The lanes of all subscriptions that are not deleted, active or not.
pub(crate) fn lanes(connection: &Connection, key: &SecretKey) -> Result<Vec<Lane>, Fault> {
    all(connection, ALL, [], |row| read_lane(connection, key, row))
}

fn read_lane(connection: &Connection, key: &SecretKey, row: &Row<'_>) -> Result<Lane, Fault> {
    let sub = read(row)?;
    let next_due_at = one(connection, NEXT_DUE_AT, [sub.id.0], |row| {
        moment_if_any(row, "next_due_at")
    })?;
    Ok(Lane {
        secrets: Arc::new(read_secrets(key, row)?),
        sub: Arc::new(sub),
        headers: sealed_headers::open(key, row.get("sealed_headers")?)?,
        fence: ONLY_OWNER,
        next_due_at: next_due_at.flatten(),
    })
}

fn read_secrets(key: &SecretKey, row: &Row<'_>) -> Result<SigningSecrets, Fault> {
    let id = row.get("id")?;
    let open = |sealed: Vec<u8>| -> Result<SigningSecret, Fault> {
        let bytes = key.open(secret::PLACE, &sealed)?;
        SigningSecret::from_bytes(&bytes).map_err(|fault| corrupt(id, fault))
    };
    let open_key = |column: &str| -> Result<Option<SigningKey>, Fault> {
        let sealed: Option<Vec<u8>> = row.get(column)?;
        sealed
            .map(|sealed| secret::open_key(key, id, &sealed))
            .transpose()
    };
    let previous: Option<Vec<u8>> = row.get("previous_signing_secret")?;
    let until = moment_if_any(row, "previous_signs_until")?;
    Ok(SigningSecrets {
        current: open(row.get("signing_secret")?)?,
        previous: previous.map(open).transpose()?.zip(until),
        keys: SigningKeys {
            current: open_key("signing_key")?,
            previous: open_key("previous_signing_key")?,
        },
    })
}

fn read(row: &Row<'_>) -> Result<WebhookOutSub, Fault> {
    let id = row.get("id")?;
    let public_key: Option<String> = row.get("public_key")?;
    let words = |column: &str| -> Result<Vec<String>, Fault> {
        let words: String = row.get(column)?;
        serde_json::from_str(&words).map_err(|error| corrupt(id, error))
    };
    let callback_url: String = row.get("callback_url")?;
    let version: String = row.get("version")?;
    let ordering: String = row.get("ordering")?;
    let health: Option<String> = row.get("health")?;
    Ok(WebhookOutSub {
        id: WebhookOutSubId(id),
        integration_id: IntegrationId(row.get("integration_id")?),
        key: row.get("key")?,
        name: row.get("name")?,
        callback_url: CallbackUrl::parse(&callback_url).map_err(|fault| corrupt(id, fault))?,
        statuses: words("statuses")?,
        events: words("events")?,
        filter: row.get("filter")?,
        notification_emails: parsed(row, id, "notification_emails")?,
        success_code: parsed(row, id, "success_code")?,
        payload_render_view: parsed(row, id, "payload_render_view")?,
        active: row.get("active")?,
        notify: row.get("notify")?,
        version: Version::parse(&version).ok_or_else(|| corrupt(id, "unknown version"))?,
        ordering: Ordering::parse(&ordering).ok_or_else(|| corrupt(id, "unknown ordering"))?,
        timeout_seconds: row.get("timeout_seconds")?,
        max_in_flight: row.get("max_in_flight")?,
        supersede: row.get("supersede")?,
        headers: json(row, id, "headers")?.unwrap_or_default(),
        retry_policy: json(row, id, "retry_policy")?,
        rate_limit: json(row, id, "rate_limit")?,
        asymmetric_signature: public_key.is_some(),
        public_key,
        catching_up: row.get("catching_up")?,
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

fn json<T: DeserializeOwned>(row: &Row<'_>, id: i64, column: &str) -> Result<Option<T>, Fault> {
    let text: Option<String> = row.get(column)?;
    let read = text.map(|text| serde_json::from_str(&text)).transpose();
    read.map_err(|error| corrupt(id, error))
}

fn parsed<T>(row: &Row<'_>, id: i64, column: &str) -> Result<Option<T>, Fault>
where
    T: FromStr<Err: ToString>,
{
    let text: Option<String> = row.get(column)?;
    let parsed = text.map(|text| text.parse()).transpose();
    parsed.map_err(|fault| corrupt(id, fault))
}

fn corrupt(id: i64, reason: impl ToString) -> Fault {
    Fault::corrupt("webhook_out_subs", id, reason)
}
