//! Latencies in constant memory: a log-linear histogram of microseconds.

use std::time::Duration;

use serde::Serialize;

/// Each power of two has so many buckets, so that a value is told to within 0.8 %.
const BUCKETS_PER_POWER: usize = 128;
const POWER_BITS: u32 = BUCKETS_PER_POWER.trailing_zeros();
/// Values below 2 × [`BUCKETS_PER_POWER`] have a bucket each; the powers above have half as many new ones.
const BUCKETS: usize = (u64::BITS - POWER_BITS + 1) as usize * BUCKETS_PER_POWER;

/// How often which latency was seen.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Box<[u64]>,
    count: u64,
    max: u64,
}

/// The figures of a histogram that a report shows, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantiles {
    /// Half were at most this.
    pub p50: f64,
    /// 99 of 100 were at most this.
    pub p99: f64,
    /// 999 of 1,000 were at most this.
    #[serde(rename = "p99.9")]
    pub p99_9: f64,
    /// The longest.
    pub max: f64,
}

impl Quantiles {
    /// Each figure with its name.
    pub fn named(self) -> [(&'static str, f64); 4] {
        [
            ("p50", self.p50),
            ("p99", self.p99),
            ("p99.9", self.p99_9),
            ("max", self.max),
        ]
    }
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram {
            counts: vec![0; BUCKETS].into_boxed_slice(),
            count: 0,
            max: 0,
        }
    }
}

impl Histogram {
    /// Counts one latency.
    pub fn record(&mut self, latency: Duration) {
        let microseconds = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.counts[bucket(microseconds)] += 1;
        self.count += 1;
        self.max = self.max.max(microseconds);
    }

    /// Its figures; none when nothing was counted.
    pub fn quantiles(&self) -> Option<Quantiles> {
        (self.count > 0).then(|| Quantiles {
            p50: self.milliseconds_at(0.5),
            p99: self.milliseconds_at(0.99),
            p99_9: self.milliseconds_at(0.999),
            max: milliseconds(self.max),
        })
    }

    fn milliseconds_at(&self, quantile: f64) -> f64 {
        let rank = (quantile * self.count as f64).ceil() as u64;
        let mut seen = 0;
        let index = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        milliseconds(index.map_or(self.max, highest_in).min(self.max))
    }
}

fn milliseconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1_000.0
}

fn bucket(value: u64) -> usize {
    let power = (u64::BITS - (value >> POWER_BITS).leading_zeros()) as usize;
    let shift = power.saturating_sub(1);
    let within = (value >> shift) as usize;
    shift * BUCKETS_PER_POWER + within
}

/// The largest value that the bucket counts.
fn highest_in(bucket: usize) -> u64 {
    let shift = (bucket / BUCKETS_PER_POWER).saturating_sub(1);
    let within = (bucket - shift * BUCKETS_PER_POWER) as u64;
    (within << shift) + ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_told_to_within_a_hundredth() {
        for power in 0..63 {
            for offset in [0, 1, 7] {
                let value = (1_u64 << power) + offset * ((1 << power) / 8);
                let told = highest_in(bucket(value));
                assert!(told >= value, "{value} is told as {told}");
                assert!(told - value <= value / 100, "{value} is told as {told}");
            }
        }
        assert!(bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn buckets_ascend_without_a_gap() {
        let mut last = bucket(0);
        for value in 1..100_000 {
            let next = bucket(value);
            assert!(next == last || next == last + 1, "{value}");
            last = next;
        }
    }

    #[test]
    fn quantiles_of_a_known_set_are_exact_enough() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantiles(), None);
        for milliseconds in 1..=1_000 {
            histogram.record(Duration::from_millis(milliseconds));
        }
        let quantiles = histogram.quantiles().expect("not empty");
        for (told, exact) in [
            (quantiles.p50, 500.0),
            (quantiles.p99, 990.0),
            (quantiles.p99_9, 999.0),
            (quantiles.max, 1_000.0),
        ] {
            assert!((told - exact).abs() <= exact / 100.0, "{told} for {exact}");
        }
    }
}
