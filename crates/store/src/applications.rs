//! Programs that call the API.

use async_trait::async_trait;
use domain::id::IntegrationId;
use domain::records::Application;
use domain::token::TokenHash;

use crate::change::Change;
use crate::error::{Rejection, StoreError};

/// A program to be.
#[derive(Clone, Debug)]
pub struct NewApplication {
    /// Its name, unique.
    pub slug: String,
    /// The only integration that it may use; none means all.
    pub integration_id: Option<IntegrationId>,
    /// Its token's hash.
    pub token: TokenHash,
}

/// Programs that call the API.
#[async_trait]
pub trait Applications {
    /// Makes an application.
    ///
    /// # Errors
    /// Refused where the slug is taken (`slug`) or the integration does not exist (`integration`).
    async fn create_application(
        &self,
        new: NewApplication,
        change: Change,
    ) -> Result<Application, Rejection>;

    /// All applications, by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn applications(&self) -> Result<Vec<Application>, StoreError>;

    /// Replaces the token at once.
    ///
    /// # Errors
    /// Refused where no application has the slug (`slug`).
    async fn rotate_application_token(
        &self,
        slug: String,
        token: TokenHash,
        change: Change,
    ) -> Result<Application, Rejection>;

    /// Whose token this is.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn application_of_token(
        &self,
        token: TokenHash,
    ) -> Result<Option<Application>, StoreError>;
}
