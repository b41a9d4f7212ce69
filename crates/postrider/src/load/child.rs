//! A server of one's own to measure: the same binary, on a throw-away data folder.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::Deserialize;
use tempfile::TempDir;

use super::process::usage;
use super::report::Start;
use super::target::{Node, Target};
use crate::config::{SECRET_KEY_BYTES, VARIABLE_PREFIX};

/// How long the server may take to listen.
const START_SECONDS_MAX: u64 = 20;
/// How long after its first answer the server is left alone before its memory is read.
const IDLE_PAUSE: Duration = Duration::from_millis(500);
/// What the line begins with by which the server says where it listens.
const LISTENING: &str = "listening on ";
/// The networks that the server must be allowed to deliver to.
const LOOPBACK: &str = "127.0.0.0/8,::1";

/// Running servers on the same data; killed and their folder removed when dropped.
pub struct OwnServer {
    nodes: Vec<Running>,
    target: Target,
    program: Program,
    folder: TempDir,
}

/// The database on which servers keep their data, and the key that they share.
pub struct Database {
    url: String,
    secret_key: String,
}

impl Database {
    /// The database of this URL, for servers with a key by chance.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new(url: &str) -> Result<Database> {
        let mut key = [0; SECRET_KEY_BYTES];
        getrandom::fill(&mut key).context("the system gives no random bytes")?;
        Ok(Database {
            url: url.to_owned(),
            secret_key: BASE64.encode(key),
        })
    }
}

/// What is run.
struct Program {
    binary: PathBuf,
    database: Option<Database>,
}

struct Running {
    child: Child,
    node: Node,
    start: Start,
}

#[derive(Deserialize)]
struct Application {
    token: String,
}

impl OwnServer {
    /// Makes an application in a new data folder, or in the database, and starts so many servers there.
    ///
    /// # Errors
    /// The binary cannot be run, or one does not listen and answer within [`START_SECONDS_MAX`].
    pub fn start(
        binary: PathBuf,
        scratch: Option<&Path>,
        database: Option<Database>,
        nodes: usize,
    ) -> Result<OwnServer> {
        let folder = match scratch {
            Some(scratch) => TempDir::new_in(scratch),
            None => TempDir::new(),
        }
        .context("no throw-away data folder can be made")?;
        let program = Program { binary, database };
        let token = create_application(&program, folder.path())?;
        let nodes = start_nodes(&program, folder.path(), nodes)?;
        Ok(OwnServer {
            target: target(&nodes, token, &program, folder.path())?,
            nodes,
            program,
            folder,
        })
    }

    /// Kills the servers and starts them again on what they had made durable. They listen elsewhere then.
    ///
    /// # Errors
    /// One does not listen and answer within [`START_SECONDS_MAX`].
    pub fn restart(&mut self) -> Result<()> {
        let count = self.nodes.len();
        self.nodes.clear();
        self.nodes = start_nodes(&self.program, self.folder.path(), count)?;
        let token = self.target.token.clone();
        self.target = target(&self.nodes, token, &self.program, self.folder.path())?;
        Ok(())
    }

    /// How the first of them started.
    pub fn start_figures(&self) -> Option<Start> {
        self.nodes.first().map(|running| running.start)
    }

    /// How to reach them.
    pub fn target(&self) -> &Target {
        &self.target
    }
}

/// One after another: the first one makes the schema.
fn start_nodes(program: &Program, folder: &Path, count: usize) -> Result<Vec<Running>> {
    (0..count)
        .map(|number| Running::start(program, folder, number))
        .collect()
}

fn target(nodes: &[Running], token: String, program: &Program, folder: &Path) -> Result<Target> {
    let mut nodes = nodes.iter().map(|running| running.node.clone());
    Ok(Target {
        node: nodes.next().context("no server was started")?,
        others: nodes.collect(),
        token,
        folder: program.database.is_none().then(|| folder.join(data(0))),
    })
}

/// The data folder of a node, in the throw-away one.
fn data(number: usize) -> String {
    format!("data-{number}")
}

