//! When sessions were last used, without a write per request.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::id::SessionId;
use domain::time::Moment;

/// Sessions whose use is noted between two writes; the use of more is written late.
const NOTED_MAX: usize = 100_000;

/// What is not in the store yet.
#[derive(Default)]
pub(crate) struct LastUse {
    noted: Mutex<HashMap<SessionId, Moment>>,
}

impl LastUse {
    /// Notes a use.
    pub(crate) fn note(&self, id: SessionId, now: Moment) {
        let mut noted = self.noted();
        if noted.len() < NOTED_MAX || noted.contains_key(&id) {
            let last = noted.entry(id).or_insert(now);
            *last = now.max(*last);
        }
    }

    /// The last use that is not in the store yet.
    pub(crate) fn of(&self, id: SessionId) -> Option<Moment> {
        self.noted().get(&id).copied()
    }

    /// All that is noted, to be written.
    pub(crate) fn all(&self) -> Vec<(SessionId, Moment)> {
        self.noted().iter().map(|(id, at)| (*id, *at)).collect()
    }

    /// Forgets what was written, unless it was used since.
    pub(crate) fn written(&self, uses: &[(SessionId, Moment)]) {
        let mut noted = self.noted();
        for (id, at) in uses {
            if noted.get(id) == Some(at) {
                noted.remove(id);
            }
        }
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<SessionId, Moment>> {
        // The map is whole whenever the lock is free.
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_stays_noted_until_it_is_written_and_no_later_one_came() {
        let (id, at) = (SessionId(1), Moment::from_microseconds);
        let last_use = LastUse::default();
        last_use.note(id, at(5));
        last_use.note(id, at(3));
        assert_eq!(last_use.of(id), Some(at(5)));
        let all = last_use.all();
        last_use.note(id, at(7));
        last_use.written(&all);
        assert_eq!(last_use.all(), [(id, at(7))]);
        last_use.written(&[(id, at(7))]);
        assert_eq!(last_use.of(id), None);
    }
}
