//! The laws of all stores, each its own test.

use async_trait::async_trait;
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::SecretKey;
use store_laws::{Raw, START, World};
use tempfile::TempDir;

use crate::SqliteStore;

macro_rules! judge {
    ($module:ident: $($law:ident),+) => {
        mod $module {
            $(
                #[tokio::test]
                async fn $law() {
                    store_laws::$module::$law(&super::world().await).await;
                }
            )+
        }
    };
}

store_laws::applications_laws!(judge);
store_laws::audit_events_laws!(judge);
store_laws::delivery_statistics_laws!(judge);
store_laws::integrations_laws!(judge);
store_laws::lanes_laws!(judge);
store_laws::list_items_laws!(judge);
store_laws::notifications_laws!(judge);
store_laws::order_stages_laws!(judge);
store_laws::ordering_laws!(judge);
store_laws::orders_laws!(judge);
store_laws::payload_render_views_laws!(judge);
store_laws::random_laws!(judge);
store_laws::recoveries_laws!(judge);
store_laws::registry_laws!(judge);
store_laws::rendering_laws!(judge);
store_laws::retention_laws!(judge);
store_laws::sessions_laws!(judge);
store_laws::troubles_laws!(judge);
store_laws::users_laws!(judge);
store_laws::webhook_job_lists_laws!(judge);
store_laws::webhook_jobs_laws!(judge);
store_laws::webhook_out_subs_laws!(judge);

/// The tables of a store, and the folder that goes with them.
struct Tables {
    store: SqliteStore,
    _folder: TempDir,
}

#[async_trait]
impl Raw for Tables {
    async fn count(&self, sql: &str) -> i64 {
        let sql = sql.to_owned();
        let counted = self
            .store
            .read(move |connection| Ok(connection.query_row(&sql, [], |row| row.get(0))?));
        counted.await.expect("a count")
    }

    async fn execute(&self, sql: &str) {
        let sql = sql.to_owned();
        let executed = self
            .store
            .write(move |writing| Ok(writing.connection.execute_batch(&sql)?));
        executed.await.expect("executed");
    }
}

async fn world() -> World<SqliteStore> {
    let folder = tempfile::tempdir().expect("a folder");
    let key = SecretKey::from_bytes([7; 32]);
    let chance = StdRng::seed_from_u64(1);
    let store = SqliteStore::open(folder.path(), key, chance, START).expect("a store");
    let tables = Tables {
        store: store.clone(),
        _folder: folder,
    };
    World::new(store, tables).await
}
