//! The payloads of one stage: each view is rendered and stored once.
//!
//! A view of one's own may fail on a real order. The change is told all the same, by the version's default view; the jobs
//! say why, and so does a notification.

use std::sync::Arc;

use bytes::Bytes;
use domain::id::{PayloadRenderViewId, WebhookOutSubId};
use domain::notification::{NewNotification, NotificationKind};
use domain::payload::template::TemplateFault;
use domain::payload::{StageFacts, View, render};
use domain::webhook_out_sub::Version;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, params};
use store::payload::{pack, unpack};

use crate::fault::Fault;
use crate::known::Subscriber;
use crate::notifications;
use crate::payload_render_views::rendering::{KnownView, OwnView};
use crate::writing::Writing;

pub(crate) const INSERT_PAYLOAD: &str =
    "insert into payloads (view, version, body) values (?1, ?2, ?3)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT_PAYLOAD];

/// The bytes that every attempt sends.
#[derive(Clone)]
pub(crate) struct Payload {
    pub(crate) id: i64,
    pub(crate) body: Bytes,
    /// Why the subscription's own view is not what rendered it.
    pub(crate) failed: Option<Arc<str>>,
}

/// The body of a payload, as it is read.
pub(crate) struct Body(pub(crate) Vec<u8>);

impl FromSql for Body {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Body> {
        let body = unpack(value.as_blob()?);
        body.map(Body)
            .map_err(|broken| FromSqlError::Other(Box::new(broken)))
    }
}

/// What was rendered of one stage.
#[derive(Default)]
pub(crate) struct Payloads {
    rendered: Vec<(Rendering, Version, Payload)>,
}

/// What renders.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rendering {
    BuiltIn(View),
    Own(PayloadRenderViewId, u32),
}

impl Payloads {
    /// The payload for a subscriber of the stage that `facts` tells of.
    pub(super) fn of(
        &mut self,
        writing: &Writing,
        subscriber: &Subscriber,
        facts: &StageFacts<'_>,
    ) -> Result<Payload, Fault> {
        let version = subscriber.version;
        let rendering = match &subscriber.view {
            KnownView::BuiltIn(view) => Rendering::BuiltIn(*view),
            KnownView::Own(own) => Rendering::Own(own.id, own.revision),
        };
        if let Some(known) = self.known(rendering, version) {
            return Ok(known);
        }
        let payload = match &subscriber.view {
            KnownView::BuiltIn(view) => built_in(&writing.connection, *view, version, facts)?,
            KnownView::Own(own) => match render_own(own, facts) {
                Ok(body) => store_payload(&writing.connection, &own.name, version, body)?,
                Err(fault) => {
                    let failed = sentence(own, &fault);
                    raise(
                        &writing.connection,
                        own,
                        subscriber.recipient.id,
                        facts,
                        &failed,
                    )?;
                    let default = self.default(&writing.connection, version, facts)?;
                    Payload {
                        failed: Some(failed.into()),
                        ..default
                    }
                }
            },
        };
        self.rendered.push((rendering, version, payload.clone()));
        Ok(payload)
    }

    /// The payload of a test, or of a past stage. Nobody need be told of a failing view but whoever asked for it.
    pub(crate) fn alone(
        connection: &Connection,
        view: &KnownView,
        version: Version,
        facts: &StageFacts<'_>,
    ) -> Result<Payload, Fault> {
        match view {
            KnownView::BuiltIn(view) => built_in(connection, *view, version, facts),
            KnownView::Own(own) => match render_own(own, facts) {
                Ok(body) => store_payload(connection, &own.name, version, body),
                Err(fault) => Ok(Payload {
                    failed: Some(sentence(own, &fault).into()),
                    ..built_in(connection, View::default_for(version), version, facts)?
                }),
            },
        }
    }

    fn default(
        &mut self,
        connection: &Connection,
        version: Version,
        facts: &StageFacts<'_>,
    ) -> Result<Payload, Fault> {
        let view = View::default_for(version);
        let rendering = Rendering::BuiltIn(view);
        if let Some(known) = self.known(rendering, version) {
            return Ok(known);
        }
        let payload = built_in(connection, view, version, facts)?;
        self.rendered.push((rendering, version, payload.clone()));
        Ok(payload)
    }

    fn known(&self, rendering: Rendering, version: Version) -> Option<Payload> {
        let found = self
            .rendered
            .iter()
            .find(|known| (known.0, known.1) == (rendering, version));
        found.map(|(_, _, payload)| payload.clone())
    }
}

fn built_in(
    connection: &Connection,
    view: View,
    version: Version,
    facts: &StageFacts<'_>,
) -> Result<Payload, Fault> {
    store_payload(
        connection,
        view.name(),
        version,
        render(view, version, facts),
    )
}

fn render_own(own: &OwnView, facts: &StageFacts<'_>) -> Result<Vec<u8>, TemplateFault> {
    match &own.template {
        Ok(template) => template.render(facts),
        Err(fault) => Err(fault.clone()),
    }
}

fn sentence(own: &OwnView, fault: &TemplateFault) -> String {
    format!("the view {} failed: {fault}", own.name)
}

/// Tells the operators; what is told stays with the change.
fn raise(
    connection: &Connection,
    own: &OwnView,
    subscriber: WebhookOutSubId,
    facts: &StageFacts<'_>,
    failed: &str,
) -> Result<(), Fault> {
    let notification = NewNotification {
        kind: NotificationKind::PayloadRenderViewFailed,
        about: format!("payload_render_view:{}", own.id),
        integration_id: Some(facts.integration_id),
        webhook_out_sub_id: Some(subscriber),
        message: format!(
            "Of order {}, {failed}; the default view was sent instead.",
            facts.order_id
        ),
        request_id: None,
        at: facts.accepted_at,
    };
    notifications::raise(connection, &notification)
}

/// Stores the bytes that every attempt will send.
pub(crate) fn store_payload(
    connection: &Connection,
    view: &str,
    version: Version,
    body: Vec<u8>,
) -> Result<Payload, Fault> {
    connection.prepare_cached(INSERT_PAYLOAD)?.execute(params![
        view,
        version.name(),
        pack(&body)
    ])?;
    Ok(Payload {
        id: connection.last_insert_rowid(),
        body: body.into(),
        failed: None,
    })
}
