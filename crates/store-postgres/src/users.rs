//! Users: people and their roles.

use async_trait::async_trait;
use domain::email_address::EmailAddress;
use domain::id::{IntegrationId, SessionId, UserId};
use domain::session::Session;
use domain::user::{Role, User};
use futures_util::FutureExt;
use store::{
    Change, Created, Credentials, NewClient, NewUser, Page, Registered, Rejection, StoreError,
    UserChanges, UserQuery, Users,
};
use tokio_postgres::Row;

use crate::audit::{self, AuditEvent};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{Branch, Condition, ListPlan, moment, of_ids, one};
use crate::open::PostgresStore;

mod change;
mod register;
pub(crate) mod roles;

macro_rules! select_user {
    () => {
        "select id, email, name, password_hash is not null as has_password, remember_me, created_at, updated_at, \
         exists (select 1 from clients where user_id = u.id) as client, \
         exists (select 1 from employees where user_id = u.id) as employee, \
         exists (select 1 from liaisons where user_id = u.id) as liaison, \
         array(select integration_id from scoped_integrations where user_id = u.id order by integration_id) \
         as scoped_integrations from users u "
    };
}

// primary keys, and unique (user_id) of each role
pub(crate) const BY_IDS: &str = concat!(select_user!(), "where id = any($1)");
// users_by_email
pub(crate) const BY_EMAIL: &str = concat!(
    select_user!(),
    "where lower(email) = lower($1 collate \"C\")"
);
// primary key
pub(crate) const LOCK: &str = "select id from users where id = $1 for update";
// users_by_email
pub(crate) const CREDENTIALS: &str =
    "select id, password_hash from users where lower(email) = lower($1 collate \"C\")";
pub(crate) const INSERT: &str = "insert into users (email, name, password_hash, remember_me, created_at, updated_at) \
     values ($1, $2, $3, false, $4, $4) returning id";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    &[BY_IDS, BY_EMAIL, LOCK, CREDENTIALS, INSERT],
    change::STATEMENTS,
    register::STATEMENTS,
    roles::STATEMENTS,
];

/// What users can be sorted by besides their id; there are few enough to be sorted each time.
const SORTED_BY: &[&str] = &["email", "created_at", "updated_at"];
/// By name, those without one first.
const BY_NAME: &str = "coalesce(name, '')";

#[async_trait]
impl Users for PostgresStore {
    async fn create_user(&self, new: NewUser, change: Change) -> Result<Created<User>, Rejection> {
        self.write((new, change), |writing, (new, change)| {
            register::create(writing, new, change).boxed()
        })
        .await
    }

    async fn register_client(
        &self,
        new: NewClient,
        change: Change,
    ) -> Result<Registered, Rejection> {
        self.write((new, change), |writing, (new, change)| {
            register::client(writing, new, change).boxed()
        })
        .await
    }

    async fn register_user_as_client(
        &self,
        session: Session,
        name: String,
        change: Change,
    ) -> Result<Registered, Rejection> {
        let asked = (session, name, change);
        self.write(asked, |writing, (session, name, change)| {
            register::user_as_client(writing, session, name, change).boxed()
        })
        .await
    }

    async fn update_user(
        &self,
        id: UserId,
        changes: UserChanges,
        session: Option<SessionId>,
        change: Change,
    ) -> Result<User, Rejection> {
        let asked = (id, changes, session, change);
        self.write(asked, |writing, (id, changes, session, change)| {
            change::update(writing, *id, changes, *session, change).boxed()
        })
        .await
    }

    async fn update_user_roles(
        &self,
        id: UserId,
        roles: Option<Vec<Role>>,
        scoped_integrations: Option<Vec<IntegrationId>>,
        change: Change,
    ) -> Result<User, Rejection> {
        let asked = (id, roles, scoped_integrations, change);
        self.write(asked, |writing, (id, roles, scopes, change)| {
            change::update_roles(writing, *id, roles.as_deref(), scopes.as_deref(), change).boxed()
        })
        .await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let connection = self.connection().await?;
        Ok(show(&connection, id).await?)
    }

    async fn credentials(&self, email: EmailAddress) -> Result<Option<Credentials>, StoreError> {
        let connection = self.connection().await?;
        Ok(one(&connection, CREDENTIALS, &[&email.as_str()], |row| {
            Ok(Credentials {
                user_id: UserId(row.try_get(0)?),
                password_hash: row.try_get(1)?,
            })
        })
        .await?)
    }

