//! Changing users.

use domain::id::{IntegrationId, SessionId, UserId};
use domain::user::{Role, User};
use rusqlite::params;
use store::{Change, UserChanges};

use super::{known, roles, show, write_event};
use crate::fault::Fault;
use crate::writing::Writing;
use crate::{check, sessions};

// primary key
const UPDATE: &str = "update users set name = coalesce(?2, name), password_hash = coalesce(?3, password_hash), \
     remember_me = coalesce(?4, remember_me), updated_at = ?5 where id = ?1";
// primary key
const TOUCH: &str = "update users set updated_at = ?2 where id = ?1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[UPDATE, TOUCH];

/// Name, password, preference.
pub(super) fn update(
    writing: &Writing,
    id: UserId,
    changes: UserChanges,
    session: Option<SessionId>,
    change: &Change,
) -> Result<User, Fault> {
    let connection = &writing.connection;
    let before = show(connection, id.0)?.ok_or_else(|| Fault::refused("id", "does not exist"))?;
    connection.prepare_cached(UPDATE)?.execute(params![
        id.0,
        changes.name,
        changes.password_hash,
        changes.remember_me,
        change.at.microseconds(),
    ])?;
    let action = if changes.password_hash.is_some() {
        sessions::end_others(connection, id, session)?;
        "update_password"
    } else {
        "update"
    };
    let after = known(connection, id)?;
    write_event(connection, change, action, Some(&before), &after)?;
    Ok(after)
}

/// Roles and reach.
pub(super) fn update_roles(
    writing: &Writing,
    id: UserId,
    roles: Option<Vec<Role>>,
    scoped_integrations: Option<Vec<IntegrationId>>,
    change: &Change,
) -> Result<User, Fault> {
    let connection = &writing.connection;
    let before = show(connection, id.0)?.ok_or_else(|| Fault::refused("id", "does not exist"))?;
    if let Some(roles) = roles {
        roles::set(connection, id, &roles, change.at)?;
    }
    if let Some(integrations) = scoped_integrations {
        check::refuse(roles::unknown_scopes(connection, &integrations)?)?;
        roles::set_scopes(connection, id, &integrations)?;
    }
    connection
        .prepare_cached(TOUCH)?
        .execute([id.0, change.at.microseconds()])?;
    let after = known(connection, id)?;
    write_event(connection, change, "update_roles", Some(&before), &after)?;
    Ok(after)
}
