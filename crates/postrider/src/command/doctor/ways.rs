//! The ways out: to the mail server, and to the receivers of subscriptions.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::destination::CallbackUrl;
use egress::{Client, ClientConfig};
use futures_util::future::join_all;
use mail::{MailUrl, Transport};
use store::Store;

use super::Finding;
use crate::command::all;
use crate::config::Config;

/// How long the mail server may take, in seconds.
const MAIL_SECONDS_MAX: u64 = 10;
/// How long all names may take to be looked up, in seconds.
const NAMES_SECONDS_MAX: u64 = 15;
/// Callbacks that are looked at: enough to tell whether names are resolved at all.
const CALLBACKS_MAX: usize = 100;
/// Callbacks that are told of one by one.
const CALLBACKS_TOLD_MAX: usize = 10;

/// Whether mails are taken, and where their links lead.
pub(super) async fn mails(config: &Config) -> Vec<Finding> {
    let about = "mail";
    let mut findings = Vec::new();
    if let MailUrl::File(folder) = &config.mails.url {
        let found = format!("mails are files in {}, and reach nobody", folder.display());
        findings.push(Finding::warning(
            about,
            found,
            "set POSTRIDER_MAIL before people rely on mails",
        ));
        return findings;
    }
    let reached = async {
        let transport = Transport::new(&config.mails.url, config.extra_ca_pem.as_deref());
        let transport = transport.map_err(|fault| fault.to_string())?;
        let checked = transport.check();
        let checked = tokio::time::timeout(Duration::from_secs(MAIL_SECONDS_MAX), checked).await;
        let late = |_| format!("it does not answer within {MAIL_SECONDS_MAX} s");
        checked.map_err(late)?.map_err(|fault| fault.to_string())
    };
    findings.push(match reached.await {
        Ok(()) => Finding::ok(
            about,
            "the mail server answers, and takes our name and password",
        ),
        Err(reason) => Finding::failed(
            about,
            format!("the mail server cannot be used: {reason}"),
            "see POSTRIDER_MAIL: host, port, name and password; and that this machine may connect",
        ),
    });
    if config.mails.public_url.is_none() {
        let found = format!(
            "links in mails lead to {}",
            config.mails.public_url(config.listen)
        );
        findings.push(Finding::warning(
            about,
            found,
            "set POSTRIDER_PUBLIC_URL to where people reach this server",
        ));
    }
    findings
}

/// Whether the names of callbacks lead somewhere that may be reached. Nothing is connected to.
pub(super) async fn callbacks(config: &Config, store: Option<&dyn Store>) -> Vec<Finding> {
    let about = "callbacks";
    let Some(store) = store else {
        return Vec::new();
    };
    let urls = match urls(store).await {
        Ok(urls) => urls,
        Err(error) => {
            let remedy = "what is said there";
            return vec![Finding::failed(about, format!("{error:#}"), remedy)];
        }
    };
    let client = Client::new(ClientConfig {
        policy: config.egress.clone(),
        extra_ca_pem: config.extra_ca_pem.clone(),
        ..ClientConfig::default()
    });
    let client = match client {
        Ok(client) => client,
        Err(fault) => {
            return vec![Finding::failed(
                about,
                fault.to_string(),
                "see POSTRIDER_CA_FILE",
            )];
        }
    };
    let looked_at = urls.len();
    let checks = urls.into_iter().map(|(host, (key, url))| {
        let client = client.clone();
        async move {
            let checked =
                tokio::time::timeout(Duration::from_secs(NAMES_SECONDS_MAX), client.check(&url));
            match checked.await {
                Ok(Ok(())) => None,
                Ok(Err(fault)) => Some(format!("`{key}` ({host}): {fault}")),
                Err(_) => Some(format!(
                    "`{key}` ({host}): its name is not looked up in {NAMES_SECONDS_MAX} s"
                )),
            }
        }
    });
    let bad: Vec<String> = join_all(checks).await.into_iter().flatten().collect();
    let mut findings: Vec<Finding> = bad
        .iter()
        .take(CALLBACKS_TOLD_MAX)
        .map(|reason| {
            let remedy = "correct callback_url, the name server, or POSTRIDER_EGRESS_ALLOW";
            Finding::warning(about, reason.clone(), remedy)
        })
        .collect();
    let good = looked_at - bad.len();
    findings.push(Finding::ok(
        about,
        format!("{good} of {looked_at} hosts lead somewhere that may be reached"),
    ));
    findings
}

/// One subscription of each host: its key and its callback.
async fn urls(store: &dyn Store) -> anyhow::Result<BTreeMap<String, (String, CallbackUrl)>> {
    let mut urls = BTreeMap::new();
    for integration in all("id", |query| store.integrations(query, None)).await? {
        let subs = all("id", |query| {
            store.webhook_out_subs(integration.id, Some(true), query)
        });
        for sub in subs.await? {
            if urls.len() == CALLBACKS_MAX {
                return Ok(urls);
            }
            let host = sub.callback_url.authority().to_owned();
            urls.entry(host).or_insert((sub.key, sub.callback_url));
        }
    }
    Ok(urls)
}
