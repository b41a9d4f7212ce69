//! Payload views of one's own, with their revisions.

use async_trait::async_trait;
use domain::id::{IntegrationId, PayloadRenderViewId};
use domain::payload::template::TemplateText;
use domain::payload_render_view::{PayloadRenderView, ViewKey};

use crate::change::{Change, Created, Idempotency};
use crate::error::{Rejection, StoreError};
use crate::page::{ListQuery, Page};

/// A view to be.
#[derive(Clone, Debug)]
pub struct NewPayloadRenderView {
    /// Whose it will be; none for all integrations.
    pub integration_id: Option<IntegrationId>,
    /// Its name for machines.
    pub key: ViewKey,
    /// Its name for people.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its first revision.
    pub template: TemplateText,
    /// Makes the create repeatable.
    pub idempotency: Option<Idempotency>,
}

/// What an update says; `None` means unchanged, and `Some(None)` clears.
#[derive(Clone, Debug, Default)]
pub struct PayloadRenderViewChanges {
    /// Its name for machines.
    pub key: Option<ViewKey>,
    /// Its name for people.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<Option<String>>,
    /// A further revision, unless it is the newest one's text.
    pub template: Option<TemplateText>,
}

/// A view with the text of one of its revisions.
#[derive(Clone, Debug)]
pub struct ShownView {
    /// The view.
    pub view: PayloadRenderView,
    /// The number of the revision.
    pub revision: u32,
    /// Its template, which compiled when it was saved.
    pub template: String,
}

/// Payload views of one's own. Where an `integration_id` may be none, that means the views for all integrations.
#[async_trait]
pub trait PayloadRenderViews {
    /// Makes a view with its first revision.
    ///
    /// # Errors
    /// Refused where the key is taken or there are too many; also where the view would come before one
    /// of which subscriptions of the integration pin a revision (`key`).
    async fn create_payload_render_view(
        &self,
        new: NewPayloadRenderView,
        change: Change,
    ) -> Result<Created<PayloadRenderView>, Rejection>;

    /// Changes a view of the integration, or of those for all; a template is kept as a further revision.
    ///
    /// # Errors
    /// Refused where it does not exist there (`id`), or the key is taken or used by subscriptions (`key`).
    async fn update_payload_render_view(
        &self,
        integration_id: Option<IntegrationId>,
        id: PayloadRenderViewId,
        changes: PayloadRenderViewChanges,
        change: Change,
    ) -> Result<PayloadRenderView, Rejection>;

    /// A view that the integration may use, its own or one for all, with one of its revisions: the
    /// newest unless another is asked for.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn payload_render_view(
        &self,
        integration_id: Option<IntegrationId>,
        id: PayloadRenderViewId,
        revision: Option<u32>,
    ) -> Result<Option<ShownView>, StoreError>;

    /// The views that the integration may use, its own and those for all; searched by `key` and `name`,
    /// sorted by `id`, `key`, `name`, `created_at` or `updated_at`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn payload_render_views(
        &self,
        integration_id: Option<IntegrationId>,
        query: ListQuery,
    ) -> Result<Page<PayloadRenderView>, StoreError>;
}
