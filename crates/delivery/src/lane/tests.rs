//! Tests of what one lane may do.

use domain::health::{HealthState, LaneRecord};
use domain::webhook_job::AttemptOutcome;
use store::DueJobs;

use super::*;
use crate::fixtures::{NOW, after, due, job, lane_of, sub};

struct Bench {
    lane: Lane,
    memory: Memory,
}

/// How a test puts a lane.
fn bench(state: HealthState, active: bool) -> Bench {
    let mut sub = sub(1);
    sub.active = active;
    sub.health = LaneRecord {
        state,
        since: (state != HealthState::Healthy).then_some(NOW),
        ..LaneRecord::default()
    };
    Bench {
        lane: Lane::new(lane_of(sub)),
        memory: Memory::default(),
    }
}

impl Bench {
    fn offer(&mut self, job: ReadyJob) {
        self.lane.offer(job, &mut self.memory, NOW);
    }

    fn start(&mut self) -> Option<Start> {
        let may = self.lane.can_start(NOW);
        may.then(|| self.lane.start(Trust::Suspect, &mut self.memory, NOW))
            .flatten()
    }

    fn wants_claim(&mut self) -> bool {
        self.lane.wants_claim(&mut self.memory, NOW)
    }

    fn claim(&mut self) -> Wanted {
        self.lane.begin_claim(&mut self.memory, NOW)
    }
}

#[test]
fn health_and_the_subscription_decide_what_a_lane_does() {
    use HealthState::{Healthy, Off, Resting};
    use Standing::{Probes, Sends, Stands};
    let cases = [
        (Healthy, true, Sends),
        (Healthy, false, Stands),
        (Resting, true, Probes),
        (Resting, false, Stands),
        (Off, true, Stands),
        (Off, false, Stands),
    ];
    for (state, active, standing) in cases {
        let mut bench = bench(state, active);
        assert_eq!(bench.lane.standing(), standing, "{state:?} {active}");
        bench.lane.close(&mut bench.memory);
        assert_eq!(bench.lane.standing(), Stands);
    }
}

#[test]
fn it_starts_as_many_as_its_window_allows() {
    let mut bench = bench(HealthState::Healthy, true);
    (1..=10).for_each(|id| bench.offer(job(id)));
    let starts: Vec<_> = std::iter::from_fn(|| bench.start()).collect();
    assert_eq!(starts.len(), 4);
    assert!(!bench.lane.place(NOW).is_idle);
    bench.lane.window.succeeded(NOW);
    assert!(bench.start().is_some() && bench.start().is_none());
    assert_eq!(bench.lane.place(NOW).trust, Trust::Trusted);
    assert_eq!(bench.lane.place(after(61)).trust, Trust::Quiet);
}

#[test]
fn a_resting_lane_takes_nothing_fresh_and_asks_for_its_oldest_job() {
    let mut bench = bench(HealthState::Resting, true);
    bench.offer(job(9));
    assert!(bench.start().is_none());
    assert!(bench.wants_claim());
    assert_eq!(bench.claim(), Wanted::OldestJob);
    bench
        .lane
        .take_oldest_job(Some(job(1)), &mut bench.memory, NOW);
    assert_eq!(bench.start().expect("probes").job.id.0, 1);
    bench.offer(job(10));
    assert!(bench.start().is_none(), "one at a time");
}

#[test]
fn fresh_jobs_do_not_make_a_resting_lane_ask_while_it_knows_its_next_probe() {
    let mut bench = bench(HealthState::Resting, true);
    bench.lane.backlog.wake_by(Some(after(60)));
    bench.offer(job(9));
    assert!(!bench.wants_claim());
    let mut by_hand = job(5);
    by_hand.attempts = 3;
    bench.offer(by_hand);
    assert_eq!(bench.start().expect("somebody waits for it").job.id.0, 5);
}

#[test]
fn a_resting_lane_without_jobs_probes_with_the_next_that_comes() {
    for is_claiming in [false, true] {
        let mut bench = bench(HealthState::Resting, true);
        // The moment of a job that was canceled since.
        bench.lane.backlog.wake_by(Some(after(3_600)));
        bench.lane.backlog.fall_behind();
        assert_eq!(bench.claim(), Wanted::OldestJob);
        if is_claiming {
            bench.offer(job(9));
        }
        bench.lane.take_oldest_job(None, &mut bench.memory, NOW);
        if !is_claiming {
            bench.offer(job(9));
        }
        assert!(bench.wants_claim(), "{is_claiming}");
    }
}

