//! What a lane may do, worked out a second time from what it was told and what came back.
//!
//! Says the rules of health, window and trust anew, in the words of the design, and shares nothing with
//! `domain`: a rule that is broken there shows here.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::health::HealthState;
use domain::id::OrderId;
use domain::rate_limit::RateLimit;
use domain::time::Moment;
use domain::webhook_out_sub::WebhookOutSub;

use super::receiver::Reply;

const SECONDS_10: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);
const DAYS_5: Duration = Duration::from_secs(5 * 24 * 60 * 60);
const HOURS_27: Duration = Duration::from_secs(27 * 60 * 60);

/// A lane as it should be.
pub(super) struct Shadow {
    pub(super) sub: Arc<WebhookOutSub>,
    pub(super) is_closed: bool,
    pub(super) state: HealthState,
    limit: u32,
    pub(super) widest: u32,
    succeeded_at: Option<Moment>,
    /// The first failure since the last success that counts against the window.
    failing_since: Option<Moment>,
    /// The first failure of any kind since the last success.
    first_failure: Option<Moment>,
    last_failure: Option<Moment>,
    /// Since when and until when the receiver asked to be left alone.
    pause: Option<(Moment, Moment)>,
    faults_in_a_row: u32,
    orders_failed: BTreeSet<OrderId>,
    /// How long it has rested or been off, and whether that is all that counts: not once people switched it, or the process
    /// ended.
    pub(super) rested: Duration,
    pub(super) is_rest_known: bool,
    /// When it sent since its rate was set, or the clock jumped.
    sent_at: Vec<Moment>,
}

impl Shadow {
    pub(super) fn new(sub: Arc<WebhookOutSub>) -> Shadow {
        Shadow {
            is_closed: false,
            state: sub.health.state,
            limit: 4.min(max(&sub)),
            widest: 4,
            succeeded_at: None,
            failing_since: None,
            first_failure: sub.health.failing_since,
            last_failure: None,
            pause: sub.health.pause.map(|pause| (pause.since, pause.until)),
            faults_in_a_row: 0,
            orders_failed: BTreeSet::new(),
            rested: Duration::ZERO,
            is_rest_known: false,
            sent_at: Vec::new(),
            sub,
        }
    }

    /// Time passes.
    pub(super) fn passed(&mut self, time: Duration) {
        if self.state != HealthState::Healthy {
            self.rested += time;
        }
    }

    /// Its subscription has changed. Only one that was switched on or off starts anew.
    pub(super) fn changed(&mut self, sub: Arc<WebhookOutSub>) {
        let sent_at = if sub.rate_limit == self.sub.rate_limit {
            std::mem::take(&mut self.sent_at)
        } else {
            Vec::new()
        };
        if sub.health.is_off() || self.state == HealthState::Off {
            *self = Shadow::new(sub);
        } else {
            self.limit = self.limit.min(max(&sub));
            self.sub = sub;
        }
        self.sent_at = sent_at;
    }

    pub(super) fn clock_jumped(&mut self) {
        self.sent_at.clear();
    }

    /// Most requests that may be under way.
    pub(super) fn limit(&self, now: Moment) -> u32 {
        if self.is_closed || !self.sub.active {
            return 0;
        }
        match self.state {
            HealthState::Off => 0,
            HealthState::Resting => 1,
            HealthState::Healthy if self.is_stale(now) => 1,
            HealthState::Healthy => self.limit,
        }
    }

    /// Whether the receiver asked to be left alone, and neither that time is over nor the clock set back before it.
    pub(super) fn is_paused(&self, now: Moment) -> bool {
        self.pause
            .is_some_and(|(since, until)| since <= now && now < until)
    }

    /// Whether the receiver asked so since the last success.
    pub(super) fn was_paused(&self) -> bool {
        self.pause.is_some()
    }

    /// Somebody asks for a job by hand: the pause is over.
    pub(super) fn asked_for(&mut self) {
        self.pause = None;
    }

    pub(super) fn is_trusted(&self, now: Moment) -> bool {
        self.state == HealthState::Healthy
            && self.failing_since.is_none()
            && self
                .succeeded_at
                .is_some_and(|at| now.since(at) <= SECONDS_10)
    }

    /// It rests, or something failed since its last success.
    pub(super) fn is_failing(&self) -> bool {
        self.state != HealthState::Healthy || self.first_failure.is_some()
    }

    /// Nothing has succeeded for a minute, and something failed.
    fn is_stale(&self, now: Moment) -> bool {
        self.failing_since
            .is_some_and(|since| now.since(self.succeeded_at.unwrap_or(since)) > MINUTE)
    }

    /// A request goes out.
    ///
    /// # Errors
    /// When its rate is exceeded: in any time, a burst and what the rate gives for that time.
    pub(super) fn sent(&mut self, now: Moment) -> Result<(), String> {
        let Some(limit) = self.sub.rate_limit else {
            return Ok(());
        };
        self.sent_at.push(now);
        let sent = self.sent_at.iter().rev().zip(1_u32..);
        for (at, count) in sent {
            if f64::from(count) > allowed(&limit, now.since(*at)) {
                return Err(format!("{count} requests since {at}, by {limit:?}"));
            }
        }
        Ok(())
    }

    /// A request has ended.
    pub(super) fn ended(&mut self, reply: Reply, order: Option<OrderId>, now: Moment) {
        if let Some(delay) = reply.retry_after() {
            let until = now + delay;
            if !self.is_paused(now) || self.pause.is_none_or(|(_, known)| known < until) {
                self.pause = Some((now, until));
            }
        }
        if reply.is_ours() {
            return;
        }
        if reply.is_success() {
            self.pause = self.pause.filter(|_| self.is_paused(now));
            self.limit = (self.limit + 1).min(max(&self.sub));
            self.widest = self.widest.max(self.limit);
            self.succeeded_at = Some(now);
            self.failing_since = None;
            self.first_failure = None;
            self.last_failure = None;
            self.faults_in_a_row = 0;
            self.orders_failed.clear();
            if self.state == HealthState::Resting {
                self.state = HealthState::Healthy;
            }
            return;
        }
        if !reply.is_refusal() {
            self.limit = (self.limit / 2).max(1);
            self.failing_since.get_or_insert(now);
        }
        if self.state != HealthState::Off {
            self.failed(reply, order, now);
        }
    }

    fn failed(&mut self, reply: Reply, order: Option<OrderId>, now: Moment) {
        let first = *self.first_failure.get_or_insert(now);
        let last = self.last_failure.replace(now);
        let is_recent = last.is_some_and(|last| now.since(last) <= HOURS_27);
        if reply.is_gone() || (now.since(first) >= DAYS_5 && is_recent) {
            self.state = HealthState::Off;
            return;
        }
        self.faults_in_a_row = if reply.is_refusal() {
            0
        } else {
            self.faults_in_a_row + 1
        };
        self.orders_failed.extend(order);
        if self.faults_in_a_row >= 5 || self.orders_failed.len() >= 20 {
            self.state = HealthState::Resting;
        }
    }
}

fn max(sub: &WebhookOutSub) -> u32 {
    sub.max_in_flight.unwrap_or(32)
}

fn allowed(limit: &RateLimit, time: Duration) -> f64 {
    // Moments are whole microseconds.
    let rounding = 1e-3;
    f64::from(limit.burst) + limit.per_second * time.as_secs_f64() + rounding
}
