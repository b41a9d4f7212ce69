//! Who may use which route: the decision for every role and route, taken here a second time.

use std::collections::HashMap;

use domain::user::Role;
use serde_json::json;

use super::harness::Fixture;
use crate::endpoints::all_routes;

/// Who asks. The letters stand for them in the table below.
const CALLERS: [(char, &str); 7] = [
    ('-', "a user without a role"),
    ('l', "a liaison"),
    ('c', "a client"),
    ('e', "an employee"),
    ('n', "an application that is narrowed to one integration"),
    ('a', "an application"),
    ('p', "somebody who came by a link into the portal"),
];

/// The letters of those who may.
const MAY: &[(&str, &str)] = &[
    ("applications/create", "ea"),
    ("applications/index", "ea"),
    ("applications/rotate_token", "ea"),
    ("applications/update", "ea"),
    ("audit_events/index", "ea"),
    ("delivery_statistics/show", "lcenap"),
    ("integrations/create", "ea"),
    ("integrations/index", "lcenap"),
    ("integrations/invitation_email", "cena"),
    ("integrations/portal_link", "cena"),
    ("integrations/show", "lcenap"),
    ("integrations/update", "cena"),
    ("list_items/create", "ea"),
    ("list_items/index", "lcenap"),
    ("list_items/update", "ea"),
    ("notifications/index", "ea"),
    ("notifications/update", "ea"),
    ("order_stages/create", "cena"),
    ("order_stages/create_many", "cena"),
    ("order_stages/index", "lcenap"),
    ("order_stages/show", "lcenap"),
    ("orders/create", "cena"),
    ("orders/index", "lcenap"),
    ("orders/show", "lcenap"),
    ("orders/update", "cena"),
    ("payload_render_views/create", "cena"),
    ("payload_render_views/index", "lcenap"),
    ("payload_render_views/preview", "lcenap"),
    ("payload_render_views/show", "lcenap"),
    ("payload_render_views/update", "cena"),
    ("routes/index", "ea"),
    ("routes/update", "ea"),
    ("services/index", "ea"),
    ("services/update", "ea"),
    ("sessions/delete", "-lce"),
    ("sessions/show", "-lce"),
    ("users/client_register", "-lce"),
    ("users/create", "ea"),
    ("users/index", "ea"),
    ("users/roles_update", "ea"),
    ("users/show", "-lcena"),
    ("users/update", "-lce"),
    ("webhook_jobs/cancel", "cenap"),
    ("webhook_jobs/index", "lcenap"),
    ("webhook_jobs/retry", "lcenap"),
    ("webhook_jobs/replay", "cenap"),
    ("webhook_jobs/retry_many", "cenap"),
    ("webhook_jobs/show", "lcenap"),
    ("webhook_out_subs/create", "cenap"),
    ("webhook_out_subs/delete", "cenap"),
    ("webhook_out_subs/enable", "cenap"),
    ("webhook_out_subs/explain", "lcenap"),
    ("webhook_out_subs/index", "lcenap"),
    ("webhook_out_subs/rotate_secret", "cenap"),
    ("webhook_out_subs/secret", "cenap"),
    ("webhook_out_subs/send_test", "cenap"),
    ("webhook_out_subs/show", "lcenap"),
    ("webhook_out_subs/update", "cenap"),
];

/// Routes that take no token.
const OPEN: &[&str] = &[
    "clients/register",
    "sessions/create",
    "sessions/request_link",
];

#[tokio::test]
async fn every_route_is_open_to_exactly_those_who_may() {
    let fixture = Fixture::new().await;
    let integration = fixture.integration("mine").await;
    let table: HashMap<&str, &str> = MAY.iter().copied().collect();
    for route in all_routes() {
        let action = format!("{}/{}", route.service, route.action);
        if route.token().is_none() {
            assert!(OPEN.contains(&action.as_str()), "{action} takes no token");
            continue;
        }
        let may = table.get(action.as_str());
        let may = may.unwrap_or_else(|| panic!("nobody has decided who may use {action}"));
        for (letter, who) in CALLERS {
            let token = match letter {
                '-' => fixture.person(&[], &[]).await,
                'l' => fixture.person(&[Role::Liaison], &[integration]).await,
                'c' => fixture.person(&[Role::Client], &[integration]).await,
                'e' => fixture.person(&[Role::Employee], &[]).await,
                'n' => {
                    fixture
                        .application(&format!("{action}:{letter}"), Some(integration))
                        .await
                }
                'p' => fixture.portal_link(integration, 3_600).await,
                _ => {
                    fixture
                        .application(&format!("{action}:{letter}"), None)
                        .await
                }
            };
            // Whoever is let in meets what is missing or unknown, and changes nothing.
            let parameters = json!({ "token": token, "unknown": true });
            let (_, answer) = fixture.call(&action, parameters).await;
            let status = answer["status"].as_str().expect("a status");
            let expected: &[&str] = match (may.contains(letter), letter) {
                (true, _) => &["missing-param", "invalid-param"],
                (false, '-') => &["client-required"],
                (false, _) => &["permission-denied"],
            };
            assert!(expected.contains(&status), "{action} for {who}: {answer}");
        }
    }
    for (action, _) in MAY {
        assert!(
            all_routes().any(|route| route.path() == format!("/api/v1/{action}")),
            "{action} is no route any more"
        );
    }
    fixture.close().await;
}

/// What lies in an integration that a person is not scoped to looks like what does not exist.
#[tokio::test]
async fn people_see_the_integrations_that_they_are_scoped_to() {
    let fixture = Fixture::new().await;
    let mine = fixture.integration("mine").await;
    let theirs = fixture.integration("theirs").await;
    let cases = [
        (vec![Role::Client], vec![mine], vec![mine]),
        (vec![Role::Liaison], vec![mine], vec![mine]),
        (vec![Role::Client], vec![], vec![]),
        (
            vec![Role::Client, Role::Liaison],
            vec![mine, theirs],
            vec![mine, theirs],
        ),
        (vec![Role::Employee], vec![], vec![mine, theirs]),
    ];
    for (roles, scoped, seen) in cases {
        let token = fixture.person(&roles, &scoped).await;
        let listed = fixture
            .data("integrations/index", json!({ "token": token }))
            .await;
        let ids: Vec<i64> = listed
            .as_array()
            .expect("a list")
            .iter()
            .map(|integration| integration["id"].as_i64().expect("an id"))
            .collect();
        assert_eq!(ids, seen, "{roles:?} {scoped:?}");
        let show = |id: i64| {
            let parameters = json!({ "token": token, "integration_id": id });
            fixture.call("orders/index", parameters)
        };
        let unknown = show(999).await;
        assert_eq!(unknown.0, 400);
        for id in [mine, theirs] {
            let answer = show(id).await;
            if seen.contains(&id) {
                assert_eq!(answer.0, 200, "{roles:?} {id}");
            } else {
                assert_eq!(answer, unknown, "{roles:?} {id}");
            }
        }
    }
    fixture.close().await;
}
