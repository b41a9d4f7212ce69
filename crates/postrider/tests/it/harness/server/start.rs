//! How servers are started: on which store, with which binary, on which host.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use serde_json::Value;
use testkit::TestPostgres;

use super::Server;
use crate::harness::host::Host;
use crate::harness::{Client, base64};

/// How a server is started.
#[derive(Clone)]
pub(super) struct Launch {
    /// The binary, behind the words that have it run elsewhere.
    program: Vec<String>,
    /// Where it listens.
    address: Ipv4Addr,
}

impl Launch {
    fn here(binary: Option<&Path>) -> Launch {
        let given = binary.map(|path| path.display().to_string());
        Launch {
            program: vec![given.unwrap_or_else(built)],
            address: Ipv4Addr::LOCALHOST,
        }
    }
}

/// The binary that is tested. `POSTRIDER_TEST_BINARY` names another than the one just built, such as an optimised one whose figures are
/// wanted.
fn built() -> String {
    let built = || env!("CARGO_BIN_EXE_postrider").to_owned();
    std::env::var("POSTRIDER_TEST_BINARY").unwrap_or_else(|_| built())
}

/// Whether servers that are told nothing else keep everything in PostgreSQL: `POSTRIDER_TEST_STORE=postgres`.
fn is_on_postgres() -> bool {
    std::env::var("POSTRIDER_TEST_STORE").is_ok_and(|store| store == "postgres")
}

/// What a node on a database finds in its environment.
pub fn on(database_url: &str) -> Vec<(String, String)> {
    vec![
        ("POSTRIDER_DATABASE_URL".to_owned(), database_url.to_owned()),
        ("POSTRIDER_SECRET_KEY".to_owned(), base64(&[7; 32])),
    ]
}

/// A command of the binary, cut off from the surroundings.
pub fn postrider(folder: &Path) -> Command {
    command(folder, &[built()])
}

fn command(folder: &Path, program: &[String]) -> Command {
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]);
    for (name, _) in std::env::vars() {
        if name.starts_with("POSTRIDER_") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    postrider(folder).args(arguments).output().expect("it runs")
}

impl Server {
    /// Starts a server that may deliver to loopback.
    pub fn start() -> Server {
        Server::start_with(&[])
    }

    /// Starts a server with more flags, on a folder or a database of its own.
    pub fn start_with(flags: &[&str]) -> Server {
        if is_on_postgres() {
            return Server::start_on(&Arc::default(), flags);
        }
        Server::start_embedded_with(flags)
    }

    /// Starts a server on a folder of its own, whatever store others are on: for what is that store's own.
    pub fn start_embedded() -> Server {
        Server::start_embedded_with(&[])
    }

    pub fn start_embedded_with(flags: &[&str]) -> Server {
        let own = tempfile::tempdir().expect("a folder");
        let mut server = Server::start_in(own.path().to_owned(), flags);
        server._own = Some(own);
        server
    }

    /// Starts a server in a folder that somebody else removes.
    pub fn start_in(folder: PathBuf, flags: &[&str]) -> Server {
        let launch = Launch::here(None);
        let token = create_application_in(&folder, &launch.program, &[]);
        Server::start_for(Some(folder), token, flags, Vec::new(), launch)
    }

    /// Starts a server on the data that a folder or the environment names, for a token that is known there.
    pub fn start_restored(
        folder: PathBuf,
        token: &str,
        environment: Vec<(String, String)>,
    ) -> Server {
        let launch = Launch::here(None);
        Server::start_for(Some(folder), token.to_owned(), &[], environment, launch)
    }

    /// Starts the first node of a database, on a folder of its own.
    pub fn start_on(database: &Arc<TestPostgres>, flags: &[&str]) -> Server {
        let server = Server::start_node(on(&database.url()), flags);
        server.with_postgres(Some(database.clone()))
    }

    /// Starts the first node of a database, to which its environment leads another way.
    pub fn start_through(
        database: &Arc<TestPostgres>,
        environment: Vec<(String, String)>,
    ) -> Server {
        let server = Server::start_node(environment, &[]);
        server.with_postgres(Some(database.clone()))
    }

    /// Starts the first node of a database with this binary, if one is given.
    pub fn start_binary(binary: Option<&Path>, database: &Arc<TestPostgres>) -> Server {
        let environment = on(&database.url());
        let launch = Launch::here(binary);
        let token = create_application(&launch.program, &environment);
        let server = Server::start_for(None, token, &[], environment, launch);
        server.with_postgres(Some(database.clone()))
    }

