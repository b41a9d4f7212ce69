//! Registering, signing in and out, and how long that lasts.

use std::time::Duration;

use domain::letter::About;
use domain::user::Role;
use serde_json::{Value, json};

use super::harness::{Fixture, attrs};

const HOUR: Duration = Duration::from_secs(60 * 60);
const TICK: Duration = Duration::from_micros(1);

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// The token in the only letter that came.
fn mailed_link(fixture: &Fixture) -> String {
    let letters = fixture.mailbox.take();
    assert_eq!(letters.len(), 1, "{letters:?}");
    match &letters[0].about {
        About::SignInLink { link_token, .. } | About::Invitation { link_token, .. } => {
            link_token.clone()
        }
        other => panic!("{other:?}"),
    }
}

async fn register(fixture: &Fixture) -> Value {
    let parameters = json!({
        "email": "ann@example.com", "password": "correct horse", "name": "Ann"
    });
    let (_, answer) = fixture.sensitive("clients/register", &parameters).await;
    assert_eq!(answer["status"], "action-successful", "{answer}");
    answer["data"].clone()
}

async fn status(fixture: &Fixture, token: &str) -> String {
    let (_, answer) = fixture
        .call("sessions/show", json!({ "token": token }))
        .await;
    text(&answer["status"])
}

#[tokio::test]
async fn a_client_registers_and_signs_in_by_password() {
    let fixture = Fixture::new().await;
    let made = register(&fixture).await;
    assert_eq!(made["user"]["roles"], json!(["client"]));
    assert_eq!(made["client"]["user_id"], made["user"]["id"]);
    let token = text(&made["session"]["token"]);
    assert_eq!(status(&fixture, &token).await, "action-successful");
    let sign_in = |email: &str, password: &str| {
        let parameters = json!({ "email": email, "password": password });
        let fixture = &fixture;
        async move { fixture.sensitive("sessions/create", &parameters).await }
    };
    let (code, answer) = sign_in("ANN@example.com", "correct horse").await;
    assert_eq!(code, 200, "{answer}");
    assert_eq!(answer["data"]["user"], made["user"]);
    let second = text(&answer["data"]["token"]);
    assert!(second.starts_with("prs_") && second != token);
    let wrong = sign_in("ann@example.com", "wrong horse").await;
    assert_eq!(
        (wrong.0, &wrong.1["status"]),
        (401, &json!("invalid-credentials"))
    );
    assert_eq!(sign_in("nobody@example.com", "correct horse").await, wrong);
    let deleted = fixture
        .data("sessions/delete", json!({ "token": token }))
        .await;
    assert_eq!(deleted["id"], made["session"]["id"]);
    assert_eq!(status(&fixture, &token).await, "invalid-token");
    assert_eq!(status(&fixture, &second).await, "action-successful");
    fixture.close().await;
}

#[tokio::test]
async fn signing_in_takes_a_password_or_a_link() {
    let fixture = Fixture::new().await;
    let cases = [
        (
            json!({ "email": "ann@example.com" }),
            "missing-param",
            vec!["password"],
        ),
        (
            json!({ "remember_me": true }),
            "missing-param",
            vec!["email", "password"],
        ),
        (
            json!({ "email": "ann", "password": "x", "link_token": "prl_" }),
            "invalid-param",
            vec!["email", "password"],
        ),
        (
            json!({ "link_token": "prl_unknown" }),
            "invalid-credentials",
            vec![],
        ),
    ];
    for (parameters, status, places) in cases {
        let (_, answer) = fixture.sensitive("sessions/create", &parameters).await;
        assert_eq!(answer["status"], status, "{parameters}: {answer}");
        assert_eq!(attrs(&answer), places, "{parameters}");
    }
    fixture.close().await;
}

