//! What was read a moment ago, so that a busy path need not read it again.

use std::hash::Hash;
use std::time::Duration;

use domain::time::Moment;
use moka::sync::Cache;

/// How long something may be believed, in milliseconds: a token that was renewed, also by another
/// process, is noticed within a second.
const BELIEVED_MILLISECONDS_MAX: u64 = 1_000;
/// Most entries; beyond that, those used least make room.
const ENTRIES_MAX: u64 = 10_000;

/// A bounded cache by the caller's clock. That clock may jump: an entry from the future is not believed.
pub(crate) struct Recent<K, V> {
    entries: Cache<K, (V, Moment)>,
}

impl<K, V> Recent<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(crate) fn new() -> Recent<K, V> {
        Recent {
            entries: Cache::new(ENTRIES_MAX),
        }
    }

    pub(crate) fn get(&self, key: &K, now: Moment) -> Option<V> {
        let (value, read_at) = self.entries.get(key)?;
        let believed = Duration::from_millis(BELIEVED_MILLISECONDS_MAX);
        (read_at <= now && now.since(read_at) < believed).then_some(value)
    }

    pub(crate) fn put(&self, key: K, value: V, now: Moment) {
        self.entries.insert(key, (value, now));
    }

    /// Forgets everything: what was read before is not believed any more.
    pub(crate) fn clear(&self) {
        self.entries.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_believed_for_less_than_a_second_and_never_from_the_future() {
        let read_at = Moment::from_microseconds(10_000_000);
        let recent = Recent::new();
        recent.put(1, 'a', read_at);
        let millisecond = Duration::from_millis(1);
        let cases = [
            (read_at, Some('a')),
            (read_at + millisecond * 999, Some('a')),
            (read_at + millisecond * 1_000, None),
            (read_at - millisecond, None),
        ];
        for (now, expected) in cases {
            assert_eq!(recent.get(&1, now), expected, "{now}");
        }
        assert_eq!(recent.get(&2, read_at), None);
        recent.put(1, 'b', read_at + millisecond * 1_000);
        assert_eq!(recent.get(&1, read_at + millisecond * 1_500), Some('b'));
    }
}