    /// Makes the application that nodes of a database are started for; its token.
    pub fn application_in(database: &TestPostgres) -> String {
        create_application(&[built()], &on(&database.url()))
    }

    /// Starts a node on a host of its own.
    pub fn start_at(
        host: &Host,
        database: &Arc<TestPostgres>,
        token: &str,
        environment: Vec<(String, String)>,
    ) -> Server {
        let mut launch = Launch::here(None);
        launch.program.splice(0..0, host.command());
        launch.address = host.address();
        let flags = ["--egress-allow", "10.0.0.0/8"];
        let server = Server::start_for(None, token.to_owned(), &flags, environment, launch);
        server.with_postgres(Some(database.clone()))
    }

    /// Starts the first node of a database that is named in the environment.
    pub fn start_node(environment: Vec<(String, String)>, flags: &[&str]) -> Server {
        let launch = Launch::here(None);
        let token = create_application(&launch.program, &environment);
        Server::start_for(None, token, flags, environment, launch)
    }

    /// Starts one more node of the binary that is tested, with a folder of its own, on the database of this one.
    pub fn start_beside(&self) -> Server {
        self.start_beside_with(&[])
    }

    /// The same, with more in its environment, which replaces what is there.
    pub fn start_beside_with(&self, more: &[(String, String)]) -> Server {
        let (token, mut environment) = (self.token.clone(), self.environment.clone());
        environment.extend_from_slice(more);
        let server = Server::start_for(None, token, &[], environment, Launch::here(None));
        server.with_postgres(self.postgres.clone())
    }

    fn with_postgres(mut self, database: Option<Arc<TestPostgres>>) -> Server {
        self.postgres = database;
        self
    }

    /// Starts a server in a folder, or in one of its own.
    fn start_for(
        folder: Option<PathBuf>,
        token: String,
        flags: &[&str],
        environment: Vec<(String, String)>,
        launch: Launch,
    ) -> Server {
        let own = folder
            .is_none()
            .then(|| tempfile::tempdir().expect("a folder"));
        let folder = folder.or_else(|| own.as_ref().map(|own| own.path().to_owned()));
        let folder = folder.expect("one of both");
        let mut flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        if !flags.iter().any(|flag| flag == "--egress-allow") {
            flags.extend(["--egress-allow".to_owned(), "127.0.0.0/8".to_owned()]);
        }
        let (child, address) =
            spawn(&folder, &flags, &environment, &launch).expect("it says where it listens");
        Server {
            child,
            client: Client::new(address),
            address,
            token,
            folder,
            _own: own,
            flags,
            own_environment: environment.len(),
            environment,
            postgres: None,
            launch,
        }
    }
}

/// Makes the application that the tests speak for, in a database; its token.
fn create_application(program: &[String], environment: &[(String, String)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    create_application_in(folder.path(), program, environment)
}

fn create_application_in(
    folder: &Path,
    program: &[String],
    environment: &[(String, String)],
) -> String {
    std::fs::create_dir_all(folder).expect("a folder");
    let made = command(folder, program)
        .args(["application", "create", "--data", "data"])
        .args(["--slug", "test", "--json"])
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("it runs");
    assert!(made.status.success(), "{made:?}");
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    made["token"].as_str().expect("a token").to_owned()
}

/// Starts a process; nothing if it ended before it listened.
pub(super) fn spawn(
    folder: &Path,
    flags: &[String],
    environment: &[(String, String)],
    launch: &Launch,
) -> Option<(Child, SocketAddr)> {
    let mut child = command(folder, &launch.program)
        .args(["serve", "--data", "data", "--listen"])
        .arg(format!("{}:0", launch.address))
        .args(["--log", "warn"])
        .args(flags)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let stdout = child.stdout.take().expect("piped");
    let mut lines = BufReader::new(stdout).lines();
    let address = lines.find_map(|line| {
        let line = line.expect("text");
        let (_, rest) = line.split_once("listening on http://")?;
        rest.split_whitespace().next()?.parse().ok()
    });
    let Some(address) = address else {
        let ended = child.wait().expect("it ends");
        assert!(!ended.success(), "it ended well without having listened");
        return None;
    };
    // Keeps the pipe open and empty, so that the process can go on writing.
    std::thread::spawn(move || lines.for_each(drop));
    Some((child, address))
}
