//! Statistics of deliveries: what is counted, by which periods, and how durations are kept so that percentiles can be told.
//!
//! A duration is counted in a class of durations. Counts can be added up, over periods, subscriptions and nodes, which percentiles
//! cannot; a percentile that is read from them is right to within its class.

use std::time::Duration;

use crate::time::Moment;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Attempts that the receiver accepted, by how long they took.
    AttemptDelivered,
    /// Attempts that failed, by how long they took.
    AttemptFailed,
    /// Jobs that were delivered, by the time since they were made.
    JobDelivered,
    /// Jobs that were given up, by the time since they were made.
    JobExhausted,
    /// Jobs that waited at one moment, whatever their duration: the most of them in the period.
    JobWaiting,
}

impl Measure {
    /// All there are.
    pub const ALL: [Measure; 5] = [
        Measure::AttemptDelivered,
        Measure::AttemptFailed,
        Measure::JobDelivered,
        Measure::JobExhausted,
        Measure::JobWaiting,
    ];

    /// The name, as both stores have it.
    pub const fn name(self) -> &'static str {
        match self {
            Measure::AttemptDelivered => "attempt_delivered",
            Measure::AttemptFailed => "attempt_failed",
            Measure::JobDelivered => "job_delivered",
            Measure::JobExhausted => "job_exhausted",
            Measure::JobWaiting => "job_waiting",
        }
    }

    /// The measure of this name.
    pub fn parse(name: &str) -> Option<Measure> {
        Measure::ALL
            .into_iter()
            .find(|measure| measure.name() == name)
    }
}

/// A period in which things are counted. Each begins at a multiple of its length since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatisticsStep {
    /// Kept for three days: whoever comes back from a weekend still sees when it began.
    Minute,
    /// Kept for 90 days, as jobs are where nobody says otherwise.
    Hour,
}

impl StatisticsStep {
    /// All there are.
    pub const ALL: [StatisticsStep; 2] = [StatisticsStep::Minute, StatisticsStep::Hour];

    /// Its length.
    pub const fn seconds(self) -> i64 {
        match self {
            StatisticsStep::Minute => 60,
            StatisticsStep::Hour => 3_600,
        }
    }

    /// How long counts are kept.
    pub const fn kept(self) -> Duration {
        let days = match self {
            StatisticsStep::Minute => 3,
            StatisticsStep::Hour => 90,
        };
        Duration::from_secs(days * 24 * 60 * 60)
    }

    /// The longest one that periods of so many seconds are made of; none for what is no multiple of a minute.
    pub fn within(seconds: i64) -> Option<StatisticsStep> {
        let mut steps = StatisticsStep::ALL.into_iter().rev();
        steps.find(|step| seconds > 0 && seconds % step.seconds() == 0)
    }
}

/// When the period of so many seconds began in which a moment lies.
pub const fn period_of(at: Moment, seconds: i64) -> Moment {
    let length = seconds * 1_000_000;
    Moment::from_microseconds(at.microseconds().div_euclid(length) * length)
}

/// Below this, in microseconds, all durations are of one class: what is as fast as that needs no plot.
const FIRST_CLASS_MICROSECONDS: u64 = 1 << FIRST_OCTAVE;
const FIRST_OCTAVE: u32 = 10;
/// From there on each doubling has two classes, up to 2^42 microseconds (50 days), which is longer than any job waits.
const OCTAVES: u32 = 32;
/// How many classes there are.
const CLASSES: usize = 1 + 2 * OCTAVES as usize;

/// A class of durations: those from one bound to the next, which is 1.5 or 1.33 times as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DurationClass(u8);

impl DurationClass {
    /// That of what has no duration.
    pub const NONE: DurationClass = DurationClass(0);

    /// The class of a duration.
    pub fn of(duration: Duration) -> DurationClass {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        if microseconds < FIRST_CLASS_MICROSECONDS {
            return DurationClass(0);
        }
        let octave = microseconds.ilog2();
        let is_upper_half = (microseconds >> (octave - 1)) & 1;
        let class = 1 + 2 * u64::from(octave - FIRST_OCTAVE) + is_upper_half;
        let last = CLASSES as u64 - 1;
        DurationClass(u8::try_from(class.min(last)).unwrap_or(u8::MAX))
    }

    /// The class of this number, as stores have it.
    pub fn from_number(number: i64) -> Option<DurationClass> {
        let class = u8::try_from(number).ok()?;
        (usize::from(class) < CLASSES).then_some(DurationClass(class))
    }

    /// Its number.
    pub const fn number(self) -> i64 {
        self.0 as i64
    }

    /// Where it begins, in microseconds.
    const fn begin(class: usize) -> u64 {
        if class == 0 {
            return 0;
        }
        let octave = FIRST_CLASS_MICROSECONDS << ((class - 1) / 2);
        octave + (octave / 2) * ((class as u64 - 1) % 2)
    }
}

/// How many durations there were in each class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurationCounts([u64; CLASSES]);

impl Default for DurationCounts {
    fn default() -> DurationCounts {
        DurationCounts([0; CLASSES])
    }
}

impl DurationCounts {
    /// Counts so many durations of a class.
    pub fn add(&mut self, class: DurationClass, count: u64) {
        if let Some(counted) = self.0.get_mut(usize::from(class.0)) {
            *counted += count;
        }
    }

    /// Keeps of each class the highest count.
    fn highest_of(&mut self, other: &DurationCounts) {
        for (counted, other) in self.0.iter_mut().zip(other.0) {
            *counted = other.max(*counted);
        }
    }

