//! Sessions, and the links that begin them.

use async_trait::async_trait;
use domain::email_address::EmailAddress;
use domain::id::{IntegrationId, SessionId, UserId};
use domain::records::Actor;
use domain::session::Session;
use domain::time::Moment;
use domain::token::TokenHash;
use futures_util::FutureExt;
use store::{
    Change, NewSignInLink, Rejection, SESSIONS_PER_USER_MAX, Sessions, SignedIn, StoreError,
};
use tokio_postgres::Row;

use crate::audit::{self, AuditEvent};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{moment, one};
use crate::open::PostgresStore;
use crate::users;
use crate::writing::Writing;

pub(crate) mod link;

macro_rules! select_session {
    () => {
        "select id, user_id, created_at, last_used_at from sessions "
    };
}

// unique (token_hash)
pub(crate) const BY_TOKEN: &str = concat!(select_session!(), "where token_hash = $1");
pub(crate) const INSERT: &str = "insert into sessions (user_id, token_hash, created_at, last_used_at) values ($1, $2, $3, $3) \
     returning id";
// sessions_by_user
pub(crate) const END_SURPLUS: &str = "delete from sessions where id in (select id from sessions where user_id = $1 \
     order by last_used_at desc, id desc offset $2)";
// sessions_by_user
pub(crate) const END_OTHERS: &str =
    "delete from sessions where user_id = $1 and id is distinct from $2";
// primary key
pub(crate) const DELETE: &str =
    "delete from sessions where id = $1 returning id, user_id, created_at, last_used_at";
// primary key, in the order of ids: two that touch the same do not wait for each other in a circle
pub(crate) const TOUCH: &str = "update sessions s set last_used_at = u.at from (select s.id, max(u.at) as at \
     from unnest($1::bigint[], $2::bigint[]) as u (id, at) join sessions s on s.id = u.id and s.last_used_at < u.at \
     group by s.id order by s.id) u where s.id = u.id and s.last_used_at < u.at";
// primary key
pub(crate) const REMEMBER: &str =
    "update users set remember_me = $2, updated_at = $3 where id = $1 and remember_me <> $2";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    &[
        BY_TOKEN,
        INSERT,
        END_SURPLUS,
        END_OTHERS,
        DELETE,
        TOUCH,
        REMEMBER,
    ],
    link::STATEMENTS,
];

#[async_trait]
impl Sessions for PostgresStore {
    async fn create_session(
        &self,
        user_id: UserId,
        token: TokenHash,
        remember_me: Option<bool>,
        change: Change,
    ) -> Result<SignedIn, Rejection> {
        let asked = (user_id, token, remember_me, change);
        self.write(asked, |writing, (user, token, remember_me, change)| {
            sign_in(&writing.connection, *user, *token, *remember_me, change).boxed()
        })
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
        let new = NewSession {
            link,
            email,
            token,
            remember_me,
            change,
        };
        let signed_in = self.write(new, |writing, new| {
            sign_in_by_link(&writing.connection, new).boxed()
        });
        signed_in.await.map_err(StoreError::from)
    }

    async fn create_sign_in_link(
        &self,
        new: NewSignInLink,
        change: Change,
    ) -> Result<(), StoreError> {
        let made = self.write((new, change), |writing, (new, change)| {
            link::create(writing, new, change).boxed()
        });
        made.await.map_err(StoreError::from)
    }

    async fn session_of_token(&self, token: TokenHash) -> Result<Option<SignedIn>, StoreError> {
        let connection = self.connection().await?;
        let Some(session) =
            one(&connection, BY_TOKEN, &[&token.as_bytes().as_slice()], read).await?
        else {
            return Ok(None);
        };
        let user = users::known(&connection, session.user_id).await?;
        Ok(Some(SignedIn { session, user }))
    }

    async fn delete_session(&self, id: SessionId, change: Change) -> Result<Session, Rejection> {
        self.write((id, change), |writing, (id, change)| {
            delete(writing, *id, change).boxed()
        })
        .await
    }

