//! What lanes share: slots and memory.

use delivery::{QUEUE_JOBS_MAX, Settings};

use crate::receiver::Reply;
use crate::stage::{Stage, path, settings, until};

#[tokio::test]
async fn a_lane_starts_slowly_and_grows_to_its_own_limit() {
    for (own, most) in [(None, 32), (Some(8), 8), (Some(1), 1)] {
        let stage = Stage::new(1).await;
        stage.store.change(1, |sub| sub.max_in_flight = own);
        stage.receiver.reply(&path(1), Reply::Hold);
        stage.store.accept(1, 40);
        until("the first are under way", || {
            stage.receiver.open("/1").0 == 4.min(most)
        })
        .await;
        stage.receiver.reply(&path(1), Reply::status(200));
        stage.recorded(40).await;
        stage.receiver.reply(&path(1), Reply::Hold);
        stage.store.accept(1, 200);
        until("all that may be are under way", || {
            stage.receiver.open("/1").0 == most
        })
        .await;
        stage.receiver.reply(&path(1), Reply::status(200));
        stage.recorded(240).await;
        assert_eq!(stage.receiver.open("/1").1, most);
    }
}

#[tokio::test]
async fn dead_endpoints_delay_nobody_else() {
    let settings = Settings {
        in_flight_max: 8,
        ..settings()
    };
    let stage = Stage::with(5, settings, |_, _| ()).await;
    let dead = [1, 2, 3, 4];
    for lane in dead {
        stage.receiver.reply(&path(lane), Reply::Hold);
        stage.store.accept(lane, 100);
    }
    let open = || -> usize {
        dead.iter()
            .map(|lane| stage.receiver.open(&path(*lane)).0)
            .sum()
    };
    until("half of the slots hang", || open() == 4).await;
    // A first success needs one of the suspects' slots; from then on the lane has the other half.
    // The next slot that comes free, or the one after it, goes to the lane that has none.
    stage.receiver.reply(&path(1), Reply::status(503));
    stage.store.accept(5, 300);
    until("the living lane is served", || {
        stage.receiver.count("/5") == 300
    })
    .await;
    until("the dead hold what they may again", || open() == 4).await;
    for lane in dead {
        assert!(
            stage.receiver.count(&path(lane)) >= 1,
            "each dead lane has its turn"
        );
    }
}

#[tokio::test]
async fn more_fresh_jobs_than_memory_holds_are_left_to_the_store_and_all_arrive_in_order() {
    let stage = Stage::new(1).await;
    stage.store.change(1, |sub| sub.max_in_flight = Some(1));
    stage.receiver.reply(&path(1), Reply::Hold);
    for _ in 0..100 {
        stage.store.accept(1, 100);
        let stats = stage.engine.stats();
        assert!(stats.queued <= QUEUE_JOBS_MAX, "{stats:?}");
        tokio::task::yield_now().await;
    }
    stage.receiver.reply(&path(1), Reply::status(200));
    let bounded = || stage.engine.stats().queued <= QUEUE_JOBS_MAX;
    until("all are recorded", || {
        assert!(bounded());
        stage.store.outcome_count() == 10_000
    })
    .await;
    let jobs = stage.receiver.jobs("/1");
    assert!(jobs.is_sorted(), "by due time");
    assert_eq!(jobs.len(), 10_000);
    assert!(
        stage.store.claims() < 200,
        "{} claims",
        stage.store.claims()
    );
    stage.settle().await;
    assert_eq!(stage.engine.stats().queued_bytes, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_lanes_under_load_send_every_job_exactly_once() {
    let stage = Stage::new(10).await;
    let store = stage.store.clone();
    let producer = std::thread::spawn(move || {
        for round in 0..400 {
            for lane in 1..=10 {
                store.accept(lane, 1 + (round % 5) * usize::from(lane % 2 == 0));
            }
        }
    });
    let producer = tokio::task::spawn_blocking(move || producer.join());
    producer.await.expect("runs").expect("does not panic");
    until("all are recorded", || stage.store.waiting() == 0).await;
    let arrived = stage.receiver.arrived();
    let mut jobs: Vec<i64> = arrived.iter().map(|one| one.job()).collect();
    jobs.sort_unstable();
    let accepted = i64::try_from(jobs.len()).expect("is a count");
    assert_eq!(jobs, (1..=accepted).collect::<Vec<_>>(), "each once");
    assert_eq!(stage.store.outcome_count(), jobs.len());
    assert_eq!(accepted, 400 * 5 + 5 * 400 * 3, "all that were accepted");
}
