//! The records that give a user a role, and the integrations that the role reaches.

use domain::id::{ClientId, IntegrationId, UserId};
use domain::time::Moment;
use domain::user::{Client, Role};
use rusqlite::{Connection, params};
use store::{Reference, Refusal, Target};

use crate::check;
use crate::fault::Fault;
use crate::list_query::{moment, one};

const INSERT_CLIENT: &str = "insert or ignore into clients (user_id, created_at) values (?1, ?2)";
const INSERT_EMPLOYEE: &str =
    "insert or ignore into employees (user_id, created_at) values (?1, ?2)";
const INSERT_LIAISON: &str = "insert or ignore into liaisons (user_id, created_at) values (?1, ?2)";
// unique (user_id)
const DELETE_CLIENT: &str = "delete from clients where user_id = ?1";
const DELETE_EMPLOYEE: &str = "delete from employees where user_id = ?1";
const DELETE_LIAISON: &str = "delete from liaisons where user_id = ?1";
const CLIENT: &str = "select id, created_at from clients where user_id = ?1";
const INSERT_SCOPE: &str =
    "insert or ignore into scoped_integrations (user_id, integration_id) values (?1, ?2)";
// primary key
const DELETE_SCOPES: &str = "delete from scoped_integrations where user_id = ?1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    INSERT_CLIENT,
    INSERT_EMPLOYEE,
    INSERT_LIAISON,
    DELETE_CLIENT,
    DELETE_EMPLOYEE,
    DELETE_LIAISON,
    CLIENT,
    INSERT_SCOPE,
    DELETE_SCOPES,
];

/// Gives the user a role, if they have it not.
fn give(connection: &Connection, user: UserId, role: Role, at: Moment) -> Result<(), Fault> {
    let insert = match role {
        Role::Client => INSERT_CLIENT,
        Role::Employee => INSERT_EMPLOYEE,
        Role::Liaison => INSERT_LIAISON,
    };
    connection
        .prepare_cached(insert)?
        .execute(params![user.0, at.microseconds()])?;
    Ok(())
}

/// Makes a user without any role a client who reaches nothing yet: what they reached in a role that was taken
/// away does not come back by itself.
pub(crate) fn become_client(
    connection: &Connection,
    user: UserId,
    at: Moment,
) -> Result<(), Fault> {
    give(connection, user, Role::Client, at)?;
    set_scopes(connection, user, &[])
}

/// Leaves the user these roles only.
pub(super) fn set(
    connection: &Connection,
    user: UserId,
    roles: &[Role],
    at: Moment,
) -> Result<(), Fault> {
    for role in Role::ALL {
        if roles.contains(&role) {
            give(connection, user, role, at)?;
            continue;
        }
        let delete = match role {
            Role::Client => DELETE_CLIENT,
            Role::Employee => DELETE_EMPLOYEE,
            Role::Liaison => DELETE_LIAISON,
        };
        connection.prepare_cached(delete)?.execute([user.0])?;
    }
    Ok(())
}

/// What makes the user a client.
pub(super) fn client(connection: &Connection, user: UserId) -> Result<Client, Fault> {
    let found = one(connection, CLIENT, [user.0], |row| {
        Ok(Client {
            id: ClientId(row.get("id")?),
            user_id: user,
            created_at: moment(row, "created_at")?,
        })
    })?;
    found.ok_or_else(|| Fault::corrupt("clients", user.0, "is gone"))
}

/// Lets the user into an integration.
pub(crate) fn scope(
    connection: &Connection,
    user: UserId,
    integration: IntegrationId,
) -> Result<(), Fault> {
    connection
        .prepare_cached(INSERT_SCOPE)?
        .execute([user.0, integration.0])?;
    Ok(())
}

/// Leaves the user these integrations only.
pub(super) fn set_scopes(
    connection: &Connection,
    user: UserId,
    integrations: &[IntegrationId],
) -> Result<(), Fault> {
    connection
        .prepare_cached(DELETE_SCOPES)?
        .execute([user.0])?;
    for integration in integrations {
        scope(connection, user, *integration)?;
    }
    Ok(())
}

/// Which integrations do not exist.
pub(super) fn unknown_scopes(
    connection: &Connection,
    integrations: &[IntegrationId],
) -> Result<Vec<Refusal>, Fault> {
    let references: Vec<Reference> = integrations
        .iter()
        .enumerate()
        .map(|(index, id)| {
            let attr = format!("scoped_integrations[{index}]");
            Reference::new(attr, Target::Integration(*id))
        })
        .collect();
    check::check(connection, &references)
}
