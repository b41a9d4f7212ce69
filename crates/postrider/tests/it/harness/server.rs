//! A `postrider serve` process, on a folder or a database of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Output};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::TestPostgres;

use super::{Answer, Client, PATIENCE, wait_for};

mod start;

use self::start::{Launch, spawn};
pub use self::start::{on, postrider, run};

/// See the module. Killed when dropped.
pub struct Server {
    child: Child,
    client: Client,
    pub address: SocketAddr,
    pub token: String,
    /// Where it runs; the data is in `data` below.
    folder: PathBuf,
    /// Removed with the server, where the folder is its own.
    _own: Option<TempDir>,
    flags: Vec<String>,
    /// What the process finds in its environment; the first so many are always there.
    environment: Vec<(String, String)>,
    own_environment: usize,
    /// Where everything is kept, if not in the folder.
    postgres: Option<Arc<TestPostgres>>,
    launch: Launch,
}

impl Server {
    /// What it finds in its environment beside, from the next start on.
    pub fn set_environment(&mut self, environment: Vec<(String, String)>) {
        self.environment.truncate(self.own_environment);
        self.environment.extend(environment);
    }

    /// The database that it works on, where that is not a file in its folder.
    pub fn postgres(&self) -> Option<&TestPostgres> {
        self.postgres.as_deref()
    }

    /// The numbers in the first column of what a query finds, on either store.
    pub fn numbers(&self, sql: &str) -> Vec<i64> {
        if let Some(database) = &self.postgres {
            let rows = database.rows(sql).into_iter();
            return rows.map(|row| row.parse().expect("a number")).collect();
        }
        let database = self.database();
        let mut query = database.prepare(sql).expect(sql);
        let rows = query.query_map([], |row| row.get(0)).expect("rows");
        rows.map(|row| row.expect("a number")).collect()
    }

    /// Changes the store by hand, on either.
    pub fn execute(&self, sql: &str) {
        match &self.postgres {
            Some(database) => drop(database.rows(sql)),
            None => self.database().execute_batch(sql).expect(sql),
        }
    }

    /// Sends the process a signal, by its name.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill").success());
    }

    /// Kills the process as no process can prevent.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Asks the process to end, and waits until it has; whether it says that all is well.
    pub fn terminate(&mut self) -> bool {
        self.signal("TERM");
        self.child.wait().expect("it ends").success()
    }

    /// Starts it again on the same folder, at another port.
    pub fn restart(&mut self) {
        assert!(self.try_restart(), "it says where it listens");
    }

    /// Starts it again; whether it came to listen.
    pub fn try_restart(&mut self) -> bool {
        let (flags, environment) = (&self.flags, &self.environment);
        let Some((child, address)) = spawn(&self.folder, flags, environment, &self.launch) else {
            return false;
        };
        self.end();
        self.child = child;
        self.address = address;
        self.client = Client::new(address);
        true
    }

    fn end(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory now, in bytes. What [`Server::peak_bytes`] tells counts from here.
    pub fn resident_bytes(&self) -> u64 {
        let path = format!("/proc/{}/clear_refs", self.child.id());
        std::fs::write(path, "5").expect("the peak is reset");
        self.memory("VmRSS:")
    }

    /// Its largest resident memory, in bytes.
    pub fn peak_bytes(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kibibytes = line.expect("told").trim().trim_end_matches(" kB");
        kibibytes.parse::<u64>().expect("a number") * 1_024
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// POSTs (or PUTs, for `update`) parameters to a route, with the token unless they have one.
    pub fn call(&mut self, route: &str, parameters: Value) -> Answer {
        let mut parameters = parameters;
        if let Some(members) = parameters.as_object_mut() {
            members.entry("token").or_insert_with(|| json!(self.token));
        }
        self.send(route, parameters.to_string().as_bytes())
    }

    /// Sends a body as it is.
    pub fn send(&mut self, route: &str, body: &[u8]) -> Answer {
        let method = if route.ends_with("/update") {
            "PUT"
        } else {
            "POST"
        };
        let json = [("content-type", "application/json")];
        self.client
            .send(method, &format!("/api/v1/{route}"), &json, body)
    }

    /// POSTs parameters to a sensitive route: base64 in plain text, without a token.
    pub fn sensitive(&mut self, route: &str, parameters: &Value) -> Answer {
        let body = BASE64.encode(parameters.to_string());
        let plain = [("content-type", "text/plain")];
        self.client
            .send("POST", &format!("/api/v1/{route}"), &plain, body.as_bytes())
    }

    /// Runs a command on the server's data.
    pub fn command(&self, arguments: &[&str]) -> Output {
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        let mut command = postrider(&self.folder);
        command.args(arguments).args(["--data", "data"]);
        command.envs(environment).output().expect("it runs")
    }

    /// The database, as somebody else opens it.
    pub fn database(&self) -> Connection {
        let database = Connection::open(self.folder().join("postrider.db")).expect("a database");
        database.busy_timeout(PATIENCE).expect("patience");
        database
    }

    /// The token of the newest link that was mailed to a file; each is taken once.
    pub fn mailed_link(&self) -> String {
        let outbox = self.folder().join("outbox");
        let found = std::fs::read_dir(&outbox)
            .expect("an outbox")
            .find_map(|entry| {
                let path = entry.expect("an entry").path();
                let mail = std::fs::read_to_string(&path).expect("a mail");
                let token = link_token(&mail)?;
                std::fs::remove_file(path).expect("removed");
                Some(token)
            });
        found.expect("a link")
    }

    /// Takes away all mails that were written to files.
    pub fn forget_mails(&self) {
        let outbox = self.folder().join("outbox");
        if outbox.exists() {
            std::fs::remove_dir_all(outbox).expect("removed");
        }
    }

    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// An integration, made.
    pub fn integration(&mut self, key: &str) -> i64 {
        let made = self.call("integrations/create", json!({ "key": key, "name": key }));
        made.data()["id"].as_i64().expect("an id")
    }

    /// A subscription to everything, made; its record.
    pub fn subscribe(&mut self, integration: i64, key: &str, callback_url: &str) -> Value {
        let made = self.call(
            "webhook_out_subs/create",
            json!({ "integration_id": integration, "key": key, "name": key, "callback_url": callback_url,
                "statuses": ["*"], "version": "v3" }),
        );
        made.data()
    }

    /// A change of an order, accepted; its receipt.
    pub fn report(&mut self, integration: i64, order: &str, stage: &str) -> Value {
        let accepted = self.call(
            "order_stages/create",
            json!({ "integration_id": integration, "external_order_id": order, "create_order": true,
                "stage": stage }),
        );
        accepted.data()
    }

    /// A job as webhook_jobs/show has it.
    pub fn job(&mut self, integration: i64, id: &Value) -> Value {
        let shown = self.call(
            "webhook_jobs/show",
            json!({ "integration_id": integration, "id": id }),
        );
        shown.data()
    }

    /// Waits until a job is in a state, and gives it.
    pub fn wait_for_job(&mut self, integration: i64, id: &Value, state: &str) -> Value {
        wait_for(&format!("job {id} to be {state}"), || {
            let job = self.job(integration, id);
            (job["state"] == state).then_some(job)
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// The token of the link in a mail, whose long lines are folded.
fn link_token(mail: &str) -> Option<String> {
    let mail = mail.replace("=\r\n", "");
    let start = mail.find("prl_")?;
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    Some(mail[start..].chars().take_while(|c| is_sign(*c)).collect())
}
