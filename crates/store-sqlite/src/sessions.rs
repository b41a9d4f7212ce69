//! Sessions, and the links that begin them.

use async_trait::async_trait;
use domain::email_address::EmailAddress;
use domain::id::{IntegrationId, SessionId, UserId};
use domain::records::Actor;
use domain::session::Session;
use domain::time::Moment;
use domain::token::TokenHash;
use rusqlite::{Connection, Row, params};
use store::{
    Change, NewSignInLink, Rejection, SESSIONS_PER_USER_MAX, Sessions, SignedIn, StoreError,
};

use crate::audit::{self, AuditEvent};
use crate::fault::Fault;
use crate::list_query::{moment, one};
use crate::open::SqliteStore;
use crate::users;
use crate::writing::Writing;

/// Expired links that are removed whenever one is made: more than come in, so that the table is bounded.
const REMOVED_PER_LINK: u32 = 2;

macro_rules! select_session {
    () => {
        "select id, user_id, created_at, last_used_at from sessions "
    };
}

// primary key
pub(crate) const BY_ID: &str = concat!(select_session!(), "where id = ?1");
// unique (token_hash)
pub(crate) const BY_TOKEN: &str = concat!(select_session!(), "where token_hash = ?1");
pub(crate) const INSERT: &str =
    "insert into sessions (user_id, token_hash, created_at, last_used_at) values (?1, ?2, ?3, ?3)";
// sessions_by_user
pub(crate) const END_SURPLUS: &str = "delete from sessions where id in (select id from sessions where user_id = ?1 \
     order by last_used_at desc, id desc limit -1 offset ?2)";
// sessions_by_user
pub(crate) const END_OTHERS: &str = "delete from sessions where user_id = ?1 and id is not ?2";
// primary key
pub(crate) const DELETE: &str = "delete from sessions where id = ?1";
// primary key
pub(crate) const TOUCH: &str =
    "update sessions set last_used_at = ?2 where id = ?1 and last_used_at < ?2";
// primary key
pub(crate) const REMEMBER: &str =
    "update users set remember_me = ?2, updated_at = ?3 where id = ?1 and remember_me <> ?2";
pub(crate) const INSERT_LINK: &str = "insert into sign_in_links (token_hash, email, integration_id, created_at, expires_at) \
     values (?1, ?2, ?3, ?4, ?5)";
// sign_in_links_by_expiry
pub(crate) const REMOVE_EXPIRED_LINKS: &str = "delete from sign_in_links where token_hash in (select token_hash from sign_in_links \
     where expires_at < ?1 order by expires_at limit ?2)";
// primary key
pub(crate) const USE_LINK: &str = "delete from sign_in_links where token_hash = ?1 and expires_at >= ?2 \
     and (?3 is null or lower(email) = lower(?3)) returning email, integration_id";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    BY_ID,
    BY_TOKEN,
    INSERT,
    END_SURPLUS,
    END_OTHERS,
    DELETE,
    TOUCH,
    REMEMBER,
    INSERT_LINK,
    REMOVE_EXPIRED_LINKS,
    USE_LINK,
];

#[async_trait]
impl Sessions for SqliteStore {
    async fn create_session(
        &self,
        user_id: UserId,
        token: TokenHash,
        remember_me: Option<bool>,
        change: Change,
    ) -> Result<SignedIn, Rejection> {
        self.write(move |writing| sign_in(&writing.connection, user_id, token, remember_me, change))
            .await
    }

    async fn create_session_by_link(
        &self,
        link: TokenHash,
        email: Option<EmailAddress>,
        token: TokenHash,
        remember_me: Option<bool>,
        change: Change,
    ) -> Result<Option<SignedIn>, StoreError> {
        let signed_in = self.write(move |writing| {
            let connection = &writing.connection;
            let Some(user) = use_link(connection, link, email.as_ref(), &change)? else {
                return Ok(None);
            };
            sign_in(connection, user, token, remember_me, change).map(Some)
        });
        signed_in.await.map_err(StoreError::from)
    }

    async fn create_sign_in_link(
        &self,
        new: NewSignInLink,
        change: Change,
    ) -> Result<(), StoreError> {
        let made = self.write(move |writing| create_link(writing, &new, &change));
        made.await.map_err(StoreError::from)
    }

    async fn session_of_token(&self, token: TokenHash) -> Result<Option<SignedIn>, StoreError> {
        self.read(move |connection| {
            let Some(session) = one(connection, BY_TOKEN, [token.as_bytes()], read)? else {
                return Ok(None);
            };
            let user = users::known(connection, session.user_id)?;
            Ok(Some(SignedIn { session, user }))
        })
        .await
    }

    async fn delete_session(&self, id: SessionId, change: Change) -> Result<Session, Rejection> {
        self.write(move |writing| {
            let connection = &writing.connection;
            let session = one(connection, BY_ID, [id.0], read)?
                .ok_or_else(|| Fault::refused("token", "belongs to a session that is over"))?;
            connection.prepare_cached(DELETE)?.execute([id.0])?;
            write_event(connection, &change, "delete", &session)?;
            Ok(session)
        })
        .await
    }

