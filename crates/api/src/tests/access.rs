//! Who may do what, and how soon a renewed token counts.

use std::time::Duration;

use domain::id::ApplicationId;
use domain::token::Token;
use serde_json::json;

use super::harness::{Fixture, attrs};

#[tokio::test]
async fn what_one_may_not_see_looks_like_what_does_not_exist() {
    let fixture = Fixture::new().await;
    let mine = fixture.integration("mine").await;
    let theirs = fixture.integration("theirs").await;
    let token = fixture.application("narrow", Some(mine)).await;
    let actions = [
        "webhook_out_subs/index",
        "orders/index",
        "order_stages/index",
        "webhook_jobs/index",
    ];
    for action in actions {
        let index = |id: i64| fixture.call(action, json!({ "token": token, "integration_id": id }));
        assert_eq!(index(mine).await.0, 200, "{action}");
        let hidden = index(theirs).await;
        assert_eq!(hidden, index(999).await, "{action}");
        assert_eq!(attrs(&hidden.1), ["integration_id"], "{action}");
    }
    let show = |id: i64| fixture.call("integrations/show", json!({ "token": token, "id": id }));
    assert_eq!(show(theirs).await, show(999).await);
    let listed = fixture
        .data("integrations/index", json!({ "token": token }))
        .await;
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    let (code, refused) = fixture
        .call(
            "integrations/create",
            json!({ "token": token, "key": "x", "name": "X" }),
        )
        .await;
    assert_eq!(
        (code, &refused["status"]),
        (403, &json!("permission-denied"))
    );
    fixture.close().await;
}

#[tokio::test]
async fn a_renewed_token_counts_at_once_and_the_old_one_for_less_than_a_second() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.call("integrations/index", json!({})).await.0, 200);
    let renewed = Token::of_application([9; 32]);
    let rotated = fixture
        .store
        .rotate_application_token(
            ApplicationId(1),
            renewed.clone(),
            Duration::ZERO,
            fixture.change(),
        )
        .await;
    rotated.expect("rotated");
    let new = json!({ "token": renewed.text() });
    assert_eq!(fixture.call("integrations/index", new).await.0, 200);
    fixture.clock.advance(Duration::from_secs(1));
    let (code, refused) = fixture.call("integrations/index", json!({})).await;
    assert_eq!((code, &refused["status"]), (401, &json!("invalid-token")));
    fixture.close().await;
}
