//! Tests of the built-in views.

mod free_json;

use serde_json::Value;

use super::*;

/// When the order was made; the stage happened a second later and was accepted another one later.
const AT: Moment = Moment::from_microseconds(1_769_862_600_250_000);
const VIEWS: [View; 3] = [View::OrderV2, View::OrderV3, View::Thin];

/// The payload's text, of an order with these fields.
fn text(view: View, fields: &str) -> String {
    let fields: OrderFields = serde_json::from_str(fields).expect("fields");
    let second = std::time::Duration::from_secs(1);
    let facts = StageFacts {
        order_id: OrderId(7),
        integration_id: IntegrationId(3),
        order_stage_id: OrderStageId(70),
        external_order_id: Some("A-\"1\""),
        sequence: 2,
        stage: "completed",
        event_slug: Some("order.delivered"),
        order_status: "completed",
        stage_at: AT + second,
        accepted_at: AT + 2 * second,
        order_created_at: AT,
        fields: &fields,
    };
    let bytes = render(view, Version::V3, &facts);
    assert_eq!(bytes, render(view, Version::V3, &facts));
    String::from_utf8(bytes).expect("UTF-8")
}

fn rendered(view: View, fields: &str) -> Value {
    serde_json::from_str(&text(view, fields)).expect("JSON")
}

/// A payload that is written over several lines here.
fn joined(lines: &str) -> String {
    lines.lines().map(str::trim).collect()
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
    let expected = joined(
        r#"{"request_id":null,"order_id":7,"request_datetime":"2026-01-31T12:30:00.250+00:00","order_datetime":"2026-01-31T12:30:00.250+00:00",
        "order_status":"completed","submitted_cancel_onsite":false,"job_due_date":null,"order_notes":"ring \"twice\"",
        "external_id":"A-\"1\"","client":{"first_name":"Ann","last_name":"Lee","email":"a@b.c","phone":"1"},
        "property_info":{"price":"1","sqft":900,"bedrooms":"3","bathrooms":2.5,"property_id":"P1","property_type":"land",
        "address":{"street":"1 Main","address2":"Apt 2","city":"Denver","province":"CO","postal_code":"80202"}},
        "appointments":[{"start_datetime":"x"}],
        "links":{"tour_link":"https://t","tour_mls_link":null,"zillow_3d_link":null,"matterport_3d_link":null,"video_slideshow_link":null,"photo_manage_link":null},
        "primary_service":{"group_id":null,"group_slug":"photos","group_name":null,"quantity":1,"service_instructions":null},
        "add_on_services":[{"group_id":null,"group_slug":"tour","group_name":null,"quantity":null,"service_instructions":null},
        {"group_id":null,"group_slug":"plan","group_name":null,"quantity":null,"service_instructions":null}]}"#,
    );
    assert_eq!(text(View::OrderV2, FULL), expected);
}

#[test]
fn v3_carries_event_stage_and_ids() {
    let expected = joined(
        r#"{"event":"order.delivered","status":"completed","order_status":"completed","stage_at":"2026-01-31T12:30:01.25Z",
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
    );
    assert_eq!(text(View::OrderV3, FULL), expected);
}

#[test]
fn thin_names_only_what_is_needed_to_ask() {
    let expected = joined(
        r#"{"order_id":7,"external_order_id":"A-\"1\"","order_stage_id":70,"integration_id":3,"sequence":2,
        "stage":"completed","event":"order.delivered",
        "stage_at":"2026-01-31T12:30:01.25Z","accepted_at":"2026-01-31T12:30:02.25Z","order_created_at":"2026-01-31T12:30:00.25Z"}"#,
    );
    assert_eq!(text(View::Thin, FULL), expected);
}

/// Of an order of which nothing is known.
const EMPTY_V2: &str = r#"{"request_id":null,"order_id":7,"request_datetime":"2026-01-31T12:30:00.250+00:00",
    "order_datetime":"2026-01-31T12:30:00.250+00:00","order_status":"completed","submitted_cancel_onsite":false,
    "job_due_date":null,"order_notes":null,"external_id":"A-\"1\"",
    "client":{"first_name":null,"last_name":null,"email":null,"phone":null},
    "property_info":{"price":null,"sqft":null,"bedrooms":null,"bathrooms":null,"property_id":null,"property_type":null,
    "address":{"street":null,"address2":null,"city":null,"province":null,"postal_code":null}},"appointments":null,
    "links":{"tour_link":null,"tour_mls_link":null,"zillow_3d_link":null,"matterport_3d_link":null,"video_slideshow_link":null,"photo_manage_link":null},
    "primary_service":null,"add_on_services":null}"#;
