//! A PostgreSQL server of a test's own, which it can stop, start again, copy and promote.
//!
//! It is reached by its socket only; a relay gives it an address.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{LOOK_MILLISECONDS, SERVERS_OWN, SOCKET, START_SECONDS_MAX, answers, psql, rows};

/// Settings of a server that lives for one test: what is durable against the end of its processes is enough.
const SETTINGS: [&str; 6] = [
    "listen_addresses=",
    "port=5432",
    "fsync=off",
    "shared_buffers=64MB",
    "max_wal_senders=4",
    "hot_standby=on",
];

/// See the module. Killed when dropped.
pub struct PostgresServer {
    folder: TempDir,
    process: Option<Child>,
}

impl PostgresServer {
    /// A server with an empty database.
    ///
    /// # Panics
    /// Where PostgreSQL is not installed, or does not start.
    pub fn start() -> PostgresServer {
        let folder = own_folder();
        let mut initdb = tool("initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8"]);
        initdb.args(["--locale=C.UTF-8", "--no-sync", "--pgdata"]);
        run(initdb.arg(folder.path().join("data")));
        PostgresServer::on(folder)
    }

    /// A standby of this one, which from now on acknowledges nothing that the standby does not have.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub fn with_standby(&self) -> PostgresServer {
        let folder = own_folder();
        let mut copy = tool("pg_basebackup");
        copy.args(["--username=postgres", "--write-recovery-conf", "--no-sync"]);
        copy.args(["--checkpoint=fast", "--host"])
            .arg(self.folder.path());
        run(copy.arg("--pgdata").arg(folder.path().join("data")));
        let standby = PostgresServer::on(folder);
        self.rows("alter system set synchronous_standby_names = '*'");
        self.rows("select pg_reload_conf()");
        until("the standby follows", || {
            let follows = "select count(*) from pg_stat_replication where sync_state = 'sync'";
            self.rows(follows) == ["1"]
        });
        standby
    }

    fn on(folder: TempDir) -> PostgresServer {
        let mut server = PostgresServer {
            folder,
            process: None,
        };
        server.start_again();
        server
    }

    /// Starts it after a stop.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start_again(&mut self) {
        let mut postgres = tool("postgres");
        postgres.arg("-D").arg(self.folder.path().join("data"));
        postgres.arg("-k").arg(self.folder.path());
        for setting in SETTINGS {
            postgres.args(["-c", setting]);
        }
        postgres.stdin(Stdio::null()).stdout(Stdio::null());
        let started = postgres.stderr(Stdio::null()).spawn();
        self.process = Some(started.expect("PostgreSQL is installed"));
        until("the server answers", || answers(self.folder.path()));
    }

    /// Sends its first process a signal, and waits for the end: `INT` stops it fast, `QUIT` at once, and `KILL` is a crash.
    ///
    /// # Panics
    /// Where it does not run.
    pub fn stop(&mut self, signal: &str) {
        let mut process = self.process.take().expect("it runs");
        let pid = process.id().to_string();
        run(Command::new("kill").args(["-s", signal, &pid]));
        process.wait().expect("it ends");
    }

    /// Makes a standby the server that is written to.
    ///
    /// # Panics
    /// Where it is none.
    pub fn promote(&self) {
        assert_eq!(self.rows("select pg_promote()"), ["t"]);
    }

    /// What a query finds, row by row; columns are separated by `|`.
    ///
    /// # Panics
    /// Where the database refuses.
    pub fn rows(&self, query: &str) -> Vec<String> {
        rows(&mut psql(self.folder.path(), SERVERS_OWN, query))
    }

    /// Its database, for whoever comes by a relay that listens at this port.
    pub fn url_by(port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{SERVERS_OWN}")
    }

    /// Its socket, which a relay connects to.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(SOCKET)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let pid = process.id().to_string();
            // With its children, which a plain kill would leave behind for a while.
            drop(Command::new("kill").args(["-s", "QUIT", &pid]).status());
            drop(process.wait());
        }
    }
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(LOOK_MILLISECONDS));
    }
}

fn run(command: &mut Command) {
    let done = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {said}");
}

/// A folder of the user that PostgreSQL runs as.
fn own_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    if let Some((user, group)) = other_user() {
        std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).expect("root may");
    }
    folder
}

/// The user and group that PostgreSQL runs as, since it refuses to as root.
fn other_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let said = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(said.stdout).ok()?.trim().parse().ok()
    };
    let of = |user| Some((id(&["-u", user])?, id(&["-g", user])?));
    (id(&["-u"]) == Some(0)).then(|| of("postgres").or_else(|| of("nobody")).expect("a user"))
}

/// One of PostgreSQL's programs, of the newest version that is installed.
fn tool(name: &str) -> Command {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter();
    let versions = versions.flatten().flatten().map(|entry| entry.path());
    let newest = versions.max_by_key(|path| version(path));
    let program = newest.map_or(PathBuf::from(name), |path| path.join("bin").join(name));
    let Some((user, group)) = other_user() else {
        return Command::new(program);
    };
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={user}"), format!("--regid={group}")]);
    command.arg("--clear-groups").arg(program);
    // What it may enter.
    command.current_dir(std::env::temp_dir());
    command
}

fn version(path: &Path) -> u32 {
    let name = path.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_has_what_was_acknowledged_and_goes_on() {
        let mut server = PostgresServer::start();
        let standby = server.with_standby();
        server.rows("create table kept as select 7 as number");
        server.stop("KILL");
        standby.promote();
        standby.rows("insert into kept values (8)");
        assert_eq!(
            standby.rows("select number from kept order by 1"),
            ["7", "8"]
        );
    }
}
