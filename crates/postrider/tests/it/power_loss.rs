//! The power fails: of the disk stays what was written to it, and what the system only held in memory is gone.
//!
//! The data lies in a file system within an image in memory. At a random moment the server is stopped, the image
//! is copied once the device is idle, and a new server starts on the copy. `POSTRIDER_POWER_CUTS=100` does so more often.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use tempfile::TempDir;

use crate::harness::producers::{Ledger, join, produce, seeded, times};
use crate::harness::{Receiver, Server, Shim, wait_for};
use crate::io_faults::integrity;

/// Cuts of a run that is told no other number.
const CUTS_DEFAULT: usize = 3;
/// Longest time between a start and the cut, in milliseconds.
const LIFE_MILLISECONDS_MAX: u64 = 400;
/// Room on the disk.
const DISK: &str = "128M";

/// Runs a command of the system; what it says, or nothing where it fails.
fn system(command: &str, arguments: &[&str]) -> Option<String> {
    let done = Command::new(command).args(arguments).output().ok()?;
    let said = String::from_utf8_lossy(&done.stdout).trim().to_owned();
    done.status.success().then_some(said)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A file system in an image, mounted. Unmounted when dropped.
struct Disk {
    device: String,
    place: PathBuf,
}

impl Disk {
    /// Mounts an image, if this process may and this system can.
    fn mount(image: &Path, place: &Path) -> Option<Disk> {
        let device = system("losetup", &["--find", "--show", text(image)])?;
        let disk = Disk {
            device,
            place: place.to_owned(),
        };
        system("mount", &["-t", "ext4", &disk.device, text(place)])?;
        Some(disk)
    }

    /// What the device has done, and whether it is at rest.
    fn activity(&self) -> (String, bool) {
        let block = Path::new("/sys/block").join(self.device.trim_start_matches("/dev/"));
        let read = |file| std::fs::read_to_string(block.join(file)).expect("is a device");
        let is_idle = read("inflight")
            .split_whitespace()
            .all(|count| count == "0");
        (read("stat"), is_idle)
    }

    /// Copies the image as the disk holds it, while nothing happens to it.
    fn copy(&self, image: &Path, to: &Path) {
        wait_for("the disk to be idle while it is copied", || {
            let (before, is_idle) = self.activity();
            std::fs::copy(image, to).expect("copied");
            (is_idle && self.activity().0 == before).then_some(())
        });
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What still holds it was killed a moment ago.
        let place = text(&self.place);
        if (0..100).all(|_| system("umount", &[place]).is_none()) {
            system("umount", &["-l", place]);
        }
        system("losetup", &["-d", &self.device]);
    }
}

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
            tempfile::tempdir_in("/dev/shm").ok()?,
            tempfile::tempdir().ok()?,
        );
        let beginning = images.path().join("beginning");
        system("truncate", &["-s", DISK, text(&beginning)])?;
        system("mkfs.ext4", &["-q", text(&beginning)])?;
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
        assert_eq!(integrity(&database), "ok");
        let mut kept = database
            .prepare("select order_stage_id from webhook_jobs")
            .expect("a table");
        let kept: HashSet<i64> = kept
            .query_map([], |row| row.get(0))
            .expect("rows")
            .map(|id| id.expect("an id"))
            .collect();
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