const EMPTY_V3: &str = r#"{"event":"order.delivered","status":"completed","order_status":"completed","stage_at":"2026-01-31T12:30:01.25Z",
    "order_id":7,"request_id":null,"legacy_order_id":null,"external_order_id":"A-\"1\"","order_stage_id":70,"integration_id":3,"sequence":2,
    "order_created_at":"2026-01-31T12:30:00.25Z","external_property_id":null,"billing_entity_slug":null,
    "property":{"location":{"street":null,"street2":null,"city":null,"state":null,"postal_code":null,"latitude":null,"longitude":null},
    "property_type":null,"bedrooms":null,"bathrooms":null,"price":null,"square_footage":null},"client":null,
    "property_access":{"vacant":null,"method_of_access":null,"lockbox_location":null,"onsite_contact_name":null,
    "onsite_contact_phone":null,"onsite_contact_email":null,"preferred_date":null,"cutoff_date":null},
    "services":null,"appointments":null,"assets":{"photos":null,"floor_plans":null},"links":null,"metadata":null,"order_notes":null}"#;

#[test]
fn what_is_not_known_or_not_of_the_expected_type_is_null() {
    let odd = r#"{"address":7,"property":[],"client":"x","property_access":["access_code"],"services":{"0":{}},
        "appointments":true,"links":[1],"assets":"a","metadata":-0.5e9}"#;
    for fields in ["{}", odd] {
        assert_eq!(text(View::OrderV2, fields), joined(EMPTY_V2), "{fields}");
        assert_eq!(text(View::OrderV3, fields), joined(EMPTY_V3), "{fields}");
    }
}

#[test]
fn members_of_any_type_carry_over_as_they_were_written() {
    let fields = r#"{"order_notes":"\u00e9\ud83d\ude00 \/","external_property_id":[1, 2],
        "client":{"first_name":{"a":1.10},"email":1e400,"phone":null},
        "services":[7,{"quantity":[]}],"metadata":{"a":1,"a":2}}"#;
    let v2 = text(View::OrderV2, fields);
    for part in [
        r#""order_notes":"\u00e9\ud83d\ude00 \/""#,
        r#""property_id":[1, 2]"#,
        r#""client":{"first_name":{"a":1.10},"last_name":null,"email":1e400,"phone":null}"#,
        r#""primary_service":{"group_id":null,"group_slug":null,"group_name":null,"quantity":null,"service_instructions":null}"#,
        r#""quantity":[],"service_instructions":null}]"#,
    ] {
        assert!(v2.contains(part), "{part} in {v2}");
    }
    let v3 = text(View::OrderV3, fields);
    for part in [
        r#""services":[7,{"quantity":[]}]"#,
        r#""metadata":{"a":1,"a":2}"#,
    ] {
        assert!(v3.contains(part), "{part} in {v3}");
    }
}

#[test]
fn the_access_code_never_leaves_however_it_is_spelled() {
    for spelling in [
        "access_code",
        r"\u0061ccess_code",
        r"acc\u0065ss\u005Fcode",
        r"\u0061\u0063\u0063\u0065\u0073\u0073\u005f\u0063\u006f\u0064\u0065",
    ] {
        let fields = format!(
            r#"{{"property_access":{{"{spelling}":"1234","vacant":true,"{spelling}":["5678"]}},
            "property_\u0061ccess":{{"vacant":true,"{spelling}":{{"code":"9999"}}}}}}"#
        );
        for view in VIEWS {
            for payload in [text(view, &fields), text(view, FULL)] {
                for code in ["1234", "5678", "9999", "access_code", "ccess_code"] {
                    assert!(!payload.contains(code), "{} holds {code}", view.name());
                }
            }
        }
    }
}

#[test]
fn the_first_service_is_the_primary_one() {
    let payload = |services: &str| {
        let payload = rendered(View::OrderV2, &format!(r#"{{"services":{services}}}"#));
        (
            payload["primary_service"]["group_slug"].clone(),
            payload["add_on_services"].as_array().map(Vec::len),
        )
    };
    assert_eq!(payload("[]"), (Value::Null, Some(0)));
    assert_eq!(payload(r#"[{"group_slug":"a"}]"#), ("a".into(), Some(0)));
    assert_eq!(
        payload(r#"[{"group_slug":"a"},{},{}]"#),
        ("a".into(), Some(2))
    );
    assert_eq!(payload("null"), (Value::Null, None));
}

#[test]
fn only_one_status_is_a_cancellation_on_site() {
    let fields = OrderFields::default();
    let sample = sample(IntegrationId(3), AT);
    for (order_status, expected) in [("submitted_cancel_onsite", true), ("canceled", false)] {
        let facts = StageFacts {
            order_status,
            event_slug: None,
            external_order_id: None,
            fields: &fields,
            ..sample.facts()
        };
        let payload = |view| -> Value {
            serde_json::from_slice(&render(view, Version::V2, &facts)).expect("JSON")
        };
        let v2 = payload(View::OrderV2);
        assert_eq!(v2["submitted_cancel_onsite"], expected);
        assert_eq!(v2["external_id"], Value::Null);
        // The stage is what was reported, whatever status the order has.
        assert_eq!(payload(View::OrderV3)["status"], facts.stage);
        assert_eq!(payload(View::OrderV3)["event"], Value::Null);
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
    for view in VIEWS {
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
