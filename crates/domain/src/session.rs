//! Sessions: how long somebody stays signed in.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{SessionId, UserId};
use crate::time::Moment;

/// The age beyond which a session is over: seven days.
pub const SESSION_AGE_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The time without a request beyond which a session is over: 72 hours.
pub const SESSION_IDLE_MAX: Duration = Duration::from_secs(72 * 60 * 60);

/// Somebody who is signed in, as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its identity.
    pub id: SessionId,
    /// Who signed in.
    pub user_id: UserId,
    /// When they signed in.
    pub created_at: Moment,
    /// When the session was last used.
    pub last_used_at: Moment,
}

impl Session {
    /// When the session ends if it is not used again; never for a user who is to be remembered.
    pub fn expires_at(&self, remember_me: bool) -> Option<Moment> {
        let by_age = self.created_at + SESSION_AGE_MAX;
        let by_rest = self.last_used_at + SESSION_IDLE_MAX;
        (!remember_me).then(|| by_age.min(by_rest))
    }

    /// Whether the session is over: strictly older than seven days, or unused for strictly more than 72
    /// hours.
    pub fn is_expired(&self, remember_me: bool, now: Moment) -> bool {
        self.expires_at(remember_me).is_some_and(|end| now > end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    #[test]
    fn sessions_end_strictly_after_their_limits_unless_they_are_remembered() {
        let start = Moment::from_microseconds(1_800_000_000_000_000);
        let tick = Duration::from_micros(1);
        let cases = [
            // Used again and again: the age counts.
            (167 * HOUR, 168 * HOUR, false),
            (167 * HOUR, 168 * HOUR + tick, true),
            // Left alone: the rest counts.
            (Duration::ZERO, 72 * HOUR, false),
            (Duration::ZERO, 72 * HOUR + tick, true),
            (10 * HOUR, 82 * HOUR, false),
            (10 * HOUR, 82 * HOUR + tick, true),
        ];
        for (last_used, now, over) in cases {
            let session = Session {
                id: SessionId(1),
                user_id: UserId(1),
                created_at: start,
                last_used_at: start + last_used,
            };
            let now = start + now;
            assert_eq!(session.is_expired(false, now), over, "{last_used:?} {now}");
            assert!(!session.is_expired(true, now + 10_000 * HOUR));
        }
    }
}
