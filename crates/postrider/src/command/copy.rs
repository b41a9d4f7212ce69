//! `postrider copy`: moving house, from one store to another.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, ensure};
use clap::Args;
use serde_json::json;
use store::copy::{CopySource, CopyTarget};
use store_postgres::PostgresCopy;
use store_sqlite::SqliteCopy;

use self::tables::{Compared, carry, compare};
use super::print;
use crate::config::{Config, ConfigArgs};
use crate::secret_key;

mod tables;

/// Digits of a hash that are shown to people: enough to tell two tables apart.
const DIGITS_SHOWN: usize = 16;

/// From where to where.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// What is copied: sqlite:DIR or postgres://…; `sqlite:` or `postgres:` alone is the configured one.
    #[arg(long, value_name = "STORE")]
    from: String,
    /// An empty store, written likewise. After a copy that was cut off: the same, to go on.
    #[arg(long, value_name = "STORE")]
    to: String,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// A store, as it is named on the command line.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Place {
    fn new(text: &str, config: &Config) -> anyhow::Result<Place> {
        if let Some(folder) = text.strip_prefix("sqlite:") {
            return Ok(Place::Sqlite(match folder {
                "" => config.data.clone(),
                // Absolute, so that it has the same name wherever the copy goes on.
                folder => std::path::absolute(folder)?,
            }));
        }
        if text == "postgres:" {
            let url = config.database_url.as_ref();
            let url =
                url.context("no database URL is configured; give it with POSTRIDER_DATABASE_URL")?;
            return Ok(Place::Postgres(url.text().to_owned()));
        }
        let schemes = ["postgres://", "postgresql://"];
        ensure!(
            schemes.iter().any(|scheme| text.starts_with(scheme)),
            "a store is written sqlite:DIR or postgres://user:password@host/name"
        );
        Ok(Place::Postgres(text.to_owned()))
    }

    async fn source(&self, config: &Config) -> anyhow::Result<Arc<dyn CopySource>> {
        let extra_ca_pem = config.extra_ca_pem.as_deref();
        Ok(match self {
            Place::Sqlite(folder) => Arc::new(SqliteCopy::source(folder)?),
            Place::Postgres(url) => Arc::new(PostgresCopy::source(url, extra_ca_pem).await?),
        })
    }

    async fn target(&self, config: &Config) -> anyhow::Result<Arc<dyn CopyTarget>> {
        let extra_ca_pem = config.extra_ca_pem.as_deref();
        Ok(match self {
            Place::Sqlite(folder) => Arc::new(SqliteCopy::target(folder)?),
            Place::Postgres(url) => Arc::new(PostgresCopy::target(url, extra_ca_pem).await?),
        })
    }
}

/// Runs the command.
///
/// # Errors
/// One of the two cannot be used, or they differ in the end. What was copied stays, and nobody can serve it.
pub fn run(args: CopyArgs) -> anyhow::Result<()> {
    let config = Config::new(args.config.with_surroundings())?;
    let from = Place::new(&args.from, &config).context("--from")?;
    let to = Place::new(&args.to, &config).context("--to")?;
    ensure!(from != to, "--from and --to are the same store");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let source = from.source(&config).await.context("--from")?;
        let target = to.target(&config).await.context("--to")?;
        target.begin(source.name()).await?;
        carry(&*source, &*target).await?;
        let compared = compare(&*source, &*target).await?;
        let differing: Vec<String> = compared.iter().filter_map(Compared::difference).collect();
        ensure!(
            differing.is_empty(),
            "the copy is not what the source is now: {}. Somebody may have changed the source since the copy began: empty the target, \
             and copy again",
            differing.join(", ")
        );
        target.complete().await?;
        if args.json {
            print(&as_json(source.name(), target.name(), &compared).to_string())
        } else {
            print(&as_text(&compared))?;
            print(&what_next(&from, &to, &config))
        }
    })
}

fn as_json(from: &str, to: &str, compared: &[Compared]) -> serde_json::Value {
    let tables = compared.iter().map(|one| {
        json!({ "name": one.table.name, "rows": one.source.rows(), "sha256": one.source.sha256() })
    });
    let rows: u64 = compared.iter().map(|one| one.source.rows()).sum();
    json!({ "from": from, "to": to, "rows": rows, "tables": tables.collect::<Vec<_>>() })
}

fn as_text(compared: &[Compared]) -> String {
    let widths = compared.iter().map(|one| one.table.name.len());
    let width = widths.max().unwrap_or_default();
    let mut lines: Vec<String> = compared
        .iter()
        .map(|one| {
            let hash: String = one.source.sha256().chars().take(DIGITS_SHOWN).collect();
            format!(
                "{:width$}  {:>12}  {hash}",
                one.table.name,
                one.source.rows()
            )
        })
        .collect();
    let rows: u64 = compared.iter().map(|one| one.source.rows()).sum();
    let tables = compared.len();
    lines.push(format!(
        "{rows} rows of {tables} tables, each counted and hashed in the source and in the target: they are the same"
    ));
    lines.join("\n")
}

/// What makes it a server: the key, which is in no store, and where the store is.
fn what_next(from: &Place, to: &Place, config: &Config) -> String {
    let key = match from {
        Place::Sqlite(folder) if config.secret_key.is_none() => {
            secret_key::beside(folder).display().to_string()
        }
        _ => "the one that the source was served with".to_owned(),
    };
    let serve = match to {
        Place::Sqlite(folder) => format!(
            "put the secret key ({key}) beside it as {}, and start `postrider serve --data {}`",
            secret_key::beside(folder).display(),
            folder.display()
        ),
        Place::Postgres(_) => format!(
            "give every node the same secret key ({key}) with POSTRIDER_SECRET_KEY_FILE, and this database with POSTRIDER_DATABASE_URL"
        ),
    };
    format!("Now {serve}. Do not serve the source again: it would send what waits a second time.")
}
