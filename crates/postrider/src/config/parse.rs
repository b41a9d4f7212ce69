//! From the texts of the settings to their types.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::destination::EgressPolicy;
use domain::retry::{RetryFault, RetryPolicy, parse_duration, parse_schedule};
use domain::webhook_out_sub::TIMEOUT_SECONDS_MAX;
use ipnet::IpNet;

use super::fault::ConfigFault;
use super::gather::Gathered;
use super::setting::{self, Setting};
use crate::logs::LogFilter;

/// Length of the key of secrets at rest in bytes.
pub const SECRET_KEY_BYTES: usize = 32;
/// Shortest deadline of an attempt: a TLS handshake across the world takes most of a second.
const DELIVERY_TIMEOUT_SECONDS_MIN: u64 = 1;
/// Shortest and longest lease of a node in seconds: it is renewed several times in each, and nobody delivers for a node that is
/// gone before it ends.
const LEASE_SECONDS: (u64, u64) = (3, 3_600);
/// Longest wait for deliveries in flight: service managers kill sooner.
const SHUTDOWN_GRACE_SECONDS_MAX: u64 = 3_600;

/// The key of secrets at rest as it was given. Never shown.
#[derive(Clone)]
pub struct SecretKeyBytes([u8; SECRET_KEY_BYTES]);

impl SecretKeyBytes {
    /// The bytes.
    pub const fn bytes(&self) -> [u8; SECRET_KEY_BYTES] {
        self.0
    }
}

impl fmt::Debug for SecretKeyBytes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretKeyBytes(…)")
    }
}

/// Where a database is, and by which name and password it is used. Never shown.
#[derive(Clone)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL, password and all.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("DatabaseUrl(…)")
    }
}

pub(super) fn database_url(gathered: &Gathered) -> Result<Option<DatabaseUrl>, ConfigFault> {
    let Some(text) = gathered.text(&setting::DATABASE_URL) else {
        return Ok(None);
    };
    let bad = |reason: &str| gathered.bad(&setting::DATABASE_URL, reason);
    if !["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
    {
        return Err(bad(
            "is no postgres:// URL; write for example postgres://user:password@host/name",
        ));
    }
    // One that is made beside the data of one node would be another than that of the next.
    if secret_key(gathered)?.is_none() {
        return Err(bad(
            "needs the secret key that all nodes of the database share; give it with POSTRIDER_SECRET_KEY",
        ));
    }
    Ok(Some(DatabaseUrl(text.to_owned())))
}

pub(super) fn data(gathered: &Gathered) -> Result<PathBuf, ConfigFault> {
    let text = required(gathered, &setting::DATA)?;
    // Made absolute at once, so that it stays the same folder whatever the process does later.
    let folder = std::path::absolute(text);
    folder.map_err(|reason| gathered.bad(&setting::DATA, reason))
}

pub(super) fn listen(gathered: &Gathered) -> Result<SocketAddr, ConfigFault> {
    let text = required(gathered, &setting::LISTEN)?;
    text.parse().map_err(|_| {
        let reason =
            format!("`{text}` is no address with a port; write for example 127.0.0.1:8080");
        gathered.bad(&setting::LISTEN, reason)
    })
}

pub(super) fn log(gathered: &Gathered) -> Result<LogFilter, ConfigFault> {
    let filter = LogFilter::parse(required(gathered, &setting::LOG)?);
    filter.map_err(|fault| gathered.bad(&setting::LOG, fault))
}

pub(super) fn egress(gathered: &Gathered) -> Result<EgressPolicy, ConfigFault> {
    let text = gathered.text(&setting::EGRESS_ALLOW).unwrap_or_default();
    let policy = EgressPolicy::parse_allow(text);
    policy.map_err(|fault| gathered.bad(&setting::EGRESS_ALLOW, fault))
}

pub(super) fn trusted_proxies(gathered: &Gathered) -> Result<Vec<IpNet>, ConfigFault> {
    let text = gathered.text(&setting::TRUSTED_PROXIES).unwrap_or_default();
    let networks = text.split(',').map(str::trim).filter(|one| !one.is_empty());
    networks
        .map(|one| {
            let address = one.parse::<IpAddr>().map(IpNet::from);
            one.parse().or(address).map_err(|_| {
                let reason = format!("`{one}` is no network; write for example 10.0.0.0/8");
                gathered.bad(&setting::TRUSTED_PROXIES, reason)
            })
        })
        .collect()
}

pub(super) fn retry(gathered: &Gathered) -> Result<RetryPolicy, ConfigFault> {
    let schedule = parse_schedule(required(gathered, &setting::RETRY_SCHEDULE)?);
    let schedule = schedule.map_err(|fault| gathered.bad(&setting::RETRY_SCHEDULE, fault))?;
    let give_up_after = duration(gathered, &setting::GIVE_UP_AFTER)?;
    RetryPolicy::new(schedule, give_up_after).map_err(|fault| match fault {
        RetryFault::GiveUp => gathered.bad(&setting::GIVE_UP_AFTER, fault),
        _ => gathered.bad(&setting::RETRY_SCHEDULE, fault),
    })
}

pub(super) fn delivery_timeout(gathered: &Gathered) -> Result<Duration, ConfigFault> {
    let bounds = (DELIVERY_TIMEOUT_SECONDS_MIN, u64::from(TIMEOUT_SECONDS_MAX));
    bounded_duration(gathered, &setting::DELIVERY_TIMEOUT, bounds)
}

pub(super) fn lease(gathered: &Gathered) -> Result<Duration, ConfigFault> {
    bounded_duration(gathered, &setting::LEASE, LEASE_SECONDS)
}

pub(super) fn shutdown_grace(gathered: &Gathered) -> Result<Duration, ConfigFault> {
    bounded_duration(
        gathered,
        &setting::SHUTDOWN_GRACE,
        (0, SHUTDOWN_GRACE_SECONDS_MAX),
    )
}

pub(super) fn secret_key(gathered: &Gathered) -> Result<Option<SecretKeyBytes>, ConfigFault> {
    let (key, file) = (
        gathered.text(&setting::SECRET_KEY),
        gathered.text(&setting::SECRET_KEY_FILE),
    );
    match (key, file) {
        (None, None) => Ok(None),
        (Some(key), None) => secret_key_of(key, gathered, &setting::SECRET_KEY).map(Some),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file)
                .map_err(|reason| unreadable(file, &reason, gathered, &setting::SECRET_KEY_FILE))?;
            secret_key_of(&text, gathered, &setting::SECRET_KEY_FILE).map(Some)
        }
        (Some(_), Some(_)) => {
            let reason = format!(
                "the key is also given as {}; keep one of the two",
                setting::SECRET_KEY.key
            );
            Err(gathered.bad(&setting::SECRET_KEY_FILE, reason))
        }
    }
}

