//! Recoveries: jobs retried, made again, and made since they were missed; and what verifying finds.

use domain::gap::{Gap, GapKind};
use domain::id::{OrderStageId, RecoveryId, WebhookJobId, WebhookOutSubId};
use domain::recovery::{Recovery, RecoveryKind, RecoveryState};
use domain::webhook_job::{JobState, WebhookJob};
use domain::webhook_out_sub::Ordering;
use store::{JobFilter, JobQuery, NewRecovery, NextStep, RecoveryWork, WebhookOutSubChanges};

use crate::{Working, World, after, change, list, refused};

fn recovery(world: &World<impl Working>, work: RecoveryWork) -> NewRecovery {
    NewRecovery {
        integration_id: world.integration,
        work,
        per_second: 100,
        idempotency: None,
    }
}

async fn begin(world: &World<impl Working>, work: RecoveryWork) -> Recovery {
    let new = recovery(world, work);
    let preview = world.store.preview_recovery(new.clone(), after(9)).await;
    let preview = preview.expect("a preview");
    let begun = world.store.begin_recovery(new, change(10)).await;
    let begun = begun.expect("begun").record;
    assert_eq!((preview.matched, preview.kind), (begun.matched, begun.kind));
    begun
}

/// Takes steps of two jobs each until it has ended; how it ended.
async fn finish(world: &World<impl Working>, id: Option<RecoveryId>) -> Recovery {
    let id = id.expect("an id");
    let running = world.store.running_recoveries().await.expect("read");
    assert_eq!(
        running.iter().map(|one| one.id).collect::<Vec<_>>(),
        [Some(id)]
    );
    while world
        .store
        .step_recovery(id, 2, after(20))
        .await
        .expect("a step")
        .goes_on
    {}
    let ended = world.store.recovery(Some(world.integration), id).await;
    let ended = ended.expect("read").expect("there");
    assert_eq!(ended.finished_at, Some(after(20)));
    assert!(
        world
            .store
            .running_recoveries()
            .await
            .expect("read")
            .is_empty()
    );
    ended
}

async fn jobs(world: &World<impl Working>, sub: WebhookOutSubId) -> Vec<WebhookJob> {
    let query = JobQuery {
        integration_id: world.integration,
        filter: JobFilter {
            subscriber_ids: vec![sub],
            ..JobFilter::default()
        },
        delivering: Vec::new(),
        list: list(200),
    };
    let page = world.store.webhook_jobs(query).await.expect("a page");
    page.items
}

async fn gaps(world: &World<impl Working>) -> Vec<Gap> {
    let stages = world
        .store
        .verify_order_stages(OrderStageId(0), 1_000)
        .await;
    let jobs = world
        .store
        .verify_webhook_jobs(WebhookJobId(0), 1_000)
        .await;
    let mut gaps = stages.expect("verified").gaps;
    gaps.extend(jobs.expect("verified").gaps);
    gaps
}

pub async fn final_jobs_are_repeated_once_and_waiting_ones_hastened(world: &World<impl Working>) {
    let sub = world.sub_in("a", Ordering::Order).await;
    let mut made = Vec::new();
    for order in 0..5 {
        made.push(world.job(&order.to_string(), "ordered").await.0);
    }
    for job in &made[..3] {
        world.record(sub, *job, 1, NextStep::Exhausted).await;
    }
    let later = NextStep::Retry {
        at: after(1_000),
        passed: false,
    };
    world.record(sub, made[3], 1, later).await;
    world.record(sub, made[4], 1, NextStep::Delivered).await;
    world.ready();
    let work = || RecoveryWork::Retry {
        filter: JobFilter {
            states: vec![JobState::Exhausted, JobState::Retrying],
            ..JobFilter::default()
        },
        rerender: false,
    };
    let begun = begin(world, work()).await;
    assert_eq!((begun.matched, begun.state), (4, RecoveryState::Running));
    let ended = finish(world, begun.id).await;
    assert_eq!((ended.made, ended.state), (4, RecoveryState::Finished));
    assert_eq!(world.ready().len(), 4);
    let repeated = jobs(world, sub).await;
    let repeated = repeated.iter().filter(|job| job.retry_of.is_some());
    assert_eq!(repeated.count(), 3);
    // What was repeated before is left as it is, whatever became of that.
    let again = begin(world, work()).await;
    assert_eq!(finish(world, again.id).await.made, 1);
    assert_eq!(gaps(world).await, []);
}

