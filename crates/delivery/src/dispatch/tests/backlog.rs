//! Lanes with very many waiting jobs beside others: memory, slots and claims that they may take.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::*;
use crate::backlog::QUEUE_JOBS_MAX;
use crate::lane::RESERVED_JOBS_MAX;
use crate::memory::{MEMORY_BYTES_MAX, MEMORY_JOBS_MAX};

/// Most requests at once of a subscription that states nothing.
const IN_FLIGHT_OF_LANE_MAX: usize = 32;
/// More than any lane has waiting; job `n` of lane `l` has the number `l` times this plus `n`.
const JOBS_OF_LANE_MAX: i64 = 10_000_000;

/// Lanes over a store in which each has jobs waiting, made only when they are claimed.
struct Crowd {
    dispatch: Dispatch,
    payload: Bytes,
    /// The first and the last waiting job of each lane.
    waiting: BTreeMap<i64, (i64, i64)>,
    in_flight: Vec<Start>,
    /// The lanes that claimed, in that order.
    claims: Vec<i64>,
    /// Most jobs and bytes in memory, ever.
    most: (usize, usize),
}

impl Crowd {
    /// The lanes 1 to `lanes`, each with `waiting` jobs that are due.
    fn new(in_flight_max: usize, lanes: i64, waiting: i64, payload_bytes: usize) -> Crowd {
        let mut dispatch = Dispatch::new(in_flight_max, RetryPolicy::default(), 1);
        let listed = (1..=lanes).map(|lane| store::Lane {
            next_due_at: Some(NOW),
            ..lane_of(sub(lane))
        });
        dispatch.adopt(listed.collect(), NOW);
        dispatch.wake(NOW);
        let span = |lane| (lane * JOBS_OF_LANE_MAX, lane * JOBS_OF_LANE_MAX + waiting);
        Crowd {
            dispatch,
            payload: Bytes::from(vec![b' '; payload_bytes]),
            waiting: (1..=lanes).map(|lane| (lane, span(lane))).collect(),
            in_flight: Vec::new(),
            claims: Vec::new(),
            most: (0, 0),
        }
    }

    fn job(&self, lane: i64, id: i64) -> ReadyJob {
        ReadyJob {
            payload: self.payload.clone(),
            ..job_of(lane, id)
        }
    }

    /// A lane without a backlog.
    fn add_lane(&mut self, lane: i64) {
        self.waiting
            .insert(lane, (lane * JOBS_OF_LANE_MAX, lane * JOBS_OF_LANE_MAX));
        self.dispatch.changed(lane_of(sub(lane)), NOW);
    }

    /// Accepts one more job of a lane.
    fn accept(&mut self, lane: i64) {
        let (_, end) = self.waiting.get_mut(&lane).expect("a lane");
        *end += 1;
        let job = self.waiting[&lane].1 - 1;
        let job = self.job(lane, job);
        self.dispatch.ready(vec![job], NOW);
    }

    /// Answers one claim as the store would.
    fn answer(&mut self, claim: Claim) {
        let Wanted::DueJobs(limit) = claim.wanted else {
            panic!("nothing fails here: {claim:?}");
        };
        let lane = claim.lane.0;
        self.claims.push(lane);
        let (first, end) = self.waiting[&lane];
        let asked = first + i64::try_from(limit).expect("is a count");
        let jobs = (first..asked.min(end)).map(|id| self.job(lane, id));
        let due = DueJobs {
            jobs: jobs.collect(),
            more: asked < end,
            next_due_at: None,
        };
        let claimed = Claimed::DueJobs(due);
        self.dispatch.claimed(claim.lane, claimed, NOW);
    }

    /// Starts all that may start now, and answers claims until there are no more.
    fn work(&mut self) {
        loop {
            let work = self.dispatch.work(NOW);
            self.in_flight.extend(work.starts);
            let stats = self.dispatch.stats();
            self.most.0 = self.most.0.max(stats.queued);
            self.most.1 = self.most.1.max(stats.queued_bytes);
            if work.claims.is_empty() {
                return;
            }
            for claim in work.claims {
                self.answer(claim);
            }
        }
    }

