//! The view `thin`: what is needed to ask for the rest.

use super::StageFacts;
use super::write::Object;

pub(super) fn render(out: &mut Vec<u8>, facts: &StageFacts<'_>) {
    let mut order = Object::begin(out);
    order.integer("order_id", facts.order_id.0);
    order.text("external_order_id", facts.external_order_id);
    order.integer("order_stage_id", facts.order_stage_id.0);
    order.integer("integration_id", facts.integration_id.0);
    order.integer("sequence", facts.sequence);
    order.text("stage", Some(facts.stage));
    order.text("event", facts.event_slug);
    order.time("stage_at", facts.stage_at);
    order.time("accepted_at", facts.accepted_at);
    order.time("order_created_at", facts.order_created_at);
}
