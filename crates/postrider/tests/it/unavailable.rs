//! A store that takes no work, since its disk is full or another process holds it: requests are told to come
//! again, nothing acknowledged is lost, and all goes on by itself once that has passed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::harness::{Receiver, Server, wait_for};
use crate::verifier::python;

/// Room on the small disk: the database fits with some to spare.
const DISK: &str = "size=8m";

/// A small file system of its own, unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts one, if this process may.
    fn mount() -> Option<SmallDisk> {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", DISK, "tmpfs"])
            .arg(folder.path())
            .output()
            .ok()?;
        mounted.status.success().then_some(SmallDisk(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the space there is.
    fn fill(&self) {
        let zeros = vec![0; 64 << 20];
        // Fails as soon as the disk is full, which is what it is for.
        let _ = std::fs::write(self.path().join("filler"), zeros);
    }

    fn free(&self) {
        std::fs::remove_file(self.path().join("filler")).expect("removed");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_loses_nothing_and_passes_by_itself() {
    let Some(disk) = SmallDisk::mount() else {
        println!("SKIPPED: only root can mount a small disk");
        return;
    };
    let mut server = Server::start_in(disk.path().join("node"), &[]);
    let receiver = Receiver::start();
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    let mut accepted = vec![server.report(integration, "before", "ordered")];
    disk.fill();
    let mut refused = 0;
    for number in 0..2_000 {
        let answer = server.call(
            "order_stages/create",
            json!({ "integration_id": integration, "external_order_id": format!("full-{number}"),
                "create_order": true, "stage": "ordered", "order": { "order_notes": "x".repeat(900) } }),
        );
        match answer.code {
            200 => accepted.push(answer.data()),
            503 => {
                assert_eq!(answer.status(), "store-unavailable");
                assert_eq!(answer.header("retry-after"), Some("1"));
                refused += 1;
            }
            code => panic!("{code}: {}", answer.text),
        }
        if refused >= 20 {
            break;
        }
    }
    assert!(refused >= 20, "the disk was never full");
    assert_eq!(server.client().send("GET", "/healthz", &[], b"").code, 200);
    disk.free();
    wait_for("changes to be accepted again", || {
        let answer = server.client().send("GET", "/readyz", &[], b"");
        (answer.code == 200).then_some(())
    });
    accepted.push(server.report(integration, "after", "ordered"));
    for receipt in accepted {
        server.wait_for_job(integration, &receipt["webhook_jobs"][0]["id"], "delivered");
    }
}

/// Takes the database's only place for a writer, says so, and gives it back when its input ends.
const HOLD: &str = r#"
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("begin immediate")
print("held", flush=True)
sys.stdin.read()
database.execute("rollback")
"#;

/// Another process that holds a server's database.
pub struct Holder(Child);

impl Holder {
    pub fn of(server: &Server) -> Holder {
        let mut holder = Command::new(python())
            .args(["-c", HOLD])
            .arg(server.folder().join("postrider.db"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python runs");
        let mut held = String::new();
        let stdout = holder.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut held).expect("text");
        assert_eq!(held, "held\n");
        Holder(holder)
    }

    /// Gives it back.
    pub fn end(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().expect("it ends").success());
    }
}

#[test]
fn a_database_that_another_process_holds_is_unavailable_for_so_long() {
    let mut server = Server::start_embedded();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    let holder = Holder::of(&server);
    let change = json!({ "integration_id": integration, "external_order_id": "A", "create_order": true,
        "stage": "ordered" });
    let refused = server.call("order_stages/create", change.clone());
    assert_eq!(
        (
            refused.code,
            refused.status().as_str(),
            refused.header("retry-after")
        ),
        (503, "store-unavailable", Some("1"))
    );
    let listed = server.call(
        "order_stages/index",
        json!({ "integration_id": integration }),
    );
    assert_eq!(
        listed.data(),
        json!([]),
        "reading goes on, and nothing was kept"
    );
    holder.end();
    let accepted = server.call("order_stages/create", change).data();
    server.wait_for_job(integration, &accepted["webhook_jobs"][0]["id"], "delivered");
}
