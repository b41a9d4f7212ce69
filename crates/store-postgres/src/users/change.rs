//! Changing users.

use domain::id::{IntegrationId, SessionId, UserId};
use domain::user::{Role, User};
use store::{Change, UserChanges};

use super::{known, lock, roles, write_event};
use crate::fault::Fault;
use crate::writing::Writing;
use crate::{check, sessions};

// primary key
const UPDATE: &str = "update users set name = coalesce($2, name), password_hash = coalesce($3, password_hash), \
     remember_me = coalesce($4, remember_me), updated_at = $5 where id = $1";
// primary key
const TOUCH: &str = "update users set updated_at = $2 where id = $1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[UPDATE, TOUCH];

/// Name, password, preference.
pub(super) async fn update(
    writing: &Writing,
    id: UserId,
    changes: &UserChanges,
    session: Option<SessionId>,
    change: &Change,
) -> Result<User, Fault> {
    let connection = &writing.connection;
    let before = lock(connection, id).await?;
    connection
        .execute(
            UPDATE,
            &[
                &id.0,
                &changes.name,
                &changes.password_hash,
                &changes.remember_me,
                &change.at.microseconds(),
            ],
        )
        .await?;
    let action = if changes.password_hash.is_some() {
        sessions::end_others(connection, id, session).await?;
        "update_password"
    } else {
        "update"
    };
    let after = known(connection, id).await?;
    write_event(connection, change, action, Some(&before), &after).await?;
    Ok(after)
}

/// Roles and reach.
pub(super) async fn update_roles(
    writing: &Writing,
    id: UserId,
    roles: Option<&[Role]>,
    scoped_integrations: Option<&[IntegrationId]>,
    change: &Change,
) -> Result<User, Fault> {
    let connection = &writing.connection;
    let before = lock(connection, id).await?;
    if let Some(roles) = roles {
        roles::set(connection, id, roles, change.at).await?;
    }
    if let Some(integrations) = scoped_integrations {
        check::refuse(roles::unknown_scopes(connection, integrations).await?)?;
        roles::set_scopes(connection, id, integrations).await?;
    }
    let at = change.at.microseconds();
    connection.execute(TOUCH, &[&id.0, &at]).await?;
    let after = known(connection, id).await?;
    write_event(connection, change, "update_roles", Some(&before), &after).await?;
    Ok(after)
}
