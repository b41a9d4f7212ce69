//! Removing what subscriptions wanted before the oldest change that is left.

use domain::id::IntegrationId;
use store::{Removable, Removed};

use super::remove::delete;
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::one;

// order_stages_by_integration; the oldest one's
pub(crate) const OLDEST_MATCHED_UNDER: &str = "select matching_revision from order_stages \
     where integration_id = $1 order by id limit 1";
// primary key; a later one that counts for the oldest change too takes its place
pub(crate) const DELETE: &str = "delete from webhook_out_sub_revisions where (integration_id, webhook_out_sub_id, revision) in \
     (select r.integration_id, r.webhook_out_sub_id, r.revision from webhook_out_sub_revisions r \
     where r.integration_id = $1 and exists (select 1 from webhook_out_sub_revisions l \
     where l.integration_id = $1 and l.webhook_out_sub_id = r.webhook_out_sub_id and l.revision > r.revision \
     and l.revision <= $2) limit $3)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[OLDEST_MATCHED_UNDER, DELETE];

/// Removes those of an integration that no change needs any more: once something was removed of it.
pub(super) async fn remove(
    connection: &Connection,
    integration: IntegrationId,
    limit: i64,
    removed: &mut Removed,
) -> Result<(), Fault> {
    if removed.of(Removable::OrderStages) == 0 {
        return Ok(());
    }
    let oldest = one(connection, OLDEST_MATCHED_UNDER, &[&integration.0], |row| {
        Ok(row.try_get::<_, i64>(0)?)
    })
    .await;
    let Some(oldest) = oldest? else {
        return Ok(());
    };
    let params: Params = &[&integration.0, &oldest, &limit];
    let count = delete(connection, DELETE, params).await?;
    removed.add(Removable::WebhookOutSubRevisions, count);
    Ok(())
}
