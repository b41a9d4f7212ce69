//! Tests of what a lane holds in memory.

use store::Withdrawal::{InFlight, Withdrawn as TakenBack};

use super::*;
use crate::fixtures::{NOW, after, due, job, jobs};
use crate::withdrawn::WITHDRAWN_SECONDS;

/// A backlog and the memory that it shares with nobody.
#[derive(Default)]
struct Bench {
    backlog: Backlog,
    memory: Memory,
}

impl Bench {
    fn offer(&mut self, ids: impl IntoIterator<Item = i64>) {
        for job in jobs(ids) {
            if !self.backlog.knows(&job, &mut self.memory, NOW) {
                self.with(|backlog, room| backlog.offer(job, room));
            }
        }
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Backlog, &mut Room<'_>) -> T) -> T {
        let mut room = Room {
            memory: &mut self.memory,
            reserved: 4,
        };
        act(&mut self.backlog, &mut room)
    }

    fn wants(&mut self) -> bool {
        self.with(|backlog, room| backlog.wants_due_jobs(room))
    }

    fn claim(&mut self) -> usize {
        self.claim_at(NOW)
    }

    fn claim_at(&mut self, now: Moment) -> usize {
        assert!(self.wants());
        self.with(|backlog, room| backlog.begin_claim(room, now))
    }

    fn take(&mut self, due: DueJobs) {
        self.with(|backlog, room| backlog.take_due_jobs(due, room, NOW));
    }

    fn start(&mut self) -> Option<i64> {
        Some(self.backlog.start(&mut self.memory)?.id.0)
    }

    /// Starts and records as delivered everything in the queue.
    fn drain(&mut self) -> Vec<i64> {
        let mut drained = Vec::new();
        while let Some(id) = self.start() {
            self.record(id, None);
            drained.push(id);
        }
        drained
    }

    fn record(&mut self, id: i64, retry_at: Option<Moment>) {
        self.backlog.attempted(WebhookJobId(id));
        self.backlog.recorded(WebhookJobId(id), retry_at);
    }

    fn withdraw(&mut self, id: i64) -> Withdrawal {
        self.backlog
            .withdraw(WebhookJobId(id), &mut self.memory, NOW)
    }
}

#[test]
fn fresh_jobs_are_queued_in_order_and_known_until_they_are_recorded() {
    let mut bench = Bench::default();
    bench.offer([1, 2, 3]);
    bench.offer([2]);
    assert_eq!(bench.memory.jobs(), 3);
    assert_eq!(bench.start(), Some(1));
    assert!(bench.backlog.in_flight().any(|id| id == WebhookJobId(1)));
    bench.backlog.attempted(WebhookJobId(1));
    assert!(!bench.backlog.in_flight().any(|id| id == WebhookJobId(1)));
    bench.offer([1]);
    assert_eq!(bench.drain(), [2, 3], "1 is not sent again");
    assert!(!bench.wants());
    bench.record(1, None);
    assert!(
        bench.wants(),
        "it was offered meanwhile, so the store has the last word"
    );
    assert_eq!((bench.memory.jobs(), bench.memory.bytes()), (0, 0));
}

#[test]
fn what_does_not_fit_is_left_to_the_store_and_later_ones_too() {
    let mut bench = Bench::default();
    bench.offer(0..600);
    assert_eq!(bench.memory.jobs(), QUEUE_JOBS_MAX);
    for _ in 0..383 {
        bench.start();
    }
    bench.offer([1_000]);
    assert_eq!(bench.memory.jobs(), 129, "older ones wait in the store");
    assert!(!bench.wants(), "there is enough to do");
    bench.start();
    assert_eq!(
        bench.claim(),
        384 + 512,
        "so many that three quarters of a queue are new"
    );
    assert!(!bench.wants(), "one claim at a time");
}

#[test]
fn a_queued_job_that_is_offered_anew_is_replaced() {
    let mut bench = Bench::default();
    bench.offer([1, 2]);
    let mut newer = job(1);
    newer.payload = "{\"longer\": true}".into();
    assert!(bench.backlog.knows(&newer, &mut bench.memory, NOW));
    assert_eq!(bench.memory.bytes(), newer.payload.len() + 2);
    let started = bench.backlog.start(&mut bench.memory).expect("waits");
    assert_eq!(started.payload, newer.payload);
}

#[test]
fn a_claim_takes_only_what_is_new() {
    let mut bench = Bench::default();
    bench.offer([1, 2, 3, 4]);
    assert_eq!((bench.start(), bench.start()), (Some(1), Some(2)));
    bench.backlog.fall_behind();
    bench.claim();
    // The snapshot is taken here. Then 2 is recorded, and 3 withdrawn.
    bench.record(2, None);
    assert_eq!(bench.withdraw(3), TakenBack);
    bench.take(due([1, 2, 3, 4, 5]));
    assert_eq!(bench.drain(), [4, 5]);
    assert!(!bench.wants());
}