#[tokio::test]
async fn sessions_end_by_age_and_by_rest_unless_the_user_is_remembered() {
    let fixture = Fixture::new().await;
    let token = text(&register(&fixture).await["session"]["token"]);
    // Used every 72 hours to the microsecond it lives for a week, to the microsecond.
    for rest in [72 * HOUR, 72 * HOUR, 24 * HOUR] {
        fixture.clock.advance(rest);
        assert_eq!(status(&fixture, &token).await, "action-successful");
    }
    fixture.clock.advance(TICK);
    assert_eq!(status(&fixture, &token).await, "session-expired");

    let sign_in = json!({ "email": "ann@example.com", "password": "correct horse" });
    let (_, answer) = fixture.sensitive("sessions/create", &sign_in).await;
    let token = text(&answer["data"]["token"]);
    fixture.clock.advance(72 * HOUR + TICK);
    assert_eq!(status(&fixture, &token).await, "session-expired");

    let mut remembered = sign_in.clone();
    remembered["remember_me"] = json!(true);
    let (_, answer) = fixture.sensitive("sessions/create", &remembered).await;
    assert_eq!(answer["data"]["expires_at"], Value::Null);
    // The preference is the user's: the session before lives again too.
    fixture.clock.advance(10_000 * HOUR);
    assert_eq!(status(&fixture, &token).await, "action-successful");
    let forget = json!({ "token": token, "remember_me": false });
    fixture.data("users/update", forget).await;
    assert_eq!(status(&fixture, &token).await, "session-expired");
    fixture.close().await;
}

#[tokio::test]
async fn last_uses_are_written_now_and_then() {
    let fixture = Fixture::new().await;
    let token = text(&register(&fixture).await["session"]["token"]);
    fixture.clock.advance(50 * HOUR);
    assert_eq!(status(&fixture, &token).await, "action-successful");
    fixture.app().write_last_uses().await.expect("written");
    fixture.clock.advance(71 * HOUR);
    let shown = fixture
        .data("sessions/show", json!({ "token": token }))
        .await;
    assert_eq!(shown["token"], Value::Null, "the token is shown once");
    fixture.close().await;
}

#[tokio::test]
async fn a_user_without_a_role_is_told_how_to_register() {
    let fixture = Fixture::new().await;
    let ask = json!({ "email": "new@example.com" });
    let (code, asked) = fixture.open("sessions/request_link", &ask).await;
    assert_eq!(code, 200, "{asked}");
    let link = mailed_link(&fixture);
    let (code, answer) = fixture
        .sensitive("sessions/create", &json!({ "link_token": link }))
        .await;
    assert_eq!((code, &answer["status"]), (401, &json!("client-required")));
    assert!(text(&answer["message"]).contains("/api/v1/users/client_register"));
    assert!(text(&answer["message"]).contains("https://example.com/register"));
    let token = text(&answer["session"]["token"]);
    // Everywhere else the session comes along too.
    let elsewhere = fixture
        .call("integrations/index", json!({ "token": token }))
        .await;
    assert_eq!(elsewhere.1["status"], "client-required");
    assert_eq!(elsewhere.1["session"]["token"], token);
    assert_eq!(status(&fixture, &token).await, "action-successful");
    let parameters = json!({ "token": token, "name": "New" });
    let made = fixture
        .data("users/client_register", parameters.clone())
        .await;
    assert_eq!(made["user"]["roles"], json!(["client"]));
    assert_eq!(made["session"]["token"], token);
    let again = fixture.call("users/client_register", parameters).await;
    assert_eq!(attrs(&again.1), ["token"]);
    let listed = fixture
        .data("integrations/index", json!({ "token": token }))
        .await;
    assert_eq!(listed, json!([]));
    let used = fixture
        .sensitive("sessions/create", &json!({ "link_token": link }))
        .await;
    assert_eq!(used.1["status"], "invalid-credentials");
    fixture.close().await;
}

