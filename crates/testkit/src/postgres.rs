//! A PostgreSQL database of one's own, on a server that all test processes share.
//!
//! The first test that needs it starts the server (`postgres/serve.sh`), on a folder of its own and on a Unix socket; it
//! stops by itself once no process has used it for a while. Needs Debian's package `postgresql`.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

mod server;

pub use server::PostgresServer;

/// What runs the server.
const SERVE: &str = include_str!("postgres/serve.sh");
/// How long a server may take to be there, in seconds: a busy machine takes a few.
const START_SECONDS_MAX: u64 = 60;
/// How often it is looked for, in milliseconds.
const LOOK_MILLISECONDS: u64 = 50;

/// The database that every server has.
const SERVERS_OWN: &str = "postgres";
/// The socket of a server, within its folder, whatever its port is said to be: each has a folder of its own.
const SOCKET: &str = ".s.PGSQL.5432";

/// Numbers the databases of this process.
static MADE: AtomicU32 = AtomicU32::new(0);
/// The lock that keeps the server up while this process lives.
static IN_USE: OnceLock<File> = OnceLock::new();

/// An empty database, dropped with this.
#[derive(Debug)]
pub struct TestPostgres {
    name: String,
}

impl TestPostgres {
    /// Makes an empty database, on a server that is started if there is none.
    ///
    /// # Panics
    /// Where PostgreSQL is not installed, or does not start.
    pub fn new() -> TestPostgres {
        let folder = folder();
        IN_USE.get_or_init(|| join(&folder));
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        // One of a process that had this number and was killed.
        sql(&folder, &format!("drop database if exists {name}"));
        sql(&folder, &format!("create database {name}"));
        TestPostgres { name }
    }

    /// Where it is, as `--database-url` takes it.
    pub fn url(&self) -> String {
        url(&self.name, &folder().join("socket"))
    }

    /// The same, for whoever comes by a relay that listens at this port.
    pub fn url_by(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{}", self.name)
    }

    /// The server's socket, which a relay connects to.
    pub fn socket(&self) -> PathBuf {
        folder().join("socket").join(SOCKET)
    }

    /// What a query finds, row by row; columns are separated by `|`.
    ///
    /// # Panics
    /// Where the database refuses.
    pub fn rows(&self, query: &str) -> Vec<String> {
        rows(&mut psql(&folder().join("socket"), &self.name, query))
    }
}

impl Default for TestPostgres {
    fn default() -> TestPostgres {
        TestPostgres::new()
    }
}

impl Drop for TestPostgres {
    fn drop(&mut self) {
        let statement = format!("drop database if exists {} with (force)", self.name);
        // Nobody waits for it: what is left over goes with the server.
        drop(
            psql(&folder().join("socket"), SERVERS_OWN, &statement)
                .stderr(Stdio::null())
                .spawn(),
        );
    }
}

fn folder() -> PathBuf {
    std::env::temp_dir().join("postrider-test-postgres")
}

fn lock_file(folder: &Path, name: &str) -> File {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    let path = folder.join(name);
    options.open(path).expect("the folder can be written")
}

/// Makes sure that the server is there, and stays so while the returned lock is held.
fn join(folder: &Path) -> File {
    std::fs::create_dir_all(folder).expect("a folder for the server");
    let gate = lock_file(folder, "gate");
    gate.lock().expect("the gate");
    let users = lock_file(folder, "users");
    users.lock_shared().expect("a place among the users");
    if !is_up(folder) {
        start(folder);
    }
    users
}

fn start(folder: &Path) {
    let log = File::create(folder.join("log")).expect("a log");
    let script = folder.join("serve.sh");
    std::fs::write(&script, SERVE).expect("the script can be written");
    // Of a server before this one.
    drop(std::fs::remove_file(folder.join("failed")));
    // A session of its own: whoever ends the test run does not end the server in the middle of its work.
    let mut command = Command::new("setsid");
    command.args(["--fork", "bash"]).arg(&script).arg(folder);
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a log"))
        .stderr(log);
    let started = command.status().expect("setsid is installed");
    assert!(started.success(), "the server cannot be started");
    let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
    while !is_up(folder) {
        let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        let has_failed = folder.join("failed").exists();
        assert!(!has_failed, "PostgreSQL does not start: {}", log());
        assert!(Instant::now() < deadline, "PostgreSQL is slow: {}", log());
        std::thread::sleep(Duration::from_millis(LOOK_MILLISECONDS));
    }
}

fn url(database: &str, sockets: &Path) -> String {
    format!(
        "postgres:///{database}?host={}&user=postgres",
        sockets.display()
    )
}

fn is_up(folder: &Path) -> bool {
    answers(&folder.join("socket"))
}

fn answers(sockets: &Path) -> bool {
    let answer = psql(sockets, SERVERS_OWN, "select 1")
        .stderr(Stdio::null())
        .status();
    answer.is_ok_and(|status| status.success())
}

fn psql(sockets: &Path, database: &str, statement: &str) -> Command {
    let mut command = Command::new("psql");
    command.args(["--no-psqlrc", "--quiet", "--username=postgres"]);
    command.args(["--tuples-only", "--no-align"]);
    command.args(["--dbname", database, "--command", statement]);
    command.arg("--host").arg(sockets);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn sql(folder: &Path, statement: &str) {
    rows(&mut psql(&folder.join("socket"), SERVERS_OWN, statement));
}

fn rows(psql: &mut Command) -> Vec<String> {
    let answer = psql.stdout(Stdio::piped()).output();
    let answer = answer.expect("psql is installed");
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{psql:?}: {said}");
    let rows = String::from_utf8(answer.stdout).expect("text");
    rows.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_database_of_its_own_that_is_gone_with_it() {
        let (one, other) = (TestPostgres::new(), TestPostgres::new());
        assert_ne!(one.url(), other.url());
        let connects = |name: &str| {
            let mut command = psql(&folder().join("socket"), name, "select 1");
            let answer = command.stderr(Stdio::null()).status();
            answer.expect("psql").success()
        };
        assert!(connects(&one.name));
        let name = one.name.clone();
        drop(one);
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
        while connects(&name) {
            assert!(Instant::now() < deadline, "it is still there");
            std::thread::sleep(Duration::from_millis(LOOK_MILLISECONDS));
        }
        assert!(connects(&other.name));
    }
}
