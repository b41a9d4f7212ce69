//! Orders and their changes.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::id::{IntegrationId, OrderId, OrderStageId, WebhookJobId, WebhookOutSubId};
use crate::time::Moment;

/// What is known of an order besides its status, by name. Values are JSON as the caller wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderField {
    /// The property's id at the billing entity.
    ExternalPropertyId,
    /// Who pays.
    BillingEntitySlug,
    /// The only location of the order.
    Address,
    /// Facts of the property.
    Property,
    /// Who ordered.
    Client,
    /// How to get in; its `access_code` never leaves in a payload.
    PropertyAccess,
    /// What was ordered; the first one is the primary service.
    Services,
    /// When somebody comes.
    Appointments,
    /// Where tours and the like are.
    Links,
    /// Photos, floor plans and the like.
    Assets,
    /// The caller's own entries.
    Metadata,
    /// A remark.
    OrderNotes,
}

impl OrderField {
    /// All fields, in the order in which they are declared, stored and shown.
    pub const ALL: [OrderField; 12] = [
        OrderField::ExternalPropertyId,
        OrderField::BillingEntitySlug,
        OrderField::Address,
        OrderField::Property,
        OrderField::Client,
        OrderField::PropertyAccess,
        OrderField::Services,
        OrderField::Appointments,
        OrderField::Links,
        OrderField::Assets,
        OrderField::Metadata,
        OrderField::OrderNotes,
    ];

    /// The name of the parameter, and of the member in the stored JSON.
    pub const fn name(self) -> &'static str {
        match self {
            OrderField::ExternalPropertyId => "external_property_id",
            OrderField::BillingEntitySlug => "billing_entity_slug",
            OrderField::Address => "address",
            OrderField::Property => "property",
            OrderField::Client => "client",
            OrderField::PropertyAccess => "property_access",
            OrderField::Services => "services",
            OrderField::Appointments => "appointments",
            OrderField::Links => "links",
            OrderField::Assets => "assets",
            OrderField::Metadata => "metadata",
            OrderField::OrderNotes => "order_notes",
        }
    }
}

/// The fields of an order that are known; as JSON, an object without the unknown ones.
#[derive(Clone, Debug, Default)]
pub struct OrderFields {
    /// One for each of [`OrderField::ALL`].
    values: [Option<Box<RawValue>>; OrderField::ALL.len()],
}

/// What a change says about an order's fields: named ones are replaced whole (a shallow merge),
/// `None` clears.
#[derive(Clone, Debug, Default)]
pub struct OrderChanges {
    /// Each field at most once.
    pub changes: Vec<(OrderField, Option<Box<RawValue>>)>,
}

impl OrderFields {
    /// The JSON of a field that is known.
    pub fn get(&self, field: OrderField) -> Option<&RawValue> {
        self.values[field as usize].as_deref()
    }

    /// Replaces or clears the fields that the change names.
    pub fn merge(&mut self, changes: OrderChanges) {
        for (field, value) in changes.changes {
            self.values[field as usize] = value;
        }
    }

    /// The fields that are known, with their JSON.
    pub fn known(&self) -> impl Iterator<Item = (OrderField, &RawValue)> {
        OrderField::ALL
            .into_iter()
            .filter_map(|field| Some((field, self.get(field)?)))
    }
}

impl OrderChanges {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl Serialize for OrderFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (field, value) in self.known() {
            map.serialize_entry(field.name(), value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for OrderFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = OrderFields;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the fields of an order")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OrderFields, A::Error> {
        let mut fields = OrderFields::default();
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            let value: Box<RawValue> = map.next_value()?;
            // A field that a newer version knows is not an error; it is not shown.
            if let Some(field) = OrderField::ALL
                .into_iter()
                .find(|field| field.name() == name)
            {
                fields.values[field as usize] = Some(value);
            }
        }
        Ok(fields)
    }
}

/// An order as it is kept and shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// Its identity.
    pub id: OrderId,
    /// Whose it is.
    pub integration_id: IntegrationId,
    /// The order system's own id, unique in the integration.
    pub external_order_id: Option<String>,
    /// A slug of the list `order_status`.
    pub status: String,
    /// How many stages it has had; rises by one with each.
    pub sequence: i64,
    /// Everything else that is known.
    pub fields: OrderFields,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
}

/// One change of an order, as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderStage {
    /// Its identity.
    pub id: OrderStageId,
    /// Whose it is.
    pub integration_id: IntegrationId,
    /// The order that changed.
    pub order_id: OrderId,
    /// The how-manieth stage of the order, from 1.
    pub sequence: i64,
    /// The order status that was reported, a slug of the list `order_status`.
    pub stage: String,
    /// The event that was reported, a slug of the list `order_event`.
    pub event_slug: Option<String>,
    /// Whether the order took the status; if not, only the event could match.
    pub update_status: bool,
    /// When it happened, as reported.
    pub stage_at: Moment,
    /// When it was accepted.
    pub created_at: Moment,
}

/// The receipt of an accepted change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedStage {
    /// The stage.
    pub id: OrderStageId,
    /// The order that changed.
    pub order_id: OrderId,
    /// The order status that was reported.
    pub stage: String,
    /// The event that was reported.
    pub event_slug: Option<String>,
    /// When it happened, as reported.
    pub stage_at: Moment,
    /// The jobs that were made.
    pub webhook_jobs: Vec<JobReceipt>,
}

/// A job that an accepted change made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReceipt {
    /// The job.
    pub id: WebhookJobId,
    /// Whom it is for.
    pub webhook_out_sub_id: WebhookOutSubId,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        serde_json::from_str(json).expect("JSON")
    }

    #[test]
    fn the_index_of_a_field_is_its_place_in_the_list() {
        for (index, field) in OrderField::ALL.into_iter().enumerate() {
            assert_eq!(field as usize, index, "{}", field.name());
        }
    }

    #[test]
    fn a_merge_replaces_what_it_names_and_keeps_the_rest() {
        let mut fields: OrderFields = serde_json::from_str(
            r#"{"order_notes":"ring twice","address":{"city":"Denver"},"links":{},"unknown":1}"#,
        )
        .expect("fields");
        fields.merge(OrderChanges {
            changes: vec![
                (OrderField::Address, Some(raw(r#"{"city": "Boulder"}"#))),
                (OrderField::OrderNotes, None),
            ],
        });
        assert_eq!(
            serde_json::to_string(&fields).expect("JSON"),
            r#"{"address":{"city": "Boulder"},"links":{}}"#
        );
    }
}
