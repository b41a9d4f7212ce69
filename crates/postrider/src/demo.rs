//! `postrider demo`: the whole main job on a throw-away folder, with a built-in receiver.

mod receiver;
mod story;

use std::io::Write;

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::application;
use crate::config::{Config, DATA, EGRESS_ALLOW, Given, LISTEN, RETRY_SCHEDULE};
use crate::node::{Node, open_store};
use receiver::DemoReceiver;
use story::Story;

/// Waits between attempts in the demo: short, so that a retry can be watched.
const RETRY_SCHEDULE_TEXT: &str = "500ms";

/// Runs the demo: once, or until it is interrupted.
///
/// # Errors
/// Something could not be started, or did not arrive as it should.
pub async fn run(once: bool) -> anyhow::Result<()> {
    let folder = TempDir::new().context("no throw-away data folder can be made")?;
    let config = config(&folder)?;
    let token = make_application(&config).await?;
    let receiver = DemoReceiver::start().await?;
    let node = Node::start(&config).await?;
    say(&format!(
        "Postrider {} listens on {}",
        env!("CARGO_PKG_VERSION"),
        node.url()
    ))?;
    say(&format!("A receiver listens on {}", receiver.url()))?;
    let mut story = Story::begin(&node.url(), &token, receiver).await?;
    let mut told = story.tell().await;
    if told.is_ok() && !once {
        invite(&node.url(), &token)?;
        if let Some(link) = node.first_run_url().await? {
            say(&format!(
                "The dashboard, with you as its first employee: {link}\n"
            ))?;
        }
        told = tokio::select! {
            watched = story.watch() => watched,
            () = crate::signals::stop_requested()? => Ok(()),
        };
    }
    node.stop().await;
    told
}

fn config(folder: &TempDir) -> anyhow::Result<Config> {
    let data = folder.path().join("data");
    let Some(data) = data.to_str() else {
        bail!("the folder for temporary files has a name that is no text; set TMPDIR");
    };
    let flags = [
        (&DATA, data),
        (&LISTEN, "127.0.0.1:0"),
        (&EGRESS_ALLOW, "127.0.0.0/8"),
        (&RETRY_SCHEDULE, RETRY_SCHEDULE_TEXT),
    ];
    // Neither the environment nor a file has a say: the demo is the same everywhere.
    let given = Given {
        flags: flags
            .map(|(setting, text)| (setting, text.to_owned()))
            .into(),
        folder: folder.path().to_owned(),
        ..Given::default()
    };
    Ok(Config::new(given)?)
}

async fn make_application(config: &Config) -> anyhow::Result<String> {
    let store = open_store(config).await?;
    let made = application::create(&*store, "demo".to_owned(), None).await?;
    store.close().await;
    Ok(made.token)
}

fn invite(url: &str, token: &str) -> anyhow::Result<()> {
    say(&format!(
        "\nIt goes on until Ctrl-C. Report a change yourself, and watch it arrive below:\n\n\
         curl -sS {url}/api/v1/order_stages/create -H 'Content-Type: application/json' \\\n  \
         -H 'Authorization: Bearer {token}' \\\n  \
         -d '{{\"integration_id\": 1, \"external_order_id\": \"MINE-1\", \"create_order\": true, \
         \"stage\": \"scheduled\"}}'\n"
    ))
}

/// A line for whoever watches.
fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output cannot be written")
}
