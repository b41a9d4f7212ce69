//! Every statement fits the schema.

use super::world::tables;
use crate::*;

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let plain = [
        applications::STATEMENTS,
        audit::STATEMENTS,
        audit_events::STATEMENTS,
        check::STATEMENTS,
        idempotency::STATEMENTS,
        integrations::STATEMENTS,
        list_items::STATEMENTS,
        notifications::STATEMENTS,
        partitions::STATEMENTS,
        registry::STATEMENTS,
    ];
    let nested = [
        payload_render_views::STATEMENTS,
        sessions::STATEMENTS,
        users::STATEMENTS,
    ];
    let tables = tables().await;
    let connection = tables.store.connection().await.expect("a connection");
    let all = plain.iter().chain(nested.into_iter().flatten());
    for sql in all.copied().flatten() {
        if let Err(fault) = connection.prepare(sql).await {
            panic!("{fault:?}: {sql}");
        }
    }
}
