//! The power fails: of the disk stays what was written to it, and what the system only held in memory is gone.
//!
//! The data lies in a file system within an image in memory. At a random moment the server is stopped, the image
//! is copied once the device is idle, and a new server starts on the copy. `POSTRIDER_POWER_CUTS=100` does so more often.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use tempfile::TempDir;

use crate::harness::disk::{Disk, IMAGES, make_image, system};
use crate::harness::producers::{Ledger, join, produce, seeded, times};
use crate::harness::whole;
use crate::harness::{Receiver, Server, Shim, wait_for};

/// Cuts of a run that is told no other number.
const CUTS_DEFAULT: usize = 3;
/// Longest time between a start and the cut, in milliseconds.
const LIFE_MILLISECONDS_MAX: u64 = 400;
/// Room on the disk.
const DISK: &str = "128M";

/// A server on such a disk.
struct Bench {
    server: Server,
    disk: Option<Disk>,
    integration: i64,
    place: TempDir,
    images: TempDir,
}

impl Bench {
    /// Nothing where the system does not let it be mounted.
    fn new(receiver: &Receiver) -> Option<Bench> {
        let (images, place) = (
            tempfile::tempdir_in(IMAGES).ok()?,
            tempfile::tempdir().ok()?,
        );
        let beginning = images.path().join("beginning");
        make_image(&beginning, DISK)?;
        let disk = Disk::mount(&beginning, place.path())?;
        let mut server = Server::start_in(place.path().join("node"), &[]);
        let integration = server.integration("a");
        server.subscribe(integration, "crm", &receiver.url("/"));
        assert!(server.terminate());
        drop(disk);
        Some(Bench {
            server,
            disk: None,
            integration,
            place,
            images,
        })
    }

    /// Runs a server under load until the power fails; gives the changes that were acknowledged.
    fn cut(&mut self, life: Duration, environment: Vec<(String, String)>) -> HashSet<i64> {
        let image = |name| self.images.path().join(name);
        let (running, cut) = (image("running"), image("cut"));
        self.disk = None;
        std::fs::copy(image("beginning"), &running).expect("copied");
        let disk = Disk::mount(&running, self.place.path()).expect("mounted");
        self.server.set_environment(environment);
        self.server.restart();
        let ledger = Arc::new(Ledger::default());
        let producers = produce(&self.server, self.integration, "A", &ledger);
        // The random moment itself, not a wait for anything.
        std::thread::park_timeout(life);
        let pid = self.server.pid();
        system("kill", &["-STOP", &pid.to_string()]).expect("stopped");
        wait_for("all threads to stand", || is_stopped(pid).then_some(()));
        disk.copy(&running, &cut);
        self.server.kill();
        join(producers);
        drop(disk);
        self.disk = Some(Disk::mount(&cut, self.place.path()).expect("mounted"));
        ledger.accepted()
    }

    /// How many of these the copied disk has not, with their jobs; a server has recovered it.
    fn lost(&mut self, accepted: &HashSet<i64>) -> usize {
        self.server.set_environment(Vec::new());
        self.server.restart();
        let database = self.server.database();
        whole::check(&self.server);
        let kept = whole::changes(&database);
        self.server.kill();
        accepted.difference(&kept).count()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.server.kill();
    }
}

/// Whether every thread of a process is stopped.
fn is_stopped(pid: u32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    threads.flatten().all(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        let state = stat.rsplit(") ").next().unwrap_or_default();
        state.starts_with('T')
    })
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing() {
    let receiver = Receiver::start();
    let Some(mut bench) = Bench::new(&receiver) else {
        println!("SKIPPED: only root can mount a disk whose power is cut");
        return;
    };
    let mut chance = seeded();
    let cuts = times("POSTRIDER_POWER_CUTS", CUTS_DEFAULT);
    let mut life = || Duration::from_millis(chance.random_range(20..LIFE_MILLISECONDS_MAX));
    let mut total = 0;
    for cut in 0..cuts {
        let accepted = bench.cut(life(), Vec::new());
        assert_eq!(bench.lost(&accepted), 0, "cut {cut} of {}", accepted.len());
        total += accepted.len();
        receiver.forget();
    }
    println!("{cuts} power cuts: {total} acknowledged, 0 lost, 0 corrupt");
    assert!(total > cuts, "the producers did their part");
    // The test of this test: without fsync it must notice.
    let shim = Shim::build();
    shim.skip_syncs(true);
    let accepted = bench.cut(
        Duration::from_millis(LIFE_MILLISECONDS_MAX),
        shim.environment(),
    );
    let lost = bench.lost(&accepted);
    println!(
        "without fsync: {} acknowledged, {lost} lost",
        accepted.len()
    );
    assert!(lost > 0, "nothing was lost without fsync");
}
