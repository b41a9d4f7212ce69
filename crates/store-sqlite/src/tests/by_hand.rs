//! Jobs that people repeat, withdraw and read.

use domain::webhook_job::JobState;
use domain::webhook_out_sub::Ordering;
use store::{NewWebhookOutSub, WebhookJobs, WebhookOutSubChanges, WebhookOutSubs};

use super::world::{Event, World, after, change, refused};

/// A subscription `a` and three stages of one order, of which the first is in flight or waits.
async fn three_jobs(ordering: Ordering) -> (World, [domain::id::WebhookJobId; 3]) {
    let world = World::new().await;
    let new = NewWebhookOutSub {
        ordering,
        ..world.sub("a")
    };
    world.subscribe(new).await;
    let mut jobs = Vec::new();
    for stage in ["ordered", "scheduled", "completed"] {
        jobs.push(world.job("A", stage).await.0);
    }
    world.told.take();
    (world, jobs.try_into().expect("three"))
}

#[tokio::test]
async fn a_held_job_names_the_one_that_it_waits_for() {
    for (ordering, holder) in [
        (Ordering::Order, Some(0)),
        (Ordering::Subscription, Some(0)),
        (Ordering::None, None),
    ] {
        let (world, jobs) = three_jobs(ordering).await;
        let shown = world.store.webhook_job(world.integration, jobs[2]).await;
        let shown = shown.expect("read").expect("a job");
        assert_eq!(shown.job.held_by, holder.map(|index: usize| jobs[index]));
        assert!(
            shown.attempts.is_empty() && shown.payload.is_some_and(|body| body.starts_with(b"{"))
        );
        let retried = world
            .store
            .retry_webhook_job(world.integration, jobs[2], false, change(9))
            .await;
        let retried = retried.expect("retried");
        assert_eq!(retried.held_by, shown.job.held_by);
        let told = if holder.is_none() {
            vec![Event::Ready(jobs[2])]
        } else {
            Vec::new()
        };
        assert_eq!(world.told.take(), told);
    }
}

#[tokio::test]
async fn a_waiting_job_that_is_retried_is_due_now_and_never_later_than_before() {
    let (world, jobs) = three_jobs(Ordering::Order).await;
    world
        .store
        .write(move |writing| {
            let sql = "update webhook_jobs set next_attempt_at = ?2 where id = ?1";
            let due_at = after(500).microseconds();
            writing.connection.execute(sql, (jobs[0].0, due_at))?;
            Ok(())
        })
        .await
        .expect("put off");
    for (at, due) in [(100, 100), (200, 100)] {
        let retried = world
            .store
            .retry_webhook_job(world.integration, jobs[0], false, change(at))
            .await;
        let job = retried.expect("retried");
        assert_eq!(job.next_attempt_at, Some(after(due)));
        assert_eq!(world.told.take(), [Event::Ready(jobs[0])]);
    }
}

#[tokio::test]
async fn a_canceled_job_lets_the_next_one_go() {
    let (world, jobs) = three_jobs(Ordering::Order).await;
    let canceled = world
        .store
        .cancel_webhook_job(world.integration, jobs[1], change(1))
        .await;
    assert_eq!(canceled.expect("canceled").state, JobState::Canceled);
    assert_eq!(world.told.take(), []);
    let canceled = world
        .store
        .cancel_webhook_job(world.integration, jobs[0], change(2))
        .await;
    let canceled = canceled.expect("canceled");
    assert_eq!(
        (canceled.next_attempt_at, canceled.finished_at),
        (None, Some(after(2)))
    );
    assert_eq!(world.told.take(), [Event::Ready(jobs[2])]);
    let again = world
        .store
        .cancel_webhook_job(world.integration, jobs[0], change(3))
        .await;
    assert_eq!(refused(again), ["id"]);
    let trail: Vec<String> = world
        .audited()
        .await
        .into_iter()
        .map(|event| event.2)
        .collect();
    assert_eq!(trail, ["create", "create", "cancel", "cancel"]);
}

#[tokio::test]
async fn a_job_in_flight_is_only_marked_to_be_canceled() {
    let (world, jobs) = three_jobs(Ordering::Order).await;
    world.told.fly(jobs[0]);
    let marked = world
        .store
        .cancel_webhook_job(world.integration, jobs[0], change(1))
        .await;
    let marked = marked.expect("marked");
    assert!(marked.cancel_requested && marked.state == JobState::Pending);
    assert_eq!(world.told.take(), []);
}

#[tokio::test]
async fn a_final_job_is_repeated_as_a_new_one_outside_the_ordering() {
    let (world, jobs) = three_jobs(Ordering::Order).await;
    let canceled = world
        .store
        .cancel_webhook_job(world.integration, jobs[2], change(1))
        .await;
    let old = canceled.expect("canceled");
    let retried = world
        .store
        .retry_webhook_job(world.integration, jobs[2], false, change(5))
        .await;
    let new = retried.expect("retried");
    assert_eq!((new.retry_of, new.state), (Some(old.id), JobState::Pending));
    assert_eq!(
        (new.order_stage_id, new.sequence, &new.status),
        (old.order_stage_id, old.sequence, &old.status)
    );
    assert_ne!(new.webhook_id, old.webhook_id);
    assert_eq!(new.next_attempt_at, Some(after(5)));
    // The first job still waits, and holds the second but not this one.
    assert_eq!(world.told.take(), [Event::Ready(new.id)]);
    let of = |id| world.store.webhook_job(world.integration, id);
    let (old, new) = (of(old.id).await, of(new.id).await);
    let payload =
        |shown: Result<Option<store::JobDetail>, _>| shown.expect("read").expect("a job").payload;
    assert_eq!(payload(old), payload(new));
}

#[tokio::test]
async fn a_job_of_a_subscription_that_is_off_or_gone_is_not_retried() {
    let (world, jobs) = three_jobs(Ordering::Order).await;
    let canceled = world
        .store
        .cancel_webhook_job(world.integration, jobs[0], change(1))
        .await;
    let sub = canceled.expect("canceled").webhook_out_sub_id;
    let off = WebhookOutSubChanges {
        active: Some(false),
        ..WebhookOutSubChanges::default()
    };
    let updated = world
        .store
        .update_webhook_out_sub(world.integration, sub, off, change(2))
        .await;
    updated.expect("off");
    let retry = |id| {
        world
            .store
            .retry_webhook_job(world.integration, id, false, change(3))
    };
    for job in [jobs[0], jobs[1]] {
        assert_eq!(refused(retry(job).await), ["id"], "nothing would be sent");
    }
    let deleted = world
        .store
        .delete_webhook_out_sub(world.integration, sub, change(4))
        .await;
    deleted.expect("deleted");
    assert_eq!(refused(retry(jobs[0]).await), ["id"]);
}

#[tokio::test]
async fn a_job_of_another_integration_is_as_if_it_were_not_there() {
    let (world, jobs) = three_jobs(Ordering::Order).await;
    let other = world.integrate("other").await;
    let shown = world.store.webhook_job(other, jobs[0]).await.expect("read");
    assert!(shown.is_none());
    let retried = world
        .store
        .retry_webhook_job(other, jobs[0], false, change(1))
        .await;
    assert_eq!(refused(retried), ["id"]);
    let canceled = world
        .store
        .cancel_webhook_job(other, jobs[0], change(1))
        .await;
    assert_eq!(refused(canceled), ["id"]);
}
