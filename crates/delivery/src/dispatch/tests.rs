//! Tests of the decisions of all lanes together.

mod backlog;
mod herd;

use domain::health::HealthState;
use domain::time::Moment;
use store::Fence;

use super::*;
use crate::fixtures::{NOW, after, due, job_of, judged, lane_of, sub};
use crate::judge::crashed;

fn dispatch(in_flight_max: usize, lanes: i64) -> Dispatch {
    let mut dispatch = Dispatch::new(in_flight_max, RetryPolicy::default(), 1);
    let lanes = (1..=lanes).map(|id| lane_of(sub(id))).collect();
    dispatch.adopt(lanes, NOW);
    dispatch
}

fn offer(dispatch: &mut Dispatch, lane: i64, ids: std::ops::Range<i64>) {
    let jobs = ids.map(|id| job_of(lane, id)).collect();
    dispatch.ready(jobs, NOW);
}

/// Ends each attempt with this status, and records it at once.
fn end(dispatch: &mut Dispatch, starts: Vec<Start>, status: u16, now: Moment) -> Vec<Outcome> {
    let ended = starts.iter().map(|start| {
        let judged = judged(start, status, now);
        dispatch
            .ended(start, judged, now)
            .expect("is to be recorded")
    });
    let outcomes: Vec<Outcome> = ended.collect();
    dispatch.recorded(&outcomes, now);
    outcomes
}

#[test]
fn success_widens_a_lane_and_faults_halve_it() {
    let mut dispatch = dispatch(100, 1);
    offer(&mut dispatch, 1, 0..500);
    let mut sizes = Vec::new();
    for status in [200, 200, 503, 200] {
        let starts = dispatch.work(NOW).starts;
        sizes.push(starts.len());
        // One answer of the failing round is enough to halve.
        let (last, rest) =
            starts
                .into_iter()
                .fold((None, Vec::new()), |(last, mut rest), start| {
                    rest.extend(last);
                    (Some(start), rest)
                });
        end(&mut dispatch, rest, 200, NOW);
        end(&mut dispatch, last.into_iter().collect(), status, NOW);
    }
    assert_eq!(sizes, [4, 8, 16, 15]);
}

#[test]
fn what_is_our_own_fault_changes_no_health_and_no_count() {
    let mut dispatch = dispatch(100, 1);
    for round in 0..30 {
        offer(&mut dispatch, 1, round..round + 1);
        for start in dispatch.work(NOW).starts {
            let judged = crashed(&start, NOW, NOW);
            let outcome = dispatch.ended(&start, judged, NOW).expect("is recorded");
            assert_eq!((outcome.job_faults, outcome.lane.clone()), (0, None));
            assert!(matches!(
                outcome.next,
                NextStep::Retry { passed: false, .. }
            ));
            dispatch.recorded(&[outcome], NOW);
        }
    }
    assert_eq!(dispatch.stats().lanes_healthy, 1);
}

#[test]
fn changes_of_health_go_with_the_outcome_that_caused_them() {
    let mut dispatch = dispatch(100, 1);
    let mut states = Vec::new();
    for (id, status) in (0..).zip([200, 500, 200, 500, 500, 500, 500, 500]) {
        offer(&mut dispatch, 1, id..id + 1);
        let starts = dispatch.work(NOW).starts;
        let outcomes = end(&mut dispatch, starts, status, NOW);
        let lane = outcomes[0].lane.as_ref();
        states.push(lane.map(|lane| (lane.state, lane.failing_since.is_some())));
    }
    let failing = Some((HealthState::Healthy, true));
    let recovered = Some((HealthState::Healthy, false));
    let rests = Some((HealthState::Resting, true));
    let expected = [None, failing, recovered, failing, None, None, None, rests];
    assert_eq!(states, expected);
}

#[test]
fn the_alarm_is_the_earliest_of_all_lanes() {
    let mut dispatch = dispatch(100, 3);
    for (lane, seconds) in [(1, 30), (2, 10), (3, 20)] {
        let mut changed = lane_of(sub(lane));
        changed.next_due_at = Some(after(seconds));
        dispatch.changed(changed, NOW);
    }
    assert_eq!(dispatch.next_alarm(), Some(after(10)));
    dispatch.wake(after(9));
    assert_eq!(dispatch.next_alarm(), Some(after(10)));
    assert!(dispatch.work(after(9)).claims.is_empty());
    dispatch.wake(after(20));
    assert_eq!(dispatch.next_alarm(), Some(after(30)));
    let claims = dispatch.work(after(20)).claims;
    let lanes: Vec<i64> = claims.iter().map(|claim| claim.lane.0).collect();
    assert_eq!(lanes, [2, 3]);
    dispatch.closed(WebhookOutSubId(1), NOW);
    dispatch.wake(after(20));
    assert_eq!(dispatch.next_alarm(), None);
}

