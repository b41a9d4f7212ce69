//! Removing what is no part of any change.

use std::time::Duration;

use domain::id::{SessionId, UserId};
use domain::session::Session;
use domain::time::Moment;
use rusqlite::{Connection, params};
use store::{Removable, Removed};

use super::remove::delete;
use crate::fault::Fault;
use crate::list_query::{all, moment};
use crate::{delivery_statistics, idempotency, sessions};

/// How long a session is kept after its end, in days: whoever comes back soon is told that it is over, not that there never was one.
const ENDED_SESSION_DAYS: u64 = 30;
/// Sessions that one step looks at: those of people who are to be remembered stay for ever.
const SESSIONS_LOOKED_AT: u32 = 500;

// primary key; the newest stays
pub(crate) const DELETE_AUDIT_EVENTS: &str = "delete from audit_events where created_at <= ?1 and id in \
     (select id from audit_events order by id limit ?2) and id < (select max(id) from audit_events)";
// notifications_read; the newest stays
pub(crate) const DELETE_NOTIFICATIONS: &str = "delete from notifications where id in (select id from notifications indexed by notifications_read \
     where read_at is not null and read_at <= ?1 order by read_at limit ?2) and id < (select max(id) from notifications)";
// primary keys
pub(crate) const SESSIONS: &str = "select s.id, s.user_id, s.created_at, s.last_used_at, u.remember_me \
     from sessions s join users u on u.id = s.user_id where s.id > ?1 order by s.id limit ?2";
// primary key; the newest stays
pub(crate) const DELETE_SESSION: &str =
    "delete from sessions where id = ?1 and id < (select max(id) from sessions)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    DELETE_AUDIT_EVENTS,
    DELETE_NOTIFICATIONS,
    SESSIONS,
    DELETE_SESSION,
];

/// Removes the oldest audit events; whether there may be more of them.
pub(super) fn audit_events(
    connection: &Connection,
    before: Moment,
    limit: u32,
    removed: &mut Removed,
) -> Result<bool, Fault> {
    let params = params![before.microseconds(), limit];
    let count = delete(connection, DELETE_AUDIT_EVENTS, params)?;
    removed.add(Removable::AuditEvents, count);
    Ok(count == limit as usize)
}

/// Removes notifications that were read long ago; whether there may be more of them.
pub(super) fn notifications(
    connection: &Connection,
    before: Moment,
    limit: u32,
    removed: &mut Removed,
) -> Result<bool, Fault> {
    let params = params![before.microseconds(), limit];
    let count = delete(connection, DELETE_NOTIFICATIONS, params)?;
    removed.add(Removable::Notifications, count);
    Ok(count == limit as usize)
}

/// Looks at the next sessions, and removes those that ended long ago; the last one, if there may be more of them.
pub(super) fn sessions(
    connection: &Connection,
    after: SessionId,
    now: Moment,
    removed: &mut Removed,
) -> Result<Option<SessionId>, Fault> {
    let long_ago = now - Duration::from_secs(ENDED_SESSION_DAYS * 24 * 60 * 60);
    let looked_at = all(
        connection,
        SESSIONS,
        params![after.0, SESSIONS_LOOKED_AT],
        |row| {
            let session = Session {
                id: SessionId(row.get(0)?),
                user_id: UserId(row.get(1)?),
                created_at: moment(row, "created_at")?,
                last_used_at: moment(row, "last_used_at")?,
            };
            let ended = session.is_expired(row.get("remember_me")?, long_ago);
            Ok((session.id, ended))
        },
    )?;
    for (id, ended) in &looked_at {
        if *ended {
            let count = delete(connection, DELETE_SESSION, [id.0])?;
            removed.add(Removable::Sessions, count);
        }
    }
    let is_full = looked_at.len() == SESSIONS_LOOKED_AT as usize;
    let last = looked_at.last().map(|(id, _)| *id);
    Ok(last.filter(|_| is_full))
}

/// Removes what was good for a short time only; whether there may be more of it.
pub(super) fn short(
    connection: &Connection,
    now: Moment,
    limit: u32,
    removed: &mut Removed,
) -> Result<bool, Fault> {
    let keys = idempotency::remove_expired(connection, now, limit)?;
    removed.add(Removable::IdempotencyKeys, keys);
    let links = sessions::remove_expired_links(connection, now, limit)?;
    removed.add(Removable::SignInLinks, links);
    let counts = delivery_statistics::remove_old(connection, now, limit)?;
    removed.add(Removable::DeliveryStatistics, counts);
    Ok(keys.max(links).max(counts) >= limit as usize)
}
