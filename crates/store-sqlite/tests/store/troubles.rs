//! What the mails that wait do not tell whoever reads the files.

use std::sync::Arc;

use domain::webhook_out_sub::Ordering;
use store::{Lanes, Mails, NextStep, WebhookOutSubChanges, WebhookOutSubs};

use crate::world::{START, World, after, change, outcome};

#[tokio::test]
async fn what_a_mail_says_is_not_readable_in_the_file() {
    let world = World::new().await;
    let sub = world.subscribe("crm", Ordering::Order).await;
    let changes = WebhookOutSubChanges {
        notify: Some(true),
        notification_emails: Some(Some("ann@example.com".parse().expect("addresses"))),
        ..WebhookOutSubChanges::default()
    };
    let updated = world
        .store
        .update_webhook_out_sub(world.integration, sub, changes, change());
    updated.await.expect("updated");
    let job = world.report("A", "scheduled").await.webhook_jobs[0].id;
    let next = NextStep::Retry {
        at: START,
        passed: false,
    };
    // The tenth failure is told.
    let recorded = world
        .store
        .record(Arc::new([outcome(sub, job, 10, next, None)]));
    recorded.await.expect("recorded");
    let connection =
        rusqlite::Connection::open(world.folder.path().join("postrider.db")).expect("open");
    let about: Vec<u8> = connection
        .query_row("select about from letters", [], |row| row.get(0))
        .expect("a letter");
    assert!(!String::from_utf8_lossy(&about).contains("keeps_failing"));
    let due = world.store.due_mails(after(1), 10).await.expect("mails");
    assert_eq!(due.mails.len(), 1);
}
