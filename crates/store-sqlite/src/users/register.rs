//! Making users, by others and by themselves.

use domain::records::Actor;
use domain::session::Session;
use domain::user::User;
use rusqlite::params;
use store::{Change, Created, NewClient, NewUser, Refusal, Registered};

use super::{by_email, insert, known, roles, write_event};
use crate::fault::Fault;
use crate::writing::Writing;
use crate::{check, idempotency, sessions};

// primary key
const UPDATE_NAME: &str = "update users set name = ?2, updated_at = ?3 where id = ?1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[UPDATE_NAME];

/// A user, made by somebody else.
pub(super) fn create(
    writing: &Writing,
    new: &NewUser,
    change: &Change,
) -> Result<Created<User>, Fault> {
    let connection = &writing.connection;
    idempotency::once(writing, new.idempotency.as_ref(), change.at, || {
        let mut refusals = roles::unknown_scopes(connection, &new.scoped_integrations)?;
        if by_email(connection, &new.email)?.is_some() {
            let message = "is taken by another user; change that one's roles instead";
            refusals.push(Refusal::new("email", message));
        }
        check::refuse(refusals)?;
        let id = insert(connection, &new.email, new.name.as_deref(), None, change)?;
        roles::set(connection, id, &new.roles, change.at)?;
        roles::set_scopes(connection, id, &new.scoped_integrations)?;
        let user = known(connection, id)?;
        write_event(connection, change, "create", None, &user)?;
        Ok(user)
    })
}

/// A user who registers as a client: made, and signed in.
pub(super) fn client(
    writing: &Writing,
    new: &NewClient,
    mut change: Change,
) -> Result<Registered, Fault> {
    let connection = &writing.connection;
    let (name, hash) = (Some(new.name.as_str()), Some(new.password_hash.as_str()));
    let id = insert(connection, &new.email, name, hash, &change)?;
    change.actor = Actor::User(id);
    roles::become_client(connection, id, change.at)?;
    let user = known(connection, id)?;
    write_event(connection, &change, "register", None, &user)?;
    Ok(Registered {
        client: roles::client(connection, id)?,
        session: sessions::insert(connection, id, new.session, &change)?,
        user,
    })
}

/// A user without any role becomes a client.
pub(super) fn user_as_client(
    writing: &Writing,
    session: Session,
    name: String,
    change: &Change,
) -> Result<Registered, Fault> {
    let connection = &writing.connection;
    let before = known(connection, session.user_id)?;
    if !before.roles.is_empty() {
        let message = "belongs to a user who is registered already";
        return Err(Fault::refused("token", message));
    }
    connection.prepare_cached(UPDATE_NAME)?.execute(params![
        before.id.0,
        name,
        change.at.microseconds()
    ])?;
    roles::become_client(connection, before.id, change.at)?;
    let user = known(connection, before.id)?;
    write_event(connection, change, "register", Some(&before), &user)?;
    Ok(Registered {
        client: roles::client(connection, user.id)?,
        session,
        user,
    })
}
