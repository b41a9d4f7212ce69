//! What is done at the machine: records made and switched on the data folder, with or without a server
//! running on it.

pub mod application;
pub mod backup;
pub mod copy;
pub mod doctor;
pub mod integration;
pub mod migrate;
pub mod route;
pub mod user;
pub mod verify;

use std::future::Future;
use std::io::Write;

use anyhow::Context;
use domain::id::IntegrationId;
use domain::records::Actor;
use domain::time::Clock;
use store::{Change, ListQuery, PAGE_SIZE_MAX, Page, PageRequest, Sort, Start, Store, StoreError};

use crate::clock::SystemClock;
use crate::config::{Config, ConfigArgs};
use crate::node::open_store;

/// Longest key or slug in characters, as in the API.
const KEY_CHARS_MAX: usize = 100;

/// Opens the store of the configuration, does the work on it, and closes it.
fn on_store<T>(
    config: ConfigArgs,
    work: impl AsyncFnOnce(&dyn Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let config = Config::new(config.with_surroundings())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let store = open_store(&config).await?;
        let done = work(&*store).await;
        store.close().await;
        done
    })
}

/// Every record of a list that `read` reads page by page.
async fn all<T, F>(sort: &'static str, read: impl Fn(ListQuery) -> F) -> anyhow::Result<Vec<T>>
where
    F: Future<Output = Result<Page<T>, StoreError>>,
{
    let mut records = Vec::new();
    let mut start = Start::Offset(0);
    loop {
        let page = read(ListQuery {
            search: None,
            sort: Sort {
                by: sort,
                descending: false,
            },
            page: PageRequest {
                size: PAGE_SIZE_MAX,
                start,
            },
            count: false,
        });
        let page = page.await?;
        records.extend(page.items);
        match page.next {
            Some(next) => start = Start::After(next),
            None => return Ok(records),
        }
    }
}

/// The integration of this key.
async fn integration_of(store: &dyn Store, key: &str) -> anyhow::Result<IntegrationId> {
    let found = store.integration_of_key(key.to_owned()).await?;
    let found = found
        .with_context(|| format!("there is no integration with the key `{key}`; make it first"))?;
    Ok(found.id)
}

fn check_key(flag: &str, key: &str) -> anyhow::Result<()> {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    anyhow::ensure!(
        !key.is_empty() && key.len() <= KEY_CHARS_MAX && key.chars().all(is_sign),
        "{flag} takes 1 to {KEY_CHARS_MAX} letters, digits and _ - . : signs"
    );
    Ok(())
}

fn change() -> Change {
    Change {
        actor: Actor::CommandLine,
        at: SystemClock.now(),
        request_id: None,
    }
}

fn random() -> anyhow::Result<[u8; 32]> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).context("the system gives no random bytes")?;
    Ok(random)
}

fn print(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("standard output cannot be written")
}