#[test]
fn a_standing_lane_leaves_everything_to_the_store() {
    for (state, active) in [(HealthState::Off, true), (HealthState::Healthy, false)] {
        let mut bench = bench(state, active);
        bench.offer(job(1));
        assert!(bench.start().is_none() && !bench.wants_claim());
        let mut enabled = sub(1);
        enabled.max_in_flight = Some(2);
        bench.lane.change(lane_of(enabled), &mut bench.memory);
        assert_eq!(bench.lane.standing(), Standing::Sends);
        assert!(bench.wants_claim());
        assert!(matches!(bench.claim(), Wanted::DueJobs(_)));
        let (lane, memory) = (&mut bench.lane, &mut bench.memory);
        lane.take_due_jobs(due([1, 2, 3]), memory, NOW);
        assert!(bench.start().is_some() && bench.start().is_some());
        assert!(bench.start().is_none(), "the new limit counts");
    }
}

#[test]
fn a_change_keeps_the_health_that_the_lane_has_learnt() {
    let mut bench = bench(HealthState::Healthy, true);
    for id in 0..5 {
        let order = Some(domain::id::OrderId(id));
        bench
            .lane
            .health
            .failed(AttemptOutcome::EndpointFault, order, NOW);
    }
    assert_eq!(bench.lane.standing(), Standing::Probes);
    bench.lane.change(lane_of(sub(1)), &mut bench.memory);
    assert_eq!(bench.lane.standing(), Standing::Probes);
    let mut off = sub(1);
    off.health.state = HealthState::Off;
    bench.lane.change(lane_of(off), &mut bench.memory);
    assert_eq!(bench.lane.standing(), Standing::Stands);
}

#[test]
fn a_claim_that_the_lane_does_not_want_any_more_is_forgotten() {
    let mut bench = bench(HealthState::Healthy, true);
    bench.lane.backlog.fall_behind();
    assert!(matches!(bench.claim(), Wanted::DueJobs(_)));
    let mut held = sub(1);
    held.active = false;
    bench.lane.change(lane_of(held), &mut bench.memory);
    let claimed = DueJobs {
        more: true,
        ..due(1..100)
    };
    bench.lane.take_due_jobs(claimed, &mut bench.memory, NOW);
    assert_eq!(bench.memory.jobs(), 0);
    bench.lane.change(lane_of(sub(1)), &mut bench.memory);
    assert!(bench.wants_claim());
}

#[test]
fn a_closed_lane_is_spent_when_its_last_job_is_recorded() {
    let mut bench = bench(HealthState::Healthy, true);
    bench.offer(job(1));
    bench.offer(job(2));
    let start = bench.start().expect("sends");
    bench.lane.close(&mut bench.memory);
    assert!(bench.start().is_none() && !bench.lane.is_spent());
    bench.lane.backlog.attempted(start.job.id);
    bench.lane.recorded(start.job.id, None);
    assert!(bench.lane.is_spent());
}

#[test]
fn a_rate_limit_holds_the_next_job_up_until_its_moment() {
    let mut sub = sub(1);
    sub.rate_limit = Some(domain::rate_limit::RateLimit {
        per_second: 10.0,
        burst: 2,
    });
    let mut lane = Lane::new(lane_of(sub));
    let mut memory = Memory::default();
    for id in 1..=3 {
        lane.offer(job(id), &mut memory, NOW);
    }
    assert_eq!(lane.wake_at(NOW), None, "nothing holds the first up");
    for _ in 0..2 {
        assert!(lane.can_start(NOW));
        let start = lane.start(Trust::Suspect, &mut memory, NOW);
        assert!(start.is_some());
    }
    let tenth = std::time::Duration::from_millis(100);
    assert!(!lane.can_start(NOW));
    assert_eq!(lane.wake_at(NOW), Some(NOW + tenth));
    assert!(lane.can_start(NOW + tenth));
}
