//! Times as ranges of ids: ids are given in the order of commits, and times of acceptance ascend with them,
//! so that a list between two times needs no index of its own.

use std::ops::Range;
use std::time::Duration;

use domain::time::Moment;

use super::{ALL_IDS, Condition, ListPlan, one};
use crate::connection::Connection;
use crate::fault::Fault;

/// How far the times of neighbouring ids may disagree, in seconds: changes are accepted side by side and
/// committed one after another, and wall clocks are corrected. What lies further off may be left out.
const DISORDER_SECONDS_MAX: u64 = 60;

/// A table whose ids and times of acceptance agree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeline {
    /// Reads id and time of the first row from an id on; primary key.
    pub(crate) first_from: &'static str,
    /// Reads the largest id; primary key.
    pub(crate) last: &'static str,
}

impl ListPlan {
    /// Only what was made at or after `from` and before `until`.
    pub(crate) async fn created(
        mut self,
        connection: &Connection,
        timeline: Timeline,
        from: Option<Moment>,
        until: Option<Moment>,
    ) -> Result<ListPlan, Fault> {
        self.ids = timeline.ids(connection, from, until).await?;
        if let Some(from) = from {
            let values = [from.microseconds().into()];
            self.conditions
                .push(Condition::new("created_at >= ?", values));
        }
        if let Some(until) = until {
            let values = [until.microseconds().into()];
            self.conditions
                .push(Condition::new("created_at < ?", values));
        }
        Ok(self)
    }
}

impl Timeline {
    /// Ids outside of this range were not made between these times.
    async fn ids(
        self,
        connection: &Connection,
        from: Option<Moment>,
        until: Option<Moment>,
    ) -> Result<Range<i64>, Fault> {
        let slack = Duration::from_secs(DISORDER_SECONDS_MAX);
        let mut ids = ALL_IDS;
        if let Some(from) = from {
            ids.start = self.first_id_at(connection, from - slack).await?;
        }
        if let Some(until) = until {
            ids.end = self.first_id_at(connection, until + slack).await?;
        }
        Ok(ids)
    }

    /// The first id of a row that was made at or after `at`, or one behind the last.
    async fn first_id_at(self, connection: &Connection, at: Moment) -> Result<i64, Fault> {
        let last = one(connection, self.last, &[], |row| Ok(row.try_get(0)?));
        let mut ids = 0..last.await?.flatten().unwrap_or(0_i64) + 1;
        while ids.start < ids.end {
            let middle = ids.start + (ids.end - ids.start) / 2;
            let row = one(connection, self.first_from, &[&middle], |row| {
                Ok((row.try_get::<_, i64>(0)?, row.try_get::<_, i64>(1)?))
            })
            .await;
            match row? {
                Some((id, created_at)) if created_at < at.microseconds() => ids.start = id + 1,
                _ => ids.end = middle,
            }
        }
        Ok(ids.end)
    }
}
