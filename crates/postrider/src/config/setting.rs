//! Which settings exist: the one declaration that flags, environment, file, help and
//! `config print` are derived from.

/// A setting. Its value is text wherever it comes from; [`super::Config`] parses it.
#[derive(Debug)]
pub struct Setting {
    /// Where it stands in the configuration file, such as `egress.allow`.
    pub key: &'static str,
    /// The flag without its dashes, such as `egress-allow`; the variable's name follows from it.
    pub word: &'static str,
    /// What stands for the value in the help.
    pub value_name: &'static str,
    /// What applies when it is given nowhere; absent where the help says what happens then.
    pub default: Option<&'static str>,
    /// Whether its value is never shown.
    pub is_secret: bool,
    /// What it does.
    pub help: &'static str,
}

/// What every environment variable of Postrider begins with.
pub const VARIABLE_PREFIX: &str = "POSTRIDER_";

impl Setting {
    const fn new(key: &'static str, word: &'static str, help: &'static str) -> Setting {
        Setting {
            key,
            word,
            value_name: "VALUE",
            default: None,
            is_secret: false,
            help,
        }
    }

    const fn value(mut self, value_name: &'static str) -> Setting {
        self.value_name = value_name;
        self
    }

    const fn default(mut self, default: &'static str) -> Setting {
        self.default = Some(default);
        self
    }

    const fn secret(mut self) -> Setting {
        self.is_secret = true;
        self
    }

    /// The flag, such as `--egress-allow`.
    pub fn flag(&self) -> String {
        format!("--{}", self.word)
    }

    /// The environment variable, such as `POSTRIDER_EGRESS_ALLOW`.
    pub fn variable(&self) -> String {
        let name = self.word.replace('-', "_").to_uppercase();
        format!("{VARIABLE_PREFIX}{name}")
    }
}

/// The data folder.
pub static DATA: Setting = Setting::new("data", "data", "Folder of the embedded store")
    .value("DIR")
    .default("./postrider-data");
/// A PostgreSQL server in place of the embedded store.
pub static DATABASE_URL: Setting = Setting::new(
    "database_url",
    "database-url",
    "PostgreSQL instead of the data folder, such as postgres://user:password@host/name; all its nodes have the same secret key",
)
.value("URL")
.secret();
/// Where the server listens.
pub static LISTEN: Setting = Setting::new(
    "listen",
    "listen",
    "Address and port of the server; port 0 takes a free one",
)
.value("ADDRESS")
.default("127.0.0.1:8080");
/// What is logged.
pub static LOG: Setting = Setting::new(
    "log",
    "log",
    "Level of the log (error, warn, info, debug, trace), also by module: info,delivery=debug",
)
.value("FILTER")
.default("info");
/// Private networks that deliveries may reach.
pub static EGRESS_ALLOW: Setting = Setting::new(
    "egress.allow",
    "egress-allow",
    "Networks that callbacks may reach though they are private, comma-separated",
)
.value("NETWORKS")
.default("");
/// When failed deliveries are attempted again.
pub static RETRY_SCHEDULE: Setting = Setting::new(
    "retry.schedule",
    "retry-schedule",
    "Waits between attempts, comma-separated; the last one repeats",
)
.value("DURATIONS")
.default("5s,30s,2m,6m,6m,6m,6m,6m,6m,12m,24m,48m,1h");
/// When failed deliveries are given up.
pub static GIVE_UP_AFTER: Setting = Setting::new(
    "retry.give_up_after",
    "give-up-after",
    "How long after its first attempt a job is given up",
)
.value("DURATION")
.default("3d");
/// How long an attempt may take.
pub static DELIVERY_TIMEOUT: Setting = Setting::new(
    "delivery.timeout",
    "delivery-timeout",
    "How long an attempt may take, from connecting to the end of the answer",
)
.value("DURATION")
.default("15s");
/// The key of secrets at rest.
pub static SECRET_KEY: Setting = Setting::new(
    "secret_key",
    "secret-key",
    "Key that encrypts secrets at rest, 32 bytes in base64 [default: made beside the data]",
)
.value("KEY")
.secret();
/// A file with the key of secrets at rest.
pub static SECRET_KEY_FILE: Setting = Setting::new(
    "secret_key_file",
    "secret-key-file",
    "File with that key, so that neither command line nor environment shows it",
)
.value("FILE");
/// More certificate authorities.
pub static CA_FILE: Setting = Setting::new(
    "ca_file",
    "ca-file",
    "File with certificate authorities (PEM) that callbacks may also be signed by",
)
.value("FILE");
/// Proxies that are believed.
pub static TRUSTED_PROXIES: Setting = Setting::new(
    "trusted_proxies",
    "trusted-proxies",
    "Networks of proxies whose X-Forwarded-For counts, comma-separated",
)
.value("NETWORKS")
.default("");
/// Who may frame the portal.
pub static FRAME_ANCESTORS: Setting = Setting::new(
    "frame_ancestors",
    "frame-ancestors",
    "Origins whose pages may frame the portal, comma-separated, such as https://app.example.com",
)
.value("ORIGINS")
.default("");
/// How mails are sent.
pub static MAIL: Setting = Setting::new(
    "mail",
    "mail",
    "How mails are sent: smtp://…, smtps://…, mandrill://KEY or file:DIR [default: file:outbox in the data folder]",
)
.value("URL")
.secret();
/// Who sends mails.
pub static MAIL_FROM: Setting = Setting::new("mail_from", "mail-from", "Sender of mails")
    .value("ADDRESS")
    .default("postrider@localhost");
