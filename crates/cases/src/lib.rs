//! Cases of the benchmarks: timed by divan, and run once each for whoever counts their instructions.
//!
//! A benchmark is a table of cases, a `main` that calls [`main`], and one divan function over the table that calls
//! [`Case::time`]. With `--count` it lists its cases, and with `--count NAME` it runs one of them within `counted`,
//! which is all that `scripts/instructions` has callgrind collect.

use std::fmt;
use std::hint::black_box;
use std::io::{self, Write};

use divan::Bencher;

/// Runs before the one that is counted: what is made at the first use, or grows once, is no part of a case.
const WARM_UP_RUNS: usize = 3;
/// The argument that asks for a list of the cases, or for one run of the case that follows it.
const COUNT: &str = "--count";

/// What is measured again and again; the same work each time.
pub type Run = Box<dyn FnMut()>;

/// Something to measure.
pub struct Case {
    /// Its name, within its benchmark.
    pub name: &'static str,
    /// Makes what the case works with, and gives what is measured.
    pub prepare: fn() -> Run,
}

/// What is measured: the work, and dropping what it makes.
pub fn run<T>(mut work: impl FnMut() -> T + 'static) -> Run {
    Box::new(move || drop(black_box(work())))
}

impl Case {
    /// Times it.
    pub fn time(&self, bencher: Bencher<'_, '_>) {
        bencher.bench_local((self.prepare)());
    }

    /// Runs it within [`counted`].
    fn count(&self) {
        let mut run = (self.prepare)();
        for _ in 0..WARM_UP_RUNS {
            run();
        }
        counted(&mut run);
    }
}

impl fmt::Display for Case {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
}

/// Counts or lists where the arguments ask for it; otherwise leaves the cases to divan.
///
/// # Errors
/// Where the list cannot be written, or no case has the name.
pub fn main(cases: &[Case]) -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(COUNT) {
        divan::main();
        return Ok(());
    }
    let Some(name) = arguments.next() else {
        return cases
            .iter()
            .try_for_each(|case| writeln!(io::stdout(), "{case}"));
    };
    let case = cases.iter().find(|case| case.name == name);
    let case = case.ok_or_else(|| io::Error::other(format!("no case is called {name}")))?;
    case.count();
    Ok(())
}

/// The frame that callgrind looks for: it must be a function of its own, and the name must stand in no other.
#[inline(never)]
fn counted(run: &mut Run) {
    run();
}
