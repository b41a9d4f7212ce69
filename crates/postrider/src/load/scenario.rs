//! Named loads: what `--scenario` sets where no flag says otherwise.

use clap::ValueEnum;

/// A load with a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// One subscription, 64 connections, each change a request.
    #[default]
    Single,
    /// Ten subscriptions take every change.
    FanOut,
    /// 100 changes a request, over 8 connections.
    Batch,
    /// 100 integrations with 10 subscriptions each.
    ManySubscriptions,
    /// 100 integrations with 9 subscriptions each beside 100 that never answer, 500 changes a second.
    Dead,
    /// As fast as it goes for a short while, then half of that rate as an open loop.
    OpenHalf,
    /// As fast as it goes, without and with ten million jobs that are over; a start on them, and lists of them.
    History,
    /// A minute in ten windows: whether the rate holds, and what a change takes on the disk.
    Growth,
}

/// The numbers of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Connections of the producer.
    pub connections: usize,
    /// Changes a second; none: each connection sends the next once the last is answered.
    pub rate: Option<u64>,
    /// How long changes are sent.
    pub seconds: u64,
    /// Changes of one request.
    pub batch: usize,
    /// How many integrations there are.
    pub integrations: usize,
    /// Subscriptions of each integration that are answered.
    pub subscriptions: usize,
    /// Most requests at once to a subscription.
    pub max_in_flight: u32,
    /// Subscriptions in all that are never answered.
    pub dead: usize,
    /// Jobs that are over before the last phase.
    pub history: u64,
    /// Windows that a phase is told in; 0: only as a whole.
    pub windows: usize,
}

/// One subscription can have as many requests as the producer has connections.
const SINGLE: Preset = Preset {
    connections: 64,
    rate: None,
    seconds: 10,
    batch: 1,
    integrations: 1,
    subscriptions: 1,
    max_in_flight: 64,
    dead: 0,
    history: 0,
    windows: 0,
};
/// Most requests at once to one of many subscriptions: together they have far more than connections.
const OF_MANY_IN_FLIGHT: u32 = 16;

impl Scenario {
    /// Its numbers.
    pub fn preset(self) -> Preset {
        match self {
            Scenario::Single | Scenario::OpenHalf => SINGLE,
            Scenario::FanOut => Preset {
                subscriptions: 10,
                max_in_flight: OF_MANY_IN_FLIGHT,
                ..SINGLE
            },
            Scenario::Batch => Preset {
                connections: 8,
                batch: 100,
                ..SINGLE
            },
            Scenario::ManySubscriptions => Preset {
                integrations: 100,
                subscriptions: 10,
                max_in_flight: OF_MANY_IN_FLIGHT,
                ..SINGLE
            },
            Scenario::Dead => Preset {
                rate: Some(500),
                integrations: 100,
                subscriptions: 9,
                max_in_flight: OF_MANY_IN_FLIGHT,
                dead: 100,
                ..SINGLE
            },
            Scenario::History => Preset {
                history: 10_000_000,
                ..SINGLE
            },
            Scenario::Growth => Preset {
                seconds: 60,
                windows: 10,
                ..SINGLE
            },
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::args::LoadArgs;
    use super::super::plan::{Pace, Plan};
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: LoadArgs,
    }

    fn plan(flags: &str) -> Plan {
        let line = format!("load --self {flags}");
        let line: Line = clap::Parser::try_parse_from(line.split_whitespace()).expect("flags");
        Plan::new(&line.args).expect("a plan")
    }

    #[test]
    fn every_scenario_is_within_the_bounds_and_has_its_numbers() {
        for scenario in Scenario::value_variants() {
            let (plan, preset) = (
                plan(&format!("--scenario {}", scenario.name())),
                scenario.preset(),
            );
            assert_eq!(plan.scenario, *scenario);
            let pace = preset.rate.map_or(Pace::Answered, Pace::PerSecond);
            assert_eq!((plan.pace, plan.batch), (pace, preset.batch));
            assert_eq!(plan.connections, preset.connections);
            assert_eq!(
                (plan.integrations, plan.subscriptions, plan.dead),
                (preset.integrations, preset.subscriptions, preset.dead)
            );
            assert_eq!(
                (plan.max_in_flight, plan.history, plan.windows),
                (preset.max_in_flight, preset.history, preset.windows)
            );
        }
        assert_eq!(plan("").scenario, Scenario::Single);
    }

    #[test]
    fn a_flag_wins_over_the_scenario() {
        let plan = plan("--scenario dead --rate 7 --dead 0 --max-in-flight 3 --subscriptions 2");
        assert_eq!(plan.pace, Pace::PerSecond(7));
        assert_eq!((plan.dead, plan.max_in_flight), (0, 3));
        assert_eq!((plan.integrations, plan.subscriptions), (100, 2));
    }
}
