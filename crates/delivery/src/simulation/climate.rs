//! What is likely in one world: each has a climate of its own, so that rare things come together somewhere.

use rand::RngExt;
use rand::rngs::StdRng;

/// Likelihoods of one world; weights are against one another.
pub(super) struct Climate {
    pub(super) subs_max: usize,
    pub(super) orders: i64,
    /// How many of the payloads are big.
    pub(super) big: f64,
    /// How many receivers are in a mood from the beginning.
    pub(super) moody: f64,
    /// How many transactions and claims fail.
    pub(super) failing: f64,
    /// What people do beside reporting changes.
    pub(super) by_hand: f64,
    pub(super) hands: u32,
    pub(super) moods: u32,
    pub(super) writer: u32,
    pub(super) receivers: u32,
    pub(super) readers: u32,
    pub(super) recorder: u32,
    pub(super) time: u32,
    pub(super) trouble: u32,
}

impl Climate {
    pub(super) fn draw(chance: &mut StdRng) -> Climate {
        Climate {
            subs_max: one_of(chance, [1, 1, 2, 4]),
            orders: one_of(chance, [1, 3, 4, 8]),
            big: one_of(chance, [0.0, 0.0, 0.3, 1.0]),
            moody: one_of(chance, [0.0, 0.5, 0.9, 1.0]),
            failing: one_of(chance, [0.0, 0.05, 0.1, 0.3]),
            by_hand: one_of(chance, [0.2, 0.4, 0.4, 0.8]),
            hands: one_of(chance, [10, 30, 60, 150]),
            moods: one_of(chance, [1, 3, 10, 40]),
            writer: one_of(chance, [100, 200, 200, 300]),
            receivers: one_of(chance, [30, 180, 180, 300]),
            readers: one_of(chance, [30, 140, 140, 300]),
            recorder: one_of(chance, [30, 120, 120, 300]),
            time: one_of(chance, [60, 180, 180, 300]),
            trouble: one_of(chance, [0, 30, 50, 150]),
        }
    }

    pub(super) fn weights(&self) -> [u32; 9] {
        let Climate {
            hands,
            moods,
            writer,
            receivers,
            readers,
            recorder,
            time,
            trouble,
            ..
        } = *self;
        let adopts = 50;
        [
            hands, moods, writer, receivers, readers, recorder, time, trouble, adopts,
        ]
    }
}

fn one_of<T: Copy>(chance: &mut StdRng, values: [T; 4]) -> T {
    values[chance.random_range(0..values.len())]
}
