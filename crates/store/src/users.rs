//! Users: people and their roles.

use async_trait::async_trait;
use domain::email_address::EmailAddress;
use domain::id::{IntegrationId, SessionId, UserId};
use domain::session::Session;
use domain::token::TokenHash;
use domain::user::{Client, Role, User};
use serde::{Deserialize, Serialize};

use crate::change::{Change, Created, Idempotency};
use crate::error::{Rejection, StoreError};
use crate::page::{ListQuery, Page};

/// A person to be, made by somebody else; they sign in by a link.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Where mail reaches them.
    pub email: EmailAddress,
    /// What they are called.
    pub name: Option<String>,
    /// What they may be.
    pub roles: Vec<Role>,
    /// The integrations that they may use.
    pub scoped_integrations: Vec<IntegrationId>,
    /// Makes the create repeatable.
    pub idempotency: Option<Idempotency>,
}

/// A person who registers as a client, and is signed in by it.
#[derive(Clone)]
pub struct NewClient {
    /// Where mail reaches them.
    pub email: EmailAddress,
    /// What they are called.
    pub name: String,
    /// The password's hash, in the PHC string format.
    pub password_hash: String,
    /// Their first session's token.
    pub session: TokenHash,
}

/// Who has registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The person.
    pub user: User,
    /// What makes them a client.
    pub client: Client,
    /// The session that they registered in.
    pub session: Session,
}

/// What an update says; absent means unchanged.
#[derive(Clone, Default)]
pub struct UserChanges {
    /// What they are called.
    pub name: Option<String>,
    /// The hash of a new password. All other sessions of the user end.
    pub password_hash: Option<String>,
    /// Whether their sessions last.
    pub remember_me: Option<bool>,
}

/// Which users.
#[derive(Clone, Debug)]
pub struct UserQuery {
    /// Only those with one of these roles; empty means all.
    pub roles: Vec<Role>,
    /// Only those who are scoped to this integration.
    pub integration_id: Option<IntegrationId>,
    /// Searched by `email` and `name`; sorted by `id`, `email`, `name`, `created_at` or `updated_at`.
    pub list: ListQuery,
}

/// What signing in by a password needs.
#[derive(Clone)]
pub struct Credentials {
    /// The person.
    pub user_id: UserId,
    /// The password's hash; none for people who sign in by links only.
    pub password_hash: Option<String>,
}

/// Users.
#[async_trait]
pub trait Users {
    /// Makes a user.
    ///
    /// # Errors
    /// Refused where the address is taken (`email`) or an integration does not exist
    /// (`scoped_integrations[n]`).
    async fn create_user(&self, new: NewUser, change: Change) -> Result<Created<User>, Rejection>;

    /// Makes a user who is a client, and signs them in.
    ///
    /// # Errors
    /// Refused where the address is taken (`email`).
    async fn register_client(
        &self,
        new: NewClient,
        change: Change,
    ) -> Result<Registered, Rejection>;

    /// Makes a user without any role a client.
    ///
    /// # Errors
    /// Refused where the user has a role already (`token`).
    async fn register_user_as_client(
        &self,
        session: Session,
        name: String,
        change: Change,
    ) -> Result<Registered, Rejection>;

    /// Changes a user. With a new password, all their sessions but `session` end.
    ///
    /// # Errors
    /// Refused where they do not exist (`id`).
    async fn update_user(
        &self,
        id: UserId,
        changes: UserChanges,
        session: Option<SessionId>,
        change: Change,
    ) -> Result<User, Rejection>;

    /// Sets what a user may be, and where; absent means unchanged.
    ///
    /// # Errors
    /// Refused where they do not exist (`id`) or an integration does not (`scoped_integrations[n]`).
    async fn update_user_roles(
        &self,
        id: UserId,
        roles: Option<Vec<Role>>,
        scoped_integrations: Option<Vec<IntegrationId>>,
        change: Change,
    ) -> Result<User, Rejection>;

    /// A user.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The user with this address, and what their password is checked against.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn credentials(&self, email: EmailAddress) -> Result<Option<Credentials>, StoreError>;

    /// Users.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn users(&self, query: UserQuery) -> Result<Page<User>, StoreError>;
}
