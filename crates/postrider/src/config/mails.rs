//! The settings of mails, and of the addresses that people are sent to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use mail::{MailUrl, Sender};
use url::Url;

use super::fault::ConfigFault;
use super::gather::Gathered;
use super::parse::{self, required};
use super::setting::{self, Setting};

/// Where mails go without a setting, below the data folder.
const OUTBOX_FOLDER: &str = "outbox";

/// How mails are sent, and where people are sent to.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// Which way.
    pub url: MailUrl,
    /// Who sends, with the address in `public_url`; made with the default address where none is set.
    pub from: String,
    /// Where people reach this server, without a slash at the end; absent means where it listens.
    pub public_url: Option<String>,
    /// The page where people register; absent means that of this server.
    pub registration_url: Option<String>,
}

impl MailConfig {
    pub(super) fn new(gathered: &Gathered) -> Result<MailConfig, ConfigFault> {
        let from = required(gathered, &setting::MAIL_FROM)?;
        // Only whether it is a sender: the address of its links may not be known yet.
        let sender = Sender::new(from, "");
        sender.map_err(|fault| gathered.bad(&setting::MAIL_FROM, format!("`{from}` {fault}")))?;
        Ok(MailConfig {
            url: mail_url(gathered)?,
            from: from.to_owned(),
            public_url: page(gathered, &setting::PUBLIC_URL)?,
            registration_url: page(gathered, &setting::REGISTRATION_URL)?,
        })
    }

    /// Where people reach a server that listens there.
    pub fn public_url(&self, listening: SocketAddr) -> String {
        let listening = || format!("http://{}", reachable(listening));
        self.public_url.clone().unwrap_or_else(listening)
    }

    /// Where people register at a server that listens there.
    pub fn registration_url(&self, listening: SocketAddr) -> String {
        let own = || format!("{}/register", self.public_url(listening));
        self.registration_url.clone().unwrap_or_else(own)
    }
}

fn mail_url(gathered: &Gathered) -> Result<MailUrl, ConfigFault> {
    match gathered.text(&setting::MAIL) {
        // The text may hold a password: it is not repeated.
        Some(text) => MailUrl::parse(text).map_err(|fault| gathered.bad(&setting::MAIL, fault)),
        None => Ok(MailUrl::File(parse::data(gathered)?.join(OUTBOX_FOLDER))),
    }
}

fn page(gathered: &Gathered, setting: &'static Setting) -> Result<Option<String>, ConfigFault> {
    let Some(text) = gathered.text(setting) else {
        return Ok(None);
    };
    let url = Url::parse(text).ok();
    let is_page = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none()
    };
    match url.filter(is_page) {
        Some(url) => Ok(Some(url.as_str().trim_end_matches('/').to_owned())),
        None => {
            let reason = format!(
                "`{text}` is no address of a page; write for example https://postrider.example.com"
            );
            Err(gathered.bad(setting, reason))
        }
    }
}

/// An address to go to, where the server listens on all of the machine's.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let loopback = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(loopback, listening.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Given};

    fn config(environment: &[(&str, &str)]) -> Result<MailConfig, String> {
        let environment = environment.iter();
        let given = Given {
            environment: environment
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            ..Given::default()
        };
        let config = Config::new(given);
        config
            .map(|config| config.mails)
            .map_err(|fault| fault.to_string())
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn without_settings_mails_are_files_beside_the_data_and_links_lead_to_where_it_listens() {
        let mails = config(&[("POSTRIDER_DATA", "/d")]).expect("defaults");
        assert_eq!(mails.url, MailUrl::File("/d/outbox".into()));
        assert_eq!(mails.from, "postrider@localhost");
        for (listening, public) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:81", "http://[::1]:81"),
        ] {
            assert_eq!(mails.public_url(address(listening)), public);
        }
        assert_eq!(
            mails.registration_url(address("127.0.0.1:1")),
            "http://127.0.0.1:1/register"
        );
    }

    #[test]
    fn public_addresses_are_taken_without_the_slash_at_the_end() {
        let mails = config(&[("POSTRIDER_PUBLIC_URL", "https://p.example.com/hooks/")]);
        let mails = mails.expect("good");
        let listening = address("127.0.0.1:1");
        assert_eq!(mails.public_url(listening), "https://p.example.com/hooks");
        assert_eq!(
            mails.registration_url(listening),
            "https://p.example.com/hooks/register"
        );
        let mails = config(&[("POSTRIDER_REGISTRATION_URL", "https://r.example.com")]);
        let mails = mails.expect("good");
        assert_eq!(mails.registration_url(listening), "https://r.example.com");
    }

    #[test]
    fn bad_values_are_refused_with_the_remedy_and_without_the_password() {
        let cases = [
            (
                ("POSTRIDER_MAIL", "smpt://u:hunter2@m"),
                "is no way for mails; write smtp://HOST",
            ),
            (
                ("POSTRIDER_MAIL", "smtp://u:hunter2@m?tls=no"),
                "has an unknown parameter",
            ),
            (
                ("POSTRIDER_MAIL_FROM", "postrider"),
                "`postrider` is no sender; write for example",
            ),
            (
                ("POSTRIDER_PUBLIC_URL", "postrider.example.com"),
                "`postrider.example.com` is no address of a page",
            ),
            (
                ("POSTRIDER_REGISTRATION_URL", "ftp://x"),
                "`ftp://x` is no address of a page",
            ),
        ];
        for (variable, reason) in cases {
            let fault = config(&[variable]).expect_err("refused");
            let start = format!("environment variable {}: {reason}", variable.0);
            assert!(fault.starts_with(&start), "{fault}");
            assert!(!fault.contains("hunter2"));
        }
    }
}