impl Running {
    fn start(program: &Program, folder: &Path, number: usize) -> Result<Running> {
        let started = Instant::now();
        let mut child = program
            .command(folder)
            .args(["serve", "--data", &data(number), "--listen", "127.0.0.1:0"])
            .args(["--egress-allow", LOOPBACK, "--log", "warn"])
            .stdout(Stdio::piped())
            .spawn()
            .context("the server cannot be started")?;
        match first_answer(&mut child, started) {
            Ok((node, start)) => Ok(Running { child, node, start }),
            Err(error) => {
                end(&mut child);
                Err(error)
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Its data are thrown away: there is nothing that it could lose by being killed.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn create_application(program: &Program, folder: &Path) -> Result<String> {
    let output = program
        .command(folder)
        .args(["application", "create", "--data", &data(0)])
        .args(["--slug", "load", "--json"])
        .stderr(Stdio::inherit())
        .output()
        .context("the application cannot be made")?;
    if !output.status.success() {
        bail!(
            "`postrider application create` ended with {}",
            output.status
        );
    }
    let application: Application = serde_json::from_slice(&output.stdout)
        .context("`postrider application create --json` printed no application")?;
    Ok(application.token)
}

impl Program {
    /// The binary, in the folder and without the caller's settings: neither its file nor its variables.
    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(folder).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with(VARIABLE_PREFIX) {
                command.env_remove(name);
            }
        }
        // Not as flags, which every user of the machine can read.
        if let Some(database) = &self.database {
            command.env("POSTRIDER_DATABASE_URL", &database.url);
            command.env("POSTRIDER_SECRET_KEY", &database.secret_key);
        }
        command
    }
}

/// Waits for the line that says where the server listens, and leaves a thread behind to drain the rest.
fn listening_url(child: &mut Child) -> Result<String> {
    let stdout = child.stdout.take().context("the server has no output")?;
    let (found, wait) = mpsc::channel();
    std::thread::Builder::new().spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some((_, url)) = line.split_once(LISTENING) {
                // Who waited may have given up.
                let _ = found.send(url.trim().to_owned());
            }
        }
    })?;
    let url = wait.recv_timeout(Duration::from_secs(START_SECONDS_MAX));
    url.with_context(|| format!("the server did not listen within {START_SECONDS_MAX} s, or ended"))
}

/// Waits until the server listens and has answered, then a moment longer.
fn first_answer(child: &mut Child, started: Instant) -> Result<(Node, Start)> {
    let node = Node::new(&listening_url(child)?, Some(child.id()), false)?;
    let mut stream = TcpStream::connect(node.address)?;
    stream.set_read_timeout(Some(Duration::from_secs(START_SECONDS_MAX)))?;
    let host = node.host.to_str()?;
    write!(
        stream,
        "GET /readyz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let first_answer_ms = started.elapsed().as_secs_f64() * 1e3;
    if !answer.starts_with("HTTP/1.1 200 ") {
        bail!(
            "the server's first answer is {:?}",
            answer.lines().next().unwrap_or_default()
        );
    }
    std::thread::sleep(IDLE_PAUSE);
    let idle_bytes = usage(child.id()).map(|usage| usage.resident_bytes);
    let start = Start {
        first_answer_ms,
        idle_bytes,
    };
    Ok((node, start))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Acts as both commands; the server's process is the script's own.
    const STAND_IN: &str = r#"#!/bin/sh
case "$1 $2" in
"application create") echo '{"id":1,"slug":"load","token":"t0ken"}' ;;
"serve --data")
    echo "a line before"
    echo "listening on http://ADDRESS"
    exec sleep 600 ;;
esac
"#;

    fn script(folder: &Path, text: &str) -> std::path::PathBuf {
        let path = folder.join("binary");
        std::fs::write(&path, text).expect("is written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("is set");
        path
    }

    #[test]
    fn an_own_server_is_started_reached_and_ended() {
        let folder = TempDir::new().expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let answering = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut asked = BufReader::new(stream.try_clone().expect("a stream")).lines();
            while !asked.next().expect("a line").expect("is read").is_empty() {}
            stream
                .write_all(b"HTTP/1.1 200 OK\r\n\r\n")
                .expect("is open");
        });
        let binary = script(folder.path(), &STAND_IN.replace("ADDRESS", &address));
        let server = OwnServer::start(binary, Some(folder.path()), None, 1).expect("a server");
        assert_eq!(server.target().token, "t0ken");
        answering.join().expect("was asked");
        assert_eq!(server.target().node.address.to_string(), address);
        assert!(
            server
                .start_figures()
                .is_some_and(|start| start.idle_bytes.is_some())
        );
        let pid = server.target().node.pid.expect("a process");
        assert!(Path::new(&format!("/proc/{pid}")).exists());
        drop(server);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
        assert_eq!(
            std::fs::read_dir(folder.path())
                .expect("is readable")
                .count(),
            1
        );
    }

    #[test]
    fn a_server_that_ends_is_not_waited_for() {
        let folder = TempDir::new().expect("a folder");
        let ends = script(
            folder.path(),
            "#!/bin/sh\n[ \"$1\" = serve ] || echo '{\"token\":\"t\"}'\n",
        );
        let error = OwnServer::start(ends, None, None, 1)
            .map(|_| ())
            .expect_err("it ended");
        assert!(error.to_string().contains("or ended"), "{error}");
    }
}
