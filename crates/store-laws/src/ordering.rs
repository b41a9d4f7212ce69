//! The order of jobs: held, released, passed.

use domain::id::{WebhookJobId, WebhookOutSubId};
use domain::webhook_out_sub::Ordering;
use store::{NewWebhookOutSub, NextStep};

use crate::{Working, World, after, change};

pub(crate) const RETRY: NextStep = NextStep::Retry {
    at: crate::START,
    passed: false,
};

pub async fn within_an_order_the_next_starts_when_the_one_before_is_final(
    world: &World<impl Working>,
) {
    let sub = world.sub_in("a", Ordering::Order).await;
    for (order, last) in [("A", NextStep::Delivered), ("B", NextStep::Exhausted)] {
        let first = world.report(order, "ordered").await.webhook_jobs[0].id;
        let second = world.report(order, "scheduled").await.webhook_jobs[0].id;
        let third = world.report(order, "completed").await.webhook_jobs[0].id;
        let other = world.report(&format!("{order}-2"), "ordered").await;
        assert_eq!(world.ready(), [first, other.webhook_jobs[0].id]);
        world.record(sub, first, 1, RETRY).await;
        assert_eq!(world.ready(), []);
        world.record(sub, first, 2, last).await;
        assert_eq!(world.ready(), [second]);
        world.record(sub, second, 1, NextStep::Delivered).await;
        assert_eq!(world.ready(), [third]);
    }
}

pub async fn within_a_subscription_all_wait_for_all(world: &World<impl Working>) {
    let sub = world.sub_in("a", Ordering::Subscription).await;
    let first = world.report("A", "ordered").await.webhook_jobs[0].id;
    let second = world.report("B", "ordered").await.webhook_jobs[0].id;
    let third = world.report("C", "ordered").await.webhook_jobs[0].id;
    assert_eq!(world.ready(), [first]);
    world.record(sub, first, 1, NextStep::Delivered).await;
    assert_eq!(world.ready(), [second]);
    world.record(sub, second, 1, NextStep::Delivered).await;
    assert_eq!(world.ready(), [third]);
}

pub async fn without_ordering_nothing_waits(world: &World<impl Working>) {
    world.sub_in("a", Ordering::None).await;
    let first = world.report("A", "ordered").await.webhook_jobs[0].id;
    let second = world.report("A", "scheduled").await.webhook_jobs[0].id;
    assert_eq!(world.ready(), [first, second]);
}

pub async fn a_passed_job_lets_the_next_go_but_only_one_after_another(world: &World<impl Working>) {
    let sub = world.sub_in("a", Ordering::Order).await;
    let first = world.report("A", "ordered").await.webhook_jobs[0].id;
    let second = world.report("A", "scheduled").await.webhook_jobs[0].id;
    let third = world.report("A", "completed").await.webhook_jobs[0].id;
    world.ready();
    let passed = NextStep::Retry {
        at: after(60),
        passed: true,
    };
    world.record(sub, first, 3, passed).await;
    assert_eq!(world.ready(), [second]);
    // Once more refused, and in the end delivered: the third still waits for the second.
    world.record(sub, first, 4, passed).await;
    world.record(sub, first, 5, NextStep::Delivered).await;
    assert_eq!(world.ready(), []);
    world.record(sub, second, 1, NextStep::Delivered).await;
    assert_eq!(world.ready(), [third]);
    let fourth = world.report("A", "notified").await.webhook_jobs[0].id;
    world.record(sub, third, 1, NextStep::Delivered).await;
    assert_eq!(world.ready(), [fourth]);
}

pub async fn a_canceled_job_releases_the_next_and_one_in_flight_only_when_it_ends(
    world: &World<impl Working>,
) {
    let sub = world.sub_in("a", Ordering::Order).await;
    let first = world.report("A", "ordered").await.webhook_jobs[0].id;
    let second = world.report("A", "scheduled").await.webhook_jobs[0].id;
    let third = world.report("A", "completed").await.webhook_jobs[0].id;
    world.ready();
    world.told.fly(first);
    let cancel = |id| {
        world
            .store
            .cancel_webhook_job(world.integration, id, change(0))
    };
    assert!(cancel(first).await.expect("marked").cancel_requested);
    assert_eq!(world.ready(), []);
    world.record(sub, first, 1, RETRY).await;
    assert_eq!(world.ready(), [second]);
    let shown = world.store.webhook_job(world.integration, first).await;
    assert_eq!(
        shown.expect("read").expect("there").job.state.name(),
        "canceled"
    );
    cancel(second).await.expect("canceled");
    assert_eq!(world.ready(), [third]);
}

pub async fn a_job_that_is_final_is_not_recorded_again(world: &World<impl Working>) {
    let sub = world.sub_in("a", Ordering::Order).await;
    let first = world.report("A", "ordered").await.webhook_jobs[0].id;
    world.record(sub, first, 1, NextStep::Delivered).await;
    world.record(sub, first, 2, RETRY).await;
    let shown = world.store.webhook_job(world.integration, first).await;
    let shown = shown.expect("read").expect("there");
    assert_eq!(
        (shown.job.state.name(), shown.attempts.len()),
        ("delivered", 1)
    );
}

