//! Chance that can be had again.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// The environment variable that replays a seed.
pub const SEED_VARIABLE: &str = "POSTRIDER_TEST_SEED";

/// A generator with a seed of its own, which is printed, or with the one that [`SEED_VARIABLE`] names.
///
/// # Panics
/// Where the variable is no seed.
pub fn chance() -> StdRng {
    let given = std::env::var(SEED_VARIABLE).ok();
    let seed = match given.as_deref() {
        Some(text) => parse(text),
        None => getrandom::u64().expect("the system gives random numbers"),
    };
    report(seed);
    StdRng::seed_from_u64(seed)
}

fn parse(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| {
        panic!("{SEED_VARIABLE} must be a whole number from 0 to 2^64 - 1, not {text:?}")
    })
}

#[expect(
    clippy::print_stdout,
    reason = "test runners show the output of a test that fails"
)]
fn report(seed: u64) {
    println!("{SEED_VARIABLE}={seed}");
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn a_seed_gives_the_same_sequence_again() {
        let draw = |seed| {
            let mut chance = StdRng::seed_from_u64(parse(seed));
            [(); 4].map(|()| chance.random::<u64>())
        };
        assert_eq!(draw("18446744073709551615"), draw("18446744073709551615"));
        assert_ne!(draw("1"), draw("2"));
    }

    #[test]
    fn without_a_given_seed_each_generator_has_its_own() {
        if std::env::var_os(SEED_VARIABLE).is_none() {
            assert_ne!(chance().random::<u64>(), chance().random::<u64>());
        } else {
            assert_eq!(chance().random::<u64>(), chance().random::<u64>());
        }
    }

    #[test]
    #[should_panic(expected = "POSTRIDER_TEST_SEED must be a whole number")]
    fn what_is_no_seed_is_refused() {
        parse("-1");
    }
}
