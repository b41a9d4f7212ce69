//! Random commands: after each of them the store shows what a naive model of it does.
//!
//! Each seed is a small world of its own (one or two integrations, a few subscriptions of every ordering, three orders in each)
//! and a list of commands. A seed that fails is shown with its commands; `POSTRIDER_TEST_SEED=7` replays it, and
//! `POSTRIDER_RANDOM_SEEDS=3000` tries more of them.

mod command;
mod look;
mod model;
mod perform;
mod run;
mod shown;

use std::fmt::Debug;
use std::ops::Range;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use self::command::{Command, draw};
use self::run::Run;
use crate::{Working, World};

const SEED_VARIABLE: &str = "POSTRIDER_TEST_SEED";
const SEEDS_VARIABLE: &str = "POSTRIDER_RANDOM_SEEDS";
/// Seeds in each run of the tests: a few seconds' worth.
const SEEDS: u64 = 6;

/// What differs, in words.
type Checked = Result<(), String>;

pub async fn the_store_shows_what_a_naive_model_does(world: &World<impl Working>) {
    for seed in seeds() {
        let mut commands = Vec::new();
        if let Err(difference) = play(world, seed, &mut commands).await {
            let commands: Vec<String> = commands.iter().map(|one| format!("{one:?}")).collect();
            panic!(
                "{SEED_VARIABLE}={seed}\n{}\n{difference}",
                commands.join("\n")
            );
        }
    }
}

fn seeds() -> Range<u64> {
    let count = variable(SEEDS_VARIABLE);
    match variable(SEED_VARIABLE) {
        Some(first) => first..first.saturating_add(count.unwrap_or(1)),
        None => 0..count.unwrap_or(SEEDS),
    }
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a whole number, not {text:?}")),
    )
}

async fn play(world: &World<impl Working>, seed: u64, commands: &mut Vec<Command>) -> Checked {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut run = Run::begin(world, seed, &mut chance).await?;
    for _ in 0..chance.random_range(40..150) {
        let command = draw(&run.model, run.integrations.len(), run.now, &mut chance);
        commands.push(command.clone());
        run.perform(&command).await?;
        run.look(&command, &mut chance).await?;
    }
    // Nothing is left that waits, so that the next one begins as this one did.
    for sub in 0..run.subs.len() {
        let command = Command::Delete(sub);
        commands.push(command.clone());
        run.perform(&command).await?;
        run.look(&command, &mut chance).await?;
    }
    Ok(())
}

/// That what the store says is what it should say.
fn same<T: Debug + PartialEq>(what: &str, stored: &T, expected: &T) -> Checked {
    if stored == expected {
        return Ok(());
    }
    Err(format!(
        "{what}:\n  stored   {stored:?}\n  expected {expected:?}"
    ))
}

/// The same of lists, showing the first place at which they differ.
fn same_list<T: Debug + PartialEq>(what: &str, stored: &[T], expected: &[T]) -> Checked {
    for (place, pair) in stored.iter().zip(expected).enumerate() {
        same(&format!("{what}, {place}"), pair.0, pair.1)?;
    }
    same(&format!("{what}, how many"), &stored.len(), &expected.len())
}

/// The laws of this file.
#[macro_export]
macro_rules! random_laws {
    ($test:ident) => {
        $test! {
            random: the_store_shows_what_a_naive_model_does
        }
    };
}
