//! The view `order_v3`: event-driven, with the stage, the ids, and everything known of the order.

use super::StageFacts;
use super::write::{Members, Object};
use crate::order::{OrderField, OrderFields};

const LOCATION: &[(&str, &str)] = &[
    ("street", "street"),
    ("street2", "street2"),
    ("city", "city"),
    ("state", "state"),
    ("postal_code", "postal_code"),
    ("latitude", "latitude"),
    ("longitude", "longitude"),
];
const PROPERTY: &[(&str, &str)] = &[
    ("property_type", "property_type"),
    ("bedrooms", "bedrooms"),
    ("bathrooms", "bathrooms"),
    ("price", "price"),
    ("square_footage", "square_footage"),
];
/// `access_code` is left out on purpose: it opens a door. Members are picked by their unescaped names, so no
/// spelling lets it through. What stands inside a picked member is the caller's own affair.
const PROPERTY_ACCESS: &[(&str, &str)] = &[
    ("vacant", "vacant"),
    ("method_of_access", "method_of_access"),
    ("lockbox_location", "lockbox_location"),
    ("onsite_contact_name", "onsite_contact_name"),
    ("onsite_contact_phone", "onsite_contact_phone"),
    ("onsite_contact_email", "onsite_contact_email"),
    ("preferred_date", "preferred_date"),
    ("cutoff_date", "cutoff_date"),
];
const ASSETS: &[(&str, &str)] = &[("photos", "photos"), ("floor_plans", "floor_plans")];

pub(super) fn render(out: &mut Vec<u8>, facts: &StageFacts<'_>) {
    let fields = facts.fields;
    let mut order = Object::begin(out);
    order.text("event", facts.event_slug);
    order.text("status", Some(facts.stage));
    order.text("order_status", Some(facts.order_status));
    order.time("stage_at", facts.stage_at);
    order.integer("order_id", facts.order_id.0);
    order.null("request_id");
    order.null("legacy_order_id");
    order.text("external_order_id", facts.external_order_id);
    order.integer("order_stage_id", facts.order_stage_id.0);
    order.integer("integration_id", facts.integration_id.0);
    order.integer("sequence", facts.sequence);
    order.time("order_created_at", facts.order_created_at);
    for field in [
        OrderField::ExternalPropertyId,
        OrderField::BillingEntitySlug,
    ] {
        order.json(field.name(), fields.get(field));
    }
    property(order.object("property"), facts);
    order.hash("client", fields.get(OrderField::Client));
    property_access(order.object("property_access"), fields);
    order.array("services", fields.get(OrderField::Services));
    order.array("appointments", fields.get(OrderField::Appointments));
    order
        .object("assets")
        .picks(&Members::of(fields, OrderField::Assets), ASSETS);
    for field in [OrderField::Links, OrderField::Metadata] {
        order.hash(field.name(), fields.get(field));
    }
    order.json("order_notes", fields.get(OrderField::OrderNotes));
}

/// How to get in, without what opens the door.
pub(super) fn property_access(mut access: Object<'_>, fields: &OrderFields) {
    access.picks(
        &Members::of(fields, OrderField::PropertyAccess),
        PROPERTY_ACCESS,
    );
}

fn property(mut property: Object<'_>, facts: &StageFacts<'_>) {
    property
        .object("location")
        .picks(&Members::of(facts.fields, OrderField::Address), LOCATION);
    property.picks(&Members::of(facts.fields, OrderField::Property), PROPERTY);
}
