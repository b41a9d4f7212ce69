//! What is old and final goes with all that belongs to it, and what waits stays.

use std::time::Duration;

use domain::id::{OrderStageId, WebhookJobId};
use store::{IntegrationChanges, Removable, Removed, RetentionPlace, RetentionPolicy};

use crate::{Working, World, after, change, refused};

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// What is kept where a test does not say otherwise.
fn policy() -> RetentionPolicy {
    let day = Duration::from_secs(DAY_SECONDS);
    RetentionPolicy {
        jobs: 90 * day,
        payloads: None,
        audit_events: 400 * day,
        notifications: 90 * day,
    }
}

/// Takes the steps of a round, each of up to so many records.
async fn round(world: &World<impl Working>, limit: u32, days: u64) -> Removed {
    round_with(world, policy(), limit, days).await
}

async fn round_with(
    world: &World<impl Working>,
    policy: RetentionPolicy,
    limit: u32,
    days: u64,
) -> Removed {
    let (mut place, mut removed) = (Some(RetentionPlace::FIRST), Removed::default());
    while let Some(at) = place {
        let now = after(days * DAY_SECONDS);
        let step = world.store.remove_old(at, policy, limit, now).await;
        let step = step.expect("removed");
        removed.add_all(&step.removed);
        place = step.next;
    }
    removed
}

pub async fn what_is_old_and_final_goes_and_what_waits_stays(world: &World<impl Working>) {
    world.subscribe(world.sub("a")).await;
    let (gone, _) = world.job("A", "ordered").await;
    let (waits, _) = world.job("B", "ordered").await;
    world.job("C", "ordered").await;
    let store = &world.store;
    let canceled = store.cancel_webhook_job(world.integration, gone, change(1));
    canceled.await.expect("canceled");
    assert_eq!(round(world, 1, 89).await.total(), 0);
    round(world, 1, 91).await;
    let shown = |id| store.webhook_job(world.integration, id);
    assert!(shown(gone).await.expect("read").is_none());
    let waiting = shown(waits).await.expect("read").expect("there");
    assert!(waiting.payload.is_some());
    let counts = [
        ("select count(*) from order_stages", 2),
        ("select count(*) from orders", 2),
        ("select count(*) from payloads", 2),
    ];
    for (sql, count) in counts {
        assert_eq!(world.raw.count(sql).await, count, "{sql}");
    }
}

pub async fn an_integration_says_itself_how_long_it_keeps(world: &World<impl Working>) {
    world.subscribe(world.sub("a")).await;
    let mut jobs = Vec::new();
    for order in ["A", "B"] {
        jobs.push(world.job(order, "ordered").await.0);
    }
    let (first, store) = (jobs[0], &world.store);
    let canceled = store.cancel_webhook_job(world.integration, first, change(1));
    canceled.await.expect("canceled");
    let changes = IntegrationChanges {
        retention_days: Some(Some(10)),
        ..IntegrationChanges::default()
    };
    let updated = store.update_integration(world.integration, changes, change(2));
    assert_eq!(updated.await.expect("updated").retention_days, Some(10));
    assert_eq!(round(world, 100, 9).await.total(), 0);
    let removed = round(world, 100, 11).await;
    assert_eq!(removed.of(Removable::OrderStages), 1);
    assert_eq!(removed.of(Removable::WebhookJobs), 1);
}

pub async fn payloads_that_go_earlier_leave_jobs_that_can_only_be_rendered_again(
    world: &World<impl Working>,
) {
    world.subscribe(world.sub("a")).await;
    let (old, _) = world.job("A", "ordered").await;
    let (waits, _) = world.job("B", "ordered").await;
    world.job("C", "ordered").await;
    let store = &world.store;
    let canceled = store.cancel_webhook_job(world.integration, old, change(1));
    canceled.await.expect("canceled");
    let policy = RetentionPolicy {
        payloads: Some(Duration::from_secs(10 * DAY_SECONDS)),
        ..policy()
    };
    let removed = round_with(world, policy, 100, 11).await;
    assert_eq!((removed.total(), removed.of(Removable::Payloads)), (1, 1));
    for (job, has_payload) in [(old, false), (waits, true)] {
        let shown = store.webhook_job(world.integration, job).await;
        let shown = shown.expect("read").expect("there");
        assert_eq!(shown.payload.is_some(), has_payload);
    }
    let retry = |rerender| store.retry_webhook_job(world.integration, old, rerender, change(2));
    assert_eq!(refused(retry(false).await), ["id"]);
    let again = retry(true).await.expect("made again");
    let shown = store.webhook_job(world.integration, again.id).await;
    assert!(shown.expect("read").expect("there").payload.is_some());
}

pub async fn a_step_keeps_its_bounds_and_what_is_left_has_no_gaps(world: &World<impl Working>) {
    for key in ["a", "b", "c"] {
        world.subscribe(world.sub(key)).await;
    }
    let store = &world.store;
    for order in 0..8 {
        // The newest order stays in any case.
        let name = if order < 6 { order % 3 } else { 9 };
        let accepted = world.report(&name.to_string(), "ordered").await;
        for job in accepted.webhook_jobs.iter().filter(|_| order < 6) {
            let canceled = store.cancel_webhook_job(world.integration, job.id, change(1));
            canceled.await.expect("canceled");
        }
    }
    let mut place = Some(RetentionPlace::FIRST);
    let mut removed = Removed::default();
    while let Some(at) = place {
        let now = after(91 * DAY_SECONDS);
        let step = store.remove_old(at, policy(), 2, now).await.expect("taken");
        let records = [Removable::OrderStages, Removable::WebhookJobs];
        let count: u64 = records.map(|what| step.removed.of(what)).iter().sum();
        assert!(count <= 2, "{:?}", step.removed);
        removed.add_all(&step.removed);
        place = step.next;
        let stages = store.verify_order_stages(OrderStageId(0), 100).await;
        assert_eq!(stages.expect("verified").gaps, []);
        let jobs = store.verify_webhook_jobs(WebhookJobId(0), 100).await;
        assert_eq!(jobs.expect("verified").gaps, []);
    }
    assert_eq!(removed.of(Removable::OrderStages), 6);
    assert_eq!(removed.of(Removable::WebhookJobs), 18);
    assert_eq!(removed.of(Removable::Orders), 3);
    assert_eq!(
        world.raw.count("select count(*) from webhook_jobs").await,
        2 * 3
    );
}

/// The laws of this file.
#[macro_export]
macro_rules! retention_laws {
    ($test:ident) => {
        $test! {
            retention: what_is_old_and_final_goes_and_what_waits_stays,
            an_integration_says_itself_how_long_it_keeps,
            payloads_that_go_earlier_leave_jobs_that_can_only_be_rendered_again,
            a_step_keeps_its_bounds_and_what_is_left_has_no_gaps
        }
    };
}
