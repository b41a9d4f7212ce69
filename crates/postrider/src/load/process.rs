//! Memory and processor time of a process, as Linux tells them.

use std::fs;
use std::ops::Add;

/// Ticks of the processor time in /proc per second: `USER_HZ`, 100 on every platform that Linux has kept
/// an interface for.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process has used.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Resident memory at this moment, in bytes.
    pub resident_bytes: u64,
    /// Largest resident memory so far, in bytes.
    pub peak_bytes: u64,
    /// Processor time so far, user and system, in seconds.
    pub cpu_seconds: f64,
    /// Bytes so far that it made the system write to a disk; none where that is not told, as of others'
    /// processes.
    pub written_bytes: Option<u64>,
}

/// What several processes have used together; their peaks need not have been at one moment.
impl Add for Usage {
    type Output = Usage;

    fn add(self, other: Usage) -> Usage {
        let written = self.written_bytes.zip(other.written_bytes);
        Usage {
            resident_bytes: self.resident_bytes + other.resident_bytes,
            peak_bytes: self.peak_bytes + other.peak_bytes,
            cpu_seconds: self.cpu_seconds + other.cpu_seconds,
            written_bytes: written.map(|(this, other)| this + other),
        }
    }
}

/// What this process has used so far; none where the system does not tell.
pub fn usage(pid: u32) -> Option<Usage> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(Usage {
        resident_bytes: bytes(&status, "VmRSS:")?,
        peak_bytes: bytes(&status, "VmHWM:")?,
        cpu_seconds: cpu_seconds(&stat)?,
        written_bytes: fs::read_to_string(format!("/proc/{pid}/io"))
            .ok()
            .and_then(|io| written_bytes(&io)),
    })
}

fn bytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1_024)
}

fn written_bytes(io: &str) -> Option<u64> {
    let line = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes:"))?;
    line.trim().parse().ok()
}

/// Fields 14 and 15 (proc_pid_stat(5)); the second is a name in brackets that may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) as f64 / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_past_a_hostile_process_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 55 1 1";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        let io = "wchar: 5\nwrite_bytes: 4096\ncancelled_write_bytes: 7\n";
        assert_eq!(written_bytes(io), Some(4_096));
        let status = "Name:\tx\nVmPeak:\t  9 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(bytes(status, "VmHWM:"), Some(2_097_152));
        assert_eq!(bytes(status, "VmRSS:"), Some(1_024));
        assert_eq!(bytes("Name:\tx\n", "VmHWM:"), None);
    }
}
