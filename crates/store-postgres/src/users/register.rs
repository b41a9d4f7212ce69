//! Making users, by others and by themselves.

use domain::records::Actor;
use domain::session::Session;
use domain::user::User;
use store::{Change, Created, NewClient, NewUser, Refusal, Registered};

use super::{by_email, insert, known, lock, roles, write_event};
use crate::connection::Params;
use crate::fault::Fault;
use crate::idempotency::{self, NO_INTEGRATION};
use crate::writing::Writing;
use crate::{check, sessions};

// primary key
const UPDATE_NAME: &str = "update users set name = $2, updated_at = $3 where id = $1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[UPDATE_NAME];

/// A user, made by somebody else.
pub(super) async fn create(
    writing: &Writing,
    new: &NewUser,
    change: &Change,
) -> Result<Created<User>, Fault> {
    let connection = &writing.connection;
    let key = new.idempotency.as_ref();
    if let Some(first) = idempotency::find(writing, NO_INTEGRATION, key, change.at).await? {
        return Ok(Created::replayed(first));
    }
    let mut refusals = roles::unknown_scopes(connection, &new.scoped_integrations).await?;
    if by_email(connection, &new.email).await?.is_some() {
        let message = "is taken by another user; change that one's roles instead";
        refusals.push(Refusal::new("email", message));
    }
    check::refuse(refusals)?;
    let id = insert(connection, &new.email, new.name.as_deref(), None, change).await?;
    roles::set(connection, id, &new.roles, change.at).await?;
    roles::set_scopes(connection, id, &new.scoped_integrations).await?;
    let user = known(connection, id).await?;
    write_event(connection, change, "create", None, &user).await?;
    idempotency::keep(writing, NO_INTEGRATION, key, &user, change.at).await?;
    Ok(Created::fresh(user))
}

/// A user who registers as a client: made, and signed in.
pub(super) async fn client(
    writing: &Writing,
    new: &NewClient,
    change: &Change,
) -> Result<Registered, Fault> {
    let connection = &writing.connection;
    let (name, hash) = (Some(new.name.as_str()), Some(new.password_hash.as_str()));
    let id = insert(connection, &new.email, name, hash, change).await?;
    let change = Change {
        actor: Actor::User(id),
        ..change.clone()
    };
    roles::become_client(connection, id, change.at).await?;
    let user = known(connection, id).await?;
    write_event(connection, &change, "register", None, &user).await?;
    Ok(Registered {
        client: roles::client(connection, id).await?,
        session: sessions::insert(connection, id, new.session, &change).await?,
        user,
    })
}

/// A user without any role becomes a client.
pub(super) async fn user_as_client(
    writing: &Writing,
    session: &Session,
    name: &str,
    change: &Change,
) -> Result<Registered, Fault> {
    let connection = &writing.connection;
    let before = lock(connection, session.user_id).await?;
    if !before.roles.is_empty() {
        let message = "belongs to a user who is registered already";
        return Err(Fault::refused("token", message));
    }
    let params: Params = &[&before.id.0, &name, &change.at.microseconds()];
    connection.execute(UPDATE_NAME, params).await?;
    roles::become_client(connection, before.id, change.at).await?;
    let user = known(connection, before.id).await?;
    write_event(connection, change, "register", Some(&before), &user).await?;
    Ok(Registered {
        client: roles::client(connection, user.id).await?,
        session: session.clone(),
        user,
    })
}
