//! A store on a database of its own.

use std::time::Duration;

use async_trait::async_trait;
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::SecretKey;
use store_laws::{Raw, START, World};
use testkit::TestPostgres;

use crate::PostgresStore;
use crate::list_query::one;

/// The tables of a store, and the database that goes with them.
pub(super) struct Tables {
    pub(super) store: PostgresStore,
    database: TestPostgres,
}

impl Tables {
    pub(super) fn url(&self) -> String {
        self.database.url()
    }
}

#[async_trait]
impl Raw for Tables {
    async fn count(&self, sql: &str) -> i64 {
        let connection = self.store.connection().await.expect("a connection");
        let counted = one(&connection, sql, &[], |row| Ok(row.try_get(0)?));
        counted.await.expect(sql).expect("a count")
    }

    async fn execute(&self, sql: &str) {
        let connection = self.store.connection().await.expect("a connection");
        connection.batch(sql).await.expect(sql);
    }

    fn waiting_jobs(&self) -> &'static str {
        "webhook_jobs_waiting"
    }
}

/// Longer than a test takes, so that nobody is told of lanes for no reason.
const LEASE: Duration = Duration::from_secs(600);

pub(super) async fn open(url: &str) -> PostgresStore {
    open_for(url, LEASE).await
}

pub(super) async fn open_for(url: &str, lease: Duration) -> PostgresStore {
    let chance = StdRng::seed_from_u64(1);
    let key = SecretKey::from_bytes([7; 32]);
    let opened = PostgresStore::open(url, None, key, chance, lease, START).await;
    opened.expect("a store")
}

pub(super) async fn tables() -> Tables {
    tables_for(LEASE).await
}

pub(super) async fn tables_for(lease: Duration) -> Tables {
    let database = TestPostgres::new();
    Tables {
        store: open_for(&database.url(), lease).await,
        database,
    }
}

pub(super) async fn world() -> World<PostgresStore> {
    let tables = tables().await;
    World::new(tables.store.clone(), tables).await
}
