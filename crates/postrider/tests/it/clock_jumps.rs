//! The machine's clock is set, while the server runs and while it does not: nothing waits for longer than its step,
//! and nothing is sent more often than it was to be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::harness::receiver::Reply;
use crate::harness::{Receiver, Server, Shim};

/// Changes, each of an order of its own: so few that their failures do not make the lane rest.
const CHANGES: usize = 4;
const HOUR: i64 = 60 * 60;
const MONTH: i64 = 30 * 24 * HOUR;

/// A server under a shim whose receiver has refused each change once, and takes everything from now on.
struct Bench {
    shim: Shim,
    server: Server,
    receiver: Receiver,
    integration: i64,
    jobs: Vec<Value>,
}

impl Bench {
    fn new(schedule: &str) -> Bench {
        let shim = Shim::build();
        let mut server = Server::start_embedded_with(&["--retry-schedule", schedule]);
        server.set_environment(shim.environment());
        assert!(server.terminate());
        server.restart();
        let takes = Arc::new(AtomicBool::new(false));
        let gate = takes.clone();
        let receiver = Receiver::scripted(move |_, _| {
            let code = if gate.load(Ordering::SeqCst) {
                200
            } else {
                400
            };
            Reply::Status(code, vec![])
        });
        let integration = server.integration("a");
        server.subscribe(integration, "crm", &receiver.url("/"));
        let mut jobs = Vec::new();
        for number in 0..CHANGES {
            let receipt = server.report(integration, &format!("A-{number}"), "ordered");
            jobs.push(receipt["webhook_jobs"][0]["id"].clone());
        }
        for job in &jobs {
            server.wait_for_job(integration, job, "retrying");
        }
        takes.store(true, Ordering::SeqCst);
        Bench {
            shim,
            server,
            receiver,
            integration,
            jobs,
        }
    }

    /// Everything arrives with the second attempt, and nothing is attempted beside.
    fn check(mut self) {
        for job in &self.jobs {
            let job = self.server.wait_for_job(self.integration, job, "delivered");
            assert_eq!(job["attempt_count"], 2);
        }
        assert_eq!(self.receiver.count(), 2 * CHANGES);
    }
}

#[test]
fn set_back_while_it_runs_what_waits_is_sent_all_the_same() {
    let bench = Bench::new("2s");
    bench.shim.shift_clock(-HOUR);
    bench.check();
}

#[test]
fn set_back_while_it_does_not_run_what_waits_is_sent_all_the_same() {
    let mut bench = Bench::new("2s");
    bench.server.kill();
    bench.shim.shift_clock(-HOUR);
    bench.server.restart();
    bench.check();
}

#[test]
fn set_forward_everything_is_sent_once() {
    let bench = Bench::new("20h");
    bench.shim.shift_clock(24 * HOUR);
    bench.check();
}

#[test]
fn set_forward_by_a_month_while_it_does_not_run_everything_is_sent_once() {
    let mut bench = Bench::new("20h");
    bench.server.kill();
    bench.shim.shift_clock(MONTH);
    bench.server.restart();
    bench.check();
}
