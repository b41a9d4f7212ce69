//! The engine in a made-up world: thousands of stories, each told by one seed.
//!
//! [`Dispatch`](crate::dispatch::Dispatch) does no I/O and has no clock, so a whole world around it fits in memory
//! and in microseconds: a store with its one writer, readers that answer late or never, a recorder, an alarm,
//! receivers with moods, people who cancel, retry, switch and delete, clocks that jump, and a process that is killed
//! at any moment. The `schedule` draws what happens next among all that could; after each step `ledger`
//! checks what must hold, by what was answered and committed and nothing else. Each story ends well: receivers
//! recover, time passes, and every job must end. A lane that slept through is found there.
//!
//! `POSTRIDER_SIMULATION_SEED=7` replays a story, `POSTRIDER_SIMULATION_SEEDS=100000` tells more of them.
//! What the simulation is worth is tested too: each `mutation` breaks a rule of the world, and must be found.

mod climate;
mod clock;
mod hands;
mod ledger;
mod model;
mod mutation;
mod outcomes;
mod receiver;
mod record;
mod release;
mod schedule;
mod shadow;
mod transaction;
mod work;
mod world;
mod writer;

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use self::ledger::Checked;
use self::mutation::Mutation;
use self::schedule::Step;
use self::world::World;

const SEED_VARIABLE: &str = "POSTRIDER_SIMULATION_SEED";
const SEEDS_VARIABLE: &str = "POSTRIDER_SIMULATION_SEEDS";
/// Stories in each run of the tests: a few seconds' worth.
const SEEDS: u64 = 2_000;
/// Stories within which each mutation must be found.
const SEEDS_OF_MUTATION: u64 = 200;
/// The last steps that are shown of a story that went wrong; all of them where it is replayed.
const STEPS_SHOWN: usize = 60;

/// A story that went wrong.
struct Failure {
    seed: u64,
    reason: String,
    steps: Vec<Step>,
}

/// Tells a story.
fn tell(seed: u64, mutation: Option<Mutation>) -> Result<usize, Failure> {
    let mut steps = Vec::new();
    let told = catch_unwind(AssertUnwindSafe(|| play(seed, mutation, &mut steps)));
    let reason = match told {
        Ok(Ok(())) => return Ok(steps.len()),
        Ok(Err(reason)) => reason,
        Err(_) => "it panicked".to_owned(),
    };
    Err(Failure {
        seed,
        reason,
        steps,
    })
}

fn play(seed: u64, mutation: Option<Mutation>, steps: &mut Vec<Step>) -> Checked {
    let mut chance = StdRng::seed_from_u64(seed);
    let length = chance.random_range(50..1_000);
    let mut world = World::new(chance, mutation);
    for _ in 0..length {
        let step = world.draw();
        steps.push(step.clone());
        world.take(step)?;
    }
    world.end_story(&mut |step| steps.push(step.clone()))
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a whole number, not {text:?}")),
    )
}

impl Failure {
    fn summary(&self) -> String {
        format!("{SEED_VARIABLE}={}: {}", self.seed, self.reason)
    }

    fn show(&self) -> String {
        let steps = &self.steps;
        let shown = variable(SEED_VARIABLE).map_or(STEPS_SHOWN, |_| steps.len());
        let first = steps.len().saturating_sub(shown);
        let last = steps.iter().enumerate().skip(first);
        let last: Vec<String> = last.map(|(at, step)| format!("{at:>5} {step:?}")).collect();
        format!("{}\n{}", self.summary(), last.join("\n"))
    }
}

#[test]
fn every_story_ends_well() {
    let seeds = match variable(SEED_VARIABLE) {
        Some(seed) => seed..seed + 1,
        None => 0..variable(SEEDS_VARIABLE).unwrap_or(SEEDS),
    };
    let mut steps = 0;
    let mut failures = Vec::new();
    for seed in seeds.clone() {
        match tell(seed, None) {
            Ok(taken) => steps += taken,
            // The steps of the first are enough to begin with.
            Err(failure) if failures.is_empty() => failures.push(failure),
            Err(failure) => failures.push(Failure {
                steps: Vec::new(),
                ..failure
            }),
        }
    }
    println!("{} stories, {steps} steps", seeds.end - seeds.start);
    let others: Vec<String> = failures.iter().map(Failure::summary).collect();
    let first = failures.first().map(Failure::show).unwrap_or_default();
    assert!(failures.is_empty(), "{first}\n{}", others.join("\n"));
}

#[test]
fn every_broken_rule_is_found() {
    let mut unfound = Vec::new();
    for mutation in Mutation::ALL {
        let mut seeds = 0..SEEDS_OF_MUTATION;
        match seeds.find_map(|seed| tell(seed, Some(mutation)).err()) {
            Some(found) => println!("{mutation:?}: seed {}, {}", found.seed, found.reason),
            None => unfound.push(mutation),
        }
    }
    assert_eq!(unfound, [], "not found within {SEEDS_OF_MUTATION} stories");
}