    /// Counts what others have counted.
    pub fn add_all(&mut self, other: &DurationCounts) {
        for (counted, more) in self.0.iter_mut().zip(other.0) {
            *counted += more;
        }
    }

    /// How many there were.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The duration that so many percent of them did not exceed, as if they lay evenly in their class; none where there were none.
    pub fn percentile(&self, percent: u32) -> Option<Duration> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        // The rank in hundredths of a duration, so that whole numbers do.
        let rank = (u128::from(total) * u128::from(percent.min(100))).max(1);
        let mut before: u128 = 0;
        for (class, counted) in self.0.iter().enumerate() {
            let counted = u128::from(*counted) * 100;
            if before + counted < rank || counted == 0 {
                before += counted;
                continue;
            }
            let begin = DurationClass::begin(class);
            let width = u128::from(DurationClass::begin(class + 1) - begin);
            let into = u64::try_from(width * (rank - before) / counted).unwrap_or(u64::MAX);
            return Some(Duration::from_micros(begin + into));
        }
        None
    }
}

/// What was counted in one period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFigures([DurationCounts; Measure::ALL.len()]);

impl DeliveryFigures {
    /// Counts so many of a measure whose duration is of this class.
    pub fn add(&mut self, measure: Measure, class: DurationClass, count: u64) {
        self.0[measure as usize].add(class, count);
    }

    /// Counts what another period has counted.
    pub fn add_all(&mut self, other: &DeliveryFigures) {
        for measure in Measure::ALL {
            let (counts, more) = (&mut self.0[measure as usize], other.of(measure));
            match measure {
                Measure::JobWaiting => counts.highest_of(more),
                _ => counts.add_all(more),
            }
        }
    }

    /// The durations of a measure.
    pub fn of(&self, measure: Measure) -> &DurationCounts {
        &self.0[measure as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_variants_agree() {
        for (place, measure) in Measure::ALL.into_iter().enumerate() {
            assert_eq!(measure as usize, place);
            assert_eq!(Measure::parse(measure.name()), Some(measure));
        }
        assert_eq!(Measure::parse("attempts"), None);
    }

    #[test]
    fn every_duration_lies_within_its_class() {
        let mut microseconds: u64 = 1;
        while microseconds < 1 << 41 {
            for one in [microseconds - 1, microseconds, microseconds + 1] {
                let class = DurationClass::of(Duration::from_micros(one));
                let number = usize::try_from(class.number()).expect("small");
                let bounds = DurationClass::begin(number)..DurationClass::begin(number + 1);
                assert!(bounds.contains(&one), "{one} is not in {bounds:?}");
                assert_eq!(DurationClass::from_number(class.number()), Some(class));
            }
            microseconds += microseconds.div_ceil(3);
        }
        let last = DurationClass::of(Duration::MAX);
        assert_eq!(DurationClass::from_number(last.number()), Some(last));
        assert_eq!(DurationClass::from_number(last.number() + 1), None);
        assert_eq!(DurationClass::from_number(-1), None);
    }

    #[test]
    fn percentiles_are_right_to_within_a_class() {
        let mut counts = DurationCounts::default();
        assert_eq!(counts.percentile(50), None);
        for milliseconds in 1..=1_000 {
            counts.add(DurationClass::of(Duration::from_millis(milliseconds)), 1);
        }
        assert_eq!(counts.total(), 1_000);
        for percent in [1, 50, 95, 99, 100] {
            let exact = f64::from(percent) / 100.0;
            let told = counts.percentile(percent).expect("some").as_secs_f64();
            assert!(
                (0.8..=1.5).contains(&(told / exact)),
                "{percent}: {told} for {exact}"
            );
        }
    }

    #[test]
    fn what_waited_is_no_sum() {
        let period = |waiting| {
            let mut figures = DeliveryFigures::default();
            figures.add(Measure::JobWaiting, DurationClass::NONE, waiting);
            figures.add(Measure::JobDelivered, DurationClass::NONE, 1);
            figures
        };
        let mut total = DeliveryFigures::default();
        for waiting in [3, 7, 5] {
            total.add_all(&period(waiting));
        }
        assert_eq!(total.of(Measure::JobWaiting).total(), 7);
        assert_eq!(total.of(Measure::JobDelivered).total(), 3);
    }

    #[test]
    fn one_duration_is_all_of_its_percentiles() {
        let mut counts = DurationCounts::default();
        counts.add(DurationClass::of(Duration::from_millis(100)), 3);
        let class = Duration::from_micros(98_304)..=Duration::from_micros(131_072);
        for percent in [0, 50, 99, 100] {
            let told = counts.percentile(percent).expect("one");
            assert!(class.contains(&told), "{percent}: {told:?}");
        }
    }

    #[test]
    fn periods_begin_at_multiples_and_are_made_of_the_longest_step() {
        let at = |seconds: i64| Moment::from_microseconds(seconds * 1_000_000);
        assert_eq!(period_of(at(119), 60), at(60));
        assert_eq!(period_of(at(120), 60), at(120));
        assert_eq!(period_of(at(-1), 3_600), at(-3_600));
        let cases = [
            (60, Some(StatisticsStep::Minute)),
            (1_800, Some(StatisticsStep::Minute)),
            (10_800, Some(StatisticsStep::Hour)),
            (90, None),
            (0, None),
        ];
        for (seconds, step) in cases {
            assert_eq!(StatisticsStep::within(seconds), step, "{seconds}");
        }
    }
}
