//! An order that never was, for trying a subscription out.

use crate::id::{IntegrationId, OrderId, OrderStageId};
use crate::order::OrderFields;
use crate::time::Moment;

use super::StageFacts;

const FIELDS: &str = r#"{
"external_property_id":"SAMPLE-PROPERTY",
"billing_entity_slug":"sample",
"address":{"street":"1 Sample Street","street2":null,"city":"Denver","state":"CO","postal_code":"80202","latitude":39.7392,"longitude":-104.9903},
"property":{"property_type":"single_family","bedrooms":3,"bathrooms":2,"price":450000,"square_footage":1800},
"client":{"first_name":"Sam","last_name":"Sample","email":"sam@example.com","phone":"+1 303 555 0100"},
"property_access":{"vacant":true,"method_of_access":"no_access_needed"},
"services":[{"group_id":1,"group_slug":"photos","group_name":"Photos","quantity":25,"service_instructions":null}],
"appointments":[{"start_datetime":"2026-01-31T16:00:00Z","end_datetime":"2026-01-31T17:00:00Z","duration":1}],
"links":{"tour_link":"https://example.com/tour"},
"assets":{"photos":[],"floor_plans":[]},
"metadata":{"note":"This is a test."},
"order_notes":"This is a test."}"#;

/// The stage that a test tells of.
const STAGE: &str = "scheduled";
/// The event that a test tells of.
const EVENT: &str = "appointment.scheduled";

/// An order that never was, and a change of it.
#[derive(Clone, Debug)]
pub struct Sample {
    fields: OrderFields,
    integration_id: IntegrationId,
    at: Moment,
}

/// A sample order of this integration, changed at this moment.
pub fn sample(integration_id: IntegrationId, at: Moment) -> Sample {
    Sample {
        // A test reads it, so the fields are never missing.
        fields: serde_json::from_str(FIELDS).unwrap_or_default(),
        integration_id,
        at,
    }
}

impl Sample {
    /// What a view can tell of it. Ids are 0, which no record has.
    pub fn facts(&self) -> StageFacts<'_> {
        StageFacts {
            order_id: OrderId(0),
            integration_id: self.integration_id,
            order_stage_id: OrderStageId(0),
            external_order_id: Some("SAMPLE-ORDER"),
            sequence: 1,
            stage: STAGE,
            event_slug: Some(EVENT),
            order_status: STAGE,
            stage_at: self.at,
            accepted_at: self.at,
            order_created_at: self.at,
            fields: &self.fields,
        }
    }
}