#[test]
fn jobs_that_come_during_a_claim_follow_it_or_make_another() {
    type Case = (bool, std::ops::Range<i64>, Vec<i64>, bool);
    let cases: [Case; 3] = [
        (false, 10..12, vec![1, 2, 10, 11], false),
        // Older ones are still in the store, and the next claim brings all.
        (true, 10..12, vec![1, 2], true),
        (
            false,
            10..600,
            [1, 2].into_iter().chain(10..520).collect(),
            true,
        ),
    ];
    for (more, fresh, expected, is_behind) in cases {
        let mut bench = Bench::default();
        bench.backlog.fall_behind();
        bench.claim();
        bench.offer(fresh.clone());
        let claimed = DueJobs {
            more,
            ..due([1, 2])
        };
        bench.take(claimed);
        assert_eq!(bench.drain(), expected, "{more} {fresh:?}");
        assert_eq!(bench.wants(), is_behind, "{more} {fresh:?}");
        assert_eq!(bench.memory.jobs(), 0);
    }
}

#[test]
fn a_fresh_job_that_the_claim_brings_too_is_sent_once() {
    let mut bench = Bench::default();
    bench.backlog.fall_behind();
    bench.claim();
    bench.offer([7]);
    bench.take(due([6, 7]));
    assert_eq!(bench.drain(), [6, 7]);
}

#[test]
fn an_alarm_during_a_claim_is_not_lost() {
    let mut bench = Bench::default();
    bench.backlog.fall_behind();
    bench.claim();
    bench.backlog.wake();
    bench.take(due([]));
    assert!(bench.wants());
}

#[test]
fn full_memory_leaves_each_lane_what_it_can_send_at_once() {
    let mut bench = Bench::default();
    let mut big = job(0);
    big.payload = vec![0; crate::memory::MEMORY_BYTES_MAX].into();
    bench.memory.add(&big);
    bench.offer(1..100);
    assert_eq!(bench.memory.jobs(), 1 + 4);
    assert!(!bench.wants());
    for _ in 0..3 {
        bench.start();
    }
    assert_eq!(bench.claim(), 3 + 4);
    bench.take(due(1..100));
    assert_eq!(bench.memory.jobs(), 1 + 4);
    bench.drain();
    assert!(bench.wants(), "the rest is still in the store");
    bench.memory.remove(&big);
    bench.claim();
    bench.take(due(50..100));
    assert_eq!(bench.memory.jobs(), 50);
}

#[test]
fn it_wakes_at_the_earliest_of_what_it_knows() {
    let mut bench = Bench::default();
    assert_eq!(bench.backlog.wake_at(), None);
    bench.offer([1, 2, 3]);
    for (id, retry_at, wake_at) in [(1, 50, 50), (2, 20, 20), (3, 90, 20)] {
        bench.start();
        bench.record(id, Some(after(retry_at)));
        assert_eq!(bench.backlog.wake_at(), Some(after(wake_at)));
    }
    bench.backlog.wake();
    bench.claim();
    bench.take(DueJobs {
        next_due_at: Some(after(50)),
        ..due([2])
    });
    assert_eq!(bench.backlog.wake_at(), Some(after(50)));
}

#[test]
fn a_withdrawn_job_stays_away_for_a_while() {
    let mut bench = Bench::default();
    bench.offer([1, 2]);
    bench.start();
    assert_eq!(bench.withdraw(1), InFlight);
    assert_eq!(
        (bench.withdraw(2), bench.withdraw(3)),
        (TakenBack, TakenBack)
    );
    bench.offer([2, 3]);
    assert_eq!(bench.start(), None);
    // Its transaction may have failed: then the store still has it, and it is looked for.
    let forgotten_at = bench.backlog.wake_at().expect("an alarm is set");
    bench.backlog.wake();
    bench.claim_at(forgotten_at);
    bench.with(|backlog, room| backlog.take_due_jobs(due([2]), room, forgotten_at));
    assert_eq!(bench.start(), Some(2));
}

#[test]
fn a_job_whose_withdrawal_failed_is_found_though_another_alarm_came_first() {
    let mut bench = Bench::default();
    bench.offer([1]);
    bench.backlog.wake_by(Some(after(5)));
    bench.withdraw(1);
    let forgotten_at = Some(after(WITHDRAWN_SECONDS));
    // Whether the store brings it, or somebody makes it due once more.
    for is_offered in [false, true] {
        bench.backlog.wake();
        if is_offered {
            bench.offer([1]);
            bench.claim();
            bench.take(due([]));
        } else {
            bench.claim();
            bench.take(due([1]));
        }
        assert_eq!(bench.start(), None);
        assert_eq!(bench.backlog.wake_at(), forgotten_at, "{is_offered}");
    }
}

