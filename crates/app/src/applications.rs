//! Applications, as operators manage them.

use std::time::Duration;

use domain::id::{ApplicationId, IntegrationId};
use domain::records::Application;
use domain::token::Token;
use store::{ApplicationChanges, Created, Idempotency, ListQuery, NewApplication, Page, WithToken};

use crate::app::App;
use crate::caller::Caller;
use crate::denied::Denied;
use crate::sessions::random;

impl App {
    /// Makes an application.
    ///
    /// # Errors
    /// Refused where the slug is taken or the integration does not exist.
    pub async fn create_application(
        &self,
        caller: Caller<'_>,
        slug: String,
        integration_id: Option<IntegrationId>,
        idempotency: Option<Idempotency>,
    ) -> Result<Created<WithToken>, Denied> {
        let new = NewApplication {
            slug,
            integration_id,
            token: Token::of_application(random()?),
            idempotency,
        };
        let change = self.change(caller);
        Ok(self.store.create_application(new, change).await?)
    }

    /// Changes an application.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`) or the slug is taken.
    pub async fn update_application(
        &self,
        caller: Caller<'_>,
        id: ApplicationId,
        changes: ApplicationChanges,
    ) -> Result<Application, Denied> {
        let change = self.change(caller);
        let updated = self.store.update_application(id, changes, change).await?;
        self.principals.clear();
        Ok(updated)
    }

    /// Replaces the token; for `overlap` the old one is accepted as well.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    pub async fn rotate_application_token(
        &self,
        caller: Caller<'_>,
        id: ApplicationId,
        overlap: Duration,
    ) -> Result<WithToken, Denied> {
        let token = Token::of_application(random()?);
        let change = self.change(caller);
        let rotated = self
            .store
            .rotate_application_token(id, token, overlap, change);
        let rotated = rotated.await?;
        self.principals.clear();
        Ok(rotated)
    }

    /// Applications; only those that are `active`, or are not, where that is told.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn applications(
        &self,
        active: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<Application>, Denied> {
        Ok(self.store.applications(active, query).await?)
    }
}
