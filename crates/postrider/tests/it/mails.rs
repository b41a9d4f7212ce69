//! Mails about troubles: what people get, and that each gets it once, whatever is down or killed in between.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::{Value, json};

use crate::harness::receiver::Reply;
use crate::harness::{Mailbox, Receiver, Server, wait_for};

/// The mails that the outbox sends at once; as many may be sent again after a kill.
const IN_FLIGHT_MAX: usize = 4;

/// A receiver whose answers change, and a server that tries again at once.
struct World {
    receiver: Receiver,
    answer: Arc<AtomicU16>,
    server: Server,
    integration: i64,
}

impl World {
    fn start(flags: &[&str]) -> World {
        let answer = Arc::new(AtomicU16::new(500));
        let asked = answer.clone();
        let receiver =
            Receiver::scripted(move |_, _| Reply::Status(asked.load(Ordering::SeqCst), Vec::new()));
        let flags = [&["--retry-schedule", "100ms"], flags].concat();
        let mut server = Server::start_with(&flags);
        let integration = server.integration("acme");
        World {
            receiver,
            answer,
            server,
            integration,
        }
    }

    fn subscribe(&mut self, name: &str, emails: &str) -> Value {
        let made = self.server.call(
            "webhook_out_subs/create",
            json!({ "integration_id": self.integration, "key": "crm", "name": name,
                "callback_url": self.receiver.url("/"), "statuses": ["*"], "version": "v3",
                "notify": true, "notification_emails": emails }),
        );
        made.data()
    }

    fn report(&mut self, order: &str) -> Value {
        let receipt = self.server.report(self.integration, order, "scheduled");
        receipt["webhook_jobs"][0]["id"].clone()
    }

    fn answer(&self, status: u16) {
        self.answer.store(status, Ordering::SeqCst);
    }

    /// Waits until a job has failed so often that it is told.
    fn wait_for_ten_failures(&mut self, job: &Value) {
        wait_for("ten failures", || {
            let shown = self.server.job(self.integration, job);
            (shown["attempt_count"].as_u64() >= Some(10)).then_some(())
        });
    }
}

fn addresses(mails: &[crate::harness::Mail]) -> Vec<&str> {
    let mut addresses: Vec<&str> = mails.iter().map(|mail| mail.to()).collect();
    addresses.sort_unstable();
    addresses
}

#[test]
fn people_hear_of_a_trouble_its_end_and_a_switch_off() {
    let mailbox = Mailbox::start();
    let mut world = World::start(&[
        "--mail",
        &mailbox.url(),
        "--mail-from",
        "Postrider <p@example.com>",
    ]);
    let sub = world.subscribe("Ďáblovo CRM", "ann@example.com, bob@example.com");
    let job = world.report("A-1");
    let mails = mailbox.wait_for("Ďáblovo CRM keeps failing", 2);
    assert_eq!(addresses(&mails), ["ann@example.com", "bob@example.com"]);
    let mail = &mails[0];
    assert_eq!(mail.0["defects"], json!([]));
    assert_eq!(mail.text("from"), "p@example.com");
    assert_eq!(mail.header("from"), "Postrider <p@example.com>");
    assert_eq!(mail.header("auto-submitted"), "auto-generated");
    assert_ne!(mail.header("message-id"), mails[1].header("message-id"));
    let body = String::from_utf8(world.receiver.received()[0].body.clone()).expect("text");
    for part in [
        body.as_str(),
        "answered 500",
        &world.receiver.url("/"),
        &format!("Job id: {job}"),
    ] {
        assert!(mail.text("text").contains(part), "{part} in {mail:?}");
    }

    world.answer(200);
    let mails = mailbox.wait_for("Ďáblovo CRM works again", 2);
    assert_eq!(addresses(&mails), ["ann@example.com", "bob@example.com"]);

    world.answer(410);
    let waiting = world.report("A-2");
    let mails = mailbox.wait_for("Ďáblovo CRM was switched off", 2);
    assert!(mails[0].text("text").contains("410"), "{mails:?}");

    world.answer(200);
    let on = world.server.call(
        "webhook_out_subs/update",
        json!({ "integration_id": world.integration, "id": sub["id"], "version": "v3", "active": true }),
    );
    assert_eq!(on.data()["active"], true);
    world
        .server
        .wait_for_job(world.integration, &waiting, "delivered");
    mailbox.wait_for("Ďáblovo CRM works again", 4);
    assert_eq!(mailbox.mails("Ďáblovo CRM keeps failing").len(), 2);
}

