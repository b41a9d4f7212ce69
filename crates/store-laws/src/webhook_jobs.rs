//! Jobs that people repeat, withdraw and read.

use domain::id::WebhookJobId;
use domain::webhook_job::JobState;
use domain::webhook_out_sub::Ordering;
use store::{List, NewListItem, NewWebhookOutSub, NextStep, WebhookOutSubChanges};

use crate::{Event, Working, World, after, change, refused};

/// A subscription and three stages of one order, of which the first is in flight or waits.
async fn three_jobs(
    world: &World<impl Working>,
    key: &str,
    ordering: Ordering,
) -> [WebhookJobId; 3] {
    let new = NewWebhookOutSub {
        ordering,
        statuses: vec![format!("{key}_1"), format!("{key}_2"), format!("{key}_3")],
        ..world.sub(key)
    };
    for slug in &new.statuses {
        let word = NewListItem {
            list: List::OrderStatus,
            slug: slug.clone(),
            name: slug.clone(),
            description: None,
            active: true,
            idempotency: None,
        };
        world
            .store
            .create_list_item(word, change(0))
            .await
            .expect("a word");
    }
    let statuses = new.statuses.clone();
    world.subscribe(new).await;
    let mut jobs = Vec::new();
    for stage in statuses {
        jobs.push(world.job(&format!("order-{key}"), &stage).await.0);
    }
    world.told.take();
    jobs.try_into().expect("three")
}

pub async fn a_held_job_names_the_one_that_it_waits_for(world: &World<impl Working>) {
    for (ordering, holder) in [
        (Ordering::Order, Some(0)),
        (Ordering::Subscription, Some(0)),
        (Ordering::None, None),
    ] {
        let jobs = three_jobs(world, ordering.name(), ordering).await;
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

pub async fn a_waiting_job_that_is_retried_is_due_now_and_never_later_than_before(
    world: &World<impl Working>,
) {
    let jobs = three_jobs(world, "a", Ordering::Order).await;
    let put_off = NextStep::Retry {
        at: after(500),
        passed: false,
    };
    let sub = world.store.webhook_job(world.integration, jobs[0]).await;
    let sub = sub.expect("read").expect("a job").job.webhook_out_sub_id;
    world.record(sub, jobs[0], 1, put_off).await;
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

pub async fn a_canceled_job_lets_the_next_one_go(world: &World<impl Working>) {
    let jobs = three_jobs(world, "a", Ordering::Order).await;
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
    let trail = world.audited("webhook_job").await;
    assert_eq!(trail, ["cancel", "cancel"]);
}

pub async fn a_job_in_flight_is_only_marked_to_be_canceled(world: &World<impl Working>) {
    let jobs = three_jobs(world, "a", Ordering::Order).await;
    world.told.fly(jobs[0]);
    let marked = world
        .store
        .cancel_webhook_job(world.integration, jobs[0], change(1))
        .await;
    let marked = marked.expect("marked");
    assert!(marked.cancel_requested && marked.state == JobState::Pending);
    assert_eq!(world.told.take(), []);
}

pub async fn a_final_job_is_repeated_as_a_new_one_outside_the_ordering(
    world: &World<impl Working>,
) {
    let jobs = three_jobs(world, "a", Ordering::Order).await;
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

pub async fn a_job_of_a_subscription_that_is_off_or_gone_is_not_retried(
    world: &World<impl Working>,
) {
    let jobs = three_jobs(world, "a", Ordering::Order).await;
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

pub async fn a_job_of_another_integration_is_as_if_it_were_not_there(world: &World<impl Working>) {
    let jobs = three_jobs(world, "a", Ordering::Order).await;
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

/// The laws of this file.
#[macro_export]
macro_rules! webhook_jobs_laws {
    ($test:ident) => {
        $test! {
            webhook_jobs: a_held_job_names_the_one_that_it_waits_for,
            a_waiting_job_that_is_retried_is_due_now_and_never_later_than_before,
            a_canceled_job_lets_the_next_one_go,
            a_job_in_flight_is_only_marked_to_be_canceled,
            a_final_job_is_repeated_as_a_new_one_outside_the_ordering,
            a_job_of_a_subscription_that_is_off_or_gone_is_not_retried,
            a_job_of_another_integration_is_as_if_it_were_not_there
        }
    };
}