fn secret_key_of(
    text: &str,
    gathered: &Gathered,
    setting: &'static Setting,
) -> Result<SecretKeyBytes, ConfigFault> {
    let bytes = BASE64.decode(text.trim()).ok();
    let key = bytes.and_then(|bytes| bytes.try_into().ok().map(SecretKeyBytes));
    key.ok_or_else(|| {
        let reason = format!(
            "a key is {SECRET_KEY_BYTES} bytes in base64; make one with `head -c {SECRET_KEY_BYTES} /dev/urandom | base64`"
        );
        gathered.bad(setting, reason)
    })
}

pub(super) fn extra_ca_pem(gathered: &Gathered) -> Result<Option<Vec<u8>>, ConfigFault> {
    let Some(file) = gathered.text(&setting::CA_FILE) else {
        return Ok(None);
    };
    let pem = std::fs::read(Path::new(file));
    let pem = pem.map_err(|reason| unreadable(file, &reason, gathered, &setting::CA_FILE))?;
    Ok(Some(pem))
}

fn unreadable(
    file: &str,
    reason: &std::io::Error,
    gathered: &Gathered,
    setting: &'static Setting,
) -> ConfigFault {
    gathered.bad(setting, format!("the file {file} cannot be read: {reason}"))
}

pub(super) fn bounded_duration(
    gathered: &Gathered,
    setting: &'static Setting,
    (min, max): (u64, u64),
) -> Result<Duration, ConfigFault> {
    let duration = duration(gathered, setting)?;
    if duration < Duration::from_secs(min) || duration > Duration::from_secs(max) {
        return Err(gathered.bad(setting, format!("must be {min}s to {max}s")));
    }
    Ok(duration)
}

fn duration(gathered: &Gathered, setting: &'static Setting) -> Result<Duration, ConfigFault> {
    parse_duration(required(gathered, setting)?).map_err(|fault| gathered.bad(setting, fault))
}

/// The text of a setting that has a default, and so is empty only if somebody made it so.
pub(super) fn required<'g>(
    gathered: &'g Gathered,
    setting: &'static Setting,
) -> Result<&'g str, ConfigFault> {
    let text = gathered.text(setting).filter(|text| !text.is_empty());
    text.ok_or_else(|| gathered.bad(setting, "is empty; give it a value, or leave it out"))
}
