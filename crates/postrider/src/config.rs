//! The configuration: flags over environment over file over defaults, parsed into types.
//!
//! [`setting`] declares what there is, [`args`] and [`gather`] collect texts and where they come from,
//! this file parses them, `print` shows them. What is unknown or bad is refused with its place and the
//! remedy ([`fault`]); nothing is ignored.

mod args;
mod fault;
mod frame_ancestors;
mod gather;
mod mails;
mod parse;
mod print;
mod retention;
mod setting;
mod source;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use domain::destination::EgressPolicy;
use domain::retry::RetryPolicy;
use ipnet::IpNet;
use store::RetentionPolicy;

pub use args::ConfigArgs;
pub use fault::ConfigFault;
pub use gather::{Gathered, Given};
pub use mails::MailConfig;
pub use parse::{DatabaseUrl, SECRET_KEY_BYTES, SecretKeyBytes};
pub use print::{as_json, as_table};
pub use setting::VARIABLE_PREFIX;
pub(crate) use setting::{DATA, EGRESS_ALLOW, LISTEN, RETRY_SCHEDULE};

use crate::logs::LogFilter;

/// All settings, each of its own type and within its bounds.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder of the embedded store, absolute.
    pub data: PathBuf,
    /// The database that many nodes share, in place of the embedded store. May hold a password.
    pub database_url: Option<DatabaseUrl>,
    /// Where the server listens.
    pub listen: SocketAddr,
    /// What is logged.
    pub log: LogFilter,
    /// Which addresses deliveries may reach.
    pub egress: EgressPolicy,
    /// When failed deliveries are attempted again, and given up.
    pub retry: RetryPolicy,
    /// How long an attempt may take where its subscription does not say.
    pub delivery_timeout: Duration,
    /// The key of secrets at rest; absent means one beside the data.
    pub secret_key: Option<SecretKeyBytes>,
    /// Certificate authorities to trust beside the usual ones, in PEM form.
    pub extra_ca_pem: Option<Vec<u8>>,
    /// Proxies whose word on where a request comes from counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins whose pages may frame the portal.
    pub frame_ancestors: Vec<String>,
    /// How mails are sent, and where their links lead.
    pub mails: MailConfig,
    /// How long what is final is kept.
    pub retention: RetentionPolicy,
    /// How long a node has its lanes without a word from it.
    pub lease: Duration,
    /// How long a shutdown may wait for deliveries in flight.
    pub shutdown_grace: Duration,
    /// The texts that all this was parsed from, and where each comes from.
    pub gathered: Gathered,
}

impl Config {
    /// The configuration that this comes to.
    ///
    /// # Errors
    /// The first unknown name, unreadable file or bad value, with its place and the remedy.
    pub fn new(given: Given) -> Result<Config, ConfigFault> {
        let gathered = Gathered::new(given)?;
        Ok(Config {
            data: parse::data(&gathered)?,
            database_url: parse::database_url(&gathered)?,
            listen: parse::listen(&gathered)?,
            log: parse::log(&gathered)?,
            egress: parse::egress(&gathered)?,
            retry: parse::retry(&gathered)?,
            delivery_timeout: parse::delivery_timeout(&gathered)?,
            secret_key: parse::secret_key(&gathered)?,
            extra_ca_pem: parse::extra_ca_pem(&gathered)?,
            trusted_proxies: parse::trusted_proxies(&gathered)?,
            frame_ancestors: frame_ancestors::origins(&gathered)?,
            mails: MailConfig::new(&gathered)?,
            retention: retention::policy(&gathered)?,
            lease: parse::lease(&gathered)?,
            shutdown_grace: parse::shutdown_grace(&gathered)?,
            gathered,
        })
    }
}
