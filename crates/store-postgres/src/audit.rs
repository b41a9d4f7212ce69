//! The audit trail: who changed what, in the transaction that changed it.

use domain::id::IntegrationId;
use serde::Serialize;
use store::Change;

use crate::connection::Connection;
use crate::fault::Fault;

pub(crate) const INSERT_EVENT: &str = "insert into audit_events (integration_id, actor, request_id, noun, record_id, action, before, \
     after, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT_EVENT];

/// What was changed. Signing secrets, tokens and the fields of orders are never part of it.
pub(crate) struct AuditEvent {
    /// Where; none for what belongs to no integration.
    pub(crate) integration_id: Option<IntegrationId>,
    /// The kind of record, such as `webhook_out_sub`.
    pub(crate) noun: &'static str,
    /// The record.
    pub(crate) record_id: i64,
    /// What was done, such as `update`.
    pub(crate) action: &'static str,
    /// The record before, as JSON.
    pub(crate) before: Option<String>,
    /// The record after, as JSON.
    pub(crate) after: Option<String>,
}

/// Writes an event.
pub(crate) async fn write(
    connection: &Connection,
    change: &Change,
    event: AuditEvent,
) -> Result<(), Fault> {
    connection
        .execute(
            INSERT_EVENT,
            &[
                &event.integration_id.map(|id| id.0),
                &serde_json::to_string(&change.actor)?,
                &change.request_id,
                &event.noun,
                &event.record_id,
                &event.action,
                &event.before,
                &event.after,
                &change.at.microseconds(),
            ],
        )
        .await
        .map(|_| ())
}

/// A record as an event holds it.
pub(crate) fn json(record: &impl Serialize) -> Result<Option<String>, Fault> {
    Ok(Some(serde_json::to_string(record)?))
}

/// The same, of a record that may not be there.
pub(crate) fn json_if_any(record: Option<&impl Serialize>) -> Result<Option<String>, Fault> {
    Ok(record.map(serde_json::to_string).transpose()?)
}
