//! What signs a subscription's payloads: shown to whoever may see it, and replaced.

use std::time::Duration;

use domain::id::{IntegrationId, WebhookOutSubId};
use domain::signing_key::SigningKey;
use domain::time::Moment;
use domain::webhook_out_sub::WebhookOutSub;
use serde::Serialize;
use store::{Change, NewSigning, SecretKey, WithSecret};

use super::{find, hold, row};
use crate::audit::{self, AuditEvent};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::one;
use crate::writing::Writing;

/// Where signing secrets are sealed for, the previous one too.
pub(super) const PLACE: &str = "webhook_out_subs.signing_secret";
/// Where signing keys are sealed for, the previous one too.
const KEY_PLACE: &str = "webhook_out_subs.signing_key";

// primary key
pub(crate) const ROTATE: &str = "update webhook_out_subs set previous_signs_until = $3::bigint, \
     previous_signing_secret = case when $3::bigint is null then null else signing_secret end, \
     previous_signing_key = case when $3::bigint is null then null else signing_key end, \
     signing_secret = $2, updated_at = $4, \
     signing_key = case when signing_key is null then null else $5::bytea end, \
     public_key = case when signing_key is null then null else $6::text end where id = $1";
// primary key
pub(crate) const PUT_KEY: &str = "update webhook_out_subs set signing_key = $2, public_key = $3, previous_signing_key = null \
     where id = $1";

// primary key
pub(crate) const NEWEST: &str =
    "select signing_secret from webhook_out_subs order by id desc limit 1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[ROTATE, PUT_KEY, NEWEST];

/// Whether the key opens the secret of the newest subscription; so it does where there is none.
pub(crate) async fn opens_newest(connection: &Connection, key: &SecretKey) -> Result<bool, Fault> {
    let sealed = one(connection, NEWEST, &[], |row| Ok(row.try_get(0)?));
    let sealed: Option<Vec<u8>> = sealed.await?;
    Ok(sealed.is_none_or(|sealed| key.open(PLACE, &sealed).is_ok()))
}

/// What signs from a rotation on, and how long what signed before does too.
pub(super) struct Rotation {
    pub(super) new: NewSigning,
    pub(super) overlap: Duration,
}

/// What the audit trail tells of a rotation.
#[derive(Serialize)]
struct Rotated {
    previous_signs_until: Option<Moment>,
}

/// The new secret and key sign from now on, and those before them for the overlap too; without any, the old ones are
/// forgotten.
pub(super) async fn rotate(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
    rotation: &Rotation,
    change: &Change,
) -> Result<WithSecret, Fault> {
    hold(&writing.connection, integration_id, id).await?;
    let Rotation { new, overlap } = rotation;
    let previous_signs_until = (!overlap.is_zero()).then(|| change.at + *overlap);
    let params: Params = &[
        &id.0,
        &writing.key().seal(PLACE, new.secret.as_bytes())?,
        &previous_signs_until.map(Moment::microseconds),
        &change.at.microseconds(),
        &seal_key(writing.key(), Some(&new.key))?,
        &new.key.public_text(),
    ];
    writing.connection.execute(ROTATE, params).await?;
    let after = Rotated {
        previous_signs_until,
    };
    write_event(writing, integration_id, id, "rotate_secret", &after, change).await?;
    writing.changed(id);
    Ok(WithSecret {
        sub: find(&writing.connection, integration_id, id).await?,
        signing_secret: new.secret.to_text(),
    })
}

/// The subscription with its secret; the audit trail tells who has seen it.
pub(super) async fn show(
    writing: &Writing,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
    change: &Change,
) -> Result<WithSecret, Fault> {
    let sub = find(&writing.connection, integration_id, id).await?;
    let lane = row::lane(&writing.connection, writing.key(), id).await?;
    let (lane, _) = lane.ok_or_else(|| Fault::corrupt("webhook_out_subs", id.0, "is gone"))?;
    write_event(writing, integration_id, id, "secret", &(), change).await?;
    Ok(WithSecret {
        sub,
        signing_secret: lane.secrets.current.to_text(),
    })
}

/// Gives a subscription a key, or takes it away.
pub(super) async fn put_key(
    writing: &Writing,
    sub: &mut WebhookOutSub,
    key: Option<&SigningKey>,
) -> Result<(), Fault> {
    sub.public_key = key.map(SigningKey::public_text);
    sub.asymmetric_signature = key.is_some();
    let sealed = seal_key(writing.key(), key)?;
    let params: Params = &[&sub.id.0, &sealed, &sub.public_key];
    writing.connection.execute(PUT_KEY, params).await?;
    Ok(())
}

/// A key as it is kept.
pub(super) fn seal_key(
    secret_key: &SecretKey,
    key: Option<&SigningKey>,
) -> Result<Option<Vec<u8>>, Fault> {
    let sealed = key.map(|key| secret_key.seal(KEY_PLACE, &key.seed()));
    Ok(sealed.transpose()?)
}

/// A key that was kept.
pub(super) fn open_key(
    secret_key: &SecretKey,
    id: i64,
    sealed: &[u8],
) -> Result<SigningKey, Fault> {
    let seed = secret_key.open(KEY_PLACE, sealed)?;
    let seed = seed.as_slice().try_into();
    seed.map(SigningKey::from_seed)
        .map_err(|_| Fault::corrupt("webhook_out_subs", id, "no signing key"))
}

async fn write_event(
    writing: &Writing,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
    action: &'static str,
    after: &impl Serialize,
    change: &Change,
) -> Result<(), Fault> {
    let event = AuditEvent {
        integration_id: Some(integration_id),
        noun: "webhook_out_sub",
        record_id: id.0,
        action,
        before: None,
        after: audit::json(after)?,
    };
    audit::write(&writing.connection, change, event).await
}