    /// Delivers all that is under way.
    fn deliver(&mut self) {
        let starts = std::mem::take(&mut self.in_flight);
        for start in &starts {
            let (first, _) = self.waiting.get_mut(&start.sub.id.0).expect("a lane");
            assert_eq!(start.job.id.0, *first, "oldest first");
            *first += 1;
        }
        end(&mut self.dispatch, starts, 200, NOW);
    }

    fn in_flight_of(&self, lane: i64) -> usize {
        let starts = self.in_flight.iter();
        starts.filter(|start| start.sub.id.0 == lane).count()
    }
}

#[test]
fn a_million_waiting_jobs_of_one_lane_take_no_more_than_its_share() {
    let mut crowd = Crowd::new(1_000, 1, 1_000_000, 1_024);
    let others: Vec<i64> = (2..=101).collect();
    others.iter().for_each(|lane| crowd.add_lane(*lane));
    for round in 0..200 {
        crowd.work();
        others.iter().for_each(|lane| crowd.accept(*lane));
        // No claim is answered and nothing ends in between: whatever starts, starts at once.
        crowd.in_flight.extend(crowd.dispatch.work(NOW).starts);
        for lane in &others {
            assert_eq!(crowd.in_flight_of(*lane), 1, "lane {lane}, round {round}");
        }
        assert!(crowd.in_flight_of(1) <= IN_FLIGHT_OF_LANE_MAX);
        crowd.deliver();
    }
    let delivered = crowd.waiting[&1].0 - JOBS_OF_LANE_MAX;
    assert!(delivered > 190 * 32, "the backlog goes out: {delivered}");
    assert!(crowd.most.0 <= QUEUE_JOBS_MAX, "{:?}", crowd.most);
    assert!(
        crowd.claims.iter().all(|lane| *lane == 1),
        "fresh jobs are not read back"
    );
    let fewest = usize::try_from(delivered).expect("is a count") / (QUEUE_JOBS_MAX / 2);
    assert!(
        crowd.claims.len() <= fewest + 2,
        "{} claims",
        crowd.claims.len()
    );
}

#[test]
fn a_thousand_lanes_with_backlogs_share_memory_claims_and_slots() {
    const LANES: i64 = 1_000;
    for payload_bytes in [2, 32 * 1_024] {
        let mut crowd = Crowd::new(500, LANES, 1_000, payload_bytes);
        crowd.work();
        let mut first: Vec<i64> = crowd.claims[..1_000].to_vec();
        first.sort_unstable();
        assert_eq!(first, (1..=LANES).collect::<Vec<_>>(), "each has its turn");
        for _ in 0..50 {
            crowd.deliver();
            crowd.work();
            assert_eq!(crowd.in_flight.len(), 500, "all slots are used");
        }
        // Beyond the bound a lane queues very little.
        let reserved = 1_000 * RESERVED_JOBS_MAX;
        let (jobs, bytes) = crowd.most;
        assert!(jobs <= MEMORY_JOBS_MAX + reserved, "{jobs} jobs");
        let bound = MEMORY_BYTES_MAX + (reserved + 1) * payload_bytes;
        assert!(bytes <= bound, "{bytes} bytes of {bound}");
        // A fresh job of another lane does not stand behind them: the next slot is its own.
        crowd.add_lane(LANES + 1);
        crowd.accept(LANES + 1);
        assert!(
            crowd.dispatch.work(NOW).starts.is_empty(),
            "no slot is free"
        );
        // The two kinds of lanes take turns, so that it has one of the next two.
        let mut next = Vec::new();
        for ended in crowd.in_flight.drain(..2) {
            let judged = judged(&ended, 200, NOW);
            crowd.dispatch.ended(&ended, judged, NOW).expect("recorded");
            next.extend(crowd.dispatch.next_start(NOW).map(|start| start.sub.id.0));
        }
        assert!(next.contains(&(LANES + 1)), "{next:?}");
    }
}