    async fn touch_sessions(&self, used: Vec<(SessionId, Moment)>) -> Result<(), StoreError> {
        let touched = self.write(used, |writing, used| touch(writing, used).boxed());
        touched.await.map_err(StoreError::from)
    }
}

/// A session to be, begun by a link.
struct NewSession {
    link: TokenHash,
    email: Option<EmailAddress>,
    token: TokenHash,
    remember_me: Option<bool>,
    change: Change,
}

async fn sign_in_by_link(
    connection: &Connection,
    new: &NewSession,
) -> Result<Option<SignedIn>, Fault> {
    let user = link::redeem(connection, new.link, new.email.as_ref(), &new.change).await?;
    let Some(user) = user else {
        return Ok(None);
    };
    let signed_in = sign_in(connection, user, new.token, new.remember_me, &new.change);
    signed_in.await.map(Some)
}

/// Begins a session, and ends those that are too many.
pub(crate) async fn insert(
    connection: &Connection,
    user: UserId,
    token: TokenHash,
    change: &Change,
) -> Result<Session, Fault> {
    let at = change.at.microseconds();
    let params: Params = &[&user.0, &token.as_bytes().as_slice(), &at];
    let id = one(connection, INSERT, params, |row| {
        Ok(SessionId(row.try_get(0)?))
    });
    let session = Session {
        id: id.await?.ok_or(Fault::Raced)?,
        user_id: user,
        created_at: change.at,
        last_used_at: change.at,
    };
    let most = i64::from(SESSIONS_PER_USER_MAX);
    connection.execute(END_SURPLUS, &[&user.0, &most]).await?;
    write_event(connection, change, "create", &session).await?;
    Ok(session)
}

/// Ends all sessions of a user but one.
pub(crate) async fn end_others(
    connection: &Connection,
    user: UserId,
    except: Option<SessionId>,
) -> Result<(), Fault> {
    let except = except.map(|id| id.0);
    connection
        .execute(END_OTHERS, &[&user.0, &except])
        .await
        .map(|_| ())
}

async fn sign_in(
    connection: &Connection,
    user: UserId,
    token: TokenHash,
    remember_me: Option<bool>,
    change: &Change,
) -> Result<SignedIn, Fault> {
    let change = Change {
        actor: Actor::User(user),
        ..change.clone()
    };
    if let Some(remember_me) = remember_me {
        let params: Params = &[&user.0, &remember_me, &change.at.microseconds()];
        connection.execute(REMEMBER, params).await?;
    }
    let user = users::known(connection, user).await?;
    let session = insert(connection, user.id, token, &change).await?;
    Ok(SignedIn { session, user })
}

async fn delete(writing: &Writing, id: SessionId, change: &Change) -> Result<Session, Fault> {
    let connection = &writing.connection;
    let deleted = one(connection, DELETE, &[&id.0], read).await?;
    let session =
        deleted.ok_or_else(|| Fault::refused("token", "belongs to a session that is over"))?;
    write_event(connection, change, "delete", &session).await?;
    Ok(session)
}

async fn touch(writing: &Writing, used: &[(SessionId, Moment)]) -> Result<(), Fault> {
    let ids: Vec<i64> = used.iter().map(|(id, _)| id.0).collect();
    let moments: Vec<i64> = used.iter().map(|(_, at)| at.microseconds()).collect();
    writing
        .connection
        .execute(TOUCH, &[&ids, &moments])
        .await
        .map(|_| ())
}

fn read(row: &Row) -> Result<Session, Fault> {
    Ok(Session {
        id: SessionId(row.try_get("id")?),
        user_id: UserId(row.try_get("user_id")?),
        created_at: moment(row, "created_at")?,
        last_used_at: moment(row, "last_used_at")?,
    })
}

async fn write_event(
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
    audit::write(connection, change, event).await
}

/// What a link says of whom it signs in.
type Invited = (EmailAddress, Option<IntegrationId>);
