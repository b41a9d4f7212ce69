//! A wall clock that was set: what waits for a moment of the time before would wait for as much longer, so its moments are
//! set back too; and what was counted from a moment is counted as if the clock had not been set.
//!
//! Each node has a clock of its own. It brings along what is its own: the jobs and the health of its lanes. Mails are
//! anybody's, and go by the clock of whoever looks.

use domain::health::{LaneHealth, LaneRecord};
use domain::id::WebhookOutSubId;
use domain::time::Moment;

use crate::connection::Params;
use crate::fault::Fault;
use crate::list_query::all;
use crate::record::put_lane;
use crate::writing::Writing;

// lanes_by_node, webhook_jobs_due
pub(crate) const SET_JOBS_BACK: &str = "update webhook_jobs_waiting set next_attempt_at = greatest($1, next_attempt_at - $2) \
     where webhook_out_sub_id in (select webhook_out_sub_id from lanes where node_id = $3) and next_attempt_at > $1 \
     and next_attempt_at is not null";
// lanes_by_node
pub(crate) const LANES: &str = "select webhook_out_sub_id, record from lanes where node_id = $1 order by webhook_out_sub_id for update";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[SET_JOBS_BACK, LANES];

/// Brings along what waits, and what is kept of each lane's health.
pub(crate) async fn set(writing: &Writing, microseconds: i64, now: Moment) -> Result<(), Fault> {
    let Some(node) = writing.shared.lanes.node() else {
        return Ok(());
    };
    let connection = &writing.connection;
    if microseconds < 0 {
        let params: Params = &[&now.microseconds(), &microseconds.saturating_neg(), &node];
        connection.execute(SET_JOBS_BACK, params).await?;
    }
    let lanes = all(connection, LANES, &[&node], |row| {
        let record: Option<&str> = row.try_get(1)?;
        let record = record.map(serde_json::from_str);
        let record: LaneRecord = record.transpose()?.unwrap_or_default();
        Ok((WebhookOutSubId(row.try_get(0)?), record))
    })
    .await;
    for (sub, record) in lanes? {
        let mut health = LaneHealth::from_record(record);
        health.clock_set(microseconds);
        put_lane(connection, sub, health.record()).await?;
    }
    Ok(())
}
