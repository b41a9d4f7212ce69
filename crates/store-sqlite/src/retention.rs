//! Removing what is final and old, step by step.
//!
//! A change goes as a whole: once it is old, and all of its jobs are final and old, it goes with them, their attempts and payloads; and
//! the order goes with the last of its changes. So nothing that is left lacks anything, and what waits keeps all that it needs.
//!
//! Ids ascend with time, so each integration is walked through from its oldest change on, and left at the first that is too
//! young: a round costs what it removes, and a look at what is old and still waits.

use async_trait::async_trait;
use domain::id::IntegrationId;
use domain::time::Moment;
use rusqlite::{Connection, params};
use store::rules::retention::What;
use store::{
    Removed, Retention, RetentionPlace, RetentionPolicy, RetentionStep, StoreError, Walked,
};

use self::walk::Walk;
use crate::fault::Fault;
use crate::list_query::one;
use crate::open::SqliteStore;

mod decide;
mod remove;
mod rest;
mod revisions;
mod space;
mod walk;

/// Microseconds of a day.
const DAY_MICROSECONDS: i64 = 24 * 60 * 60 * 1_000_000;
/// Most records that a step removes beside what belongs to them, whatever it is asked for: bounds how long it holds up the
/// writer.
const REMOVED_PER_STEP_MAX: u32 = 1_000;
/// Integrations that one step looks at: most have nothing to remove, and cost a few look-ups.
const INTEGRATIONS_PER_STEP_MAX: u32 = 20;

// primary key
pub(crate) const NEXT_INTEGRATION: &str =
    "select id, retention_days from integrations where id > ?1 order by id limit 1";
// primary key
pub(crate) const RETENTION_OF: &str = "select retention_days from integrations where id = ?1";
// primary key
pub(crate) const PAYLOADS_WALKED: &str =
    "select order_stage_id, webhook_job_id from payload_removals where integration_id = ?1";
// primary key
pub(crate) const KEEP_PAYLOADS_WALKED: &str = "insert or replace into payload_removals (integration_id, order_stage_id, webhook_job_id) \
     values (?1, ?2, ?3)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    &[
        NEXT_INTEGRATION,
        RETENTION_OF,
        PAYLOADS_WALKED,
        KEEP_PAYLOADS_WALKED,
    ],
    decide::STATEMENTS,
    remove::STATEMENTS,
    rest::STATEMENTS,
    revisions::STATEMENTS,
    space::STATEMENTS,
    walk::STATEMENTS,
];

#[async_trait]
impl Retention for SqliteStore {
    async fn remove_old(
        &self,
        place: RetentionPlace,
        policy: RetentionPolicy,
        limit: u32,
        now: Moment,
    ) -> Result<RetentionStep, StoreError> {
        let limit = limit.clamp(1, REMOVED_PER_STEP_MAX);
        let stepped = self.write(move |writing| {
            let mut step = Stepping {
                connection: &writing.connection,
                policy,
                limit,
                now,
                removed: Removed::default(),
            };
            let (next, pages) = step.take(place)?;
            Ok(RetentionStep {
                removed: step.removed,
                pages,
                next,
            })
        });
        stepped.await.map_err(StoreError::from)
    }
}

/// A step under way.
struct Stepping<'a> {
    connection: &'a Connection,
    policy: RetentionPolicy,
    limit: u32,
    now: Moment,
    removed: Removed,
}

type Next = Option<RetentionPlace>;

