//! One's own account: what keeps its session alive, and who changes its password.

use std::time::Duration;

use app::{Denied, Use};
use domain::user::Role;
use serde_json::json;

use super::harness::{Fixture, attrs};

const HOUR: Duration = Duration::from_secs(60 * 60);
const TICK: Duration = Duration::from_micros(1);

#[tokio::test]
async fn a_page_that_is_left_open_keeps_no_session_alive() {
    let fixture = Fixture::new().await;
    let token = fixture.person(&[Role::Client], &[]).await;
    let app = &fixture.api.app;
    for _ in 0..72 {
        fixture.clock.advance(HOUR);
        app.recognise(&token, Use::Unattended).await.expect("alive");
    }
    fixture.clock.advance(TICK);
    let over = app.recognise(&token, Use::Unattended).await;
    assert_eq!(over.err(), Some(Denied::SessionExpired));
    fixture.close().await;
}

#[tokio::test]
async fn a_password_is_changed_by_whoever_knows_the_one_of_now() {
    let fixture = Fixture::new().await;
    let asked = json!({ "email": "ann@example.com", "password": "correct horse", "name": "Ann" });
    let (_, made) = fixture.sensitive("clients/register", &asked).await;
    let token = made["data"]["session"]["token"].clone();
    let change = |current: &str| {
        let asked =
            json!({ "token": token, "password": "battery staple", "current_password": current });
        fixture.call("users/update", asked)
    };
    for wrong in ["", "wrong horse", "battery staple"] {
        let (code, refused) = change(wrong).await;
        assert_eq!((code, attrs(&refused)), (400, vec!["current_password"]));
    }
    assert_eq!(change("correct horse").await.0, 200);
    let (code, refused) = change("correct horse").await;
    assert_eq!((code, attrs(&refused)), (400, vec!["current_password"]));
    fixture.close().await;
}
