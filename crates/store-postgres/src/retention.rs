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
use futures_util::FutureExt;
use store::rules::retention::What;
use store::{
    Removed, Retention, RetentionPlace, RetentionPolicy, RetentionStep, StoreError, Walked,
};

use self::walk::Walk;
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::one;
use crate::open::PostgresStore;
use crate::writing::Writing;

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
/// Held by the node that takes a step: what two remove at once would be counted twice; any number that other programs do not use.
const LOCK: &str = "select pg_try_advisory_xact_lock(7815694213740091394)";
/// Integrations that one step looks at: most have nothing to remove, and cost a few look-ups.
const INTEGRATIONS_PER_STEP_MAX: u32 = 20;

// primary key
pub(crate) const NEXT_INTEGRATION: &str =
    "select id, retention_days from integrations where id > $1 order by id limit 1";
// primary key
pub(crate) const RETENTION_OF: &str = "select retention_days from integrations where id = $1";
// primary key
pub(crate) const PAYLOADS_WALKED: &str =
    "select order_stage_id, webhook_job_id from payload_removals where integration_id = $1";
// primary key
pub(crate) const KEEP_PAYLOADS_WALKED: &str = "insert into payload_removals (integration_id, order_stage_id, webhook_job_id) values ($1, $2, $3) \
     on conflict (integration_id) do update set order_stage_id = excluded.order_stage_id, webhook_job_id = excluded.webhook_job_id";

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
impl Retention for PostgresStore {
    async fn remove_old(
        &self,
        place: RetentionPlace,
        policy: RetentionPolicy,
        limit: u32,
        now: Moment,
    ) -> Result<RetentionStep, StoreError> {
        let asked = (place, policy, limit.clamp(1, REMOVED_PER_STEP_MAX), now);
        let stepped = self.write(asked, |writing, (place, policy, limit, now)| {
            step(writing, *place, *policy, *limit, *now).boxed()
        });
        stepped.await.map_err(StoreError::from)
    }
}

async fn step(
    writing: &Writing,
    place: RetentionPlace,
    policy: RetentionPolicy,
    limit: u32,
    now: Moment,
) -> Result<RetentionStep, Fault> {
    let connection = &writing.connection;
    let mut step = Stepping {
        connection,
        policy,
        limit: limit.into(),
        now,
        removed: Removed::default(),
    };
    let is_mine = one(connection, LOCK, &[], |row| Ok(row.try_get(0)?)).await?;
    // Another node is at it: its round does for all.
    let next = match is_mine {
        Some(true) => step.take(place).await?,
        _ => None,
    };
    Ok(RetentionStep {
        removed: step.removed,
        pages: 0,
        next,
    })
}

/// A step under way.
struct Stepping<'a> {
    connection: &'a Connection,
    policy: RetentionPolicy,
    limit: i64,
    now: Moment,
    removed: Removed,
}

type Next = Option<RetentionPlace>;

impl Stepping<'_> {
    async fn take(&mut self, place: RetentionPlace) -> Result<Next, Fault> {
        let (connection, limit) = (self.connection, self.limit);
        let next = match place {
            RetentionPlace::Payloads(after) => self.integrations(after).await?,
            RetentionPlace::Changes(integration, walked) => {
                self.changes(integration, walked).await?
            }
            RetentionPlace::AuditEvents => {
                let before = self.now - self.policy.audit_events;
                let goes_on =
                    rest::audit_events(connection, before, limit, &mut self.removed).await?;
                Some(if goes_on {
                    place
                } else {
                    RetentionPlace::Notifications
                })
            }
            RetentionPlace::Notifications => {
                let before = self.now - self.policy.notifications;
                let goes_on =
                    rest::notifications(connection, before, limit, &mut self.removed).await?;
                Some(if goes_on {
                    place
                } else {
                    RetentionPlace::Sessions(domain::id::SessionId(0))
                })
            }
            RetentionPlace::Sessions(after) => {
                let to = rest::sessions(connection, after, self.now, &mut self.removed).await?;
                Some(to.map_or(RetentionPlace::Short, RetentionPlace::Sessions))
            }
            RetentionPlace::Short => {
                let goes_on = rest::short(connection, self.now, limit, &mut self.removed).await?;
                Some(if goes_on {
                    place
                } else {
                    RetentionPlace::Space
                })
            }
            RetentionPlace::Space => {
                let goes_on = space::give_back(connection).await?;
                goes_on.then_some(place)
            }
        };
        Ok(next)
    }

    /// Goes through integrations until there is something to do.
    async fn integrations(&mut self, after: IntegrationId) -> Result<Next, Fault> {
        let mut after = after;
        for _ in 0..INTEGRATIONS_PER_STEP_MAX {
            let next = one(self.connection, NEXT_INTEGRATION, &[&after.0], |row| {
                Ok((IntegrationId(row.try_get(0)?), row.try_get(1)?))
            })
            .await;
            let Some((integration, days)) = next? else {
                return Ok(Some(RetentionPlace::AuditEvents));
            };
            if !self.payloads(integration, days).await? {
                return Ok(Some(RetentionPlace::Payloads(after)));
            }
            match self.changes(integration, Walked::default()).await? {
                Some(RetentionPlace::Payloads(done)) if self.removed.total() == 0 => after = done,
                next => return Ok(next),
            }
        }
        Ok(Some(RetentionPlace::Payloads(after)))
    }

    /// Removes payloads that go before their jobs; whether those of the integration are done with.
    async fn payloads(
        &mut self,
        integration: IntegrationId,
        days: Option<i64>,
    ) -> Result<bool, Fault> {
        let Some(payloads) = self.policy.payloads else {
            return Ok(true);
        };
        let before = (self.now - payloads).microseconds();
        if before <= self.before(days) {
            return Ok(true);
        }
        let walked = one(self.connection, PAYLOADS_WALKED, &[&integration.0], |row| {
            Ok(Walked {
                order_stage: row.try_get(0)?,
                webhook_job: row.try_get(1)?,
            })
        })
        .await;
        let from = walked?.unwrap_or_default();
        let walk = self.walk(integration, from, What::Payloads, before).await?;
        let to = walk.0;
        if to != from {
            let params: Params = &[&integration.0, &to.order_stage, &to.webhook_job];
            self.connection
                .execute(KEEP_PAYLOADS_WALKED, params)
                .await?;
        }
        Ok(walk.1)
    }

    /// Removes changes of an integration with all that belongs to them.
    async fn changes(&mut self, integration: IntegrationId, from: Walked) -> Result<Next, Fault> {
        let days = one(self.connection, RETENTION_OF, &[&integration.0], |row| {
            Ok(row.try_get::<_, Option<i64>>(0)?)
        })
        .await;
        let days = days?;
        let before = self.before(days.flatten());
        let (to, is_done) = self.walk(integration, from, What::Changes, before).await?;
        if !is_done {
            return Ok(Some(RetentionPlace::Changes(integration, to)));
        }
        let removed = &mut self.removed;
        revisions::remove(self.connection, integration, self.limit, removed).await?;
        Ok(Some(RetentionPlace::Payloads(integration)))
    }

    async fn walk(
        &mut self,
        integration: IntegrationId,
        from: Walked,
        what: What,
        before: i64,
    ) -> Result<(Walked, bool), Fault> {
        let left = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let mut walk = Walk::new(self.connection, what, from, before, left);
        let is_done = walk.go_on(integration, &mut self.removed).await?;
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
