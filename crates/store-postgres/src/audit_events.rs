//! The audit trail, as people read it.

use async_trait::async_trait;
use domain::id::{AuditEventId, IntegrationId};
use domain::records::AuditEvent;
use futures_util::FutureExt;
use serde_json::value::RawValue;
use store::{AuditEvents, AuditQuery, Page, StoreError};
use tokio_postgres::Row;

use crate::fault::Fault;
use crate::list_query::{Branch, Condition, ListPlan, moment, of_ids};
use crate::open::PostgresStore;

// primary key
pub(crate) const BY_IDS: &str = "select id, integration_id, actor, request_id, noun, record_id, action, before, after, \
     created_at from audit_events where id = any($1)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[BY_IDS];

#[async_trait]
impl AuditEvents for PostgresStore {
    async fn audit_events(&self, query: AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        let connection = self.connection().await?;
        let plan = plan(&query);
        let page = plan.page(&connection, &query.list, |connection, ids| {
            of_ids(connection, BY_IDS, ids, read).boxed()
        });
        Ok(page.await?)
    }
}

/// The records whose own events are looked up one by one; more are filtered on the way.
const RECORDS_MAX: usize = 200;

/// Walks along audit_events_by_record where records and their kinds are named, else along
/// audit_events_by_integration or all events; the rest is filtered on the way.
fn plan(query: &AuditQuery) -> ListPlan {
    let mut conditions = Vec::new();
    if !query.actions.is_empty() {
        conditions.push(Condition::among("action", query.actions.clone()));
    }
    let of_integration = query
        .integration_id
        .map(|id| Condition::new("integration_id = ?", [id.0.into()]));
    let records = query.nouns.len() * query.record_ids.len();
    if (1..=RECORDS_MAX).contains(&records) {
        conditions.extend(of_integration);
        return ListPlan::new(of_records(query), conditions);
    }
    if !query.record_ids.is_empty() {
        conditions.push(Condition::among("record_id", query.record_ids.clone()));
    }
    if !query.nouns.is_empty() {
        conditions.push(Condition::among("noun", query.nouns.clone()));
    }
    let whose = of_integration.unwrap_or_else(|| Condition::new("true", []));
    let branch = Branch::new("audit_events", whose);
    ListPlan::new(vec![branch], conditions)
}

fn of_records(query: &AuditQuery) -> Vec<Branch> {
    let mut branches = Vec::new();
    for noun in &query.nouns {
        for id in &query.record_ids {
            let record = [noun.clone().into(), (*id).into()];
            let condition = Condition::new("noun = ? and record_id = ?", record);
            branches.push(Branch::new("audit_events", condition));
        }
    }
    branches
}

fn read(row: &Row) -> Result<AuditEvent, Fault> {
    let json = |column: &str| -> Result<Option<Box<RawValue>>, Fault> {
        let text: Option<String> = row.try_get(column)?;
        Ok(text.map(RawValue::from_string).transpose()?)
    };
    let integration_id: Option<i64> = row.try_get("integration_id")?;
    Ok(AuditEvent {
        id: AuditEventId(row.try_get("id")?),
        integration_id: integration_id.map(IntegrationId),
        actor: serde_json::from_str(row.try_get("actor")?)?,
        request_id: row.try_get("request_id")?,
        noun: row.try_get("noun")?,
        record_id: row.try_get("record_id")?,
        action: row.try_get("action")?,
        before: json("before")?,
        after: json("after")?,
        created_at: moment(row, "created_at")?,
    })
}