pub async fn due_jobs_come_in_the_order_in_which_they_are_due(world: &World<impl Working>) {
    let sub = world.sub_in("a", Ordering::Order).await;
    let mut jobs = Vec::new();
    for order in ["A", "B", "C"] {
        jobs.push(world.report(order, "ordered").await.webhook_jobs[0].id);
    }
    let held = world.report("A", "scheduled").await.webhook_jobs[0].id;
    let later = NextStep::Retry {
        at: after(30),
        passed: false,
    };
    world.record(sub, jobs[0], 1, later).await;
    let ids = |due: &store::DueJobs| due.jobs.iter().map(|job| job.id).collect::<Vec<_>>();
    let due = world.store.due_jobs(sub, after(0), 1).await.expect("read");
    assert_eq!((ids(&due), due.more), (vec![jobs[1]], true));
    let due = world.store.due_jobs(sub, after(0), 9).await.expect("read");
    assert_eq!((ids(&due), due.more), (vec![jobs[1], jobs[2]], false));
    assert_eq!(due.next_due_at, Some(after(30)));
    let due = world.store.due_jobs(sub, after(30), 9).await.expect("read");
    assert_eq!(ids(&due), [jobs[1], jobs[2], jobs[0]]);
    assert_eq!(due.jobs[2].attempts, 1);
    assert!(!ids(&due).contains(&held));
    let oldest = world
        .store
        .oldest_job(sub)
        .await
        .expect("read")
        .expect("one");
    assert_eq!((oldest.id, oldest.due_at), (jobs[0], after(30)));
}

pub async fn what_is_attempted_twice_in_one_batch_ends_as_the_last_attempt_says(
    world: &World<impl Working>,
) {
    let sub = world.sub_in("a", Ordering::Order).await;
    let first = world.report("A", "ordered").await.webhook_jobs[0].id;
    let second = world.report("A", "scheduled").await.webhook_jobs[0].id;
    let other = world.report("B", "ordered").await.webhook_jobs[0].id;
    world.ready();
    let outcomes = [
        world.outcome(sub, first, 1, RETRY, None),
        world.outcome(sub, other, 1, NextStep::Delivered, None),
        world.outcome(sub, first, 2, NextStep::Delivered, None),
    ];
    let recorded = world.store.record(std::sync::Arc::new(outcomes)).await;
    recorded.expect("recorded");
    assert_eq!(world.ready(), [second]);
    let shown = world.store.webhook_job(world.integration, first).await;
    let shown = shown.expect("read").expect("there");
    assert_eq!(
        (shown.job.state.name(), shown.attempts.len()),
        ("delivered", 2)
    );
}

pub async fn what_waits_of_an_order_makes_way_for_the_newest_unless_it_is_in_flight(
    world: &World<impl Working>,
) {
    let sub = superseding(world, Ordering::Order).await;
    let first = world.report("A", "ordered").await.webhook_jobs[0].id;
    world.told.fly(first);
    let second = world.report("A", "scheduled").await.webhook_jobs[0].id;
    let other = world.report("B", "ordered").await.webhook_jobs[0].id;
    let third = world.report("A", "completed").await.webhook_jobs[0].id;
    assert_eq!(world.ready(), [first, other]);
    for (id, state) in [
        (first, "pending"),
        (second, "superseded"),
        (third, "pending"),
        (other, "pending"),
    ] {
        assert_eq!(state_of(world, id).await, state);
    }
    world.record(sub, first, 1, NextStep::Delivered).await;
    assert_eq!(world.ready(), [third]);
    let fourth = world.report("A", "notified").await.webhook_jobs[0].id;
    assert_eq!(state_of(world, third).await, "superseded");
    assert_eq!(world.ready(), [fourth]);
}

pub async fn what_waited_for_a_job_that_made_way_goes_on(world: &World<impl Working>) {
    superseding(world, Ordering::Subscription).await;
    let first = world.report("A", "ordered").await.webhook_jobs[0].id;
    let other = world.report("B", "ordered").await.webhook_jobs[0].id;
    assert_eq!(world.ready(), [first]);
    let newest = world.report("A", "scheduled").await.webhook_jobs[0].id;
    assert_eq!(state_of(world, first).await, "superseded");
    assert_eq!(world.ready(), [other]);
    // Nothing makes way for this one, and nothing goes on.
    world.report("C", "ordered").await;
    assert_eq!(world.ready(), []);
    assert_eq!(state_of(world, newest).await, "pending");
}

async fn superseding(world: &World<impl Working>, ordering: Ordering) -> WebhookOutSubId {
    let new = NewWebhookOutSub {
        ordering,
        supersede: true,
        ..world.sub("a")
    };
    world.subscribe(new).await.id
}

async fn state_of(world: &World<impl Working>, id: WebhookJobId) -> &'static str {
    let shown = world.store.webhook_job(world.integration, id).await;
    shown.expect("read").expect("there").job.state.name()
}

/// The laws of this file.
#[macro_export]
macro_rules! ordering_laws {
    ($test:ident) => {
        $test! {
            ordering: within_an_order_the_next_starts_when_the_one_before_is_final,
            within_a_subscription_all_wait_for_all,
            without_ordering_nothing_waits,
            a_passed_job_lets_the_next_go_but_only_one_after_another,
            a_canceled_job_releases_the_next_and_one_in_flight_only_when_it_ends,
            a_job_that_is_final_is_not_recorded_again,
            due_jobs_come_in_the_order_in_which_they_are_due,
            what_is_attempted_twice_in_one_batch_ends_as_the_last_attempt_says,
            what_waits_of_an_order_makes_way_for_the_newest_unless_it_is_in_flight,
            what_waited_for_a_job_that_made_way_goes_on
        }
    };
}
