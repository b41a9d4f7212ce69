//! Tests of the built-in views.

use serde_json::Value;

use super::*;

const AT: Moment = Moment::from_microseconds(1_769_862_600_250_000);

fn rendered(view: View, fields: &str) -> Value {
    let fields: OrderFields = serde_json::from_str(fields).expect("fields");
    let facts = StageFacts {
        order_id: OrderId(7),
        integration_id: IntegrationId(3),
        order_stage_id: OrderStageId(70),
        external_order_id: Some("A-\"1\""),
        sequence: 2,
        stage: "completed",
        event_slug: Some("order.delivered"),
        order_status: "completed",
        stage_at: AT,
        accepted_at: AT,
        order_created_at: AT,
        fields: &fields,
    };
    let bytes = render(view, Version::V3, &facts);
    assert_eq!(bytes, render(view, Version::V3, &facts));
    serde_json::from_slice(&bytes).expect("JSON")
}

const FULL: &str = r#"{"external_property_id":"P1","billing_entity_slug":"acme","order_notes":"ring \"twice\"",
"address":{"street":"1 Main","street2":"Apt 2","city":"Denver","state":"CO","postal_code":"80202","latitude":1.5,"longitude":-2},
"property":{"property_type":"land","bedrooms":"3","bathrooms":2.5,"price":"1","square_footage":900,"pool":true},
"client":{"first_name":"Ann","last_name":"Lee","email":"a@b.c","phone":"1","vip":true},
"property_access":{"vacant":false,"\u0061ccess_code":"1234","access_code":"5678","method_of_access":"keypad","deep":{"access_code":"9"}},
"services":[{"group_slug":"photos","quantity":1},{"group_slug":"tour"},{"group_slug":"plan"}],
"appointments":[{"start_datetime":"x"}],"links":{"tour_link":"https://t","other":1},
"assets":{"photos":["p"],"more":1},"metadata":{"k":"v"}}"#;

#[test]
fn v2_has_its_fields_and_no_event() {
    let payload = rendered(View::OrderV2, FULL);
    let expected: Value = serde_json::from_str(
        r#"{"request_id":null,"order_id":7,"request_datetime":null,"order_datetime":"2026-01-31T12:30:00.250+00:00",
        "order_status":"completed","submitted_cancel_onsite":false,"job_due_date":null,"order_notes":"ring \"twice\"",
        "external_id":"A-\"1\"","client":{"first_name":"Ann","last_name":"Lee","email":"a@b.c","phone":"1"},
        "property_info":{"price":"1","sqft":900,"bedrooms":"3","bathrooms":2.5,"property_id":"P1","property_type":"land",
        "address":{"street":"1 Main","address2":"Apt 2","city":"Denver","province":"CO","postal_code":"80202"}},
        "appointments":[{"start_datetime":"x"}],
        "links":{"tour_link":"https://t","tour_mls_link":null,"zillow_3d_link":null,"matterport_3d_link":null,"video_slideshow_link":null,"photo_manage_link":null},
        "primary_service":{"group_id":null,"group_slug":"photos","group_name":null,"quantity":1,"service_instructions":null},
        "add_on_services":[{"group_id":null,"group_slug":"tour","group_name":null,"quantity":null,"service_instructions":null},
        {"group_id":null,"group_slug":"plan","group_name":null,"quantity":null,"service_instructions":null}]}"#,
    )
    .expect("JSON");
    assert_eq!(payload, expected);
}