#[test]
fn while_the_mail_server_is_down_mails_wait_and_come_once() {
    let mut mailbox = Mailbox::start();
    let mut world = World::start(&["--mail", &mailbox.url()]);
    world.subscribe("CRM", "ann@example.com,bob@example.com");
    mailbox.close();
    let job = world.report("A");
    world.wait_for_ten_failures(&job);
    world.server.kill();
    world.server.restart();
    mailbox.open();
    let mails = mailbox.wait_for("CRM keeps failing", 2);
    assert_eq!(addresses(&mails), ["ann@example.com", "bob@example.com"]);
    // What comes later does not bring them again.
    world.server.kill();
    world.server.restart();
    world.answer(200);
    mailbox.wait_for("CRM works again", 2);
    let ids: HashSet<String> = mailbox
        .mails("CRM keeps failing")
        .iter()
        .map(|mail| mail.header("message-id").to_owned())
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(mailbox.mails("CRM keeps failing").len() <= 2 + IN_FLIGHT_MAX);
}

#[test]
fn kill_9_repeats_only_mails_in_flight() {
    let mailbox = Mailbox::start();
    let mut world = World::start(&["--mail", &mailbox.url()]);
    let emails: Vec<String> = (0..10).map(|n| format!("ann{n}@example.com")).collect();
    world.subscribe("CRM", &emails.join(","));
    world.report("A");
    mailbox.wait_for("CRM keeps failing", 3);
    world.server.kill();
    world.server.restart();
    let mails = wait_for("a mail to each address", || {
        let mails = mailbox.mails("CRM keeps failing");
        let reached: HashSet<&str> = mails.iter().map(|mail| mail.to()).collect();
        (reached.len() == emails.len()).then_some(mails.clone())
    });
    let ids: HashSet<&str> = mails.iter().map(|mail| mail.header("message-id")).collect();
    assert_eq!(
        ids.len(),
        emails.len(),
        "what is sent again can be recognised"
    );
    assert!(
        mails.len() <= emails.len() + IN_FLIGHT_MAX,
        "{}",
        mails.len()
    );
}

#[test]
fn a_refused_address_is_given_up_and_a_busy_server_tried_again() {
    let mailbox = Mailbox::start();
    let mut world = World::start(&["--mail", &mailbox.url()]);
    world.subscribe("CRM", "ann@example.com");
    let emails = "refused@example.com,busy@example.com";
    let changed = world.server.call(
        "webhook_out_subs/index",
        json!({ "integration_id": world.integration }),
    );
    let id = changed.data()[0]["id"].clone();
    // Straight into the database: an address that refuses mails could not be entered by the API.
    let set = format!("update webhook_out_subs set notification_emails = '{emails}'");
    world.server.execute(&set);
    world.report("A");
    let mails = mailbox.wait_for("CRM keeps failing", 1);
    assert_eq!(addresses(&mails), ["busy@example.com"]);
    assert_eq!(mailbox.asked("busy@example.com"), 2);
    assert_eq!(mailbox.asked("refused@example.com"), 1);
    let raised = world.server.call("notifications/index", json!({})).data();
    let raised = &raised[0];
    assert_eq!(
        (&raised["kind"], &raised["about"]),
        (&json!("mail_failed"), &json!("refused@example.com"))
    );
    let message = raised["message"].as_str().expect("text");
    assert!(message.contains("no such mailbox"), "{raised}");
    assert_eq!(raised["webhook_out_sub_id"], id);
}

#[test]
fn without_a_mail_server_mails_are_files_for_their_owner_only() {
    let mut world = World::start(&[]);
    world.subscribe("CRM", "ann@example.com");
    world.report("A");
    let outbox = world.server.folder().join("outbox");
    let file = wait_for("a mail", || {
        let entries = std::fs::read_dir(&outbox).ok()?;
        let mut files = entries.map(|entry| entry.expect("an entry").path());
        files.find(|path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            path.extension().is_some_and(|extension| extension == "eml")
                && text.contains("\r\nSubject: CRM keeps failing\r\n")
        })
    });
    let mode = |path| {
        let metadata = std::fs::metadata(path).expect("metadata");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!((mode(&outbox), mode(&file)), (0o700, 0o600));
    let text = std::fs::read_to_string(&file).expect("text");
    assert!(text.contains("\r\nTo: ann@example.com\r\n"), "{text}");
}
