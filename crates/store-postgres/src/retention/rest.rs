//! Removing what is no part of any change.

use std::time::Duration;

use domain::id::{SessionId, UserId};
use domain::session::Session;
use domain::time::Moment;
use store::{Removable, Removed};

use super::remove::delete;
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{all, moment};
use crate::{delivery_statistics, idempotency, sessions};

/// How long a session is kept after its end, in days: whoever comes back soon is told that it is over, not that there never was one.
const ENDED_SESSION_DAYS: u64 = 30;
/// Sessions that one step looks at: those of people who are to be remembered stay for ever.
const SESSIONS_LOOKED_AT: i64 = 500;

// primary key
pub(crate) const DELETE_AUDIT_EVENTS: &str = "delete from audit_events where created_at <= $1 and id in \
     (select id from audit_events order by id limit $2)";
// notifications_read
pub(crate) const DELETE_NOTIFICATIONS: &str = "delete from notifications where id in (select id from notifications \
     where read_at is not null and read_at <= $1 order by read_at limit $2)";
// primary keys
pub(crate) const SESSIONS: &str = "select s.id, s.user_id, s.created_at, s.last_used_at, u.remember_me \
     from sessions s join users u on u.id = s.user_id where s.id > $1 order by s.id limit $2";
// primary key
pub(crate) const DELETE_SESSION: &str = "delete from sessions where id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    DELETE_AUDIT_EVENTS,
    DELETE_NOTIFICATIONS,
    SESSIONS,
    DELETE_SESSION,
];

/// Removes the oldest audit events; whether there may be more of them.
pub(super) async fn audit_events(
    connection: &Connection,
    before: Moment,
    limit: i64,
    removed: &mut Removed,
) -> Result<bool, Fault> {
    let params: Params = &[&before.microseconds(), &limit];
    let count = delete(connection, DELETE_AUDIT_EVENTS, params).await?;
    removed.add(Removable::AuditEvents, count);
    Ok(is_full(count, limit))
}

/// Removes notifications that were read long ago; whether there may be more of them.
pub(super) async fn notifications(
    connection: &Connection,
    before: Moment,
    limit: i64,
    removed: &mut Removed,
) -> Result<bool, Fault> {
    let params: Params = &[&before.microseconds(), &limit];
    let count = delete(connection, DELETE_NOTIFICATIONS, params).await?;
    removed.add(Removable::Notifications, count);
    Ok(is_full(count, limit))
}

/// Looks at the next sessions, and removes those that ended long ago; the last one, if there may be more of them.
pub(super) async fn sessions(
    connection: &Connection,
    after: SessionId,
    now: Moment,
    removed: &mut Removed,
) -> Result<Option<SessionId>, Fault> {
    let long_ago = now - Duration::from_secs(ENDED_SESSION_DAYS * 24 * 60 * 60);
    let params: Params = &[&after.0, &SESSIONS_LOOKED_AT];
    let looked_at = all(connection, SESSIONS, params, |row| {
        let session = Session {
            id: SessionId(row.try_get("id")?),
            user_id: UserId(row.try_get("user_id")?),
            created_at: moment(row, "created_at")?,
            last_used_at: moment(row, "last_used_at")?,
        };
        let ended = session.is_expired(row.try_get("remember_me")?, long_ago);
        Ok((session.id, ended))
    });
    let looked_at = looked_at.await?;
    for (id, ended) in &looked_at {
        if *ended {
            let count = delete(connection, DELETE_SESSION, &[&id.0]).await?;
            removed.add(Removable::Sessions, count);
        }
    }
    let last = looked_at.last().map(|(id, _)| *id);
    Ok(last.filter(|_| is_full(looked_at.len(), SESSIONS_LOOKED_AT)))
}

/// Removes what was good for a short time only; whether there may be more of it.
pub(super) async fn short(
    connection: &Connection,
    now: Moment,
    limit: i64,
    removed: &mut Removed,
) -> Result<bool, Fault> {
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let keys = count(idempotency::remove_expired(connection, now, limit).await?);
    removed.add(Removable::IdempotencyKeys, keys);
    let links = count(sessions::link::remove_expired(connection, now, limit).await?);
    removed.add(Removable::SignInLinks, links);
    let counts = count(delivery_statistics::remove_old(connection, now, limit).await?);
    removed.add(Removable::DeliveryStatistics, counts);
    Ok(is_full(keys.max(links).max(counts), limit))
}

fn is_full(count: usize, limit: i64) -> bool {
    i64::try_from(count).is_ok_and(|count| count >= limit)
}
