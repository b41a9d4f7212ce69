//! Programs that call the API.

use std::time::Duration;

use async_trait::async_trait;
use domain::id::{ApplicationId, IntegrationId};
use domain::records::Application;
use domain::time::Moment;
use domain::token::{Token, TokenHash};
use serde::{Deserialize, Serialize};

use crate::change::{Change, Created, Idempotency};
use crate::error::{Rejection, StoreError};
use crate::page::{ListQuery, Page};

/// A program to be.
#[derive(Clone, Debug)]
pub struct NewApplication {
    /// Its name, unique.
    pub slug: String,
    /// The only integration that it may use; none means all.
    pub integration_id: Option<IntegrationId>,
    /// Its token, of which only the hash is kept.
    pub token: Token,
    /// Makes the create repeatable.
    pub idempotency: Option<Idempotency>,
}

/// An application with its token: the answer of create and rotate_token only.
#[derive(Clone, Serialize, Deserialize)]
pub struct WithToken {
    /// The application.
    #[serde(flatten)]
    pub application: Application,
    /// Its token, `pra_…`.
    pub token: String,
}

/// What an update says; absent means unchanged.
#[derive(Clone, Debug, Default)]
pub struct ApplicationChanges {
    /// Its name.
    pub slug: Option<String>,
    /// Whether its tokens are accepted.
    pub active: Option<bool>,
}

/// Programs that call the API.
#[async_trait]
pub trait Applications {
    /// Makes an application.
    ///
    /// # Errors
    /// Refused where the slug is taken (`slug`) or the integration does not exist (`integration_id`).
    async fn create_application(
        &self,
        new: NewApplication,
        change: Change,
    ) -> Result<Created<WithToken>, Rejection>;

    /// Changes an application.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`) or the slug is taken (`slug`).
    async fn update_application(
        &self,
        id: ApplicationId,
        changes: ApplicationChanges,
        change: Change,
    ) -> Result<Application, Rejection>;

    /// Replaces the token; for `overlap` the old one is accepted as well.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    async fn rotate_application_token(
        &self,
        id: ApplicationId,
        token: Token,
        overlap: Duration,
        change: Change,
    ) -> Result<WithToken, Rejection>;

    /// Applications; searched by `slug`, sorted by `id`, `slug` or `created_at`. `active` keeps only those
    /// that are, or are not.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn applications(
        &self,
        active: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<Application>, StoreError>;

    /// The application of this name.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn application_of_slug(&self, slug: String) -> Result<Option<Application>, StoreError>;

    /// The active application whose token, or token before in its overlap, this is.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn application_of_token(
        &self,
        token: TokenHash,
        now: Moment,
    ) -> Result<Option<Application>, StoreError>;
}
