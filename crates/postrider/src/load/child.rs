//! A server of one's own to measure: the same binary, on a throw-away data folder.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tempfile::TempDir;

use super::target::Target;
use crate::config::VARIABLE_PREFIX;

/// How long the server may take to listen.
const START_SECONDS_MAX: u64 = 20;
/// What the line begins with by which the server says where it listens.
const LISTENING: &str = "listening on ";
/// The networks that the server must be allowed to deliver to.
const LOOPBACK: &str = "127.0.0.0/8,::1";

/// A running server; killed and its folder removed when dropped.
pub struct OwnServer {
    child: Child,
    target: Target,
    _folder: TempDir,
}

#[derive(Deserialize)]
struct Application {
    token: String,
}

impl OwnServer {
    /// Makes an application in a new data folder, and starts the server on it.
    ///
    /// # Errors
    /// The binary cannot be run, or does not listen within [`START_SECONDS_MAX`].
    pub fn start(binary: &Path, scratch: Option<&Path>) -> Result<OwnServer> {
        let folder = match scratch {
            Some(scratch) => TempDir::new_in(scratch),
            None => TempDir::new(),
        }
        .context("no throw-away data folder can be made")?;
        let token = create_application(binary, folder.path())?;
        let mut child = command(binary, folder.path())
            .args(["serve", "--data", "data", "--listen", "127.0.0.1:0"])
            .args(["--egress-allow", LOOPBACK, "--log", "warn"])
            .stdout(Stdio::piped())
            .spawn()
            .context("the server cannot be started")?;
        let target = listening_url(&mut child)
            .and_then(|url| Target::new(&url, &token, Some(child.id()), false));
        match target {
            Ok(target) => Ok(OwnServer {
                child,
                target,
                _folder: folder,
            }),
            Err(error) => {
                end(&mut child);
                Err(error)
            }
        }
    }

    /// How to reach it.
    pub fn target(&self) -> &Target {
        &self.target
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Its data are thrown away: there is nothing that it could lose by being killed.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn create_application(binary: &Path, folder: &Path) -> Result<String> {
    let output = command(binary, folder)
        .args([
            "application",
            "create",
            "--data",
            "data",
            "--slug",
            "load",
            "--json",
        ])
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

/// The binary, in the folder and without the caller's settings: neither its file nor its variables.
fn command(binary: &Path, folder: &Path) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(VARIABLE_PREFIX) {
            command.env_remove(name);
        }
    }
    command
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Acts as both commands; the server's process is the script's own.
    const STAND_IN: &str = r#"#!/bin/sh
case "$1 $2" in
"application create") echo '{"id":1,"slug":"load","token":"t0ken"}' ;;
"serve --data")
    echo "a line before"
    echo "listening on http://127.0.0.1:18080"
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
        let binary = script(folder.path(), STAND_IN);
        let server = OwnServer::start(&binary, Some(folder.path())).expect("a server");
        assert_eq!(server.target().token, "t0ken");
        assert_eq!(server.target().address.to_string(), "127.0.0.1:18080");
        let pid = server.target().pid.expect("a process");
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
        let error = OwnServer::start(&ends, None)
            .map(|_| ())
            .expect_err("it ended");
        assert!(error.to_string().contains("or ended"), "{error}");
    }
}