pub async fn a_replay_makes_a_job_for_each_change_that_is_wanted(world: &World<impl Working>) {
    for order in ["A", "B", "C"] {
        world.report(order, "ordered").await;
    }
    world.report("A", "scheduled").await;
    let sub = world.sub_in("late", Ordering::Order).await;
    world.told.take();
    let work = RecoveryWork::Replay {
        webhook_out_sub_id: sub,
        from: None,
        until: None,
    };
    let begun = begin(world, work).await;
    let ended = finish(world, begun.id).await;
    assert_eq!((ended.looked_at, ended.made), (4, 4));
    assert_eq!(
        world.ready().len(),
        4,
        "outside of the ordering nothing waits"
    );
    assert_eq!(gaps(world).await, []);
}

pub async fn who_catches_up_gets_in_order_what_was_missed_and_then_what_is_new(
    world: &World<impl Working>,
) {
    let sub = world.sub_in("a", Ordering::Order).await;
    let switch = |active| WebhookOutSubChanges {
        active: Some(active),
        ..WebhookOutSubChanges::default()
    };
    let store = &world.store;
    let off = store.update_webhook_out_sub(world.integration, sub, switch(false), change(1));
    off.await.expect("off");
    for stage in ["ordered", "scheduled"] {
        let missed = world.report("A", stage).await;
        assert_eq!(missed.webhook_jobs, []);
    }
    let work = || RecoveryWork::CatchUp {
        webhook_out_sub_id: sub,
        since: after(0),
    };
    let begun = begin(world, work()).await;
    assert_eq!((begun.kind, begun.matched), (RecoveryKind::CatchUp, 2));
    let twice = store
        .begin_recovery(recovery(world, work()), change(11))
        .await;
    assert_eq!(refused(twice.map(|_| ())), ["since"]);
    // While it catches up, new changes wait for their turn.
    let meanwhile = world.report("A", "completed").await;
    assert_eq!(meanwhile.webhook_jobs, []);
    world.told.take();
    let ended = finish(world, begun.id).await;
    assert_eq!(ended.made, 3);
    let made = jobs(world, sub).await;
    let sequences: Vec<Option<i64>> = made.iter().map(|job| job.sequence).collect();
    assert_eq!(sequences, [Some(1), Some(2), Some(3)]);
    assert_eq!(world.ready(), [made[0].id], "the first holds the others");
    let new = world.report("A", "notified").await;
    assert_eq!(new.webhook_jobs.len(), 1);
    assert_eq!(gaps(world).await, []);
}

pub async fn a_recovery_is_stopped_once(world: &World<impl Working>) {
    let sub = world.sub_in("a", Ordering::Order).await;
    let work = RecoveryWork::Replay {
        webhook_out_sub_id: sub,
        from: None,
        until: None,
    };
    let id = begin(world, work).await.id.expect("an id");
    let cancel = |seconds| {
        let store = &world.store;
        store.cancel_recovery(world.integration, id, change(seconds))
    };
    let canceled = cancel(11).await.expect("canceled");
    assert_eq!(canceled.state, RecoveryState::Canceled);
    assert_eq!(refused(cancel(12).await), ["id"]);
    let step = world.store.step_recovery(id, 2, after(13)).await;
    assert!(!step.expect("a step").goes_on);
}

pub async fn a_job_that_is_missing_is_found_and_made(world: &World<impl Working>) {
    let sub = world.sub_in("a", Ordering::Order).await;
    let (missing, _) = world.job("A", "ordered").await;
    world.job("B", "ordered").await;
    let delete = format!(
        "delete from {} where id = {missing}",
        world.raw.waiting_jobs()
    );
    world.raw.execute(&delete).await;
    let found = gaps(world).await;
    let kinds: Vec<GapKind> = found.iter().map(|gap| gap.kind).collect();
    assert_eq!(kinds, [GapKind::MissingJob]);
    assert_eq!(found[0].webhook_out_sub_id, sub);
    let begun = world.store.mend(found, after(10)).await.expect("begun");
    assert_eq!(finish(world, begun.first().copied()).await.made, 1);
    assert_eq!(gaps(world).await, []);
    assert_eq!(jobs(world, sub).await.len(), 2);
}

/// The laws of this file.
#[macro_export]
macro_rules! recoveries_laws {
    ($test:ident) => {
        $test! {
            recoveries: final_jobs_are_repeated_once_and_waiting_ones_hastened,
            a_replay_makes_a_job_for_each_change_that_is_wanted,
            who_catches_up_gets_in_order_what_was_missed_and_then_what_is_new,
            a_recovery_is_stopped_once,
            a_job_that_is_missing_is_found_and_made
        }
    };
}
