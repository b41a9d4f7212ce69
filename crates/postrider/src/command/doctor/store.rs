//! The store: whether it can be reached, is this program's, can be written, and opens with the secret key.

use std::sync::Arc;

use domain::time::{Clock, Moment};
use store::Store;

use super::Finding;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::node::open_store;

/// The oldest PostgreSQL that has all that is asked of it.
const POSTGRES_VERSION_MIN: i64 = 150_000;
/// Connections of a node: those that its requests share, those of its writers, and the one that listens.
const CONNECTIONS_PER_NODE: i64 = 15;
/// What this machine's clock may differ from the database's, in seconds: leases go by the latter, due times by the former.
const CLOCK_SECONDS_GOOD: u64 = 2;
/// How long the database may take to answer, in milliseconds, before it is felt in each change.
const ROUND_TRIP_MILLISECONDS_GOOD: u128 = 5;

/// What there is, and the store if it can be opened as it is.
pub(super) async fn look(config: &Config) -> (Option<Arc<dyn Store>>, Vec<Finding>) {
    let (is_usable, mut findings) = match &config.database_url {
        None => folder(config),
        Some(url) => {
            let ca = config.extra_ca_pem.as_deref();
            match store_postgres::examine(url.text(), ca).await {
                Ok(examined) => database(&examined),
                Err(fault) => {
                    let remedy = "see that the server runs, that its address, user and password are right, and that this \
                         machine may connect (pg_hba.conf)";
                    let finding = Finding::failed("store", chain(&fault), remedy);
                    (false, vec![finding])
                }
            }
        }
    };
    if !is_usable {
        return (None, findings);
    }
    match open_store(config).await {
        Ok(store) => {
            findings.extend(write(&*store).await);
            (Some(store), findings)
        }
        Err(error) => {
            let remedy = "what is said there";
            findings.push(Finding::failed("store", format!("{error:#}"), remedy));
            (None, findings)
        }
    }
}

fn folder(config: &Config) -> (bool, Vec<Finding>) {
    let about = "store";
    let shown = config.data.display();
    let examined = match store_sqlite::examine(&config.data) {
        Ok(Some(examined)) => examined,
        Ok(None) => {
            let found = format!("{shown} has no database yet; the first start makes it");
            return (false, vec![Finding::ok(about, found)]);
        }
        Err(fault) => {
            let remedy = "is it another program's file? If not, restore a backup (docs/operate.md)";
            return (false, vec![Finding::failed(about, chain(&fault), remedy)]);
        }
    };
    let mut findings = Vec::new();
    if examined.is_half_copied {
        findings.push(half_copied());
    }
    findings.extend(schema(
        i64::from(examined.schema),
        i64::from(examined.known),
    ));
    let served = if examined.is_served {
        "a server runs on it"
    } else {
        "no server runs on it"
    };
    let size = examined.bytes >> 20;
    findings.push(Finding::ok(about, format!("{shown}: {size} MiB, {served}")));
    let is_usable =
        examined.is_used && !examined.is_half_copied && examined.schema == examined.known;
    (is_usable, findings)
}

fn database(examined: &store_postgres::Examined) -> (bool, Vec<Finding>) {
    let about = "store";
    let mut findings = server(examined);
    if examined.is_half_copied {
        findings.push(half_copied());
    }
    if examined.schema == 0 {
        let found = "it has no schema yet; the first start makes it";
        findings.push(Finding::ok(about, found));
    } else {
        findings.extend(schema(examined.schema, examined.known));
    }
    findings.push(clock(Moment::from_microseconds(examined.clock)));
    let (major, minor) = version(examined);
    let found = format!(
        "PostgreSQL {major}.{minor}, {} nodes run on it",
        examined.nodes
    );
    findings.push(Finding::ok(about, found));
    let is_sound = examined.is_used && !examined.is_half_copied && !examined.is_standby;
    (is_sound && examined.schema == examined.known, findings)
}

