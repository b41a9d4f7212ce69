//! Time: it passes, it is jumped over, and the alarm goes off.

use std::time::Duration;

use domain::time::Moment;

use super::ledger::Checked;
use super::mutation::Mutation;
use super::world::World;
use super::writer::Writer;

/// How long a transaction lasts at most, told lanes included: shorter than withdrawals are remembered.
const TRANSACTION_LASTS_MAX: Duration = Duration::from_secs(9);

impl World {
    /// Time passes, not more than a transaction may last.
    pub(super) fn pass(&mut self, time: Duration) -> Checked {
        if self.may_move_to(self.now + time) {
            self.move_to(self.now + time);
        }
        Ok(())
    }

    /// The alarm goes off, as late as may be.
    pub(super) fn wake(&mut self, late: Duration) -> Checked {
        let Some(at) = self.dispatch.next_alarm() else {
            return Ok(());
        };
        let at = self.now.max(at + late);
        if !self.may_move_to(at) {
            return Ok(());
        }
        self.move_to(at);
        if self.is(Mutation::LosesAlarm) {
            return Ok(());
        }
        self.update(|dispatch, now| dispatch.wake(now))
    }

    fn move_to(&mut self, at: Moment) {
        self.ledger.passed(at.since(self.now));
        self.now = at;
    }

    fn may_move_to(&self, at: Moment) -> bool {
        matches!(self.writer, Writer::Idle)
            || at.since(self.writer_busy_since) <= TRANSACTION_LASTS_MAX
    }

    /// The wall clock is set.
    pub(super) fn set_clock(&mut self, to: Moment) -> Checked {
        if matches!(self.writer, Writer::Idle) {
            self.ledger.clock_jumped(self.now, to);
            self.move_to(to);
        }
        Ok(())
    }
}