    async fn users(&self, query: UserQuery) -> Result<Page<User>, StoreError> {
        let connection = self.connection().await?;
        let plan = plan(&query);
        let page = plan.page(&connection, &query.list, |connection, ids| {
            of_ids(connection, BY_IDS, ids, read).boxed()
        });
        Ok(page.await?)
    }
}

/// Makes a user without any role; returns the id.
///
/// # Errors
/// Refused where the address is taken.
pub(crate) async fn insert(
    connection: &Connection,
    email: &EmailAddress,
    name: Option<&str>,
    password_hash: Option<&str>,
    change: &Change,
) -> Result<UserId, Fault> {
    if by_email(connection, email).await?.is_some() {
        let message = "is taken by another user; sign in, or ask for a link to do so";
        return Err(Fault::refused("email", message));
    }
    let at = change.at.microseconds();
    let params: Params = &[&email.as_str(), &name, &password_hash, &at];
    let id = one(connection, INSERT, params, |row| {
        Ok(UserId(row.try_get(0)?))
    });
    id.await?.ok_or(Fault::Raced)
}

/// The user that is to be changed; others who change it wait.
///
/// # Errors
/// Refused where there is none.
pub(crate) async fn lock(connection: &Connection, id: UserId) -> Result<User, Fault> {
    connection.query(LOCK, &[&id.0]).await?;
    let found = show(connection, id).await?;
    found.ok_or_else(|| Fault::refused("id", "does not exist"))
}

/// A user that was there a moment ago, in this transaction.
pub(crate) async fn known(connection: &Connection, id: UserId) -> Result<User, Fault> {
    let found = show(connection, id).await?;
    found.ok_or_else(|| Fault::corrupt("users", id.0, "is gone"))
}

/// The user with this address.
pub(crate) async fn by_email(
    connection: &Connection,
    email: &EmailAddress,
) -> Result<Option<User>, Fault> {
    one(connection, BY_EMAIL, &[&email.as_str()], read).await
}

async fn show(connection: &Connection, id: UserId) -> Result<Option<User>, Fault> {
    one(connection, BY_IDS, &[&[id.0].as_slice()], read).await
}

fn read(row: &Row) -> Result<User, Fault> {
    let mut roles = Vec::new();
    for role in Role::ALL {
        if row.try_get(role.name())? {
            roles.push(role);
        }
    }
    let scoped: Vec<i64> = row.try_get("scoped_integrations")?;
    Ok(User {
        id: UserId(row.try_get("id")?),
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        roles,
        scoped_integrations: scoped.into_iter().map(IntegrationId).collect(),
        remember_me: row.try_get("remember_me")?,
        has_password: row.try_get("has_password")?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
    })
}

pub(crate) async fn write_event(
    connection: &Connection,
    change: &Change,
    action: &'static str,
    before: Option<&User>,
    after: &User,
) -> Result<(), Fault> {
    let event = AuditEvent {
        integration_id: None,
        noun: "user",
        record_id: after.id.0,
        action,
        before: audit::json_if_any(before)?,
        after: audit::json(after)?,
    };
    audit::write(connection, change, event).await
}

fn plan(query: &UserQuery) -> ListPlan {
    let mut conditions = Vec::new();
    if !query.roles.is_empty() {
        let among = |role: &Role| {
            let sql = match role {
                Role::Client => "id in (select user_id from clients)",
                Role::Employee => "id in (select user_id from employees)",
                Role::Liaison => "id in (select user_id from liaisons)",
            };
            Condition::new(sql, [])
        };
        conditions.push(Condition::any(query.roles.iter().map(among).collect()));
    }
    conditions.extend(query.integration_id.map(|integration| {
        let sql = "id in (select user_id from scoped_integrations where integration_id = ?)";
        Condition::new(sql, [integration.0.into()])
    }));
    conditions.extend(query.list.search.iter().map(Condition::found));
    let branch = Branch::new("users", Condition::new("true", []));
    let mut plan = ListPlan::new(vec![branch], conditions).sorted(query.list.sort, SORTED_BY);
    if query.list.sort.by == "name" {
        plan.sort = BY_NAME;
    }
    plan
}
