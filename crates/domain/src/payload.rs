//! Payloads: what a subscriber is told of a change, in the shape that its view gives it.
//!
//! Rendering happens once per (stage, view, version), inside the transaction that accepts the change, so
//! it writes JSON by joining what is already JSON. What is not known of an order is `null`: the shape of a payload
//! never varies.

mod order_v2;
mod order_v3;
mod sample;
pub mod template;
mod thin;
mod write;

#[cfg(test)]
mod tests;

pub use sample::{Sample, sample};

use crate::id::{IntegrationId, OrderId, OrderStageId};
use crate::order::{Order, OrderFields, OrderStage};
use crate::time::Moment;
use crate::webhook_out_sub::Version;

/// Room that most payloads fit in, in bytes, beside what the order itself holds.
const ROOM_BYTES: usize = 1_536;

/// A way to render a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// Status-driven, as version v2 has it.
    OrderV2,
    /// Event-driven, as version v3 has it.
    OrderV3,
    /// Ids, stage, event and time only; the receiver asks for the rest.
    Thin,
}

/// All that a view can tell.
#[derive(Clone, Copy, Debug)]
pub struct StageFacts<'a> {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub integration_id: IntegrationId,
    /// The change.
    pub order_stage_id: OrderStageId,
    /// The order system's own id.
    pub external_order_id: Option<&'a str>,
    /// The change's place in the order's history.
    pub sequence: i64,
    /// The order status that was reported.
    pub stage: &'a str,
    /// The event that was reported.
    pub event_slug: Option<&'a str>,
    /// The order's status after the change.
    pub order_status: &'a str,
    /// When it happened.
    pub stage_at: Moment,
    /// When it was accepted.
    pub accepted_at: Moment,
    /// When the order was made.
    pub order_created_at: Moment,
    /// What is known of the order.
    pub fields: &'a OrderFields,
}

impl<'a> StageFacts<'a> {
    /// What can be told of a stage, with its order as that is after it, or is now.
    pub fn of(order: &'a Order, stage: &'a OrderStage) -> StageFacts<'a> {
        StageFacts {
            order_id: order.id,
            integration_id: order.integration_id,
            order_stage_id: stage.id,
            external_order_id: order.external_order_id.as_deref(),
            sequence: stage.sequence,
            stage: &stage.stage,
            event_slug: stage.event_slug.as_deref(),
            order_status: if stage.update_status {
                &stage.stage
            } else {
                &order.status
            },
            stage_at: stage.stage_at,
            accepted_at: stage.created_at,
            order_created_at: order.created_at,
            fields: &order.fields,
        }
    }
}

impl View {
    /// The names of the views.
    pub const NAMES: [&'static str; 3] = ["order_v2", "order_v3", "thin"];

    /// The name, as subscriptions use it.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The view of this name.
    pub fn parse(name: &str) -> Option<View> {
        [View::OrderV2, View::OrderV3, View::Thin]
            .into_iter()
            .find(|view| view.name() == name)
    }

    /// The view of a subscription that names none.
    pub const fn default_for(version: Version) -> View {
        match version {
            Version::V2 => View::OrderV2,
            Version::V3 => View::OrderV3,
        }
    }
}

/// Renders the payload: JSON, the same bytes for the same facts. Built-in views have one shape in all
/// versions.
pub fn render(view: View, _version: Version, facts: &StageFacts<'_>) -> Vec<u8> {
    let known: usize = facts.fields.known().map(|(_, json)| json.get().len()).sum();
    let mut out = Vec::with_capacity(ROOM_BYTES + known);
    match view {
        View::OrderV2 => order_v2::render(&mut out, facts),
        View::OrderV3 => order_v3::render(&mut out, facts),
        View::Thin => thin::render(&mut out, facts),
    }
    out
}
