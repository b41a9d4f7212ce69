//! The records that give a user a role, and the integrations that the role reaches.

use domain::id::{ClientId, IntegrationId, UserId};
use domain::time::Moment;
use domain::user::{Client, Role};
use store::{Reference, Refusal, Target};

use crate::check;
use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_query::{moment, one};

const INSERT_CLIENT: &str =
    "insert into clients (user_id, created_at) values ($1, $2) on conflict (user_id) do nothing";
const INSERT_EMPLOYEE: &str =
    "insert into employees (user_id, created_at) values ($1, $2) on conflict (user_id) do nothing";
const INSERT_LIAISON: &str =
    "insert into liaisons (user_id, created_at) values ($1, $2) on conflict (user_id) do nothing";
// unique (user_id)
const DELETE_CLIENT: &str = "delete from clients where user_id = $1";
const DELETE_EMPLOYEE: &str = "delete from employees where user_id = $1";
const DELETE_LIAISON: &str = "delete from liaisons where user_id = $1";
const CLIENT: &str = "select id, created_at from clients where user_id = $1";
const INSERT_SCOPES: &str = "insert into scoped_integrations (user_id, integration_id) \
     select $1, id from unnest($2::bigint[]) as s (id) on conflict do nothing";
// primary key
const DELETE_SCOPES: &str = "delete from scoped_integrations where user_id = $1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    INSERT_CLIENT,
    INSERT_EMPLOYEE,
    INSERT_LIAISON,
    DELETE_CLIENT,
    DELETE_EMPLOYEE,
    DELETE_LIAISON,
    CLIENT,
    INSERT_SCOPES,
    DELETE_SCOPES,
];

/// Gives the user a role, if they have it not.
async fn give(connection: &Connection, user: UserId, role: Role, at: Moment) -> Result<(), Fault> {
    let insert = match role {
        Role::Client => INSERT_CLIENT,
        Role::Employee => INSERT_EMPLOYEE,
        Role::Liaison => INSERT_LIAISON,
    };
    connection
        .execute(insert, &[&user.0, &at.microseconds()])
        .await
        .map(|_| ())
}

/// Makes a user without any role a client who reaches nothing yet: what they reached in a role that was taken
/// away does not come back by itself.
pub(crate) async fn become_client(
    connection: &Connection,
    user: UserId,
    at: Moment,
) -> Result<(), Fault> {
    give(connection, user, Role::Client, at).await?;
    set_scopes(connection, user, &[]).await
}

/// Leaves the user these roles only.
pub(super) async fn set(
    connection: &Connection,
    user: UserId,
    roles: &[Role],
    at: Moment,
) -> Result<(), Fault> {
    for role in Role::ALL {
        if roles.contains(&role) {
            give(connection, user, role, at).await?;
            continue;
        }
        let delete = match role {
            Role::Client => DELETE_CLIENT,
            Role::Employee => DELETE_EMPLOYEE,
            Role::Liaison => DELETE_LIAISON,
        };
        connection.execute(delete, &[&user.0]).await?;
    }
    Ok(())
}

/// What makes the user a client.
pub(super) async fn client(connection: &Connection, user: UserId) -> Result<Client, Fault> {
    let found = one(connection, CLIENT, &[&user.0], |row| {
        Ok(Client {
            id: ClientId(row.try_get("id")?),
            user_id: user,
            created_at: moment(row, "created_at")?,
        })
    })
    .await?;
    found.ok_or_else(|| Fault::corrupt("clients", user.0, "is gone"))
}

/// Lets the user into integrations.
pub(crate) async fn scope(
    connection: &Connection,
    user: UserId,
    integrations: &[IntegrationId],
) -> Result<(), Fault> {
    let ids: Vec<i64> = integrations.iter().map(|id| id.0).collect();
    connection
        .execute(INSERT_SCOPES, &[&user.0, &ids])
        .await
        .map(|_| ())
}

/// Leaves the user these integrations only.
pub(super) async fn set_scopes(
    connection: &Connection,
    user: UserId,
    integrations: &[IntegrationId],
) -> Result<(), Fault> {
    connection.execute(DELETE_SCOPES, &[&user.0]).await?;
    scope(connection, user, integrations).await
}

/// Which integrations do not exist.
pub(super) async fn unknown_scopes(
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
    check::check(connection, &references).await
}
