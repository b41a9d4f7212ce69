//! Outgoing webhook subscriptions, as callers make, change and try them.

use std::time::Duration;

use domain::destination::CallbackUrl;
use domain::id::WebhookOutSubId;
use domain::letter::{About, Letter, SubNamed};
use domain::signature::SigningSecret;
use domain::signing_key::{SEED_BYTES, SigningKey};
use domain::webhook_job::WebhookJob;
use domain::webhook_out_sub::WebhookOutSub;
use store::{
    Created, Idempotency, ListQuery, NewSigning, NewWebhookOutSub, Page, Reference, StoreError,
    WebhookOutSubChanges, WithSecret,
};

use crate::app::App;
use crate::caller::Scope;
use crate::denied::Denied;

/// Length of a secret that we make, in bytes: that of the hash it keys (RFC 2104 section 3).
const SECRET_BYTES: usize = 32;

/// A subscription as a notice names it.
struct Noticed<'a> {
    id: Option<WebhookOutSubId>,
    key: &'a str,
    name: &'a str,
    callback_url: &'a CallbackUrl,
}

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

    /// A new signing key.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new_signing_key(&self) -> Result<SigningKey, Denied> {
        let mut seed = [0; SEED_BYTES];
        getrandom::fill(&mut seed)
            .map_err(|error| Denied::Store(StoreError::Failed(error.to_string())))?;
        Ok(SigningKey::from_seed(seed))
    }

    /// Makes a subscription. Where it has `notify`, its addresses are first mailed a notice, once the
    /// `references` are known to hold.
    ///
    /// # Errors
    /// Refused where the key is taken, a slug is unknown, or there are too many. A notice cannot be sent.
    pub async fn create_webhook_out_sub(
        &self,
        scope: &Scope<'_>,
        mut new: NewWebhookOutSub,
        references: Vec<Reference>,
    ) -> Result<Created<WithSecret>, Denied> {
        new.integration_id = scope.integration_id();
        let change = self.change(scope.caller());
        if let Some(emails) = new.notification_emails.as_ref().filter(|_| new.notify)
            && !self.is_repeated(scope, new.idempotency.as_ref()).await?
        {
            let sub = Noticed {
                id: None,
                key: &new.key,
                name: &new.name,
                callback_url: &new.callback_url,
            };
            self.send_notices(scope, sub, emails.addresses(), references)
                .await?;
        }
        Ok(self.store.create_webhook_out_sub(new, change).await?)
    }

    /// Changes a subscription. Where it has `notify`, addresses that are new to it are first mailed a notice,
    /// once the `references` are known to hold.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`), the key is taken, a slug is unknown, or nobody would be
    /// notified. A notice cannot be sent.
    pub async fn update_webhook_out_sub(
        &self,
        scope: &Scope<'_>,
        id: WebhookOutSubId,
        changes: WebhookOutSubChanges,
        references: Vec<Reference>,
    ) -> Result<WebhookOutSub, Denied> {
        if changes.notify.is_some() || changes.notification_emails.is_some() {
            self.send_notices_of(scope, id, &changes, references)
                .await?;
        }
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

    /// Replaces the signing secret, and the key where there is one; for `overlap` the old ones sign as well.
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
        let key = self.new_signing_key()?;
        let new = NewSigning { secret, key };
        let rotated =
            self.store
                .rotate_webhook_out_sub_secret(integration_id, id, new, overlap, change);
        Ok(rotated.await?)
    }

    /// A subscription with its signing secret; the audit trail tells who has seen it.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    pub async fn webhook_out_sub_secret(
        &self,
        scope: &Scope<'_>,
        id: WebhookOutSubId,
    ) -> Result<WithSecret, Denied> {
        let change = self.change(scope.caller());
        let integration_id = scope.integration_id();
        let shown = self
            .store
            .webhook_out_sub_secret(integration_id, id, change);
        Ok(shown.await?)
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

    /// Tells the addresses that an update brings. One that was there while `notify` was off was told nothing
    /// yet.
    async fn send_notices_of(
        &self,
        scope: &Scope<'_>,
        id: WebhookOutSubId,
        changes: &WebhookOutSubChanges,
        references: Vec<Reference>,
    ) -> Result<(), Denied> {
        let before = self.webhook_out_sub(scope, id).await?;
        let told: Vec<&str> = match &before.notification_emails {
            Some(emails) if before.notify => emails.addresses().collect(),
            _ => Vec::new(),
        };
        let after = changes.notification_emails.as_ref();
        let after = after.unwrap_or(&before.notification_emails);
        let Some(emails) = after
            .as_ref()
            .filter(|_| changes.notify.unwrap_or(before.notify))
        else {
            return Ok(());
        };
        let sub = Noticed {
            id: Some(id),
            key: changes.key.as_ref().unwrap_or(&before.key),
            name: changes.name.as_ref().unwrap_or(&before.name),
            callback_url: changes
                .callback_url
                .as_ref()
                .unwrap_or(&before.callback_url),
        };
        let new = emails.addresses().filter(|address| !told.contains(address));
        self.send_notices(scope, sub, new, references).await
    }

    async fn send_notices(
        &self,
        scope: &Scope<'_>,
        sub: Noticed<'_>,
        addresses: impl Iterator<Item = &str>,
        references: Vec<Reference>,
    ) -> Result<(), Denied> {
        let mut addresses: Vec<&str> = addresses.collect();
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.is_empty() {
            return Ok(());
        }
        let refusals = self.check(references).await?;
        if !refusals.is_empty() {
            return Err(Denied::Refused(refusals));
        }
        let sub = SubNamed {
            id: sub.id,
            integration_id: scope.integration_id(),
            integration: self.integration(scope).await?.name,
            key: sub.key.to_owned(),
            name: sub.name.to_owned(),
            callback_url: sub.callback_url.as_str().to_owned(),
        };
        let letter = |to: &str| Letter {
            to: to.to_owned(),
            about: About::NotificationEmail { sub: sub.clone() },
        };
        let letters = addresses.into_iter().map(letter).collect();
        self.send(scope.caller(), letters).await
    }

    /// Whether a create was carried out before, and will only be answered again.
    async fn is_repeated(
        &self,
        scope: &Scope<'_>,
        idempotency: Option<&Idempotency>,
    ) -> Result<bool, Denied> {
        let Some(idempotency) = idempotency else {
            return Ok(false);
        };
        let (integration_id, now) = (scope.integration_id(), self.now());
        let repeated = self
            .store
            .is_repeated(integration_id, idempotency.clone(), now);
        Ok(repeated.await?)
    }
}
