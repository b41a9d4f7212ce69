//! Which subscriptions a list holds, and which ones the list of jobs means.

use domain::id::IntegrationId;
use store::ListQuery;

use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_query::{Branch, Condition, ListPlan};

/// What subscriptions can be sorted by besides their id; an integration has few enough to be sorted each
/// time.
const SORTED_BY: &[&str] = &["key", "name", "created_at", "updated_at"];

pub(super) fn plan(
    integration_id: IntegrationId,
    active: Option<bool>,
    query: &ListQuery,
) -> ListPlan {
    let mut conditions = vec![Condition::new("deleted_at is null", [])];
    conditions.extend(active.map(|active| Condition::new("active = ?", [active.into()])));
    conditions.extend(query.search.iter().map(Condition::found));
    ListPlan::new(vec![of_integration(integration_id)], conditions).sorted(query.sort, SORTED_BY)
}

/// The subscriptions of an integration for which the conditions hold, deleted ones too: their jobs remain.
pub(crate) async fn ids(
    connection: &Connection,
    integration_id: IntegrationId,
    conditions: Vec<Condition>,
) -> Result<Vec<i64>, Fault> {
    let plan = ListPlan::new(vec![of_integration(integration_id)], conditions);
    plan.all_ids(connection).await
}

/// Along webhook_out_subs_by_integration.
fn of_integration(integration_id: IntegrationId) -> Branch {
    let condition = Condition::new("integration_id = ?", [integration_id.0.into()]);
    Branch::new("webhook_out_subs", condition)
}
