//! Mandrill's API as it is documented, played by a server on loopback.

#![expect(
    clippy::expect_used,
    reason = "a test says what it expects, and fails by a panic"
)]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use domain::id::{IntegrationId, WebhookJobId};
use domain::letter::{About, FailedJob, Letter, SubNamed};
use mail::{MailUrl, Post, SendFault, Sender, Transport};
use serde_json::{Value, json};
use testkit::ManualClock;

const KEY: &str = "md-Key_1";

/// Answers each request as told, and keeps it.
struct StandIn {
    post: Post,
    requests: Arc<Mutex<Vec<Value>>>,
}

async fn stand_in(status: u16, answer: impl Into<String>) -> StandIn {
    let requests: Arc<Mutex<Vec<Value>>> = Arc::default();
    let kept = requests.clone();
    let answer = answer.into();
    let answers = move |headers: HeaderMap, body: String| {
        assert_eq!(headers["content-type"], "application/json");
        let request = serde_json::from_str(&body).expect("JSON");
        kept.lock().expect("no panic").push(request);
        let status = StatusCode::from_u16(status).expect("a status");
        async move { (status, answer) }
    };
    let router = Router::new().route("/api/1.0/messages/send.json", post(answers));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    StandIn {
        post: post_to(&format!("mandrill+http://{KEY}@{address}")),
        requests,
    }
}

fn post_to(url: &str) -> Post {
    let url = MailUrl::parse(url).expect("a way");
    let transport = Transport::new(&url, None).expect("set up");
    let sender = Sender::new("Postrider <p@example.com>", "https://p.example.com");
    let clock = Arc::new(ManualClock::default());
    Post::new(sender.expect("a sender"), transport, clock)
}

fn letter(payload: &str) -> Letter {
    let sub = SubNamed {
        id: None,
        integration_id: IntegrationId(1),
        integration: "Acme".to_owned(),
        key: "crm".to_owned(),
        name: "CRM ü".to_owned(),
        callback_url: "https://crm.example.com".to_owned(),
    };
    let job = FailedJob {
        id: WebhookJobId(1),
        order_id: None,
        status: "scheduled".to_owned(),
        event: None,
        attempt_count: 10,
        exhausted: true,
        last_fault: "timed out".to_owned(),
        payload: payload.to_owned(),
    };
    Letter {
        to: "ann@example.com".to_owned(),
        about: About::KeepsFailing { sub, job, jobs: 1 },
    }
}

fn receipt(status: &str, reject_reason: Option<&str>) -> String {
    let receipt = json!([{ "email": "ann@example.com", "status": status, "reject_reason": reject_reason, "_id": "a1" }]);
    receipt.to_string()
}

#[tokio::test]
async fn the_request_is_the_documented_one() {
    let stand_in = stand_in(200, receipt("sent", None)).await;
    let large = "y".repeat(100_000);
    let letters = [letter("{\"a\":1}"), letter(&large)];
    stand_in.post.send_now(&letters).await.expect("sent");
    let mut requests = stand_in.requests.lock().expect("no panic").clone();
    requests.sort_by_key(|request| request.to_string().len());
    let message = &requests[0]["message"];
    assert_eq!(requests[0]["key"], KEY);
    assert_eq!(message["from_email"], "p@example.com");
    assert_eq!(message["from_name"], "Postrider");
    assert_eq!(
        message["to"],
        json!([{ "email": "ann@example.com", "type": "to" }])
    );
    assert_eq!(message["subject"], "CRM ü keeps failing");
    assert_eq!(message["headers"]["Auto-Submitted"], "auto-generated");
    assert_eq!(
        (&message["track_opens"], &message["track_clicks"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(message["attachments"], json!([]));
    for form in ["text", "html"] {
        let text = message[form].as_str().expect("text");
        assert!(text.contains("timed out"), "{text}");
    }
    let attached = &requests[1]["message"]["attachments"][0];
    assert_eq!(
        (&attached["type"], &attached["name"]),
        (&json!("application/json"), &json!("payload.json"))
    );
    let content = attached["content"].as_str().expect("base64");
    assert_eq!(content.len(), large.len().div_ceil(3) * 4);
}

#[tokio::test]
async fn what_was_taken_is_sent_and_what_was_rejected_is_never_sent_again() {
    for status in ["sent", "queued", "scheduled"] {
        let stand_in = stand_in(200, receipt(status, None)).await;
        assert_eq!(
            stand_in.post.send_now(&[letter("")]).await,
            Ok(()),
            "{status}"
        );
    }
    let refusal = |name: &str| {
        json!({ "status": "error", "code": -1, "name": name, "message": "no" }).to_string()
    };
    let is_final = [
        (
            200,
            receipt("rejected", Some("hard-bounce")),
            "rejected: hard-bounce",
        ),
        (200, receipt("invalid", None), "invalid: no reason told"),
        (500, refusal("ValidationError"), "ValidationError: no"),
    ];
    for (status, answer, reason) in is_final {
        let stand_in = stand_in(status, answer).await;
        let fault = SendFault::Final(reason.to_owned());
        assert_eq!(stand_in.post.send_now(&[letter("")]).await, Err(fault));
    }
    let is_passing = [
        (500, refusal("Invalid_Key"), "Invalid_Key: no"),
        (502, "<html>".to_owned(), "answered 502"),
        (302, String::new(), "answered 302"),
        (
            200,
            "[]".to_owned(),
            "the answer is no receipt for one recipient",
        ),
        (200, "x".repeat(100_000), "the answer is too long"),
    ];
    for (status, answer, reason) in is_passing {
        let stand_in = stand_in(status, answer).await;
        let fault = SendFault::Passing(reason.to_owned());
        assert_eq!(stand_in.post.send_now(&[letter("")]).await, Err(fault));
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_told_without_key_and_address() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback");
    let address = free.local_addr().expect("bound");
    drop(free);
    let fault = post_to(&format!("mandrill+http://{KEY}@{address}"))
        .send_now(&[letter("")])
        .await;
    let Err(SendFault::Passing(reason)) = fault else {
        panic!("{fault:?}");
    };
    assert!(
        !reason.contains(KEY) && !reason.contains("ann@"),
        "{reason}"
    );
}
