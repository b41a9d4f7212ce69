//! `postrider application`: programs that may call the API, made and renewed at the machine.

use std::io::Write;

use anyhow::{Context, bail};
use clap::Subcommand;
use domain::records::{Actor, Application};
use domain::time::Clock;
use domain::token::Token;
use serde_json::json;
use store::{Applications, Change, Integrations, NewApplication, Store};
use store_sqlite::SqliteStore;

use crate::clock::SystemClock;
use crate::config::{Config, ConfigArgs};
use crate::node::open_store;

/// Longest slug of an application in characters.
const SLUG_CHARS_MAX: usize = 100;

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
    /// Replaces an application's token at once, and prints the new one.
    RotateToken {
        /// Its name.
        #[arg(long)]
        slug: String,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// Runs the command; works with and without a server on the same folder.
///
/// # Errors
/// The store cannot be used, or refuses.
pub fn run(command: ApplicationCommand) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match command {
        ApplicationCommand::Create {
            slug,
            integration,
            json,
            config,
        } => {
            check_slug(&slug)?;
            let store = open_store(&Config::new(config.with_surroundings())?)?;
            let made = runtime.block_on(create(&store, slug, integration))?;
            runtime.block_on(store.close());
            print_token(&made.0, &made.1, json)
        }
        ApplicationCommand::List { json, config } => {
            let store = open_store(&Config::new(config.with_surroundings())?)?;
            let applications = runtime.block_on(store.applications())?;
            runtime.block_on(store.close());
            print_list(&applications, json)
        }
        ApplicationCommand::RotateToken { slug, json, config } => {
            let store = open_store(&Config::new(config.with_surroundings())?)?;
            let token = new_token()?;
            let rotated = store.rotate_application_token(slug, token.hash(), change());
            let application = runtime.block_on(rotated).context("no token was changed")?;
            runtime.block_on(store.close());
            print_token(&application, &token, json)
        }
    }
}

/// Makes an application, narrowed to the integration of this key if one is named.
///
/// # Errors
/// The slug is taken, or there is no such integration.
pub async fn create(
    store: &SqliteStore,
    slug: String,
    integration: Option<String>,
) -> anyhow::Result<(Application, Token)> {
    let integration_id = match integration {
        None => None,
        Some(key) => match store.integration_of_key(key.clone()).await? {
            Some(integration) => Some(integration.id),
            None => bail!("there is no integration with the key `{key}`; make it first"),
        },
    };
    let token = new_token()?;
    let new = NewApplication {
        slug,
        integration_id,
        token: token.hash(),
    };
    let application = store
        .create_application(new, change())
        .await
        .context("no application was made")?;
    Ok((application, token))
}

fn new_token() -> anyhow::Result<Token> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).context("the system gives no random bytes")?;
    Ok(Token::of_application(random))
}

fn change() -> Change {
    Change {
        actor: Actor::CommandLine,
        at: SystemClock.now(),
        request_id: None,
    }
}

fn check_slug(slug: &str) -> anyhow::Result<()> {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    if slug.is_empty() || slug.len() > SLUG_CHARS_MAX || !slug.chars().all(is_sign) {
        bail!("--slug takes 1 to {SLUG_CHARS_MAX} letters, digits and _ - . : signs");
    }
    Ok(())
}

fn print_token(application: &Application, token: &Token, as_json: bool) -> anyhow::Result<()> {
    let (id, slug, token) = (application.id, &application.slug, token.text());
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
        print(&format!(
            "{}\t{}\t{scope}\tmade {}\ttoken of {}",
            application.id, application.slug, application.created_at, application.token_created_at
        ))?;
    }
    Ok(())
}

fn print(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("standard output cannot be written")
}
