//! Views as they are kept in memory: named by a subscription, found, and compiled once.

use std::sync::Arc;

use domain::id::{IntegrationId, PayloadRenderViewId};
use domain::payload::View;
use domain::payload::template::{Template, TemplateFault};
use domain::payload_render_view::ViewName;
use domain::webhook_out_sub::Version;

use super::{find, template};
use crate::connection::Connection;
use crate::fault::Fault;

/// What a subscription's payloads are rendered with.
#[derive(Clone)]
pub(crate) enum KnownView {
    /// One that Postrider brings along.
    BuiltIn(View),
    /// A revision of one's own.
    Own(Arc<OwnView>),
}

/// A revision of a view of one's own.
pub(crate) struct OwnView {
    pub(crate) id: PayloadRenderViewId,
    pub(crate) revision: u32,
    /// Such as `crm@3`, always with the revision.
    pub(crate) name: String,
    /// It compiled when it was saved; a later version of the engine may see that differently.
    pub(crate) template: Result<Template, TemplateFault>,
}

/// The view that a subscription means.
///
/// # Errors
/// Where it is not there, which whoever saves views and subscriptions prevents.
pub(crate) async fn resolve(
    connection: &Connection,
    integration_id: IntegrationId,
    name: Option<&ViewName>,
    version: Version,
) -> Result<KnownView, Fault> {
    let (key, revision) = match name {
        None => return Ok(KnownView::BuiltIn(View::default_for(version))),
        Some(ViewName::BuiltIn(view)) => return Ok(KnownView::BuiltIn(*view)),
        Some(ViewName::Own { key, revision }) => (key, *revision),
    };
    let missing = || {
        let id = integration_id.0;
        Fault::corrupt("payload_render_views", id, "a view is missing")
    };
    let found = find(connection, integration_id, key, revision).await?;
    let (view, revision) = found.ok_or_else(missing)?;
    let text = template(connection, view.id, revision).await?;
    Ok(KnownView::Own(Arc::new(OwnView {
        id: view.id,
        revision,
        name: format!("{}@{revision}", view.key),
        template: Template::compile(&text.ok_or_else(missing)?),
    })))
}