#[test]
fn a_claim_that_outlasts_a_withdrawal_does_not_bring_the_job_back() {
    let late = after(WITHDRAWN_SECONDS + 1);
    for is_withdrawn_first in [false, true] {
        let mut bench = Bench::default();
        bench.backlog.fall_behind();
        if is_withdrawn_first {
            bench.withdraw(1);
            bench.claim();
        } else {
            bench.claim();
            bench.withdraw(1);
        }
        bench.with(|backlog, room| backlog.take_due_jobs(due([1, 2]), room, late));
        assert_eq!(bench.drain(), [2], "{is_withdrawn_first}");
        // Only a newer snapshot tells whether the withdrawal was committed.
        bench.claim_at(late);
        bench.with(|backlog, room| backlog.take_due_jobs(due([1]), room, late));
        assert_eq!(bench.drain(), [1], "{is_withdrawn_first}");
    }
}

#[test]
fn what_was_offered_twice_during_a_claim_is_withdrawn_for_good() {
    let mut bench = Bench::default();
    bench.backlog.fall_behind();
    bench.claim();
    bench.offer([1]);
    bench.offer([1]);
    bench.withdraw(1);
    assert_eq!(bench.memory.jobs(), 0);
    let late = after(WITHDRAWN_SECONDS + 1);
    bench.with(|backlog, room| backlog.take_due_jobs(due([]), room, late));
    assert_eq!(bench.start(), None);
}

#[test]
fn the_oldest_job_probes_when_it_is_due() {
    let mut late = job(1);
    late.due_at = after(60);
    // What the store has, whether it is queued, when to wake, whether to ask again.
    let cases = [
        (Some(job(1)), true, None, false),
        (Some(late), false, Some(after(60)), false),
        (None, false, None, false),
    ];
    for (oldest, is_queued, wake_at, is_behind) in cases {
        let mut bench = Bench::default();
        bench.backlog.fall_behind();
        assert!(bench.backlog.wants_oldest_job());
        bench.with(|backlog, room| backlog.begin_claim(room, NOW));
        bench
            .backlog
            .take_oldest_job(oldest, &mut bench.memory, NOW);
        assert_eq!(bench.backlog.has_queued(), is_queued);
        assert_eq!(bench.backlog.wake_at(), wake_at);
        assert_eq!(bench.backlog.wants_oldest_job(), is_behind);
    }
}

#[test]
fn an_oldest_job_that_was_recorded_meanwhile_is_asked_for_again() {
    let mut bench = Bench::default();
    bench.offer([1]);
    bench.start();
    bench.backlog.fall_behind();
    assert!(!bench.backlog.wants_oldest_job(), "one probes already");
    bench.with(|backlog, room| backlog.begin_claim(room, NOW));
    bench.record(1, Some(after(5)));
    bench
        .backlog
        .take_oldest_job(Some(job(1)), &mut bench.memory, NOW);
    assert!(!bench.backlog.has_queued());
    assert!(bench.backlog.wants_oldest_job());
}

#[test]
fn what_is_dropped_is_claimed_again_and_takes_no_memory() {
    let mut bench = Bench::default();
    bench.offer([1, 2, 3]);
    bench.start();
    bench.backlog.drop_queue(&mut bench.memory);
    assert_eq!(bench.memory.jobs(), 0);
    bench.claim();
    bench.offer([4]);
    assert_eq!(bench.memory.jobs(), 1);
    bench.backlog.drop_queue(&mut bench.memory);
    assert_eq!(bench.memory.jobs(), 0);
    bench.take(due([1, 2, 3]));
    assert_eq!(bench.drain(), [2, 3], "1 is in flight");
    assert!(bench.wants(), "4 was dropped after the snapshot");
}

#[test]
fn a_lane_that_is_behind_looks_for_what_is_not_offered() {
    let mut bench = Bench::default();
    assert!(!bench.backlog.will_look());
    assert!(!bench.wants(), "nothing is known of any job");
    bench.backlog.fall_behind();
    bench.claim();
    // Made after the claim began, which may not see it.
    assert!(bench.backlog.will_look());
    bench.take(due([]));
    assert!(bench.wants(), "it is looked for");
    bench.claim();
    bench.take(due([1]));
    assert!(!bench.wants() && !bench.backlog.will_look());
}
