//! A mail server on loopback, somebody else's: a Python process with `aiosmtpd`; it can be stopped and started again.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::wait_for;
use crate::verifier::python;

/// See `mailbox.py`.
const SERVER: &str = include_str!("mailbox.py");

/// A mail that was taken, as Python's parser reads it.
#[derive(Clone, Debug)]
pub struct Mail(pub Value);

/// See the module. Killed when dropped.
pub struct Mailbox {
    port: u16,
    child: Option<Child>,
    lines: Arc<Mutex<Vec<Value>>>,
}

impl Mail {
    pub fn text(&self, name: &str) -> &str {
        self.0[name].as_str().expect(name)
    }

    pub fn header(&self, name: &str) -> &str {
        self.0["headers"][name].as_str().expect(name)
    }

    pub fn to(&self) -> &str {
        assert_eq!(self.0["to"].as_array().map(Vec::len), Some(1));
        self.0["to"][0].as_str().expect("an address")
    }
}

impl Mailbox {
    pub fn start() -> Mailbox {
        let free = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let mut mailbox = Mailbox {
            port: free.local_addr().expect("bound").port(),
            child: None,
            lines: Arc::default(),
        };
        drop(free);
        mailbox.open();
        mailbox
    }

    /// What `--mail` takes.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Takes mails again, at the same port.
    pub fn open(&mut self) {
        let mut child = Command::new(python())
            .args(["-c", SERVER, &self.port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python runs");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let kept = self.lines.clone();
        let before = self.told("listening").len();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line = serde_json::from_str(&line).expect("JSON");
                kept.lock().expect("no panic").push(line);
            }
        });
        self.child = Some(child);
        wait_for("the mail server", || {
            (self.told("listening").len() > before).then_some(())
        });
    }

    /// Takes no mails any more.
    pub fn close(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it runs");
            child.wait().expect("it ends");
        }
    }

    /// The mails with this subject, so far.
    pub fn mails(&self, subject: &str) -> Vec<Mail> {
        let mails = self.told("subject").into_iter().map(Mail);
        mails
            .filter(|mail| mail.text("subject") == subject)
            .collect()
    }

    /// Waits for so many mails with this subject.
    pub fn wait_for(&self, subject: &str, count: usize) -> Vec<Mail> {
        wait_for(&format!("{count} mails \"{subject}\""), || {
            let mails = self.mails(subject);
            (mails.len() >= count).then_some(mails)
        })
    }

    /// How often a mail to this address was tried.
    pub fn asked(&self, address: &str) -> usize {
        let asked = self.told("asked").into_iter();
        asked.filter(|line| line["asked"] == address).count()
    }

    fn told(&self, what: &str) -> Vec<Value> {
        let lines = self.lines.lock().expect("no panic");
        let told = lines.iter().filter(|line| line.get(what).is_some());
        told.cloned().collect()
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.close();
    }
}