#[test]
fn v3_carries_event_stage_and_ids() {
    let payload = rendered(View::OrderV3, FULL);
    let expected: Value = serde_json::from_str(
        r#"{"event":"order.delivered","status":"completed","order_status":"completed","stage_at":"2026-01-31T12:30:00.25Z",
        "order_id":7,"request_id":null,"legacy_order_id":null,"external_order_id":"A-\"1\"","order_stage_id":70,"integration_id":3,"sequence":2,
        "order_created_at":"2026-01-31T12:30:00.25Z","external_property_id":"P1","billing_entity_slug":"acme",
        "property":{"location":{"street":"1 Main","street2":"Apt 2","city":"Denver","state":"CO","postal_code":"80202","latitude":1.5,"longitude":-2},
        "property_type":"land","bedrooms":"3","bathrooms":2.5,"price":"1","square_footage":900},
        "client":{"first_name":"Ann","last_name":"Lee","email":"a@b.c","phone":"1","vip":true},
        "property_access":{"vacant":false,"method_of_access":"keypad","lockbox_location":null,"onsite_contact_name":null,
        "onsite_contact_phone":null,"onsite_contact_email":null,"preferred_date":null,"cutoff_date":null},
        "services":[{"group_slug":"photos","quantity":1},{"group_slug":"tour"},{"group_slug":"plan"}],
        "appointments":[{"start_datetime":"x"}],"assets":{"photos":["p"],"floor_plans":null},
        "links":{"tour_link":"https://t","other":1},"metadata":{"k":"v"},"order_notes":"ring \"twice\""}"#,
    )
    .expect("JSON");
    assert_eq!(payload, expected);
}

#[test]
fn thin_names_only_what_is_needed_to_ask() {
    let payload = rendered(View::Thin, FULL);
    let expected = serde_json::json!({
        "order_id": 7, "external_order_id": "A-\"1\"", "order_stage_id": 70, "integration_id": 3, "sequence": 2,
        "stage": "completed", "event": "order.delivered", "stage_at": "2026-01-31T12:30:00.25Z",
    });
    assert_eq!(payload, expected);
}

#[test]
fn the_access_code_never_leaves() {
    for view in [View::OrderV2, View::OrderV3, View::Thin] {
        let text = rendered(view, FULL).to_string();
        for code in ["1234", "5678", "access_code"] {
            assert!(!text.contains(code), "{} holds {code}", view.name());
        }
    }
}

/// The names of all members, however deep, of what has one shape in every payload.
fn shape(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| {
                let deeper = shape(value)
                    .into_iter()
                    .map(move |rest| format!("{name}.{rest}"));
                std::iter::once(name.clone()).chain(deeper)
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_shape_is_the_same_whatever_is_known_or_of_another_type() {
    let strange = r#"{"address":7,"property":[],"client":null,"property_access":"x","services":{},
        "appointments":true,"links":[1],"assets":"a","metadata":null,"order_notes":5}"#;
    for view in [View::OrderV2, View::OrderV3] {
        let empty = rendered(view, "{}");
        let odd = rendered(view, strange);
        assert_eq!(shape(&empty), shape(&odd), "{}", view.name());
        let unknown = if view == View::OrderV2 {
            "primary_service"
        } else {
            "services"
        };
        assert_eq!(empty[unknown], Value::Null);
    }
}

#[test]
fn of_members_that_stand_twice_the_last_counts() {
    let payload = rendered(View::OrderV3, r#"{"address":{"city":"A","cit\u0079":"B"}}"#);
    assert_eq!(payload["property"]["location"]["city"], "B");
}

#[test]
fn the_sample_is_whole_in_every_view() {
    let sample = sample(IntegrationId(3), AT);
    let facts = sample.facts();
    assert_eq!(
        facts.fields.known().count(),
        crate::order::OrderField::ALL.len()
    );
    for view in [View::OrderV2, View::OrderV3, View::Thin] {
        let bytes = render(view, Version::V2, &facts);
        let payload: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(payload["order_id"], 0);
    }
}

#[test]
fn views_are_known_by_name() {
    for name in View::NAMES {
        assert_eq!(View::parse(name).map(View::name), Some(name));
    }
    assert_eq!(View::parse("order_v4"), None);
    assert_eq!(View::default_for(Version::V2), View::OrderV2);
    assert_eq!(View::default_for(Version::V3), View::OrderV3);
}
