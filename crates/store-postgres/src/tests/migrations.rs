//! The schema while several nodes start at once, and while they are of different versions.

use testkit::TestPostgres;

use super::world::{open, tables};
use crate::connection::Connection;
use crate::list_query::one;
use crate::migrate::migrate;
use crate::partitions;

async fn count(connection: &Connection, sql: &str) -> i64 {
    let counted = one(connection, sql, &[], |row| Ok(row.try_get(0)?));
    counted.await.expect(sql).expect("a count")
}

#[tokio::test]
async fn nodes_that_start_at_once_make_the_schema_once() {
    let database = TestPostgres::new();
    let url = database.url();
    let opened = (0..4).map(|_| open(&url));
    let stores = futures_util::future::join_all(opened).await;
    let connection = stores[3].connection().await.expect("a connection");
    for sql in [
        "select max(version) / count(*) from schema_versions",
        "select count(*) from partitions where of_table = 'payloads'",
    ] {
        assert_eq!(count(&connection, sql).await, 1, "{sql}");
    }
}

#[tokio::test]
async fn a_database_that_newer_programs_have_only_added_to_is_used_and_another_is_not() {
    let tables = tables().await;
    let connection = tables.store.connection().await.expect("a connection");
    for (version, works_with, is_used) in [(98, 1, true), (99, 99, false)] {
        let sql = format!("insert into schema_versions values ({version}, {works_with})");
        connection.batch(&sql).await.expect("a newer version");
        let migrated = migrate(&connection).await;
        assert_eq!(migrated.is_ok(), is_used, "{migrated:?}");
    }
}

#[tokio::test]
async fn a_piece_is_made_when_half_of_the_last_one_is_used() {
    let tables = tables().await;
    let connection = tables.store.connection().await.expect("a connection");
    // Half of the first million was used within a moment: the second piece is as much larger as it may be.
    let pieces = "select count(*) from partitions where of_table = 'order_stages'";
    for (id, expected) in [(499_999, 1), (500_000, 2), (4_999_999, 2), (5_000_000, 3)] {
        let sql = format!("select setval('order_stages_id_seq', {id})");
        connection.batch(&sql).await.expect("set");
        partitions::make_ahead(&connection).await.expect("made");
        assert_eq!(count(&connection, pieces).await, expected, "{id}");
    }
    let insert = "insert into order_stages (integration_id, order_id, sequence, stage, update_status, stage_at, matching_revision, \
         created_at) values (1, 1, 1, 'ordered', true, 0, 0, 0)";
    connection.batch(insert).await.expect("has a place");
}
