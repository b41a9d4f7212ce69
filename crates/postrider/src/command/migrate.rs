//! `postrider migrate`: the schema, brought up to date without serving it.

use clap::Args;

use super::print;
use crate::config::{Config, ConfigArgs};

/// Which store.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Runs the command.
///
/// # Errors
/// The store cannot be used, or is a newer program's.
pub fn run(args: MigrateArgs) -> anyhow::Result<()> {
    let config = Config::new(args.config.with_surroundings())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (before, after) = match &config.database_url {
        None => {
            let (before, after) = store_sqlite::migrate_folder(&config.data)?;
            (i64::from(before), i64::from(after))
        }
        Some(url) => {
            let ca = config.extra_ca_pem.as_deref();
            runtime.block_on(store_postgres::migrate_database(url.text(), ca))?
        }
    };
    print(&match before {
        0 => format!("the schema is made, in version {after}"),
        before if before == after => format!("the schema is up to date, in version {after}"),
        before => format!("the schema was in version {before}, and is in version {after} now"),
    })
}
