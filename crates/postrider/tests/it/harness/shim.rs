//! What stands between a server and its disk and clock: `shim.c`, compiled and preloaded, and the file by which
//! a test tells it what is to happen.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// What happens to a call on the database's files; the numbers are those of `shim.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A write fails with EIO.
    WriteFails = 1,
    /// A write fails with ENOSPC.
    DiskFull = 2,
    /// A write does half of its work, and what is written next fails with ENOSPC.
    TornWrite = 3,
    /// An fsync fails with EIO, and everything that it should have synced is gone.
    SyncFails = 4,
    /// The process ends, and of what was never synced some reached the disk and some did not.
    PowerCut = 5,
}

/// Whose calls count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The database itself, which only checkpoints write.
    Database = 1,
    /// The write-ahead log.
    Log = 2,
    /// The index of the log, which a start makes.
    Index = 3,
}

/// Places of the plan's members, in eight-byte steps; as in `shim.c`.
#[derive(Clone, Copy)]
enum Member {
    Fault,
    File,
    At,
    Times,
    Seed,
    Calls,
    Fired,
    NoSync,
    ClockSeconds,
}

/// See the module.
pub struct Shim {
    folder: TempDir,
    plan: File,
}

impl Shim {
    /// Compiles it; nothing happens until a plan says so.
    pub fn build() -> Shim {
        let folder = tempfile::tempdir().expect("a folder");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/harness/shim.c");
        let compiled = Command::new("cc")
            .args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-pthread"])
            .arg("-o")
            .arg(folder.path().join("shim.so"))
            .arg(source)
            .status()
            .expect("a C compiler, which SQLite needs as well");
        assert!(compiled.success());
        let mut options = OpenOptions::new();
        options.create_new(true).read(true).write(true);
        let plan = options.open(folder.path().join("plan")).expect("a file");
        let shim = Shim { folder, plan };
        shim.set(Member::ClockSeconds, 0);
        shim
    }

    /// What a process must be started with to be under it.
    pub fn environment(&self) -> Vec<(String, String)> {
        let file = |name| self.folder.path().join(name).display().to_string();
        vec![
            ("LD_PRELOAD".to_owned(), file("shim.so")),
            ("SHIM_PLAN".to_owned(), file("plan")),
        ]
    }

    /// From now on, the `at`th call (from 1) on the target fails, and so do those after it, `times` in all.
    pub fn arm(&self, fault: Fault, target: Target, at: i64, times: i64) {
        self.disarm();
        let settings = [
            (Member::File, target as i64),
            (Member::At, at),
            (Member::Times, times),
            (Member::Seed, at),
            (Member::Calls, 0),
            (Member::Fired, 0),
            // The last: it is what sets off the rest.
            (Member::Fault, fault as i64),
        ];
        for (member, value) in settings {
            self.set(member, value);
        }
    }

    /// Nothing fails from now on.
    pub fn disarm(&self) {
        self.set(Member::Fault, 0);
    }

    /// How many calls failed since it was armed.
    pub fn fired(&self) -> i64 {
        let mut value = [0; 8];
        let place = Member::Fired as u64 * 8;
        self.plan.read_exact_at(&mut value, place).expect("is read");
        i64::from_ne_bytes(value)
    }

    /// Whether fsync does nothing and says that it did.
    pub fn skip_syncs(&self, skip: bool) {
        self.set(Member::NoSync, i64::from(skip));
    }

    /// How far the wall clock is set forward, in seconds; back, where it is negative.
    pub fn shift_clock(&self, seconds: i64) {
        self.set(Member::ClockSeconds, seconds);
    }

    fn set(&self, member: Member, value: i64) {
        let place = member as u64 * 8;
        let written = self.plan.write_all_at(&value.to_ne_bytes(), place);
        written.expect("is written");
    }
}
