//! A disk that is full: requests are told to come again, nothing acknowledged is lost, and all goes on by
//! itself once there is space.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::harness::{Receiver, Server, wait_for};

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
