//! Replacing a signing secret.

use std::time::Duration;

use domain::id::{IntegrationId, WebhookOutSubId};
use domain::signature::SigningSecret;
use domain::time::Moment;
use domain::webhook_out_sub::WebhookOutSub;
use rusqlite::params;
use serde::Serialize;
use store::{Change, WithSecret};

use super::{find, row};
use crate::audit::{self, AuditEvent};
use crate::fault::Fault;
use crate::writer::Writing;

/// Where signing secrets are sealed for, the previous one too.
pub(super) const PLACE: &str = "webhook_out_subs.signing_secret";

// primary key
pub(crate) const ROTATE: &str = "update webhook_out_subs set previous_signs_until = ?3, \
     previous_signing_secret = case when ?3 is null then null else signing_secret end, \
     signing_secret = ?2, updated_at = ?4 where id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[ROTATE];

/// What the audit trail tells of a rotation.
#[derive(Serialize)]
struct Rotated {
    previous_signs_until: Option<Moment>,
}

/// The new secret signs from now on, and the one before it for `overlap` too; without any, the old one is
/// forgotten.
pub(super) fn rotate(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
    secret: &SigningSecret,
    overlap: Duration,
    change: &Change,
) -> Result<WithSecret, Fault> {
    let before = find(&writing.connection, integration_id, id)?;
    let sealed = writing.key.seal(PLACE, secret.as_bytes())?;
    let previous_signs_until = (!overlap.is_zero()).then(|| change.at + overlap);
    writing.connection.prepare_cached(ROTATE)?.execute(params![
        id.0,
        sealed,
        previous_signs_until.map(Moment::microseconds),
        change.at.microseconds(),
    ])?;
    let event = AuditEvent {
        integration_id: Some(integration_id),
        noun: "webhook_out_sub",
        record_id: id.0,
        action: "rotate_secret",
        before: None,
        after: audit::json(&Rotated {
            previous_signs_until,
        })?,
    };
    audit::write(&writing.connection, change, event)?;
    if let Some(lane) = row::lane(&writing.connection, &writing.key, id)? {
        writing.changed(lane);
    }
    Ok(WithSecret {
        sub: WebhookOutSub {
            updated_at: change.at,
            ..before
        },
        signing_secret: secret.to_text(),
    })
}
