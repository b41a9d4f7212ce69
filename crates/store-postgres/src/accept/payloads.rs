//! The payloads of one stage: each view is rendered and stored once.
//!
//! A view of one's own may fail on a real order. The change is told all the same, by the version's default view; the jobs
//! say why, and so does a notification.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use domain::id::{IntegrationId, PayloadRenderViewId, WebhookOutSubId};
use domain::notification::{NewNotification, NotificationKind};
use domain::payload::template::TemplateFault;
use domain::payload::{StageFacts, View, render};
use domain::webhook_out_sub::Version;
use store::payload::unpack;
use tokio_postgres::types::{FromSql, Type, accepts};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::known::Subscriber;
use crate::list_query::all;
use crate::payload_render_views::rendering::{KnownView, OwnView};

// the ids come in the order of the arrays
pub(crate) const INSERT: &str = "insert into payloads (integration_id, view, version, body) select p.integration_id, p.view, p.version, p.body \
     from unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[]) with ordinality as p (integration_id, view, version, body, place) \
     order by p.place returning id";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT];

/// Bytes to be stored, which every attempt will send.
pub(crate) struct NewPayload {
    pub(crate) integration_id: IntegrationId,
    /// What rendered it.
    pub(crate) view: String,
    pub(crate) version: Version,
    pub(crate) body: Bytes,
}

/// A payload of a job.
#[derive(Clone)]
pub(crate) struct Rendered {
    /// Its place among all that were rendered of the stage.
    pub(crate) place: usize,
    /// Why the subscription's own view is not what rendered it.
    pub(crate) failed: Option<Arc<str>>,
}

/// The body of a payload, as it is read.
pub(crate) struct Body(pub(crate) Vec<u8>);

impl FromSql<'_> for Body {
    fn from_sql(_: &Type, bytes: &[u8]) -> Result<Body, Box<dyn Error + Sync + Send>> {
        Ok(Body(unpack(bytes)?))
    }

    accepts!(BYTEA);
}

/// What was rendered of one stage.
#[derive(Default)]
pub(crate) struct Payloads {
    pub(crate) new: Vec<NewPayload>,
    /// What the operators must know.
    pub(crate) notifications: Vec<NewNotification>,
    known: Vec<(Rendering, Version, Rendered)>,
}

/// What renders.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rendering {
    BuiltIn(View),
    Own(PayloadRenderViewId, u32),
}

impl Payloads {
    /// The payload for a subscriber of the stage that `facts` tells of.
    pub(super) fn of(&mut self, subscriber: &Subscriber, facts: &StageFacts<'_>) -> Rendered {
        let (version, view) = (subscriber.version, &subscriber.view);
        let rendered = self.render(view, version, facts);
        if let (KnownView::Own(own), Some(failed)) = (view, &rendered.failed) {
            self.tell(own, subscriber.recipient.id, facts, failed);
        }
        rendered
    }

    /// The payload of a view. Nobody need be told of a failing one but whoever asked for it.
    pub(crate) fn render(
        &mut self,
        view: &KnownView,
        version: Version,
        facts: &StageFacts<'_>,
    ) -> Rendered {
        let own = match view {
            KnownView::BuiltIn(view) => return self.built_in(*view, version, facts),
            KnownView::Own(own) => own,
        };
        let rendering = Rendering::Own(own.id, own.revision);
        if let Some(known) = self.known(rendering, version) {
            return known;
        }
        let rendered = match render_own(own, facts) {
            Ok(body) => self.add(facts.integration_id, own.name.clone(), version, body),
            Err(fault) => Rendered {
                failed: Some(format!("the view {} failed: {fault}", own.name).into()),
                ..self.built_in(View::default_for(version), version, facts)
            },
        };
        self.known.push((rendering, version, rendered.clone()));
        rendered
    }

    fn built_in(&mut self, view: View, version: Version, facts: &StageFacts<'_>) -> Rendered {
        let rendering = Rendering::BuiltIn(view);
        if let Some(known) = self.known(rendering, version) {
            return known;
        }
        let body = render(view, version, facts);
        let rendered = self.add(facts.integration_id, view.name().to_owned(), version, body);
        self.known.push((rendering, version, rendered.clone()));
        rendered
    }

    /// Adds bytes that were made otherwise.
    pub(crate) fn add(
        &mut self,
        integration_id: IntegrationId,
        view: String,
        version: Version,
        body: Vec<u8>,
    ) -> Rendered {
        self.new.push(NewPayload {
            integration_id,
            view,
            version,
            body: body.into(),
        });
        Rendered {
            place: self.new.len() - 1,
            failed: None,
        }
    }

    fn known(&self, rendering: Rendering, version: Version) -> Option<Rendered> {
        let found = self
            .known
            .iter()
            .find(|known| (known.0, known.1) == (rendering, version));
        found.map(|(_, _, rendered)| rendered.clone())
    }

    /// Notes what is told to the operators once for each stage and view.
    fn tell(
        &mut self,
        own: &OwnView,
        subscriber: WebhookOutSubId,
        facts: &StageFacts<'_>,
        failed: &str,
    ) {
        let about = format!("payload_render_view:{}", own.id);
        if self.notifications.iter().any(|told| told.about == about) {
            return;
        }
        self.notifications.push(NewNotification {
            kind: NotificationKind::PayloadRenderViewFailed,
            about,
            integration_id: Some(facts.integration_id),
            webhook_out_sub_id: Some(subscriber),
            message: format!(
                "Of order {}, {failed}; the default view was sent instead.",
                facts.order_id
            ),
            request_id: None,
            at: facts.accepted_at,
        });
    }
}

fn render_own(own: &OwnView, facts: &StageFacts<'_>) -> Result<Vec<u8>, TemplateFault> {
    match &own.template {
        Ok(template) => template.render(facts),
        Err(fault) => Err(fault.clone()),
    }
}

/// Stores payloads; their ids, in their order.
pub(crate) async fn insert_payloads(
    connection: &Connection,
    payloads: &[NewPayload],
) -> Result<Vec<i64>, Fault> {
    if payloads.is_empty() {
        return Ok(Vec::new());
    }
    let integrations: Vec<i64> = payloads.iter().map(|one| one.integration_id.0).collect();
    let views: Vec<&str> = payloads.iter().map(|one| one.view.as_str()).collect();
    let versions: Vec<&str> = payloads.iter().map(|one| one.version.name()).collect();
    // Not packed: nodes of the version before, which run beside this one while it is rolled out, could not read it.
    let bodies: Vec<&[u8]> = payloads.iter().map(|one| one.body.as_ref()).collect();
    all(
        connection,
        INSERT,
        &[&integrations, &views, &versions, &bodies],
        |row| Ok(row.try_get(0)?),
    )
    .await
}