/// Where people reach this server.
pub static PUBLIC_URL: Setting = Setting::new(
    "public_url",
    "public-url",
    "Address of this server for people, in the links of mails [default: made of the listen address]",
)
.value("URL");
/// Where people register.
pub static REGISTRATION_URL: Setting = Setting::new(
    "registration_url",
    "registration-url",
    "Page where people register [default: /register below the public address]",
)
.value("URL");
/// How long jobs are kept.
pub static RETENTION_JOBS: Setting = Setting::new(
    "retention.jobs",
    "retention-jobs",
    "How long changes are kept with their jobs, once all of these are final",
)
.value("DURATION")
.default("90d");
/// How long payloads are kept, where they go earlier.
pub static RETENTION_PAYLOADS: Setting = Setting::new(
    "retention.payloads",
    "retention-payloads",
    "How long payloads of final jobs are kept [default: as long as the jobs]",
)
.value("DURATION");
/// How long audit events are kept.
pub static RETENTION_AUDIT_EVENTS: Setting = Setting::new(
    "retention.audit_events",
    "retention-audit-events",
    "How long audit events are kept",
)
.value("DURATION")
.default("400d");
/// How long notifications are kept that were read.
pub static RETENTION_NOTIFICATIONS: Setting = Setting::new(
    "retention.notifications",
    "retention-notifications",
    "How long notifications are kept after they were read",
)
.value("DURATION")
.default("90d");
/// How long a node has its lanes without a word from it.
pub static LEASE: Setting = Setting::new(
    "lease",
    "lease",
    "With a database URL: how long after its last word another node takes over what a node delivers",
)
.value("DURATION")
.default("30s");
/// How long a shutdown may take.
pub static SHUTDOWN_GRACE: Setting = Setting::new(
    "shutdown.grace",
    "shutdown-grace",
    "How long deliveries in flight may take to end when the server is stopped",
)
.value("DURATION")
.default("30s");

/// All settings, in the order in which help and `config print` show them.
pub static ALL: [&Setting; 23] = [
    &DATA,
    &DATABASE_URL,
    &LISTEN,
    &LOG,
    &EGRESS_ALLOW,
    &RETRY_SCHEDULE,
    &GIVE_UP_AFTER,
    &DELIVERY_TIMEOUT,
    &SECRET_KEY,
    &SECRET_KEY_FILE,
    &CA_FILE,
    &TRUSTED_PROXIES,
    &FRAME_ANCESTORS,
    &MAIL,
    &MAIL_FROM,
    &PUBLIC_URL,
    &REGISTRATION_URL,
    &RETENTION_JOBS,
    &RETENTION_PAYLOADS,
    &RETENTION_AUDIT_EVENTS,
    &RETENTION_NOTIFICATIONS,
    &LEASE,
    &SHUTDOWN_GRACE,
];
