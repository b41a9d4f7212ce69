//! What each subscription wants, from which revision of its integration on: kept at every change, so that whatever a stage
//! met can be told later.

use domain::id::{IntegrationId, WebhookOutSubId};
use domain::time::Moment;

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::known;
use crate::list_query::one;

// primary key
pub(crate) const NEXT: &str = "update integrations set matching_revision = matching_revision + 1 where id = $1 \
     returning matching_revision";
// primary keys
pub(crate) const KEEP: &str = "insert into webhook_out_sub_revisions (integration_id, webhook_out_sub_id, revision, standing, \
     statuses, events, filter, ordering, created_at) \
     select s.integration_id, s.id, $2, \
     case when s.deleted_at is not null then 'deleted' \
     when s.active and s.catching_up then 'catching_up' \
     when s.active then 'active' \
     when l.record::json ->> 'reason' is not null then 'off_' || (l.record::json ->> 'reason') \
     else 'inactive' end, \
     s.statuses, s.events, s.filter, s.ordering, $3 \
     from webhook_out_subs s left join lanes l on l.webhook_out_sub_id = s.id where s.id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[NEXT, KEEP];

/// Keeps what a subscription that was just made, changed, switched or deleted wants from now on. Its integration's subscriptions are
/// held by this transaction.
pub(crate) async fn keep(
    connection: &Connection,
    integration: IntegrationId,
    sub: WebhookOutSubId,
    at: Moment,
) -> Result<(), Fault> {
    known::subscribers_changed(connection, Some(integration)).await?;
    let revision = one(connection, NEXT, &[&integration.0], |row| {
        Ok(row.try_get(0)?)
    })
    .await;
    let gone = || Fault::corrupt("integrations", integration.0, "is gone");
    let revision: i64 = revision?.ok_or_else(gone)?;
    let params: Params = &[&sub.0, &revision, &at.microseconds()];
    connection.execute(KEEP, params).await.map(|_| ())
}
