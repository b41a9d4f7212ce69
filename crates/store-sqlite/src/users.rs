//! Users: people and their roles.

use async_trait::async_trait;
use domain::email_address::EmailAddress;
use domain::id::{IntegrationId, SessionId, UserId};
use domain::session::Session;
use domain::user::{Role, User};
use rusqlite::{Connection, Row, params};
use store::{
    Change, Created, Credentials, NewClient, NewUser, Page, Registered, Rejection, StoreError,
    UserChanges, UserQuery, Users,
};

use crate::audit::{self, AuditEvent};
use crate::fault::Fault;
use crate::list_query::{Branch, Condition, ListPlan, moment, one};
use crate::open::SqliteStore;

mod change;
mod register;
pub(crate) mod roles;

macro_rules! select_user {
    () => {
        "select id, email, name, password_hash is not null as has_password, remember_me, created_at, updated_at, \
         exists (select 1 from clients where user_id = u.id) as client, \
         exists (select 1 from employees where user_id = u.id) as employee, \
         exists (select 1 from liaisons where user_id = u.id) as liaison, \
         (select json_group_array(integration_id) from scoped_integrations where user_id = u.id) \
         as scoped_integrations from users u "
    };
}

// primary keys, and unique (user_id) of each role
pub(crate) const BY_ID: &str = concat!(select_user!(), "where id = ?1");
// users_by_email
pub(crate) const BY_EMAIL: &str = concat!(select_user!(), "where lower(email) = lower(?1)");
// users_by_email
pub(crate) const CREDENTIALS: &str =
    "select id, password_hash from users where lower(email) = lower(?1)";
pub(crate) const INSERT: &str = "insert into users (email, name, password_hash, remember_me, created_at, updated_at) \
     values (?1, ?2, ?3, 0, ?4, ?4)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    &[BY_ID, BY_EMAIL, CREDENTIALS, INSERT],
    change::STATEMENTS,
    register::STATEMENTS,
    roles::STATEMENTS,
];

/// What users can be sorted by besides their id; there are few enough to be sorted each time.
const SORTED_BY: &[&str] = &["email", "created_at", "updated_at"];
/// By name, those without one first.
const BY_NAME: &str = "coalesce(name, '')";

#[async_trait]
impl Users for SqliteStore {
    async fn create_user(&self, new: NewUser, change: Change) -> Result<Created<User>, Rejection> {
        self.write(move |writing| register::create(writing, &new, &change))
            .await
    }

    async fn register_client(
        &self,
        new: NewClient,
        change: Change,
    ) -> Result<Registered, Rejection> {
        self.write(move |writing| register::client(writing, &new, change))
            .await
    }

    async fn register_user_as_client(
        &self,
        session: Session,
        name: String,
        change: Change,
    ) -> Result<Registered, Rejection> {
        self.write(move |writing| register::user_as_client(writing, session, name, &change))
            .await
    }

    async fn update_user(
        &self,
        id: UserId,
        changes: UserChanges,
        session: Option<SessionId>,
        change: Change,
    ) -> Result<User, Rejection> {
        self.write(move |writing| change::update(writing, id, changes, session, &change))
            .await
    }

    async fn update_user_roles(
        &self,
        id: UserId,
        roles: Option<Vec<Role>>,
        scoped_integrations: Option<Vec<IntegrationId>>,
        change: Change,
    ) -> Result<User, Rejection> {
        self.write(move |writing| {
            change::update_roles(writing, id, roles, scoped_integrations, &change)
        })
        .await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(move |connection| show(connection, id.0)).await
    }

    async fn credentials(&self, email: EmailAddress) -> Result<Option<Credentials>, StoreError> {
        self.read(move |connection| {
            one(connection, CREDENTIALS, [email.as_str()], |row| {
                Ok(Credentials {
                    user_id: UserId(row.get(0)?),
                    password_hash: row.get(1)?,
                })
            })
        })
        .await
    }

    async fn users(&self, query: UserQuery) -> Result<Page<User>, StoreError> {
        self.read(move |connection| plan(&query).page(connection, &query.list, show))
            .await
    }
}

/// Makes a user without any role; returns the id.
///
/// # Errors
/// Refused where the address is taken.
pub(crate) fn insert(
    connection: &Connection,
    email: &EmailAddress,
    name: Option<&str>,
    password_hash: Option<&str>,
    change: &Change,
) -> Result<UserId, Fault> {
    if by_email(connection, email)?.is_some() {
        let message = "is taken by another user; sign in, or ask for a link to do so";
        return Err(Fault::refused("email", message));
    }
    let at = change.at.microseconds();
    connection
        .prepare_cached(INSERT)?
        .execute(params![email.as_str(), name, password_hash, at])?;
    Ok(UserId(connection.last_insert_rowid()))
}

/// A user that was there a moment ago, in this transaction.
pub(crate) fn known(connection: &Connection, id: UserId) -> Result<User, Fault> {
    show(connection, id.0)?.ok_or_else(|| Fault::corrupt("users", id.0, "is gone"))
}

/// The user with this address.
pub(crate) fn by_email(
    connection: &Connection,
    email: &EmailAddress,
) -> Result<Option<User>, Fault> {
    one(connection, BY_EMAIL, [email.as_str()], read)
}

pub(crate) fn show(connection: &Connection, id: i64) -> Result<Option<User>, Fault> {
    one(connection, BY_ID, [id], read)
}

fn read(row: &Row<'_>) -> Result<User, Fault> {
    let mut roles = Vec::new();
    for role in Role::ALL {
        if row.get(role.name())? {
            roles.push(role);
        }
    }
    let scoped: String = row.get("scoped_integrations")?;
    Ok(User {
        id: UserId(row.get("id")?),
        email: row.get("email")?,
        name: row.get("name")?,
        roles,
        scoped_integrations: serde_json::from_str(&scoped)?,
        remember_me: row.get("remember_me")?,
        has_password: row.get("has_password")?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
    })
}

pub(crate) fn write_event(
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
    audit::write(connection, change, event)
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
        let sql = "(id, ?) in (select user_id, integration_id from scoped_integrations)";
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
