//! Sessions, and the links that begin them.

use async_trait::async_trait;
use domain::email_address::EmailAddress;
use domain::id::{IntegrationId, SessionId, UserId};
use domain::session::Session;
use domain::time::Moment;
use domain::token::TokenHash;
use domain::user::User;
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::error::{Rejection, StoreError};

/// Most sessions of a user; one more ends the one that was unused for longest.
pub const SESSIONS_PER_USER_MAX: u32 = 100;

/// A session with its user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// Whose it is.
    pub user: User,
}

/// A link that signs somebody in once.
#[derive(Clone, Debug)]
pub struct NewSignInLink {
    /// Its token's hash.
    pub token: TokenHash,
    /// Whom it signs in; made a user on first use.
    pub email: EmailAddress,
    /// The integration that its use lets them into, as a client.
    pub integration_id: Option<IntegrationId>,
    /// Until when it is good.
    pub expires_at: Moment,
}

/// Sessions.
#[async_trait]
pub trait Sessions {
    /// Signs a user in; `remember_me`, if it is said, becomes the user's preference.
    ///
    /// # Errors
    /// Refused where the user does not exist.
    async fn create_session(
        &self,
        user_id: UserId,
        token: TokenHash,
        remember_me: Option<bool>,
        change: Change,
    ) -> Result<SignedIn, Rejection>;

    /// Signs in whoever a link is for, and uses the link up; nobody if it is unknown, used, expired, or for
    /// another address than the one given.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn create_session_by_link(
        &self,
        link: TokenHash,
        email: Option<EmailAddress>,
        token: TokenHash,
        remember_me: Option<bool>,
        change: Change,
    ) -> Result<Option<SignedIn>, StoreError>;

    /// Keeps a link.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn create_sign_in_link(
        &self,
        new: NewSignInLink,
        change: Change,
    ) -> Result<(), StoreError>;

    /// Whose token this is.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn session_of_token(&self, token: TokenHash) -> Result<Option<SignedIn>, StoreError>;

    /// Ends a session.
    ///
    /// # Errors
    /// Refused where it does not exist (`token`).
    async fn delete_session(&self, id: SessionId, change: Change) -> Result<Session, Rejection>;

    /// Notes when sessions were last used; never moves one back.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn touch_sessions(&self, used: Vec<(SessionId, Moment)>) -> Result<(), StoreError>;
}
