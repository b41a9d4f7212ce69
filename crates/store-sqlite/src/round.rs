//! The writer's rounds: how long it gathers work before the next commit.

use std::time::Duration;

/// So many pieces of work in one commit tell that the machine is busy.
const WORKS_TO_GATHER: usize = 16;
/// How long the writer waits for more at most: less than a commit takes on a busy machine.
const GATHERING_MAX: Duration = Duration::from_millis(2);

/// What one commit took.
#[derive(Clone, Copy, Default)]
pub(crate) struct Round {
    pub(crate) works: usize,
    pub(crate) lasted: Duration,
}

impl Round {
    /// How long the next one waits for more. If many worked together this time and few wait, the machine is busy, and the next
    /// commit would be smaller: a larger one writes fewer pages for each change.
    pub(crate) fn pause(self, waiting: usize) -> Duration {
        if self.works >= WORKS_TO_GATHER && waiting < self.works {
            (self.lasted / 2).min(GATHERING_MAX)
        } else {
            Duration::ZERO
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_busy_writer_with_few_waiting_gathers_more() {
        let milliseconds = Duration::from_millis;
        let cases = [
            (WORKS_TO_GATHER - 1, 3, 1, 0),
            (WORKS_TO_GATHER, 3, 1, 1_500),
            (WORKS_TO_GATHER, 3, WORKS_TO_GATHER, 0),
            (100, 60, 99, 2_000),
        ];
        for (works, lasted, waiting, microseconds) in cases {
            let round = Round {
                works,
                lasted: milliseconds(lasted),
            };
            let pause = round.pause(waiting);
            assert_eq!(
                pause,
                Duration::from_micros(microseconds),
                "{works} {waiting}"
            );
        }
        assert_eq!(Round::default().pause(0), Duration::ZERO);
    }
}
