//! Links into the portal: where they lead, how long they are good, and who is said to have acted.

use std::time::Duration;

use serde_json::{Value, json};

use super::harness::{Fixture, attrs};

fn sub(integration: i64, key: &str) -> Value {
    json!({
        "integration_id": integration, "key": key, "name": "CRM", "callback_url": "https://crm.example.com/", "version": "v3",
        "statuses": ["scheduled"]
    })
}

fn with(mut parameters: Value, token: &str) -> Value {
    parameters["token"] = json!(token);
    parameters
}

#[tokio::test]
async fn a_link_leads_to_its_integration_alone_and_the_audit_trail_says_who_came() {
    let fixture = Fixture::new().await;
    let mine = fixture.integration("mine").await;
    let theirs = fixture.integration("theirs").await;
    let asked = json!({ "id": mine, "subject": "Bob of Acme" });
    let made = fixture.data("integrations/portal_link", asked).await;
    let token = made["token"].as_str().expect("a token");
    assert_eq!(made["url"], format!("https://p.example.com/portal/{token}"));
    let sub_id = fixture
        .data("webhook_out_subs/create", with(sub(mine, "crm"), token))
        .await["id"]
        .clone();
    let other = fixture
        .data("webhook_out_subs/create", sub(theirs, "crm"))
        .await["id"]
        .clone();
    let calls = [
        ("webhook_out_subs/index", json!({})),
        ("webhook_out_subs/show", json!({ "id": other })),
        ("orders/index", json!({})),
        ("webhook_jobs/index", json!({})),
        ("webhook_out_subs/explain", json!({ "stage": "scheduled" })),
    ];
    for (action, parameters) in calls {
        let mut parameters = with(parameters, token);
        parameters["integration_id"] = json!(theirs);
        let (_, refused) = fixture.call(action, parameters).await;
        assert_eq!(attrs(&refused), ["integration_id"], "{action}");
    }
    let asked = with(json!({ "integration_id": mine, "id": other }), token);
    let (_, refused) = fixture.call("webhook_out_subs/show", asked).await;
    assert_eq!(attrs(&refused), ["id"]);
    let listed = fixture
        .data("integrations/index", json!({ "token": token }))
        .await;
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    let asked = json!({ "filters": { "noun": ["webhook_out_sub"], "record_id": [sub_id] } });
    let events = fixture.data("audit_events/index", asked).await;
    assert_eq!(events[0]["actor"], json!({ "portal": "Bob of Acme" }));
    fixture.close().await;
}

#[tokio::test]
async fn a_link_is_good_until_it_expires_and_none_is_while_the_route_is_off() {
    let fixture = Fixture::new().await;
    let integration = fixture.integration("mine").await;
    let token = fixture.portal_link(integration, 60).await;
    let index = || {
        let asked = json!({ "token": token, "integration_id": integration });
        fixture.call("webhook_out_subs/index", asked)
    };
    assert_eq!(index().await.0, 200);
    let mut tampered = token.clone();
    tampered.pop();
    let asked = json!({ "token": tampered, "integration_id": integration });
    let (code, refused) = fixture.call("webhook_out_subs/index", asked).await;
    assert_eq!((code, &refused["status"]), (401, &json!("invalid-token")));

    let routes = json!({ "filters": { "service": "integrations" }, "page": { "size": 200 } });
    let routes = fixture.data("routes/index", routes).await;
    let routes = routes.as_array().expect("a list");
    let route = routes.iter().find(|route| route["action"] == "portal_link");
    let id = &route.expect("the route")["id"];
    for (deployed, status) in [(false, "invalid-token"), (true, "action-successful")] {
        let asked = json!({ "id": id, "deployed": deployed });
        fixture.data("routes/update", asked).await;
        fixture.clock.advance(Duration::from_secs(1));
        assert_eq!(index().await.1["status"], status);
    }
    fixture.clock.advance(Duration::from_secs(58));
    let (code, refused) = index().await;
    assert_eq!((code, &refused["status"]), (401, &json!("session-expired")));
    fixture.close().await;
}

#[tokio::test]
async fn a_link_lives_a_minute_to_a_day_and_is_for_somebody() {
    let fixture = Fixture::new().await;
    let integration = fixture.integration("mine").await;
    let cases = [
        (
            json!({ "subject": "Bob", "expires_in_seconds": 59 }),
            "expires_in_seconds",
        ),
        (
            json!({ "subject": "Bob", "expires_in_seconds": 86_401 }),
            "expires_in_seconds",
        ),
        (json!({ "subject": "" }), "subject"),
        (json!({ "subject": "a".repeat(101) }), "subject"),
    ];
    for (mut asked, attr) in cases {
        asked["id"] = json!(integration);
        let (code, refused) = fixture.call("integrations/portal_link", asked).await;
        assert_eq!((code, attrs(&refused)), (400, vec![attr]));
    }
    let asked = json!({ "id": 999, "subject": "Bob" });
    let (_, refused) = fixture.call("integrations/portal_link", asked).await;
    assert_eq!(attrs(&refused), ["id"]);
    fixture.close().await;
}
