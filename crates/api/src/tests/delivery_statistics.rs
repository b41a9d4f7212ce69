//! Statistics of deliveries: which periods are told, and what cannot be told.

use serde_json::{Value, json};

use super::harness::{Fixture, attrs};

#[tokio::test]
async fn periods_are_told_in_full_and_what_cannot_be_told_is_refused() {
    let fixture = Fixture::new().await;
    let mine = fixture.integration("mine").await;
    let theirs = fixture.integration("theirs").await;
    let sub = json!({
        "integration_id": theirs, "key": "crm", "name": "CRM", "callback_url": "https://crm.example.com/", "version": "v3"
    });
    let sub = fixture.data("webhook_out_subs/create", sub).await;
    let asked = json!({
        "integration_id": mine, "from": "2026-01-31T00:30:00Z", "to": "2026-01-31T03:00:00Z", "step_seconds": 3600
    });
    let with = |name: &str, value: Value| {
        let mut asked = asked.clone();
        asked[name] = value;
        asked
    };
    let told = fixture
        .data("delivery_statistics/show", asked.clone())
        .await;
    assert_eq!(told["periods"].as_array().map(Vec::len), Some(3), "{told}");
    assert_eq!(told["periods"][0]["begins_at"], "2026-01-31T00:00:00Z");
    assert_eq!(told["ends_at"], "2026-01-31T03:00:00Z");
    assert_eq!(told["total"]["delivered"], 0);
    assert_eq!(told["total"]["waiting"], 0);
    assert_eq!(told["total"]["attempt_time"], Value::Null);
    let refused = [
        ("step_seconds", json!(90), "step_seconds"),
        ("from", json!("2026-01-31T03:00:00Z"), "from"),
        ("from", json!("2025-01-31T03:00:00Z"), "from"),
        ("integration_id", json!(999), "integration_id"),
        (
            "webhook_out_sub_id",
            sub["id"].clone(),
            "webhook_out_sub_id",
        ),
        ("webhook_out_sub_id", json!(999), "webhook_out_sub_id"),
    ];
    for (name, value, place) in refused {
        let asked = with(name, value);
        let (code, answer) = fixture
            .call("delivery_statistics/show", asked.clone())
            .await;
        assert_eq!((code, attrs(&answer)), (400, vec![place]), "{asked}");
    }
    let of_sub = json!({ "integration_id": theirs, "webhook_out_sub_id": sub["id"] });
    let told = fixture.data("delivery_statistics/show", of_sub).await;
    assert_eq!(told["webhook_out_sub_id"], sub["id"]);
    assert_eq!(told["step_seconds"], 60);
    assert_eq!(told["total"]["waiting"], Value::Null);
    fixture.close().await;
}