#[test]
fn few_claims_run_at_once_and_all_lanes_have_their_turn() {
    let mut dispatch = dispatch(100, 10);
    for lane in 1..=10 {
        let mut changed = lane_of(sub(lane));
        changed.next_due_at = Some(NOW);
        dispatch.changed(changed, NOW);
    }
    dispatch.wake(NOW);
    let mut served = Vec::new();
    let mut running = dispatch.work(NOW).claims;
    assert_eq!(running.len(), CLAIMS_AT_ONCE_MAX);
    while let Some(claim) = running.pop() {
        served.push(claim.lane.0);
        dispatch.claimed(claim.lane, Claimed::DueJobs(due([])), NOW);
        running.extend(dispatch.work(NOW).claims);
        assert!(running.len() <= CLAIMS_AT_ONCE_MAX);
    }
    served.sort_unstable();
    assert_eq!(served, (1..=10).collect::<Vec<_>>());
}

#[test]
fn what_is_told_while_the_store_still_lists_its_lanes_is_not_forgotten() {
    let mut dispatch = Dispatch::new(100, RetryPolicy::default(), 1);
    offer(&mut dispatch, 1, 0..1);
    dispatch.closed(WebhookOutSubId(2), NOW);
    let mut newer = lane_of(sub(3));
    newer.fence = Fence(9);
    dispatch.changed(newer, NOW);
    let listed = [1, 2, 3, 4].map(|id| lane_of(sub(id)));
    dispatch.adopt(listed.into(), NOW);
    let claims = dispatch.work(NOW).claims;
    let lanes: Vec<i64> = claims.iter().map(|claim| claim.lane.0).collect();
    assert_eq!(lanes, [1, 3]);
    assert_eq!(
        dispatch.stats().lanes_healthy,
        3,
        "a closed lane stays away"
    );
    offer(&mut dispatch, 3, 5..6);
    dispatch.claimed(WebhookOutSubId(3), Claimed::DueJobs(due([])), NOW);
    assert_eq!(dispatch.work(NOW).starts[0].fence, Fence(9));
}

#[test]
fn a_withdrawal_from_a_lane_that_the_store_still_lists_counts() {
    let mut dispatch = Dispatch::new(100, RetryPolicy::default(), 1);
    let lane = WebhookOutSubId(1);
    dispatch.withdraw(lane, WebhookJobId(7), NOW);
    let mut listed = lane_of(sub(1));
    listed.next_due_at = Some(NOW);
    dispatch.adopt(vec![listed], NOW);
    dispatch.wake(NOW);
    assert_eq!(dispatch.work(NOW).claims.len(), 1);
    // The claim has read before the withdrawal was committed.
    dispatch.claimed(lane, Claimed::DueJobs(due([7])), NOW);
    assert!(dispatch.work(NOW).starts.is_empty());
}

#[test]
fn a_withdrawal_from_a_lane_that_is_changed_before_it_is_listed_counts() {
    let mut dispatch = Dispatch::new(100, RetryPolicy::default(), 1);
    // One transaction changes the lane, and releases and cancels a job of it.
    dispatch.withdraw(WebhookOutSubId(1), WebhookJobId(7), NOW);
    dispatch.changed(lane_of(sub(1)), NOW);
    offer(&mut dispatch, 1, 7..8);
    assert!(dispatch.work(NOW).starts.is_empty());
}

#[test]
fn the_outcome_of_a_lane_that_was_closed_meanwhile_is_recorded() {
    let mut dispatch = dispatch(100, 1);
    offer(&mut dispatch, 1, 0..3);
    let starts = dispatch.work(NOW).starts;
    dispatch.closed(WebhookOutSubId(1), NOW);
    let outcomes = end(&mut dispatch, starts, 200, NOW);
    assert_eq!(outcomes.len(), 3);
    assert_eq!(dispatch.stats(), Stats::default());
}

#[test]
fn after_the_stop_nothing_starts() {
    let mut dispatch = dispatch(100, 1);
    offer(&mut dispatch, 1, 0..10);
    let starts = dispatch.work(NOW).starts;
    dispatch.stop();
    end(&mut dispatch, starts, 200, NOW);
    let work = dispatch.work(NOW);
    assert!(work.starts.is_empty() && work.claims.is_empty());
    assert_eq!(dispatch.stats().in_flight, 0);
}
