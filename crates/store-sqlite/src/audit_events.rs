//! The audit trail, as people read it.

use async_trait::async_trait;
use domain::id::{AuditEventId, IntegrationId};
use domain::records::AuditEvent;
use rusqlite::{Connection, Row};
use serde_json::value::RawValue;
use store::{AuditEvents, AuditQuery, Page, StoreError};

use crate::fault::Fault;
use crate::list_query::{Branch, Condition, ListPlan, moment, one};
use crate::open::SqliteStore;

// primary key
pub(crate) const BY_ID: &str = "select id, integration_id, actor, request_id, noun, record_id, action, before, after, \
     created_at from audit_events where id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[BY_ID];

#[async_trait]
impl AuditEvents for SqliteStore {
    async fn audit_events(&self, query: AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        self.read(move |connection| plan(&query)?.page(connection, &query.list, show))
            .await
    }
}

/// The records whose own events are looked up one by one; more are filtered on the way.
const RECORDS_MAX: usize = 200;

/// Walks along audit_events_by_record where records and their kinds are named, else along
/// audit_events_by_integration or all events; the rest is filtered on the way.
fn plan(query: &AuditQuery) -> Result<ListPlan, Fault> {
    let mut conditions = Vec::new();
    if !query.actions.is_empty() {
        conditions.push(Condition::among("action", &query.actions)?);
    }
    let of_integration = query
        .integration_id
        .map(|id| Condition::new("integration_id = ?", [id.0.into()]));
    let records = query.nouns.len() * query.record_ids.len();
    if (1..=RECORDS_MAX).contains(&records) {
        conditions.extend(of_integration);
        return Ok(ListPlan::new(of_records(query), conditions));
    }
    if !query.record_ids.is_empty() {
        conditions.push(Condition::among("record_id", &query.record_ids)?);
    }
    if !query.nouns.is_empty() {
        conditions.push(Condition::among("noun", &query.nouns)?);
    }
    let whose = of_integration.unwrap_or_else(|| Condition::new("true", []));
    let branch = Branch::new("audit_events", whose);
    Ok(ListPlan::new(vec![branch], conditions))
}

fn of_records(query: &AuditQuery) -> Vec<Branch> {
    let mut branches = Vec::new();
    for noun in &query.nouns {
        for id in &query.record_ids {
            let record = [noun.clone().into(), (*id).into()];
            let condition = Condition::new("noun = ? and record_id = ?", record);
            let source = "audit_events indexed by audit_events_by_record";
            branches.push(Branch::new(source, condition));
        }
    }
    branches
}

fn show(connection: &Connection, id: i64) -> Result<Option<AuditEvent>, Fault> {
    one(connection, BY_ID, [id], read)
}

fn read(row: &Row<'_>) -> Result<AuditEvent, Fault> {
    let json = |column: &str| -> Result<Option<Box<RawValue>>, Fault> {
        let text: Option<String> = row.get(column)?;
        Ok(text.map(RawValue::from_string).transpose()?)
    };
    Ok(AuditEvent {
        id: AuditEventId(row.get("id")?),
        integration_id: row
            .get::<_, Option<i64>>("integration_id")?
            .map(IntegrationId),
        actor: serde_json::from_str(&row.get::<_, String>("actor")?)?,
        request_id: row.get("request_id")?,
        noun: row.get("noun")?,
        record_id: row.get("record_id")?,
        action: row.get("action")?,
        before: json("before")?,
        after: json("after")?,
        created_at: moment(row, "created_at")?,
    })
}