#[tokio::test]
async fn a_link_is_good_for_fifteen_minutes_and_nobody_learns_who_is_known() {
    let fixture = Fixture::new().await;
    register(&fixture).await;
    let mut answers = Vec::new();
    for email in ["ann@example.com", "bob@example.com"] {
        let (code, mut answer) = fixture
            .open("sessions/request_link", &json!({ "email": email }))
            .await;
        assert_eq!((code, &answer["data"]["email"]), (200, &json!(email)));
        answer["data"]["email"] = Value::Null;
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
    fixture.mailbox.take();
    for (wait, status) in [
        (Duration::from_secs(900), "action-successful"),
        (Duration::from_secs(900) + TICK, "invalid-credentials"),
    ] {
        fixture
            .open(
                "sessions/request_link",
                &json!({ "email": "ann@example.com" }),
            )
            .await;
        let link = mailed_link(&fixture);
        fixture.clock.advance(wait);
        let parameters = json!({ "link_token": link });
        let (_, answer) = fixture.sensitive("sessions/create", &parameters).await;
        assert_eq!(answer["status"], status);
    }
    fixture.close().await;
}

#[tokio::test]
async fn a_mail_that_cannot_be_sent_leaves_nothing_but_a_notification() {
    let fixture = Fixture::new().await;
    let integration = fixture.integration("mine").await;
    fixture.mailbox.break_down(true);
    let sub = json!({
        "integration_id": integration, "key": "k", "name": "n", "version": "v3",
        "callback_url": "https://example.com/", "notify": true,
        "notification_emails": "ann@example.com, bob@example.com",
    });
    let invite = json!({ "id": integration, "email": "bob@example.com" });
    let answers = [
        fixture
            .open(
                "sessions/request_link",
                &json!({ "email": "ann@example.com" }),
            )
            .await,
        fixture.call("integrations/invitation_email", invite).await,
        fixture.call("webhook_out_subs/create", sub.clone()).await,
    ];
    for (code, answer) in answers {
        assert_eq!(
            (code, &answer["status"]),
            (500, &json!("mandrill-email-failed"))
        );
    }
    let index = json!({ "integration_id": integration });
    assert_eq!(
        fixture.data("webhook_out_subs/index", index).await,
        json!([])
    );
    let notifications = fixture.data("notifications/index", json!({})).await;
    assert_eq!(notifications[0]["kind"], "mail_failed");
    assert_eq!(notifications[0]["times"], 3);
    fixture.mailbox.break_down(false);
    fixture.data("webhook_out_subs/create", sub).await;
    assert_eq!(fixture.mailbox.take().len(), 2);
    fixture.close().await;
}

#[tokio::test]
async fn notices_go_to_new_addresses_once() {
    let fixture = Fixture::new().await;
    let integration = fixture.integration("mine").await;
    let mut sub = json!({
        "integration_id": integration, "key": "k", "name": "n", "version": "v3",
        "callback_url": "https://example.com/", "notify": true,
        "notification_emails": "ann@example.com,bob@example.com,ann@example.com",
        "idempotency_key": "once",
    });
    let to = |fixture: &Fixture| -> Vec<String> {
        let letters = fixture.mailbox.take();
        letters.into_iter().map(|letter| letter.to).collect()
    };
    // What is refused mails nobody.
    sub["statuses"] = json!(["unknown"]);
    let refused = fixture.call("webhook_out_subs/create", sub.clone()).await;
    assert_eq!(
        (attrs(&refused.1), to(&fixture).len()),
        (vec!["statuses[0]"], 0)
    );
    sub["statuses"] = json!(["hold"]);
    let made = fixture.data("webhook_out_subs/create", sub.clone()).await;
    assert_eq!(to(&fixture), ["ann@example.com", "bob@example.com"]);
    let again = fixture.data("webhook_out_subs/create", sub).await;
    assert_eq!((&again["replayed"], to(&fixture).len()), (&json!(true), 0));
    let update = |changes: Value| {
        let mut parameters = json!({
            "integration_id": integration, "id": made["id"], "version": "v3"
        });
        for (name, value) in changes.as_object().expect("an object") {
            parameters[name] = value.clone();
        }
        fixture.call("webhook_out_subs/update", parameters)
    };
    update(json!({ "notification_emails": "bob@example.com,eve@example.com" })).await;
    assert_eq!(to(&fixture), ["eve@example.com"]);
    update(json!({ "notify": false, "notification_emails": "zoe@example.com" })).await;
    assert_eq!(to(&fixture).len(), 0);
    update(json!({ "notify": true })).await;
    assert_eq!(to(&fixture), ["zoe@example.com"]);
    update(json!({ "name": "other" })).await;
    assert_eq!(to(&fixture).len(), 0);
    fixture.close().await;
}

#[tokio::test]
async fn an_invitation_makes_a_client_of_the_integration() {
    let fixture = Fixture::new().await;
    let integration = fixture.integration("mine").await;
    let other = fixture.integration("other").await;
    let client = fixture.person(&[Role::Client], &[integration]).await;
    let invite = |id: i64| {
        let parameters = json!({ "token": client, "id": id, "email": "bob@example.com" });
        fixture.call("integrations/invitation_email", parameters)
    };
    assert_eq!(attrs(&invite(other).await.1), ["id"]);
    assert_eq!(invite(integration).await.0, 200);
    let link = mailed_link(&fixture);
    fixture.clock.advance(7 * 24 * HOUR);
    let parameters = json!({ "link_token": link, "email": "bob@example.com" });
    let (code, answer) = fixture.sensitive("sessions/create", &parameters).await;
    assert_eq!(code, 200, "{answer}");
    assert_eq!(
        answer["data"]["user"]["scoped_integrations"],
        json!([integration])
    );
    assert_eq!(answer["data"]["user"]["roles"], json!(["client"]));
    fixture.close().await;
}

#[tokio::test]
async fn the_eleventh_try_in_a_minute_is_refused_by_account() {
    let fixture = Fixture::new().await;
    register(&fixture).await;
    let sign_in = |password: &str| {
        let parameters = json!({ "email": "ann@example.com", "password": password });
        let fixture = &fixture;
        async move { fixture.sensitive("sessions/create", &parameters).await.1 }
    };
    for _ in 0..10 {
        assert_eq!(sign_in("wrong").await["status"], "invalid-credentials");
    }
    assert_eq!(
        sign_in("correct horse").await["status"],
        "rate-limit-exceeded"
    );
    fixture.clock.advance(Duration::from_secs(60));
    assert_eq!(
        sign_in("correct horse").await["status"],
        "action-successful"
    );
    fixture.close().await;
}

#[tokio::test]
async fn users_are_shown_to_themselves_and_to_operators() {
    let fixture = Fixture::new().await;
    let employee = fixture.person(&[Role::Employee], &[]).await;
    let client = fixture.person(&[Role::Client], &[]).await;
    let own = fixture.data("users/show", json!({ "token": client })).await;
    let id = own["id"].as_i64().expect("an id");
    let show =
        |token: &str, id: i64| fixture.call("users/show", json!({ "token": token, "id": id }));
    assert_eq!(show(&client, id).await.1["data"], own);
    assert_eq!(show(&employee, id).await.1["data"], own);
    assert_eq!(show(&client, id - 1).await, show(&client, 999).await);
    let nameless = fixture.call("users/show", json!({})).await;
    assert_eq!(
        (&nameless.1["status"], attrs(&nameless.1)),
        (&json!("missing-param"), vec!["id"])
    );
    let demoted = json!({ "token": employee, "id": id, "roles": [] });
    fixture.data("users/roles_update", demoted).await;
    let (_, answer) = fixture
        .call("integrations/index", json!({ "token": client }))
        .await;
    assert_eq!(answer["status"], "client-required");
    fixture.close().await;
}
