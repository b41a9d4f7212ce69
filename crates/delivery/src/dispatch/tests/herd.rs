//! Very many lanes that fail in one instant do not come back in one.

use std::collections::HashMap;
use std::time::Duration;

use super::*;

const LANES: i64 = 10_000;
/// Attempts of each job that are looked at: those after which the lane rests, and some probes.
const ATTEMPTS: u32 = 9;
/// What of the time is looked at together.
const BUCKET: Duration = Duration::from_millis(100);
/// Each step is lengthened or shortened by a tenth.
const WINDOW_SHARE: f64 = 0.2;
/// So few requests in a bucket are no herd, whatever their mean.
const FEW: f64 = 50.0;

/// Lanes with a job each, whose receivers all fail at once, and a store that knows when each is due.
struct Herd {
    dispatch: Dispatch,
    waiting: HashMap<i64, ReadyJob>,
    /// When each attempt was started, by its number from 1.
    started: Vec<Vec<Moment>>,
}

impl Herd {
    fn new(seed: u64) -> Herd {
        let slots = usize::try_from(LANES * 4).expect("is a count");
        let mut dispatch = Dispatch::new(slots, RetryPolicy::default(), seed);
        let lanes = (1..=LANES).map(|lane| lane_of(sub(lane)));
        dispatch.adopt(lanes.collect(), NOW);
        Herd {
            dispatch,
            waiting: (1..=LANES).map(|lane| (lane, job_of(lane, lane))).collect(),
            started: Vec::new(),
        }
    }

    /// Does all that is to be done at this moment; every request fails within it.
    fn work(&mut self, now: Moment) {
        loop {
            let work = self.dispatch.work(now);
            if work.starts.is_empty() && work.claims.is_empty() {
                return;
            }
            for start in &work.starts {
                self.fail(start, now);
            }
            for claim in work.claims {
                let job = self.waiting[&claim.lane.0].clone();
                let is_due = job.due_at <= now;
                let claimed = match claim.wanted {
                    Wanted::OldestJob => Claimed::OldestJob(Some(job)),
                    Wanted::DueJobs(_) => Claimed::DueJobs(DueJobs {
                        next_due_at: (!is_due).then_some(job.due_at),
                        jobs: Vec::from_iter(is_due.then_some(job)),
                        more: false,
                    }),
                };
                self.dispatch.claimed(claim.lane, claimed, now);
            }
        }
    }

    fn fail(&mut self, start: &Start, now: Moment) {
        let number = start.job.attempts + 1;
        let step = usize::try_from(number).expect("is small") - 1;
        self.started
            .resize_with(self.started.len().max(step + 1), Vec::new);
        self.started[step].push(now);
        let judged = judged(start, 503, now);
        let outcome = self.dispatch.ended(start, judged, now).expect("recorded");
        let NextStep::Retry { at, .. } = outcome.next else {
            panic!("nothing is given up in the first hours: {outcome:?}");
        };
        let job = self.waiting.get_mut(&start.sub.id.0).expect("a job");
        job.due_at = at;
        job.attempts = number;
        job.first_attempt_clock = Some(outcome.first_attempt_clock);
        self.dispatch.recorded(&[outcome], now);
    }

    /// Lets time pass until every job has had its attempts.
    fn run(&mut self) {
        let jobs = self.waiting.values().cloned();
        self.dispatch.ready(jobs.collect(), NOW);
        self.work(NOW);
        let all = usize::try_from(LANES).expect("is a count");
        let last = usize::try_from(ATTEMPTS).expect("is small") - 1;
        while self.started.get(last).map_or(0, Vec::len) < all {
            let now = self.dispatch.next_alarm().expect("all wait for a retry");
            self.dispatch.wake(now);
            self.work(now);
        }
    }
}

/// Most moments in one bucket.
fn busiest(moments: &[Moment]) -> usize {
    let mut buckets: HashMap<u128, usize> = HashMap::new();
    for at in moments {
        let bucket = at.since(NOW).as_millis() / BUCKET.as_millis();
        *buckets.entry(bucket).or_default() += 1;
    }
    buckets.into_values().max().unwrap_or_default()
}

#[test]
fn lanes_that_fail_in_one_instant_do_not_return_in_one() {
    for seed in [1, 20_260_131] {
        let mut herd = Herd::new(seed);
        herd.run();
        assert_eq!(herd.started[0].len(), busiest(&herd.started[0]), "a herd");
        let policy = RetryPolicy::default();
        for (step, started) in policy.schedule().iter().zip(&herd.started[1..]) {
            let window = step.as_secs_f64() * WINDOW_SHARE;
            let mean = LANES as f64 / (window / BUCKET.as_secs_f64());
            let most = busiest(started) as f64;
            assert!(
                most <= (2.0 * mean).max(FEW),
                "seed {seed}, after {step:?}: {most} in 100 ms, mean {mean:.0}"
            );
        }
    }
}
