//! What waits, for metrics.

use rusqlite::Connection;
use store::Waiting;

use crate::fault::Fault;
use crate::list_query::{moment_if_any, one};

// webhook_jobs_waiting, which has waiting jobs only
pub(crate) const COUNT: &str = "select count(*) from (select 1 from webhook_jobs indexed by webhook_jobs_waiting \
     where finished_at is null limit 1000000)";
// webhook_jobs_waiting, once for each subscription
pub(crate) const OLDEST: &str = "select min(j.created_at) as oldest from webhook_out_subs s join webhook_jobs j on j.id = \
     (select id from webhook_jobs where webhook_out_sub_id = s.id and finished_at is null order by id limit 1)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[COUNT, OLDEST];

pub(super) fn waiting(connection: &Connection) -> Result<Waiting, Fault> {
    let jobs: Option<i64> = one(connection, COUNT, [], |row| Ok(row.get(0)?))?;
    let oldest = one(connection, OLDEST, [], |row| moment_if_any(row, "oldest"))?;
    Ok(Waiting {
        jobs: jobs
            .and_then(|jobs| u64::try_from(jobs).ok())
            .unwrap_or_default(),
        oldest_created_at: oldest.flatten(),
    })
}