fn version(examined: &store_postgres::Examined) -> (i64, i64) {
    (examined.version / 10_000, examined.version % 10_000)
}

/// What is wrong with the server, whatever it holds.
fn server(examined: &store_postgres::Examined) -> Vec<Finding> {
    let about = "store";
    let mut findings = Vec::new();
    let (major, minor) = version(examined);
    if examined.version < POSTGRES_VERSION_MIN {
        let remedy = "upgrade it: 15 or later is needed";
        findings.push(Finding::failed(
            about,
            format!("PostgreSQL {major}.{minor} is too old"),
            remedy,
        ));
    }
    if examined.is_standby {
        let remedy = "name the primary, or several hosts with target_session_attrs=read-write";
        findings.push(Finding::failed(
            about,
            "it is a standby, which takes no changes",
            remedy,
        ));
    }
    if !examined.fsync {
        let found = "fsync is off: what it acknowledges is lost with its machine";
        findings.push(Finding::failed(
            about,
            found,
            "set fsync = on, and restart it",
        ));
    }
    if !examined.tls {
        let found = "the connection is not encrypted";
        let remedy = "across a network, end the URL with ?sslmode=verify-full";
        findings.push(Finding::warning(about, found, remedy));
    }
    let free = examined.connections - examined.connected;
    if free < CONNECTIONS_PER_NODE {
        let found = format!(
            "{} of {} connections are taken",
            examined.connected, examined.connections
        );
        let remedy = format!("raise max_connections: each node takes up to {CONNECTIONS_PER_NODE}");
        findings.push(Finding::warning(about, found, remedy));
    }
    if examined.round_trip.as_millis() > ROUND_TRIP_MILLISECONDS_GOOD {
        let found = format!("it takes {} ms to answer", examined.round_trip.as_millis());
        findings.push(Finding::warning(
            about,
            found,
            "every change waits for it: run nodes near to it",
        ));
    }
    findings
}

fn clock(database: Moment) -> Finding {
    let now = SystemClock.now();
    let apart = now.since(database).max(database.since(now));
    match apart.as_secs() {
        ..=CLOCK_SECONDS_GOOD => Finding::ok("clock", "as the database's"),
        seconds => Finding::warning(
            "clock",
            format!("{seconds} s apart from the database's"),
            "set both by NTP",
        ),
    }
}

fn half_copied() -> Finding {
    let remedy = "finish that with the same `postrider copy`, or name another store";
    Finding::failed("store", "it has half of a copy", remedy)
}

fn schema(found: i64, known: i64) -> Option<Finding> {
    match found {
        _ if found < known => Some(Finding::warning(
            "store",
            format!("its schema has version {found}, this program's has {known}"),
            "`postrider migrate`, or the next start, brings it up to date; back it up first",
        )),
        _ if found > known => Some(Finding::warning(
            "store",
            format!("its schema has version {found}, this program knows {known}"),
            "use the newer program that made it",
        )),
        _ => None,
    }
}

async fn write(store: &dyn Store) -> Vec<Finding> {
    let written = match store.check_writable().await {
        Ok(()) => Finding::ok("store", "changes can be written"),
        Err(error) => Finding::failed("store", error.to_string(), "what is said there"),
    };
    let opened = match store.opens_secrets().await {
        Ok(true) => Finding::ok("secret key", "it opens what was sealed"),
        Ok(false) => Finding::failed(
            "secret key",
            "it does not open what was sealed: it is another one",
            "give the key that this store was made with (POSTRIDER_SECRET_KEY_FILE, or secret.key beside the data)",
        ),
        Err(error) => Finding::failed("secret key", error.to_string(), "what is said there"),
    };
    vec![written, opened]
}

/// A fault with all that it comes from.
fn chain(fault: &dyn std::error::Error) -> String {
    let mut text = fault.to_string();
    let mut source = fault.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
