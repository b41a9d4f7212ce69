//! A disk that is full again and again under load: what cannot be kept is refused, nothing acknowledged is lost, and
//! all goes on by itself once there is space.

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use crate::crash::wait_until_nothing_waits;
use crate::harness::disk::{Disk, IMAGES, make_image};
use crate::harness::producers::{Ledger, join, produce};
use crate::harness::{Client, Receiver, Server, wait_for, whole};

/// Room on the disk: more than all changes of the test need.
const DISK: &str = "96M";
/// How often it is filled.
const TIMES: usize = 3;
/// Changes that are refused before there is space again, and accepted before it is full again.
const CHANGES: usize = 200;

/// A small disk. Unmounted when dropped, before its folders are removed.
struct SmallDisk {
    _disk: Disk,
    place: TempDir,
    _images: TempDir,
}

impl SmallDisk {
    /// Mounts one, if this process may.
    fn mount() -> Option<SmallDisk> {
        let images = tempfile::tempdir_in(IMAGES).ok()?;
        let image = images.path().join("image");
        make_image(&image, DISK)?;
        let place = tempfile::tempdir().ok()?;
        let disk = Disk::mount(&image, place.path())?;
        Some(SmallDisk {
            _disk: disk,
            place,
            _images: images,
        })
    }

    fn filler(&self) -> PathBuf {
        self.place.path().join("filler")
    }

    /// Takes all the space there is.
    fn fill(&self) {
        // Fails as soon as the disk is full, which is what it is for.
        let _ = std::fs::write(self.filler(), vec![0; 128 << 20]);
    }

    fn free(&self) {
        std::fs::remove_file(self.filler()).expect("removed");
    }
}

#[test]
fn a_disk_that_fills_under_load_loses_nothing_and_wedges_nothing() {
    let Some(disk) = SmallDisk::mount() else {
        println!("SKIPPED: only root can mount a small disk");
        return;
    };
    let mut server = Server::start_in(disk.place.path().join("node"), &[]);
    let receiver = Receiver::start();
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    let ledger = Arc::new(Ledger::default());
    let producers = produce(&server, integration, "A", &ledger);
    for time in 0..TIMES {
        let (accepted, refused) = (ledger.accepted().len(), ledger.refused());
        wait_for("changes to be accepted", || {
            (ledger.accepted().len() >= accepted + CHANGES).then_some(())
        });
        disk.fill();
        wait_for(&format!("the disk to be full, time {time}"), || {
            (ledger.refused() >= refused + CHANGES).then_some(())
        });
        let mut client = Client::new(server.address);
        assert_eq!(client.send("GET", "/healthz", &[], b"").code, 200);
        // A checkpoint may make room for a small write in between.
        wait_for("the server to say that it is not ready", || {
            (client.send("GET", "/readyz", &[], b"").code == 503).then_some(())
        });
        disk.free();
    }
    let before = ledger.accepted().len();
    wait_for("changes to be accepted in the end", || {
        (ledger.accepted().len() >= before + CHANGES).then_some(())
    });
    ledger.stop();
    join(producers);
    wait_until_nothing_waits(&server);
    let received = receiver.received();
    let arrived: std::collections::HashSet<i64> = received
        .iter()
        .map(|request| request.json()["order_stage_id"].as_i64().expect("an id"))
        .collect();
    let accepted = ledger.accepted();
    println!(
        "{} accepted, {} refused, the slowest refusal took {:?}",
        accepted.len(),
        ledger.refused(),
        ledger.slowest_refusal()
    );
    assert_eq!(accepted.difference(&arrived).count(), 0, "lost");
    whole::check(&server);
    assert!(server.terminate());
    // Nothing is wedged: the end moved all of the log, so that the database alone has everything.
    let alone = tempfile::tempdir().expect("a folder");
    let copy = alone.path().join("postrider.db");
    std::fs::copy(server.folder().join("postrider.db"), &copy).expect("copied");
    let database = rusqlite::Connection::open(copy).expect("a database");
    whole::check_file(&database);
    assert_eq!(accepted.difference(&whole::changes(&database)).count(), 0);
}
