//! Outgoing webhook subscriptions, as callers make, change and try them.

use std::time::Duration;

use domain::id::WebhookOutSubId;
use domain::signature::SigningSecret;
use domain::webhook_job::WebhookJob;
use domain::webhook_out_sub::WebhookOutSub;
use store::{
    Created, ListQuery, NewWebhookOutSub, Page, StoreError, WebhookOutSubChanges, WithSecret,
};

use crate::app::App;
use crate::caller::Scope;
use crate::denied::Denied;

/// Length of a secret that we make, in bytes: that of the hash it keys (RFC 2104 section 3).
const SECRET_BYTES: usize = 32;

impl App {
    /// A new signing secret.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new_signing_secret(&self) -> Result<SigningSecret, Denied> {
        let failed = |reason: String| Denied::Store(StoreError::Failed(reason));
        let mut random = [0; SECRET_BYTES];
        getrandom::fill(&mut random).map_err(|error| failed(error.to_string()))?;
        SigningSecret::from_bytes(&random).map_err(|fault| failed(fault.to_string()))
    }

    /// Makes a subscription.
    ///
    /// # Errors
    /// Refused where the key is taken, a slug is unknown, or there are too many.
    pub async fn create_webhook_out_sub(
        &self,
        scope: &Scope<'_>,
        mut new: NewWebhookOutSub,
    ) -> Result<Created<WithSecret>, Denied> {
        new.integration_id = scope.integration_id();
        let change = self.change(scope.caller());
        Ok(self.store.create_webhook_out_sub(new, change).await?)
    }

    /// Changes a subscription.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`), the key is taken, a slug is unknown, or nobody would be
    /// notified.
    pub async fn update_webhook_out_sub(
        &self,
        scope: &Scope<'_>,
        id: WebhookOutSubId,
        changes: WebhookOutSubChanges,
    ) -> Result<WebhookOutSub, Denied> {
        let change = self.change(scope.caller());
        let integration_id = scope.integration_id();
        let updated = self
            .store
            .update_webhook_out_sub(integration_id, id, changes, change);
        Ok(updated.await?)
    }

    /// Deletes a subscription.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    pub async fn delete_webhook_out_sub(
        &self,
        scope: &Scope<'_>,
        id: WebhookOutSubId,
    ) -> Result<WebhookOutSub, Denied> {
        let change = self.change(scope.caller());
        let integration_id = scope.integration_id();
        let deleted = self
            .store
            .delete_webhook_out_sub(integration_id, id, change);
        Ok(deleted.await?)
    }

    /// Replaces the signing secret; for `overlap` the old one signs as well.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    pub async fn rotate_webhook_out_sub_secret(
        &self,
        scope: &Scope<'_>,
        id: WebhookOutSubId,
        secret: SigningSecret,
        overlap: Duration,
    ) -> Result<WithSecret, Denied> {
        let change = self.change(scope.caller());
        let integration_id = scope.integration_id();
        let rotated =
            self.store
                .rotate_webhook_out_sub_secret(integration_id, id, secret, overlap, change);
        Ok(rotated.await?)
    }

    /// Makes a job from a sample order.
    ///
    /// # Errors
    /// Refused where the subscription does not exist or is not active (`id`).
    pub async fn send_test(
        &self,
        scope: &Scope<'_>,
        id: WebhookOutSubId,
    ) -> Result<WebhookJob, Denied> {
        let change = self.change(scope.caller());
        let integration_id = scope.integration_id();
        Ok(self.store.send_test(integration_id, id, change).await?)
    }

    /// A subscription.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    pub async fn webhook_out_sub(
        &self,
        scope: &Scope<'_>,
        id: WebhookOutSubId,
    ) -> Result<WebhookOutSub, Denied> {
        let integration_id = scope.integration_id();
        let found = self.store.webhook_out_sub(integration_id, id).await?;
        found.ok_or_else(|| Denied::does_not_exist("id"))
    }

    /// Subscriptions; only those that are `active`, or are not, where that is told.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn webhook_out_subs(
        &self,
        scope: &Scope<'_>,
        active: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<WebhookOutSub>, Denied> {
        let integration_id = scope.integration_id();
        let found = self.store.webhook_out_subs(integration_id, active, query);
        Ok(found.await?)
    }
}
