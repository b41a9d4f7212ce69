//! What waits, for metrics.

use store::Waiting;

use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_query::{moment_if_any, one};

// the table of waiting jobs, as far as it is counted
pub(crate) const COUNT: &str =
    "select count(*) from (select 1 from webhook_jobs_waiting limit 1000000) w";
// primary key: ids ascend with time
pub(crate) const OLDEST: &str =
    "select created_at as oldest from webhook_jobs_waiting order by id limit 1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[COUNT, OLDEST];

pub(super) async fn waiting(connection: &Connection) -> Result<Waiting, Fault> {
    let jobs = one(connection, COUNT, &[], |row| Ok(row.try_get::<_, i64>(0)?)).await?;
    let oldest = one(connection, OLDEST, &[], |row| moment_if_any(row, "oldest")).await?;
    Ok(Waiting {
        jobs: jobs
            .and_then(|jobs| u64::try_from(jobs).ok())
            .unwrap_or_default(),
        oldest_created_at: oldest.flatten(),
    })
}
