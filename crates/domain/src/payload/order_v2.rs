//! The view `order_v2`: status-driven, without an event.

use serde_json::value::RawValue;

use super::StageFacts;
use super::write::{Members, Object, items};
use crate::order::OrderField;
use crate::time::Moment;

const CLIENT: &[(&str, &str)] = &[
    ("first_name", "first_name"),
    ("last_name", "last_name"),
    ("email", "email"),
    ("phone", "phone"),
];
const PROPERTY: &[(&str, &str)] = &[
    ("price", "price"),
    ("sqft", "square_footage"),
    ("bedrooms", "bedrooms"),
    ("bathrooms", "bathrooms"),
];
const ADDRESS: &[(&str, &str)] = &[
    ("street", "street"),
    ("address2", "street2"),
    ("city", "city"),
    ("province", "state"),
    ("postal_code", "postal_code"),
];
const LINKS: &[(&str, &str)] = &[
    ("tour_link", "tour_link"),
    ("tour_mls_link", "tour_mls_link"),
    ("zillow_3d_link", "zillow_3d_link"),
    ("matterport_3d_link", "matterport_3d_link"),
    ("video_slideshow_link", "video_slideshow_link"),
    ("photo_manage_link", "photo_manage_link"),
];
const SERVICE: &[(&str, &str)] = &[
    ("group_id", "group_id"),
    ("group_slug", "group_slug"),
    ("group_name", "group_name"),
    ("quantity", "quantity"),
    ("service_instructions", "service_instructions"),
];

pub(super) fn render(out: &mut Vec<u8>, facts: &StageFacts<'_>) {
    let fields = facts.fields;
    let mut order = Object::begin(out);
    order.null("request_id");
    order.integer("order_id", facts.order_id.0);
    // An order is requested by creating it: both times are the same.
    let created_at = datetime(facts.order_created_at);
    for name in ["request_datetime", "order_datetime"] {
        order.text(name, created_at.as_deref());
    }
    order.text("order_status", Some(facts.order_status));
    order.boolean(
        "submitted_cancel_onsite",
        facts.order_status == "submitted_cancel_onsite",
    );
    order.null("job_due_date");
    order.json("order_notes", fields.get(OrderField::OrderNotes));
    order.text("external_id", facts.external_order_id);
    order
        .object("client")
        .picks(&Members::of(fields, OrderField::Client), CLIENT);
    property_info(order.object("property_info"), facts);
    order.array("appointments", fields.get(OrderField::Appointments));
    order
        .object("links")
        .picks(&Members::of(fields, OrderField::Links), LINKS);
    let services = items(fields.get(OrderField::Services));
    let primary = services.as_ref().and_then(|services| services.first());
    order.value("primary_service", |out| match primary {
        Some(primary) => service(out, primary),
        None => out.extend_from_slice(b"null"),
    });
    order.value("add_on_services", |out| match &services {
        Some(services) => add_ons(out, services),
        None => out.extend_from_slice(b"null"),
    });
}

fn property_info(mut info: Object<'_>, facts: &StageFacts<'_>) {
    let property = Members::of(facts.fields, OrderField::Property);
    info.picks(&property, PROPERTY);
    info.json(
        "property_id",
        facts.fields.get(OrderField::ExternalPropertyId),
    );
    info.json("property_type", property.get("property_type"));
    info.object("address")
        .picks(&Members::of(facts.fields, OrderField::Address), ADDRESS);
}

fn service(out: &mut Vec<u8>, json: &RawValue) {
    Object::begin(out).picks(&Members::parse(json), SERVICE);
}

fn add_ons(out: &mut Vec<u8>, services: &[&RawValue]) {
    out.push(b'[');
    for (index, json) in services.iter().skip(1).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        service(out, json);
    }
    out.push(b']');
}

/// As this version writes times: milliseconds, and the offset in figures; nothing for a moment outside the calendar.
fn datetime(at: Moment) -> Option<String> {
    let timestamp = jiff::Timestamp::from_microsecond(at.microseconds()).ok()?;
    let written = timestamp.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00");
    Some(written.to_string())
}
