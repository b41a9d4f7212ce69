//! What each subscription wants, from which revision of its integration on: kept at every change, so that whatever a stage
//! met can be told later.

use domain::id::{IntegrationId, WebhookOutSubId};
use domain::time::Moment;
use rusqlite::params;

use crate::fault::Fault;
use crate::list_query::one;
use crate::writing::Writing;

// primary key
pub(crate) const NEXT: &str = "update integrations set matching_revision = matching_revision + 1 where id = ?1 \
     returning matching_revision";
// primary keys
pub(crate) const KEEP: &str = "insert into webhook_out_sub_revisions (integration_id, webhook_out_sub_id, revision, standing, \
     statuses, events, filter, ordering, created_at) \
     select s.integration_id, s.id, ?2, \
     case when s.deleted_at is not null then 'deleted' \
     when s.active = 1 and s.catching_up = 1 then 'catching_up' \
     when s.active = 1 then 'active' \
     when json_extract(l.record, '$.reason') is not null then 'off_' || json_extract(l.record, '$.reason') \
     else 'inactive' end, \
     s.statuses, s.events, s.filter, s.ordering, ?3 \
     from webhook_out_subs s left join lanes l on l.webhook_out_sub_id = s.id where s.id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[NEXT, KEEP];

/// Keeps what a subscription that was just made, changed, switched or deleted wants from now on.
pub(crate) fn keep(
    writing: &mut Writing,
    integration: IntegrationId,
    sub: WebhookOutSubId,
    at: Moment,
) -> Result<(), Fault> {
    writing.known.forget_subscribers(integration);
    let connection = &writing.connection;
    let revision: i64 = one(connection, NEXT, [integration.0], |row| Ok(row.get(0)?))?
        .ok_or_else(|| Fault::corrupt("integrations", integration.0, "is gone"))?;
    connection
        .prepare_cached(KEEP)?
        .execute(params![sub.0, revision, at.microseconds()])?;
    Ok(())
}