impl Stepping<'_> {
    fn take(&mut self, place: RetentionPlace) -> Result<(Next, u64), Fault> {
        let (connection, limit) = (self.connection, self.limit);
        let next = match place {
            RetentionPlace::Payloads(after) => self.integrations(after)?,
            RetentionPlace::Changes(integration, walked) => self.changes(integration, walked)?,
            RetentionPlace::AuditEvents => {
                let before = self.now - self.policy.audit_events;
                let goes_on = rest::audit_events(connection, before, limit, &mut self.removed)?;
                Some(if goes_on {
                    place
                } else {
                    RetentionPlace::Notifications
                })
            }
            RetentionPlace::Notifications => {
                let before = self.now - self.policy.notifications;
                let goes_on = rest::notifications(connection, before, limit, &mut self.removed)?;
                Some(if goes_on {
                    place
                } else {
                    RetentionPlace::Sessions(domain::id::SessionId(0))
                })
            }
            RetentionPlace::Sessions(after) => {
                let to = rest::sessions(connection, after, self.now, &mut self.removed)?;
                Some(to.map_or(RetentionPlace::Short, RetentionPlace::Sessions))
            }
            RetentionPlace::Short => {
                let goes_on = rest::short(connection, self.now, limit, &mut self.removed)?;
                Some(if goes_on {
                    place
                } else {
                    RetentionPlace::Space
                })
            }
            RetentionPlace::Space => {
                let freed = space::give_back(connection)?;
                return Ok((freed.goes_on.then_some(place), freed.pages));
            }
        };
        Ok((next, 0))
    }

    /// Goes through integrations until there is something to do.
    fn integrations(&mut self, after: IntegrationId) -> Result<Next, Fault> {
        let mut after = after;
        for _ in 0..INTEGRATIONS_PER_STEP_MAX {
            let next = one(self.connection, NEXT_INTEGRATION, [after.0], |row| {
                Ok((IntegrationId(row.get(0)?), row.get(1)?))
            })?;
            let Some((integration, days)) = next else {
                return Ok(Some(RetentionPlace::AuditEvents));
            };
            if !self.payloads(integration, days)? {
                return Ok(Some(RetentionPlace::Payloads(after)));
            }
            match self.changes(integration, Walked::default())? {
                Some(RetentionPlace::Payloads(done)) if self.removed.total() == 0 => after = done,
                next => return Ok(next),
            }
        }
        Ok(Some(RetentionPlace::Payloads(after)))
    }

    /// Removes payloads that go before their jobs; whether those of the integration are done with.
    fn payloads(&mut self, integration: IntegrationId, days: Option<i64>) -> Result<bool, Fault> {
        let Some(payloads) = self.policy.payloads else {
            return Ok(true);
        };
        let before = (self.now - payloads).microseconds();
        if before <= self.before(days) {
            return Ok(true);
        }
        let walked = one(self.connection, PAYLOADS_WALKED, [integration.0], |row| {
            Ok(Walked {
                order_stage: row.get(0)?,
                webhook_job: row.get(1)?,
            })
        })?;
        let from = walked.unwrap_or_default();
        let walk = self.walk(integration, from, What::Payloads, before)?;
        let to = walk.0;
        if to != from {
            let params = params![integration.0, to.order_stage, to.webhook_job];
            let mut keep = self.connection.prepare_cached(KEEP_PAYLOADS_WALKED)?;
            keep.execute(params)?;
        }
        Ok(walk.1)
    }

    /// Removes changes of an integration with all that belongs to them.
    fn changes(&mut self, integration: IntegrationId, from: Walked) -> Result<Next, Fault> {
        let days = one(self.connection, RETENTION_OF, [integration.0], |row| {
            Ok(row.get(0)?)
        })?;
        let before = self.before(days.flatten());
        let (to, is_done) = self.walk(integration, from, What::Changes, before)?;
        if !is_done {
            return Ok(Some(RetentionPlace::Changes(integration, to)));
        }
        revisions::remove(self.connection, integration, self.limit, &mut self.removed)?;
        Ok(Some(RetentionPlace::Payloads(integration)))
    }

    fn walk(
        &mut self,
        integration: IntegrationId,
        from: Walked,
        what: What,
        before: i64,
    ) -> Result<(Walked, bool), Fault> {
        let left = self.limit as usize;
        let mut walk = Walk::new(self.connection, what, from, before, left)?;
        let is_done = walk.go_on(integration, &mut self.removed)?;
        Ok((walk.walked, is_done))
    }

    /// What became final at this moment or before is removed.
    fn before(&self, days: Option<i64>) -> i64 {
        match days {
            Some(days) => self.now.microseconds() - days.saturating_mul(DAY_MICROSECONDS),
            None => (self.now - self.policy.jobs).microseconds(),
        }
    }
}
