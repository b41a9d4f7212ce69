//! `postrider integration`: whose orders and subscriptions belong together.

use anyhow::Context;
use clap::Subcommand;
use store::NewIntegration;

use super::{all, change, check_key, on_store, print};
use crate::config::ConfigArgs;

/// What can be done with integrations.
#[derive(Debug, Subcommand)]
pub enum IntegrationCommand {
    /// Makes an integration.
    Create {
        /// Its name for machines, unique.
        #[arg(long)]
        key: String,
        /// Its name for people; the key without this.
        #[arg(long)]
        name: Option<String>,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Lists the integrations.
    List {
        /// Print as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// Runs the command.
///
/// # Errors
/// The store cannot be used, or refuses.
pub fn run(command: IntegrationCommand) -> anyhow::Result<()> {
    let (integrations, json) = match command {
        IntegrationCommand::Create {
            key,
            name,
            json,
            config,
        } => {
            check_key("--key", &key)?;
            let new = NewIntegration {
                name: name.unwrap_or_else(|| key.clone()),
                key,
                retention_days: None,
                idempotency: None,
            };
            let made = on_store(config, async |store| {
                let made = store.create_integration(new, change()).await;
                Ok(made.context("no integration was made")?.record)
            })?;
            if json {
                return print(&serde_json::to_string(&made)?);
            }
            (vec![made], json)
        }
        IntegrationCommand::List { json, config } => {
            let integrations = on_store(config, async |store| {
                all("key", |query| store.integrations(query, None)).await
            })?;
            (integrations, json)
        }
    };
    if json {
        return print(&serde_json::to_string(&integrations)?);
    }
    for integration in integrations {
        let (id, key, name) = (integration.id, integration.key, integration.name);
        print(&format!(
            "{id}\t{key}\t{name}\tmade {}",
            integration.created_at
        ))?;
    }
    Ok(())
}