    async fn touch_sessions(&self, used: Vec<(SessionId, Moment)>) -> Result<(), StoreError> {
        let touched = self.write(move |writing| {
            let mut touch = writing.connection.prepare_cached(TOUCH)?;
            for (id, at) in &used {
                touch.execute([id.0, at.microseconds()])?;
            }
            Ok(())
        });
        touched.await.map_err(StoreError::from)
    }
}

/// Begins a session, and ends those that are too many.
pub(crate) fn insert(
    connection: &Connection,
    user: UserId,
    token: TokenHash,
    change: &Change,
) -> Result<Session, Fault> {
    let params = params![user.0, token.as_bytes(), change.at.microseconds()];
    connection.prepare_cached(INSERT)?.execute(params)?;
    let session = Session {
        id: SessionId(connection.last_insert_rowid()),
        user_id: user,
        created_at: change.at,
        last_used_at: change.at,
    };
    connection
        .prepare_cached(END_SURPLUS)?
        .execute(params![user.0, SESSIONS_PER_USER_MAX])?;
    write_event(connection, change, "create", &session)?;
    Ok(session)
}

/// Ends all sessions of a user but one.
pub(crate) fn end_others(
    connection: &Connection,
    user: UserId,
    except: Option<SessionId>,
) -> Result<(), Fault> {
    let params = params![user.0, except.map(|id| id.0)];
    connection.prepare_cached(END_OTHERS)?.execute(params)?;
    Ok(())
}

fn sign_in(
    connection: &Connection,
    user: UserId,
    token: TokenHash,
    remember_me: Option<bool>,
    mut change: Change,
) -> Result<SignedIn, Fault> {
    change.actor = Actor::User(user);
    if let Some(remember_me) = remember_me {
        let params = params![user.0, remember_me, change.at.microseconds()];
        connection.prepare_cached(REMEMBER)?.execute(params)?;
    }
    let user = users::known(connection, user)?;
    let session = insert(connection, user.id, token, &change)?;
    Ok(SignedIn { session, user })
}

/// Uses a link up, and finds or makes the user whom it is for.
fn use_link(
    connection: &Connection,
    link: TokenHash,
    email: Option<&EmailAddress>,
    change: &Change,
) -> Result<Option<UserId>, Fault> {
    let email = email.map(EmailAddress::as_str);
    let params = params![link.as_bytes(), change.at.microseconds(), email];
    let used = one(connection, USE_LINK, params, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?))
    })?;
    let Some((email, integration)) = used else {
        return Ok(None);
    };
    let email: EmailAddress = email
        .parse()
        .map_err(|reason| Fault::corrupt("sign_in_links", 0, reason))?;
    let before = users::by_email(connection, &email)?;
    let id = match &before {
        Some(user) => user.id,
        None => users::insert(connection, &email, None, None, change)?,
    };
    if let Some(integration) = integration.map(IntegrationId) {
        if before.as_ref().is_none_or(|user| user.roles.is_empty()) {
            users::roles::become_client(connection, id, change.at)?;
        }
        users::roles::scope(connection, id, integration)?;
    }
    if before.is_none() || integration.is_some() {
        let actor = Actor::User(id);
        let change = Change {
            actor,
            ..change.clone()
        };
        let after = users::known(connection, id)?;
        let action = match integration {
            Some(_) => "accept_invitation",
            None => "create",
        };
        users::write_event(connection, &change, action, before.as_ref(), &after)?;
    }
    Ok(Some(id))
}

fn create_link(writing: &Writing, new: &NewSignInLink, change: &Change) -> Result<(), Fault> {
    let connection = &writing.connection;
    let now = change.at.microseconds();
    remove_expired_links(connection, change.at, REMOVED_PER_LINK)?;
    connection.prepare_cached(INSERT_LINK)?.execute(params![
        new.token.as_bytes(),
        new.email.as_str(),
        new.integration_id.map(|id| id.0),
        now,
        new.expires_at.microseconds(),
    ])?;
    // Who only asks for a link changes nothing; who invites somebody does.
    let Some(integration) = new.integration_id else {
        return Ok(());
    };
    let event = AuditEvent {
        integration_id: Some(integration),
        noun: "integration",
        record_id: integration.0,
        action: "invitation_email",
        before: None,
        after: audit::json(&serde_json::json!({ "email": new.email.as_str() }))?,
    };
    audit::write(connection, change, event)
}

/// Removes links that nobody can use any more, the oldest first; returns how many.
pub(crate) fn remove_expired_links(
    connection: &Connection,
    now: Moment,
    limit: u32,
) -> Result<usize, Fault> {
    let removed = connection
        .prepare_cached(REMOVE_EXPIRED_LINKS)?
        .execute(params![now.microseconds(), limit])?;
    Ok(removed)
}

fn read(row: &Row<'_>) -> Result<Session, Fault> {
    Ok(Session {
        id: SessionId(row.get("id")?),
        user_id: UserId(row.get("user_id")?),
        created_at: moment(row, "created_at")?,
        last_used_at: moment(row, "last_used_at")?,
    })
}

fn write_event(
    connection: &Connection,
    change: &Change,
    action: &'static str,
    session: &Session,
) -> Result<(), Fault> {
    let event = AuditEvent {
        integration_id: None,
        noun: "session",
        record_id: session.id.0,
        action,
        before: None,
        after: audit::json(session)?,
    };
    audit::write(connection, change, event)
}
