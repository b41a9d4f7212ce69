//! Recoveries, as callers ask for, follow and stop them.

use domain::id::{RecoveryId, WebhookOutSubId};
use domain::recovery::Recovery;
use domain::time::Moment;
use domain::webhook_out_sub::WebhookOutSub;
use store::{Created, NewRecovery, RecoveryWork, WebhookOutSubChanges};

use crate::app::App;
use crate::caller::Scope;
use crate::denied::Denied;

/// What enabling a subscription came to.
pub struct Enabled {
    /// The subscription, now active.
    pub sub: WebhookOutSub,
    /// What makes the jobs that it missed.
    pub recovery: Option<Recovery>,
}

impl App {
    /// What a recovery would be.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn preview_recovery(
        &self,
        scope: &Scope<'_>,
        mut new: NewRecovery,
    ) -> Result<Recovery, Denied> {
        new.integration_id = scope.integration_id();
        Ok(self.store.preview_recovery(new, self.now()).await?)
    }

    /// Begins a recovery.
    ///
    /// # Errors
    /// Refused where its subscription does not exist or is not active.
    pub async fn begin_recovery(
        &self,
        scope: &Scope<'_>,
        mut new: NewRecovery,
    ) -> Result<Created<Recovery>, Denied> {
        new.integration_id = scope.integration_id();
        let change = self.change(scope.caller());
        Ok(self.store.begin_recovery(new, change).await?)
    }

    /// A recovery.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    pub async fn recovery(&self, scope: &Scope<'_>, id: RecoveryId) -> Result<Recovery, Denied> {
        let integration_id = scope.integration_id();
        let found = self.store.recovery(Some(integration_id), id).await?;
        found.ok_or_else(|| Denied::does_not_exist("id"))
    }

    /// Stops a recovery.
    ///
    /// # Errors
    /// Refused where it does not exist or has ended (`id`).
    pub async fn cancel_recovery(
        &self,
        scope: &Scope<'_>,
        id: RecoveryId,
    ) -> Result<Recovery, Denied> {
        let integration_id = scope.integration_id();
        let change = self.change(scope.caller());
        let canceled = self.store.cancel_recovery(integration_id, id, change);
        Ok(canceled.await?)
    }

    /// Switches a subscription on; with `since`, begins to make the jobs of the changes that it missed since then.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`), or catches up already (`since`).
    pub async fn enable_webhook_out_sub(
        &self,
        scope: &Scope<'_>,
        id: WebhookOutSubId,
        since: Option<Moment>,
        per_second: u32,
    ) -> Result<Enabled, Denied> {
        let Some(since) = since else {
            let on = WebhookOutSubChanges {
                active: Some(true),
                ..WebhookOutSubChanges::default()
            };
            let sub = self.update_webhook_out_sub(scope, id, on, Vec::new());
            return Ok(Enabled {
                sub: sub.await?,
                recovery: None,
            });
        };
        let work = RecoveryWork::CatchUp {
            webhook_out_sub_id: id,
            since,
        };
        let new = NewRecovery {
            integration_id: scope.integration_id(),
            work,
            per_second,
            idempotency: None,
        };
        let begun = self.begin_recovery(scope, new).await?;
        Ok(Enabled {
            sub: self.webhook_out_sub(scope, id).await?,
            recovery: Some(begun.record),
        })
    }
}
