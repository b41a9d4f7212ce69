//! Disks of a test's own: file systems within images in memory. Only root can have them.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::wait_for;

/// Where images lie: in memory, so that what a disk holds and what the system holds for it are told apart.
pub const IMAGES: &str = "/dev/shm";

/// Makes an image of so many bytes (as `truncate` has it) with an empty file system.
pub fn make_image(image: &Path, bytes: &str) -> Option<()> {
    system("truncate", &["-s", bytes, text(image)])?;
    system("mkfs.ext4", &["-q", "-m", "0", text(image)])?;
    Some(())
}

/// Runs a command of the system; what it says, or nothing where it fails.
pub fn system(command: &str, arguments: &[&str]) -> Option<String> {
    let done = Command::new(command).args(arguments).output().ok()?;
    let said = String::from_utf8_lossy(&done.stdout).trim().to_owned();
    done.status.success().then_some(said)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A file system in an image, mounted. Unmounted when dropped.
pub struct Disk {
    device: String,
    place: PathBuf,
}

impl Disk {
    /// Mounts an image, if this process may and this system can.
    pub fn mount(image: &Path, place: &Path) -> Option<Disk> {
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
    pub fn copy(&self, image: &Path, to: &Path) {
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
