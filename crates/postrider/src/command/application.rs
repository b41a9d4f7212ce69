//! `postrider application`: programs that may call the API.

use std::time::Duration;

use anyhow::Context;
use clap::Subcommand;
use domain::records::Application;
use domain::retry::parse_duration;
use domain::token::Token;
use serde_json::json;
use store::{NewApplication, Store, WithToken};

use super::{all, change, check_key, integration_of, on_store, print, random};
use crate::config::ConfigArgs;

/// What can be done with applications.
#[derive(Debug, Subcommand)]
pub enum ApplicationCommand {
    /// Makes an application and prints its token, which is shown only this once.
    Create {
        /// Its name, such as `olio`.
        #[arg(long)]
        slug: String,
        /// Key of the only integration it may use; all without this.
        #[arg(long, value_name = "KEY")]
        integration: Option<String>,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Lists the applications.
    List {
        /// Print as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Replaces an application's token, and prints the new one.
    RotateToken {
        /// Its name.
        #[arg(long)]
        slug: String,
        /// For how long the old token is accepted as well, such as `1h`; not at all without this.
        #[arg(long, value_name = "DURATION", value_parser = overlap)]
        overlap: Option<Duration>,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

fn overlap(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|fault| fault.to_string())
}

/// Runs the command.
///
/// # Errors
/// The store cannot be used, or refuses.
pub fn run(command: ApplicationCommand) -> anyhow::Result<()> {
    match command {
        ApplicationCommand::Create {
            slug,
            integration,
            json,
            config,
        } => {
            check_key("--slug", &slug)?;
            let made = on_store(config, async |store| create(store, slug, integration).await)?;
            print_token(&made, json)
        }
        ApplicationCommand::List { json, config } => {
            let applications = on_store(config, async |store| {
                all("slug", |query| store.applications(None, query)).await
            })?;
            print_list(&applications, json)
        }
        ApplicationCommand::RotateToken {
            slug,
            overlap,
            json,
            config,
        } => {
            let rotated = on_store(config, async |store| {
                rotate_token(store, slug, overlap.unwrap_or_default()).await
            })?;
            print_token(&rotated, json)
        }
    }
}

/// Makes an application, narrowed to the integration of this key if one is named.
///
/// # Errors
/// The slug is taken, or there is no such integration.
pub async fn create(
    store: &dyn Store,
    slug: String,
    integration: Option<String>,
) -> anyhow::Result<WithToken> {
    let integration_id = match integration {
        None => None,
        Some(key) => Some(integration_of(store, &key).await?),
    };
    let new = NewApplication {
        slug,
        integration_id,
        token: Token::of_application(random()?),
        idempotency: None,
    };
    let made = store.create_application(new, change()).await;
    Ok(made.context("no application was made")?.record)
}

async fn rotate_token(
    store: &dyn Store,
    slug: String,
    overlap: Duration,
) -> anyhow::Result<WithToken> {
    let found = store.application_of_slug(slug.clone()).await?;
    let id = found
        .with_context(|| format!("there is no application `{slug}`; see `application list`"))?
        .id;
    let token = Token::of_application(random()?);
    let rotated = store.rotate_application_token(id, token, overlap, change());
    rotated.await.context("no token was changed")
}

fn print_token(made: &WithToken, as_json: bool) -> anyhow::Result<()> {
    let (id, slug, token) = (made.application.id, &made.application.slug, &made.token);
    let text = if as_json {
        json!({ "id": id, "slug": slug, "token": token }).to_string()
    } else {
        format!("application {slug}, id {id}\ntoken {token}\nThe token is not shown again.")
    };
    print(&text)
}

fn print_list(applications: &[Application], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return print(&serde_json::to_string(applications)?);
    }
    for application in applications {
        let scope = match application.integration_id {
            Some(id) => format!("integration {id}"),
            None => "all integrations".to_owned(),
        };
        let off = if application.active {
            ""
        } else {
            "\tswitched off"
        };
        print(&format!(
            "{}\t{}\t{scope}\tmade {}\ttoken of {}{off}",
            application.id, application.slug, application.created_at, application.token_created_at
        ))?;
    }
    Ok(())
}
