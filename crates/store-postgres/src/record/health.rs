//! The health of lanes, as outcomes change it.

use domain::health::LaneRecord;
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::records::Actor;
use domain::time::Moment;
use store::{Change, Outcome};

use super::put_lane;
use crate::audit::{self, AuditEvent};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{all, one};
use crate::webhook_out_subs::revisions;
use crate::writing::Writing;
use crate::{locks, troubles};

// primary keys
pub(crate) const LANE: &str = "select s.active, l.record from lanes l \
     join webhook_out_subs s on s.id = l.webhook_out_sub_id where l.webhook_out_sub_id = $1";
// primary key
pub(crate) const SWITCH_OFF: &str =
    "update webhook_out_subs set active = false, updated_at = $2 where id = $1 and active";
// primary key
pub(crate) const INTEGRATIONS: &str = "select distinct integration_id from webhook_out_subs where id = any($1) order by integration_id";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[LANE, SWITCH_OFF, INTEGRATIONS];

/// The subscriptions that will be switched off.
pub(super) fn to_switch_off(outcomes: &[Outcome]) -> Vec<i64> {
    let off = outcomes.iter().filter(|outcome| {
        let lane = outcome.lane.as_ref();
        lane.is_some_and(LaneRecord::is_off)
    });
    off.map(|outcome| outcome.webhook_out_sub_id.0).collect()
}

/// They are held like all that are changed, and before anything else is locked.
pub(super) async fn hold(connection: &Connection, subs: &[i64]) -> Result<(), Fault> {
    let integrations = all(connection, INTEGRATIONS, &[&subs], |row| {
        Ok(IntegrationId(row.try_get(0)?))
    })
    .await;
    for integration in integrations? {
        locks::hold_subscriptions(connection, integration).await?;
    }
    Ok(())
}

/// Keeps a lane's health; a lane that is off switches its subscription off. What people must know is mailed.
pub(super) async fn record(
    writing: &mut Writing,
    integration: IntegrationId,
    sub: WebhookOutSubId,
    lane: &LaneRecord,
    at: Moment,
) -> Result<(), Fault> {
    // What was in flight when somebody switched the subscription off has no say in that any more.
    let before = one(&writing.connection, LANE, &[&sub.0], |row| {
        Ok((row.try_get(0)?, row.try_get::<_, Option<String>>(1)?))
    })
    .await;
    let Some((true, before)) = before? else {
        return Ok(());
    };
    put_lane(&writing.connection, sub, lane).await?;
    let before = before.map(|record| serde_json::from_str(&record));
    let before = before.transpose()?.unwrap_or_default();
    troubles::lane_changed(writing, sub, &before, lane, at).await?;
    if lane.is_off() {
        switch_off(writing, integration, sub, lane, at).await?;
    }
    Ok(())
}

/// Switches a subscription off whose lane is.
async fn switch_off(
    writing: &mut Writing,
    integration: IntegrationId,
    sub: WebhookOutSubId,
    lane: &LaneRecord,
    at: Moment,
) -> Result<(), Fault> {
    let connection = &writing.connection;
    let params: Params = &[&sub.0, &at.microseconds()];
    if connection.execute(SWITCH_OFF, params).await? == 0 {
        return Ok(());
    }
    revisions::keep(connection, integration, sub, at).await?;
    let change = Change {
        actor: Actor::Postrider,
        at,
        request_id: None,
    };
    let event = AuditEvent {
        integration_id: Some(integration),
        noun: "webhook_out_sub",
        record_id: sub.0,
        action: "switch_off",
        before: None,
        after: Some(serde_json::to_string(lane)?),
    };
    audit::write(connection, &change, event).await?;
    writing.changed(sub);
    Ok(())
}
